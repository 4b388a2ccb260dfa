"""Whole texts that are no lines of hex: which are literals, decimal lists or base64, and what they cost."""

import pytest

from cosemscope.apdu.pasted.number_texts import (
    also_decimal,
    read_base64,
    read_decimals,
    read_literals,
    read_telegram,
)
from cosemscope.apdu.pasted.translated_xml import read_xml

ESCAPED = r"\x00\x01\xc0"

READERS = (read_literals, read_decimals, read_base64, read_telegram, read_xml, also_decimal)
#: Texts that begin like one of the forms and do not end like it, and what comes round again in them.
UNENDED = [
    ("b'", ESCAPED),
    ('b"', "\\x0\\x00"),
    ('"', ESCAPED),
    ('"\\', ESCAPED),
    ("", "1, "),
    ("x", "12, "),
    ("-", "AAAA"),
]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(("head", "again"), UNENDED)
def test_what_is_no_such_text_is_seen_at_once(reader, head, again):
    """A hundred thousand characters, as a log may have: looked at once, not once a way to part them."""
    assert not reader(head + again * (100_000 // len(again)) + " ?")


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (rf"b'{ESCAPED}'", [b"\x00\x01\xc0"]),
        (rf'send(b"{ESCAPED}")', [b"\x00\x01\xc0"]),
        (rf'"{ESCAPED}" "{ESCAPED}"', [b"\x00\x01\xc0"] * 2),
        (r"b'\'\x00'", [b"'\x00"]),
        (r"b'it\\'", [b"it\\"]),
        (r'"abc\x00def"', [b"abc\x00def"]),
        ("b'00010010'", [b"\x00\x01\x00\x10"]),
        ("b'00:01 00-10'", [b"\x00\x01\x00\x10"]),
    ],
)
def test_literals(text, pieces):
    """Python's and C's, with escapes of quotes and of backslashes; hexlify's digits are octets."""
    found = read_literals(text)
    assert found is not None
    assert [piece.octets for piece in found.pieces] == pieces


@pytest.mark.parametrize(
    "text", [r"'\x00", "b'unended", '"no escapes"', r'"\x0"', "b''", r"b'\xzz'", "abc'def'"]
)
def test_what_is_no_literal(text):
    """Quotes alone make none, nor do octets beside them."""
    assert read_literals(text) is None
