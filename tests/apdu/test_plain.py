"""Trees as text: one line a field, no number twice, codes of octets in hex."""

import pytest

from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.framed import decode_octets
from cosemscope.apdu.plain import text_lines


def lines(octets: str) -> list[str]:
    """The tree's lines without offsets, indentation and heading."""
    return [line[15:].strip() for line in text_lines(decode_apdu(bytes.fromhex(octets)))][1:]


def test_a_whole_tree() -> None:
    """Offset and octets of each field, two blanks for each level, and another source by its name."""
    tree = "c401c100 0201 1105"
    assert list(text_lines(decode_apdu(bytes.fromhex(tree)))) == [
        "offset octets  field",
        "     0      8  get-response: get-response-normal",
        "     0      1    tag: get-response (0xC4)",
        "     1      1    choice: get-response-normal (1)",
        "     2      1    invoke-id-and-priority: invoke-id 1, confirmed, high priority (0xC1)",
        "     3      5    result: structure of 1",
        "     3      1      choice: data (0)",
        "     4      4      data: structure of 1",
        "     4      1        tag: structure (0x02)",
        "     5      1        count: 1",
        "     6      2        [1]: 5",
        "     6      1          tag: unsigned (0x11)",
        "     7      1          value: 5",
    ]
    first, last = (bytes.fromhex(text) for text in ("6806066853ff000167d89216", "6807076853ff1101670204d116"))
    assert list(text_lines(decode_octets(first + last)))[-8:-2] == [
        "    21      2      segment: 3 octets joined",
        "                     -- joined segments: 3 octets",
        "     0      3        exception-response: service-unknown, pdu-too-long",
        "     0      1          tag: exception-response (0xD8)",
        "     1      1          state-error: service-unknown (2)",
        "     2      1          service-error: pdu-too-long (4)",
    ]


def test_numbers_stand_once() -> None:
    """A text that has its number in it is not followed by the same number."""
    shown = lines("c001c100030100010800ff0200")
    assert "class-id: Register (3)" in shown
    assert "attribute-id: value (2)" in shown


def test_codes_are_in_hex() -> None:
    """Tags, security control and the octets of bits are shown as an engineer reads them."""
    assert "tag: get-request (0xC0)" in lines("c001c100030100010800ff0200")
    assert "invoke-id-and-priority: invoke-id 1, confirmed, high priority (0xC1)" in lines("c001c1")
    assert "security-control: suite 0, encrypted (0x20)" in lines("c8082000000001010203")
    assert "tag: 0x54" in lines("540102")


@pytest.mark.parametrize(
    ("octets", "line"),
    [
        ("c401c100177fc00000", "value: NaN"),
        ("c401c1001780000000", "value: -0"),
        ("c401c1000400", "value: empty"),
        ("c401c1000900", "value: empty"),
        ("db00082000000001010203", "system-title: empty"),
        ("c8033000 00".replace(" ", ""), "ciphered-content: incomplete"),
        ("c401c1001907e80601060a1e0000000000", "deviation: 0 min to UTC (0)"),
    ],
)
def test_what_is_empty_or_no_number_says_so(octets: str, line: str) -> None:
    """No line ends in a colon with nothing behind it, and no special float is there twice."""
    shown = lines(octets)
    assert line in shown
    assert not [one for one in shown if one.endswith(":")]


def test_who_has_no_title_is_told_so() -> None:
    """General envelopes without system titles read as sentences."""
    assert lines("db00082000000001010203")[0].startswith("general-glo-ciphering: no system title, suite 0")
    assert "no system title to no system title" in lines("dd0000000000" + "00" + "082000000001010203")[0]
