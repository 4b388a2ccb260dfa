"""Elements of BER by themselves: where they end, every form of tag and length, what is wrong."""

from collections.abc import Callable

import pytest

from cosemscope.apdu.context import NO_CONTEXT
from cosemscope.apdu.cursor import Break, Cursor, Session
from cosemscope.apdu.fields import ByteSource
from cosemscope.apdu.services.ber import (
    element_ends,
    read_anything,
    read_bit_string,
    read_element,
    read_integer,
    read_object_identifier,
    read_octets,
)
from tests.helpers.apdu_checks import tree


def cursor(octets: str) -> Cursor:
    data = bytes.fromhex(octets)
    return Cursor(data, Session(NO_CONTEXT, [ByteSource("APDU", data)], lambda c: None))


def element(octets: str) -> list[str]:
    """The tree of one element of anything, and what is wrong with it."""
    c = cursor(octets)
    read_element(c, "x", read_anything)
    assert c.stack == []
    return [*tree(c.children[0]).split("\n"), *(problem.message for problem in c.session.problems)]


# Where elements end.


@pytest.mark.parametrize(
    ("octets", "ends"),
    [
        ("", []),
        ("04", []),
        ("0400", [2]),
        ("0401", []),
        ("040141", [3]),
        ("0400 0500", [2, 4]),
        ("0400 05", [2]),
        ("0400 0501", [2]),
        ("047f" + "00" * 127, [129]),
        ("048180" + "00" * 128, [131]),
        ("04820001 41", [5]),
        ("0480 0000", []),
        ("1f01 0141", [4]),
        ("1f8101 0141", [5]),
        ("1f81818101 0141", [7]),
        ("3003 040141", [5]),
        # A constructed element reaches as far as the first element in it, if that is there.
        ("3002 040141", [5]),
        ("3002 0402 41", [4]),
        ("1002 0401 41", [4]),
        ("3002 0480 41", [4]),
        ("3001 04", [3]),
        ("3000 0400", [2, 4]),
        ("3002 0400 0400", [4, 6]),
    ],
)
def test_where_elements_end(octets: str, ends: list[int]) -> None:
    """One after the other, of definite lengths, as long as they are whole."""
    data = bytes.fromhex(octets)
    assert element_ends(data, 0, len(data)) == ends
    shifted = [3 + end for end in ends]
    assert element_ends(b"\xff" * 3 + data, 3, 3 + len(data)) == shifted


# Tags and lengths.


@pytest.mark.parametrize(
    ("octets", "tag"),
    [
        ("0400", "0-1 tag 4 (OCTET STRING)"),
        ("8500", "0-1 tag 133 ([5])"),
        ("be00", "0-1 tag 190 ([30])"),
        ("4500", "0-1 tag 69"),
        ("c500", "0-1 tag 197"),
        ("9f0100", "0-2 tag 40705"),
        ("9f810100", "0-3 tag 10453249"),
        ("9f818181810000", f"0-6 tag {0x9F8181818100}"),
        ("9f8181818181 00 00", f"0-6 tag {0x9F8181818181}"),
        ("3000", "0-1 tag 48 (SEQUENCE)"),
    ],
)
def test_tags(octets: str, tag: str) -> None:
    """Universal ones have their name, those of the context their number; long ones go on over octets."""
    assert element(octets)[1].strip() == tag


