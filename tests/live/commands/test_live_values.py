"""Values of live options: what is taken, and what is refused in words that argparse shows."""

import argparse

import pytest

from cosemscope.live.commands.live_values import octets, wport


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (wport, "0x10", 16),
        (wport, "0", 0),
        (wport, "65535", 65535),
        (octets, "62 03 80:01 00", b"\x62\x03\x80\x01\x00"),
        (octets, "C0", b"\xc0"),
    ],
)
def test_what_is_taken(kind, text: str, value: object) -> None:
    """Every way to write a value that the help promises."""
    assert kind(text) == value


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        *((wport, text, f"{text!r} is no wPort") for text in ("-1", "65536", "0x10000", "x", "")),
        *((octets, text, f"{text!r} is no APDU in hexadecimal") for text in ("0", "xy", "0x62")),
        (octets, "", "at least one octet"),
    ],
)
def test_what_is_refused(kind, text: str, words: str) -> None:
    """With the text and what is wrong with it."""
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        kind(text)
    assert words in str(caught.value)
