"""Trees as text: one line a field, no number twice, codes of octets in hex."""

import pytest

from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.plain import text_lines


def lines(octets: str) -> list[str]:
    """The tree's lines without offsets, indentation and heading."""
    return [line[15:].strip() for line in text_lines(decode_apdu(bytes.fromhex(octets)))][1:]


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
