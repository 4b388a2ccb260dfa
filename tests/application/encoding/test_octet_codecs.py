"""Codecs of records: their fields are counted when they are made, and stand in the order that was said."""

from typing import NamedTuple

import pytest

from cosemscope.application.encoding.octet_codecs import (
    EncodeError,
    octet,
    record,
    record_in_order,
    unsigned_number,
    write_count,
)
from cosemscope.application.encoding.octet_reader import OctetReader, ParseError


class _Pair(NamedTuple):
    first: int
    second: int


def test_a_record_needs_a_codec_for_each_field() -> None:
    """A declaration that forgot one is refused when the module is read."""
    with pytest.raises(TypeError, match="_Pair has 2 fields, 1 codecs"):
        record(_Pair, octet("first"))


def test_another_order_on_the_wire() -> None:
    """The octets follow the order of the codecs, not of the class."""
    codec = record_in_order(_Pair, second=unsigned_number(2, "second"), first=octet("first"))
    out = bytearray()
    codec.write(out, _Pair(1, 2))
    assert out == b"\0\2\1"
    assert codec.read(OctetReader(bytes(out))) == _Pair(1, 2)


@pytest.mark.parametrize(
    ("number", "octets"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "8180"),
        (256, "820100"),
        (2**24, "8401000000"),
        (2**32 - 1, "84ffffffff"),
    ],
)
def test_counts(number: int, octets: str) -> None:
    """The shortest form, and back."""
    out = bytearray()
    write_count(out, number)
    assert out.hex() == octets
    assert OctetReader(bytes(out)).count("count") == number


def test_a_count_has_four_octets_at_most() -> None:
    """More are refused both ways."""
    with pytest.raises(EncodeError, match="four octets"):
        write_count(bytearray(), 2**32)
    with pytest.raises(ParseError, match="81 to 84"):
        OctetReader(bytes.fromhex("850100000000")).count("count")
