"""Values of options: what argparse calls with an option's text, and what is wrong with one, in words."""

import argparse

_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_MOST_SECONDS = 1e9


def count(text: str) -> int:
    """A number of things, 1 or more."""
    if not text.isdecimal() or not 1 <= int(text) < 1 << 31:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of 1 or more")
    return int(text)


def port(text: str) -> int:
    """A TCP or UDP port."""
    if not text.isdecimal() or not 1 <= int(text) <= 0xFFFF:
        raise argparse.ArgumentTypeError(f"{text!r} is no port (1 to 65535)")
    return int(text)


def seconds(text: str) -> float:
    """A time in seconds, which may be 0."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < _MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return number


def some_seconds(text: str) -> float:
    """A time in seconds, longer than 0."""
    number = seconds(text)
    if not number:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return number


def size(text: str) -> int:
    """A number of octets, 1 or more; k, M or G may follow."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS and text else (text, "")
    if not number.isdecimal() or int(number) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of octets, such as 500k, 10M or 2G")
    return int(number) * _UNITS[unit]
