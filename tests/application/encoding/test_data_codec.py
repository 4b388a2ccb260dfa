"""Data at its edges: NaN, strings that are no UTF-8, compact arrays whose elements do not fit."""

import math

import pytest

from cosemscope.application.encoding.apdus import encode_data, parse_data
from cosemscope.application.encoding.data_values import (
    Data,
    TypeDescription,
    array,
    compact_array,
    float64,
    unsigned,
)
from cosemscope.application.encoding.octet_codecs import EncodeError
from cosemscope.application.encoding.octet_reader import ParseError


def test_not_a_number() -> None:
    """NaN goes out and comes back."""
    assert math.isnan(parse_data(encode_data(float64(math.nan))).value)


def test_octets_that_are_no_utf8_are_kept() -> None:
    """A meter's broken string is sent back as it came."""
    octets = b"\x0c\x02a\xff"
    assert encode_data(parse_data(octets)) == octets


def test_long_lengths() -> None:
    """Two octets of length from 128 on."""
    octets = encode_data(Data(9, bytes(200)))
    assert octets[:3] == b"\x09\x81\xc8"
    assert parse_data(octets) == Data(9, bytes(200))


@pytest.mark.parametrize(
    ("description", "element", "words"),
    [
        (TypeDescription(18), unsigned(5), "expected long-unsigned"),
        (TypeDescription(1, 2, (TypeDescription(17),)), array([unsigned(5)]), "expected arrays of 2"),
        (TypeDescription(2, 0, (TypeDescription(17),)), Data(2, ()), "does not fit"),
        (TypeDescription(17), unsigned(500), "does not fit"),
        (TypeDescription(7), Data(7, b""), "no type 7"),
    ],
)
def test_elements_must_be_of_the_type_described(
    description: TypeDescription, element: Data, words: str
) -> None:
    """A compact array has one type."""
    with pytest.raises(EncodeError, match=words):
        encode_data(compact_array(description, [element]))


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ("13130101", "a type that a compact array may have"),
        ("130001aa", "no octets of elements that have none"),
        ("13120101", "2 octets of long-unsigned"),
        ("110100", "the end of the value"),
        ("0409aa", "2 octets of bit-string"),
        ("1b010203", "4 octets of time"),
    ],
)
def test_octets_that_do_not_fit(octets: str, words: str) -> None:
    """Each is told with what was expected."""
    with pytest.raises(ParseError, match=words):
        parse_data(bytes.fromhex(octets))
