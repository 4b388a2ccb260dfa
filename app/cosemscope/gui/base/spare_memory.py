"""Spare memory goes back to the system once a large piece of work is done.

The C library of Linux keeps what was freed in the midst of its heap: tens of MiB after each pass over a large
capture, which no other program could use.
"""

import ctypes
import sys
from collections.abc import Callable
from functools import cache


def give_back() -> None:
    """Give back what is free, in some milliseconds, where the C library can be asked. From any thread."""
    _trimmer()(0)


@cache
def _trimmer() -> Callable[[int], object]:
    if sys.platform != "linux":
        return _nothing
    try:
        trim: Callable[[int], object] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):  # another C library
        return _nothing
    return trim


def _nothing(pad: int) -> None:
    pass