@pytest.mark.parametrize(
    ("octets", "lines"),
    [
        ("0401 41", ["0-3 x (41)", "  0-1 tag 4 (OCTET STRING)", "  1-2 length 1", "  2-3 value 41 (41)"]),
        ("048101 41", ["0-4 x (41)", "  0-1 tag 4 (OCTET STRING)", "  1-3 length 1", "  3-4 value 41 (41)"]),
        (
            "0402 41",
            [
                "0-3 x (41)",
                "  0-1 tag 4 (OCTET STRING)",
                "  1-2 length 2",
                "  2-3 value 41 (41)",
                "length at offset 1 says 2 octets, 1 remain: read to the end",
            ],
        ),
        (
            "3080 3080 0400 0000 0000",
            [
                "0-10 x",
                "  0-1 tag 48 (SEQUENCE)",
                "  1-2 length 128 (indefinite)",
                "  2-8 SEQUENCE",
                "    2-3 tag 48 (SEQUENCE)",
                "    3-4 length 128 (indefinite)",
                "    4-6 OCTET STRING (empty)",
                "      4-5 tag 4 (OCTET STRING)",
                "      5-6 length 0",
                "      6-6 value  (empty)",
                "    6-8 end-of-contents 0000",
                "  8-10 end-of-contents 0000",
            ],
        ),
        (
            "3080 0402 0000 bf01 00 048101 41 0000",
            [
                "0-15 x",
                "  0-1 tag 48 (SEQUENCE)",
                "  1-2 length 128 (indefinite)",
                "  2-6 OCTET STRING (0000)",
                "    2-3 tag 4 (OCTET STRING)",
                "    3-4 length 2",
                "    4-6 value 0000 (0000)",
                "  6-9 element",
                "    6-8 tag 48897",
                "    8-9 length 0",
                "  9-13 OCTET STRING (41)",
                "    9-10 tag 4 (OCTET STRING)",
                "    10-12 length 1",
                "    12-13 value 41 (41)",
                "  13-15 end-of-contents 0000",
            ],
        ),
        (
            "3080 0400 00",
            [
                "0-5 x (incomplete)",
                "  0-1 tag 48 (SEQUENCE)",
                "  1-2 length 128 (indefinite)",
                "  2-4 OCTET STRING (empty)",
                "    2-3 tag 4 (OCTET STRING)",
                "    3-4 length 0",
                "    4-4 value  (empty)",
                "  4-5 element (incomplete)",
                "    4-5 tag 0",
                "expected 1 octet of length at offset 5, the octets end",
                "expected end-of-contents (00 00) of x, the octets end",
            ],
        ),
    ],
)
def test_forms_of_lengths(octets: str, lines: list[str]) -> None:
    """Short, long, too long, and indefinite, also in one another."""
    assert element(octets) == lines


@pytest.mark.parametrize(
    "inside",
    [
        "1f01 0141",
        "1f8101 0141",
        "1f818101 0141 0400",
        "3f8101 80 0401 41 0000",
        "047f" + "41" * 127,
        "048180" + "41" * 128,
        "04820101" + "41" * 257,
    ],
)
def test_the_end_of_an_indefinite_length(inside: str) -> None:
    """It is found behind elements of any length, however it is written."""
    lines = element(f"3080 {inside} 0000 ff")
    stop = len(bytes.fromhex(inside)) + 4
    assert lines[0] == f"0-{stop} x"
    assert lines[-1] == f"  {stop - 2}-{stop} end-of-contents 0000"


def test_constructed_elements_nest_16_deep() -> None:
    """What is deeper stays octets: of twenty in one another the last four."""
    octets = "0400"
    for _ in range(20):
        octets = f"30{len(octets) // 2:02x}" + octets
    fields = [line.strip().partition(" ")[2] for line in element(octets)]
    assert fields.count("SEQUENCE") == 15
    assert fields[-4:] == [
        "SEQUENCE (3006300430020400)",
        "tag 48 (SEQUENCE)",
        "length 8",
        "value 3006300430020400 (3006300430020400)",
    ]


# What is expected, and is not there.


@pytest.mark.parametrize(
    ("octets", "expected", "message"),
    [
        ("", None, "expected 1 octet of tag of x at offset 0, the octets end"),
        ("0500", 0x04, "expected OCTET STRING (0x04) as tag of x at offset 0, found 0x05"),
        ("0500", 0xA1, "expected context tag (0xA1) as tag of x at offset 0, found 0x05"),
    ],
)
def test_tags_that_are_not_there(octets: str, expected: int | None, message: str) -> None:
    """Told before anything is read."""
    c = cursor(octets)
    with pytest.raises(Break) as raised:
        read_element(c, "x", read_octets, expected)
    assert raised.value.message == message
    assert (raised.value.start, c.position, c.children) == (0, 0, [])


