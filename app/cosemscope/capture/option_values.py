"""Kinds of values that options have: how text is read and written, and what is wrong with one, in words."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


def written(value: Any) -> str:
    """A number as people write it, anything else by `str`; read again it is the same."""
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class ValueKind:
    """A kind of value: its placeholder in the help, and how it is read (ArgumentTypeError) and written."""

    placeholder: str
    read: Callable[[str], Any] = str
    write: Callable[[Any], str] = written


COUNT = ValueKind("N", count)
OCTETS = ValueKind("OCTETS", count)
SIZE = ValueKind("N", size)
MEBIOCTETS = ValueKind("MIB", lambda text: count(text) << 20, lambda octets: str(octets >> 20))
PORT = ValueKind("PORT", port)
SECONDS = ValueKind("S", seconds)
SOME_SECONDS = ValueKind("N", some_seconds)
FILE = ValueKind("FILE", Path)
