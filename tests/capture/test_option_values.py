"""Values of options: what is taken, and what is refused in words that argparse shows."""

import argparse

import pytest

from cosemscope.capture import option_values


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (option_values.count, "1", 1),
        (option_values.count, "2147483647", 2**31 - 1),
        (option_values.port, "65535", 65535),
        (option_values.seconds, "0", 0.0),
        (option_values.some_seconds, "0.25", 0.25),
        (option_values.size, "7", 7),
        (option_values.size, "500k", 500_000),
        (option_values.size, "2G", 2 * 10**9),
    ],
)
def test_what_is_taken(kind, text: str, value: float) -> None:
    """Every way to write a value that the help promises."""
    assert kind(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *((option_values.count, text) for text in ("²", "0", "-1", "x", "", "2147483648", "1.5")),
        *((option_values.port, text) for text in ("0", "65536", "x")),
        *((option_values.seconds, text) for text in ("-1", "x", "", "nan", "inf", "1e9")),
        *((option_values.some_seconds, text) for text in ("0", "-1", "nan")),
        *((option_values.size, text) for text in ("0", "k", "", "1.5M", "10T")),
    ],
)
def test_what_is_refused(kind, text: str) -> None:
    """The text stands in the sentence."""
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        kind(text)
    assert str(caught.value).startswith(f"{text!r} is no ")
