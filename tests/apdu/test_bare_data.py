"""Values that stand by themselves are read as Data where no APDU fits; what may be both is said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.apdu.framed import Layer, decode_octets, recognise
from cosemscope.apdu.summary import summarise
from tests.helpers.apdu_checks import check_tree


@pytest.mark.parametrize(
    ("octets", "line"),
    [
        ("0202 0ffe 1623", "no APDU: Data, scaler 10^-2, unit V: -2, 35"),
        ("0600001391", "no APDU: Data, 5009"),
        ("0103 1101 1102 1103", "no APDU: Data, array of 3: 1, 2, 3"),
        (
            "090c07e50118ff0e303950ffc400",
            "no APDU: Data, 2021-01-24 14:48:57.80, deviation -60 min (13:48:57 UTC)",
        ),
        ("0a0548656c6c6f", 'no APDU: Data, "Hello"'),
    ],
)
def test_a_value_by_itself(octets: str, line: str) -> None:
    """An attribute's value without its APDU is what people copy out of other tools."""
    assert recognise(bytes.fromhex(octets)) is Layer.DATA
    assert summarise(decode_octets(bytes.fromhex(octets))) == line


def test_the_beginning_of_a_value_is_read_as_far_as_it_goes() -> None:
    """An array that was cut when it was copied."""
    line = summarise(decode_octets(bytes.fromhex("010b 0203 120000 0905ffff0101ff 1101 0203 1200")))
    assert line.startswith("BROKEN no APDU: Data, array of 11, incomplete: structure of 3")


def test_both_readings_are_said() -> None:
    """READ of one short name is a number of Data, too; a number that is no WRITE says what it is none of."""
    read = decode_octets(bytes.fromhex("050102fa00"))
    assert read.root.name == "readRequest"
    assert "could be a value without an APDU, too: Data, 16972288" in read.problems[-1].message
    number = decode_octets(bytes.fromhex("0600001391"))
    assert "as writeRequest these octets break" in number.problems[-1].message


@pytest.mark.parametrize(
    "octets", ["c401c1000600001391", "00", "0001001000010000", "0203", "99020ffe", "1003"]
)
def test_what_is_no_value(octets: str) -> None:
    """APDUs, headers, single octets and beginnings of one element are none."""
    assert recognise(bytes.fromhex(octets)) is not Layer.DATA


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=1, max_size=60))
def test_anything_is_decoded_and_tiled(octets: bytes) -> None:
    """Whatever the octets are, the leaves tile them."""
    check_tree(decode_octets(octets), octets)


@pytest.mark.parametrize("separator", [b"", b" "])
def test_hex_digits_as_text_are_told(separator: bytes) -> None:
    """A program sent the string and not its octets: what it spells is shown below."""
    octets = bytes.fromhex("0001001000010009c401c1000600001391")
    text = octets.hex(" ").encode().replace(b" ", separator)
    decoded = decode_octets(text)
    assert "hex digits as text of: GET response, data = 5009" in summarise(decoded)
    assert decoded.sources[0].data == text
    assert decoded.sources[1].data == octets
    check_tree(decoded, decoded.sources[0].data)
    assert recognise(b"0123456789abcdef0123456789") is Layer.APDU
