"""Memory that is free goes back to the system, as far as its C library can be asked."""

import ctypes
import sys
from pathlib import Path

import pytest

from cosemscope.gui.base.spare_memory import give_back


def resident() -> int:
    """Octets that this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"),
    reason="other C libraries give back by themselves",
)
def test_what_lies_free_amid_the_heap_goes_back() -> None:
    """Small pieces that are freed below one that stays are kept by the C library until it is asked."""
    library = ctypes.CDLL(None)
    library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    pieces = [library.malloc(60_000) for _ in range(2000)]
    for piece in pieces:
        ctypes.memset(piece, 1, 60_000)
    for piece in pieces[:-1]:
        library.free(piece)
    before = resident()
    give_back()
    assert before - resident() > 80_000_000
    library.free(pieces[-1])


def test_it_can_be_asked_anywhere() -> None:
    """Without a C library that knows how, nothing happens."""
    give_back()
    give_back()
