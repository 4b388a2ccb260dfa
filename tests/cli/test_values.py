"""Values of options: what is taken, and what is refused in words that argparse shows."""

import argparse

import pytest

from cosemscope.cli import values


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (values.count, "1", 1),
        (values.count, "2147483647", 2**31 - 1),
        (values.port, "65535", 65535),
        (values.wport, "0x10", 16),
        (values.wport, "0", 0),
        (values.seconds, "0", 0.0),
        (values.some_seconds, "0.25", 0.25),
        (values.size, "7", 7),
        (values.size, "500k", 500_000),
        (values.size, "2G", 2 * 10**9),
    ],
)
def test_what_is_taken(kind, text: str, value: float) -> None:
    """Every way to write a value that the help promises."""
    assert kind(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *((values.count, text) for text in ("²", "0", "-1", "x", "", "2147483648", "1.5")),
        *((values.port, text) for text in ("0", "65536", "x")),
        *((values.wport, text) for text in ("-1", "65536", "0x10000", "x", "")),
        *((values.seconds, text) for text in ("-1", "x", "", "nan", "inf", "1e9")),
        *((values.some_seconds, text) for text in ("0", "-1", "nan")),
        *((values.size, text) for text in ("0", "k", "", "1.5M", "10T")),
    ],
)
def test_what_is_refused(kind, text: str) -> None:
    """The text stands in the sentence."""
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        kind(text)
    assert str(caught.value).startswith(f"{text!r} is no ")
