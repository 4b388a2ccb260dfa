"""Hex as people paste it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.apdu.hex_input import HexError, parse_octets

_OCTETS = bytes.fromhex("0001001000010009c401c1000600001391")


@pytest.mark.parametrize(
    "text",
    [
        "0001001000010009c401c1000600001391",
        "00 01 00 10 00 01 00 09 C4 01 C1 00 06 00 00 13 91",
        "00:01:00:10:00:01:00:09:c4:01:c1:00:06:00:00:13:91",
        "0x00, 0x01, 0x00, 0x10, 0x0, 0x1, 0x0, 0x9, 0xC4, 0x01, 0xC1, 0x00, 0x06, 0, 0x00, 0x13, 0x91",
        "\\x00\\x01\\x00\\x10\\x00\\x01\\x00\\x09\\xc4\\x01\\xc1\\x00\\x06\\x00\\x00\\x13\\x91",
        "0001 0010 0001 0009\nc401 c100 0600\r\n0013 91\n",
        "00-01-00-10 # header\n00 01 00 09 // the rest of it\nc4 01 c1 00 06 00 00 13 91",
        "0000   00 01 00 10 00 01 00 09 c4 01 c1 00 06 00 00 13   ................\n0010   91   .",
        "00000000  00 01 00 10 00 01 00 09  c4 01 c1 00 06 00 00 13  |................|\n"
        "00000010  91                                                |.|\n00000011\n",
        "00000000: 0001 0010 0001 0009 c401 c100 0600 0013  ................\n00000010: 91    .",
        "0000: 00 01 00 10 00 01 00 09\n0008: C4 01 C1 00 06 00 00 13\n0010: 91",
        "{0x0001001000010009c401c1000600001391}",
        "b'\\x00\\x01\\x00\\x10\\x00\\x01\\x00\\x09\\xc4\\x01\\xc1\\x00\\x06\\x00\\x00\\x13\\x91'",
        "\ufeff0001001000010009c401c1000600001391",
        "0h 1h 0h 10h 00h 01h 00h 09h C4h 01h C1h 00h 06h 00h 00h 13h 91h",
        "RX: 00 01 00 10 00 01 00 09\nRX: c4 01 c1 00 06 00 00 13 91",
    ],
)
def test_forms(text: str) -> None:
    """All of these are the same WPDU."""
    assert parse_octets(text) == _OCTETS


def test_characters_that_look_like_hex() -> None:
    """The characters' column of a dump is not taken for octets."""
    dump = "0000  61 62 63 64 65 66 61 62 63 64 65 66 61 62 63 64  abcdefabcdefabcd\n0010  61 62  ab"
    assert parse_octets(dump) == b"abcdefabcdefabcdab"


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=1, max_size=100), st.sampled_from([8, 16]))
def test_dumps_of_anything(octets: bytes, width: int) -> None:
    """Dumps in the two usual layouts are read back."""
    lines = []
    for at in range(0, len(octets), width):
        row = octets[at : at + width]
        shown = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in row)
        lines.append(f"{at:08x}  {row.hex(' '):{width * 3}} |{shown}|")
    assert parse_octets("\n".join(lines)) == octets


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no hex digits"),
        ("c4 01 zz", "'z' in 'zz' is no hex digit"),
        ("c4 01 c", "5 hex digits make no whole octets: 'c' in line 1"),
        ("c4 01\nc4 012", "9 hex digits make no whole octets: '012' in line 2"),
        ("# nothing", "no hex digits"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    """Errors are sentences."""
    with pytest.raises(HexError, match=message):
        parse_octets(text)
