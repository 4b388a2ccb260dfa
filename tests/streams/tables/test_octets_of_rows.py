"""Octets of several WPDU rows are had from one reading, and are those of one row after the other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.octets import SIDE
from cosemscope.streams.tables import wpdu_table as module
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.row_apdus import apdu_octets
from cosemscope.streams.tables.wpdu_table import WpduTable

FILE = bytes(range(256)) * 8
#: Where the pieces of a row lie: in the file, or in the side store.
PIECES = st.lists(
    st.tuples(st.integers(0, len(FILE) - 1), st.integers(0, 60), st.booleans()), min_size=1, max_size=4
)


def table(rows: list[list[tuple[int, int, bool]]]) -> WpduTable:
    """Rows of these pieces: (place, length, whether in the side store)."""
    wpdus = WpduTable()
    for pieces in rows:
        extents = [(place + SIDE * aside, length) for place, length, aside in pieces]
        size = sum(length for _, length in extents)
        if len(extents) == 1:
            wpdus.append(segments=1, address=extents[0][0], size=size, first_packet=7)
            continue
        start = len(wpdus.extents)
        for number, (address, length) in enumerate(extents):
            wpdus.extents.append(address=address, length=length, packet=10 - number // 2)
        wpdus.append(segments=len(extents), address=-1 - start, size=size, first_packet=9)
    wpdus["framing"][:] = np.resize([Framing.WRAPPER, Framing.HDLC, Framing.BARE], len(wpdus))
    return wpdus


class Capture:
    """A capture file with a side store, both with the same octets, and how often it was read."""

    def __init__(self, size: int = len(FILE)) -> None:
        self.octets = FILE[:size]
        self.reads = 0

    def read(self, address: int, length: int) -> bytes:
        self.reads += 1
        return self.octets[address & (SIDE - 1) :][:length]


@given(
    st.lists(PIECES, max_size=12), st.integers(0, 12), st.integers(1, 3), st.sampled_from((1, 100, 8 << 20))
)
def test_several_rows_are_read_as_one_by_one(
    rows: list[list[tuple[int, int, bool]]], start: int, step: int, at_once: int
) -> None:
    """Wherever their pieces lie, near each other or far, in a file that has become shorter too; APDUs too."""
    wpdus = table(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_AT_ONCE", at_once)
        for capture in (Capture(), Capture(500)):
            some = np.arange(start, len(rows), step)
            found = list(wpdus.octets_of(some, capture.read))
            assert found == [wpdus.octets(row, capture.read) for row in some.tolist()]
            framings = wpdus["framing"][some].tolist()
            apdus = list(wpdus.apdus_of(some, capture.read))
            assert apdus == [apdu_octets(*one) for one in zip(found, framings, strict=True)]


def test_rows_that_lie_together_are_read_at_once() -> None:
    """One reading, also for rows in several segments."""
    capture = Capture()
    wpdus = table([[(0, 20, False)], [(30, 5, False), (50, 10, False)], [(70, 20, False)]])
    assert [len(octets) for octets in wpdus.octets_of(np.arange(3), capture.read)] == [20, 15, 20]
    assert capture.reads == 1