def test_a_length_that_is_not_there() -> None:
    """And an indefinite one of a primitive element."""
    for octets, message in (
        ("04", "expected 1 octet of length at offset 1, the octets end"),
        ("0480", "expected a definite length of a primitive at offset 1"),
        ("8580 0000", "expected a definite length of a primitive at offset 1"),
    ):
        with pytest.raises(Break) as raised:
            element(octets)
        assert raised.value.message == message


def test_a_length_short_of_the_element_inside() -> None:
    """Read to the end of the inner one, with a warning; a primitive one is what its length says."""
    c = cursor("3002 040141")
    read_element(c, "x", read_anything)
    [problem] = c.session.problems
    assert (problem.severity, problem.start, problem.stop) == ("warning", 1, 2)
    assert problem.message == (
        "length of x at offset 1 says 2 octets, the element in it takes 3: read to its end"
    )
    assert c.position == 5
    for octets in ("0402 040141", "8502 040141"):
        c = cursor(octets)
        read_element(c, "x", read_anything)
        assert (c.position, c.session.problems) == (4, [])


# Content.


def content(octets: str, read: Callable[[Cursor], object]) -> object:
    """Value and text of content, whatever stands around it."""
    c = cursor("ff" + octets + "ff")
    c.position, c.end = 1, c.end - 1
    found = read(c)
    assert c.position == c.end or c.session.problems
    return found


@pytest.mark.parametrize(
    ("octets", "dotted"),
    [
        ("00", "0.0"),
        ("27", "0.39"),
        ("28", "1.0"),
        ("4f", "1.39"),
        ("50", "2.0"),
        ("78", "2.40"),
        ("7f", "2.47"),
        ("8100", "2.48"),
        ("8837", "2.999"),
        ("2a8648", "1.2.840"),
        ("608574050801 05", "2.16.756.5.8.1.5"),
        ("00" + "01" * 31, "0.0" + ".1" * 31),
    ],
)
def test_object_identifiers(octets: str, dotted: str) -> None:
    """The first octets are 40 times the first arc, which is 2 at most, and the second (X.690, 8.19)."""
    assert content(octets, read_object_identifier) == (dotted, dotted)


@pytest.mark.parametrize("octets", ["", "80", "2a81", "00" + "01" * 32])
def test_octets_that_are_no_object_identifier(octets: str) -> None:
    """None, cut ones, and more than 32: they stay octets, with a problem."""
    c = cursor(octets)
    assert read_object_identifier(c)[0] == bytes.fromhex(octets)
    [problem] = c.session.problems
    assert (problem.start, problem.stop, problem.severity) == (0, len(c.data), "error")


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        ("00", 0),
        ("7f", 127),
        ("80", -128),
        ("0080", 128),
        ("ff", -1),
        ("7fffffffffffffff", 2**63 - 1),
        ("8000000000000000", -(2**63)),
    ],
)
def test_integers(octets: str, value: int) -> None:
    """Signed, of any number of octets up to eight."""
    assert content(octets, read_integer) == (value, str(value))


@pytest.mark.parametrize(
    ("octets", "bits"), [("00", ""), ("0080", "10000000"), ("0780", "1"), ("04a5f0", "101001011111")]
)
def test_bit_strings(octets: str, bits: str) -> None:
    """The first octet says how many bits of the last one are not used."""
    assert content(octets, read_bit_string) == (bits, bits)


@pytest.mark.parametrize("octets", ["08ff", "01", "07", "ff00"])
def test_bit_strings_that_are_none(octets: str) -> None:
    """More than seven unused bits, and unused bits of no octet."""
    with pytest.raises(Break, match="0 to 7, fitting the octets"):
        read_bit_string(cursor(octets))
