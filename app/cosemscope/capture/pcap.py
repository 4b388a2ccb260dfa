"""The pcap file format: one header, then records of 16 octets of header and the captured octets.

Both byte orders, microseconds and nanoseconds, and the "modified" format of old Linux systems, whose record
headers are 24 octets long. The length of the record is the only thing that is read record by record;
everything else is read from all headers of a window at once. A record header that cannot be true is
reported, and the walk goes on at the next place where two headers in a row can be.
"""

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .records import CaptureError, CaptureProblem, Interface, RecordBatch, Step, Window

FILE_HEADER = 24
# What libpcap itself takes for the longest packet of a usual link type.
USUAL_SNAP_LENGTH = 262_144
MAX_SNAP_LENGTH = 1 << 27
NANOSECONDS = 1_000_000_000
# Octets that a search for the next record looks at in one go.
SEARCH_STEP = 1 << 20
# A record found again after damage lies within this time of the last good one.
RESUME_WITHIN = 366 * 86_400


@dataclass(frozen=True)
class Variant:
    """What a magic number says: byte order of `struct`, nanoseconds in a tick, octets in a record header."""

    order: str
    tick: int
    header: int


MAGICS = {
    struct.pack(order + "I", magic): Variant(order, tick, header)
    for order in "<>"
    for magic, tick, header in (
        (0xA1B2C3D4, 1_000, 16),
        (0xA1B23C4D, 1, 16),
        (0xA1B2CD34, 1_000, 24),
    )
}


class PcapWalk:
    """The walk over the records of one pcap file. `problems` collects what could not be read."""

    def __init__(self, header: bytes, problems: list[CaptureProblem]) -> None:
        """Read the file's `header` (24 octets); raises CaptureError for one that is not pcap's."""
        variant = MAGICS.get(header[:4])
        if variant is None or len(header) < FILE_HEADER:
            raise CaptureError("This is no pcap file.")
        self._variant = variant
        self._problems = problems
        _, _, _, _, snap, link = struct.unpack(variant.order + "HHiIII", header[4:FILE_HEADER])
        # The upper bits of the last word tell the length of the frame check sequence.
        self.interfaces = [Interface(link & 0x03FF_FFFF, snap, resolution=NANOSECONDS // variant.tick)]
        self._limit = snap if USUAL_SNAP_LENGTH < snap <= MAX_SNAP_LENGTH else USUAL_SNAP_LENGTH
        self._length = struct.Struct(variant.order + "8xI").unpack_from
        self._header = np.dtype(
            [(name, variant.order + "u4") for name in ("seconds", "fraction", "captured", "original")]
        )
        self._last_second: int | None = None
        self._lost_from: int | None = None

    @property
    def start(self) -> int:
        """The address of the first record."""
        return FILE_HEADER

    def take(self, window: Window, at: int, limit: int, final: bool) -> Step:
        """Read up to `limit` records from index `at` of the window on; `final` says that the file ends with it."""
        if self._lost_from is not None:
            return self._search(window, at, final)
        header = self._variant.header
        if window.size - at < header:
            return self._tail(window, at, final)
        places, stop = self._walk(window, at, limit)
        heads = window.gather(self._header, np.array(places, np.int64))
        good = len(places)
        wrong = (heads["captured"] > self._limit) | (heads["fraction"] >= NANOSECONDS)
        wrong |= (heads["seconds"] == 0) & (heads["original"] == 0)
        if wrong.any():
            good = int(wrong.argmax())
            stop = places[good]
            self._lost_from = window.base + stop
            if not good:
                return Step(stop)
        elif stop > window.size:
            good -= 1
            need, stop = stop - places[good], places[good]
            if not good:
                return self._cut(window, stop, heads) if final else Step(stop, need)
        return Step(stop, 0, self._batch(window, places[:good], heads[:good]))

    def _walk(self, window: Window, at: int, limit: int) -> tuple[list[int], int]:
        """Indexes of up to `limit` record headers, and the index behind the last of these records."""
        length, view, header = self._length, window.view, self._variant.header
        places: list[int] = []
        append = places.append
        last = window.size - header
        # At most this many records fit, so that no count is kept while all fit.
        while at <= last and len(places) < limit:
            append(at)
            at += header + length(view, at)[0]
        return places, at

    def _batch(self, window: Window, places: list[int], heads: npt.NDArray[np.void]) -> RecordBatch:
        seconds = heads["seconds"].astype(np.int64)
        self._last_second = int(seconds[-1])
        return RecordBatch(
            time=seconds * NANOSECONDS + heads["fraction"].astype(np.int64) * self._variant.tick,
            offset=np.array(places, np.int64) + (window.base + self._variant.header),
            captured=heads["captured"].astype(np.uint32),
            original=heads["original"].astype(np.uint32),
            interface=np.zeros(len(places), np.uint16),
            interfaces=self.interfaces,
            buffer=window.buffer,
            base=window.base,
        )

    def _tail(self, window: Window, at: int, final: bool) -> Step:
        """The end of the window, with less than a record header before it."""
        if final and at < window.size:
            message = f"the file ends in the middle of a record header, after {window.size - at} octets of it"
            self._problems.append(CaptureProblem(window.base + at, message))
            return Step(window.size)
        return Step(at, self._variant.header)

    def _cut(self, window: Window, at: int, heads: npt.NDArray[np.void]) -> Step:
        """The last record of a file that ends within it: what is there of it is given."""
        there = window.size - at - self._variant.header
        message = (
            f"the file ends in the middle of a packet, after {there} of its {heads['captured'][0]} octets"
        )
        self._problems.append(CaptureProblem(window.base + at, message))
        heads = heads[:1].copy()
        heads["captured"] = there
        return Step(window.size, 0, self._batch(window, [at], heads))

    def _search(self, window: Window, at: int, final: bool) -> Step:
        """Look for the next record after damage: a header that can be true, followed by another or by the end."""
        assert self._lost_from is not None
        header = self._variant.header
        room = header + self._limit + header
        stop = window.size - header if final else window.size - room
        start = max(at, self._lost_from + 1 - window.base)
        if not final and stop < start:
            return Step(at, room + SEARCH_STEP)
        stop = min(stop, start + SEARCH_STEP)
        for place in self._believable(window, np.arange(start, stop + 1, dtype=np.int64)):
            after = int(place) + header + self._length(window.view, int(place))[0]
            follows = self._believable(window, np.array([after])) if after <= window.size - header else ()
            if len(follows) or (final and after == window.size):
                return self._found(window, int(place))
        if final and stop >= window.size - header:
            return self._found(window, window.size)
        return Step(max(at, stop + 1))

    def _found(self, window: Window, at: int) -> Step:
        assert self._lost_from is not None
        lost = window.base + at - self._lost_from
        message = f"no packet record can be read here; {lost} octets were skipped"
        self._problems.append(CaptureProblem(self._lost_from, message))
        self._lost_from = None
        return Step(at)

    def _believable(self, window: Window, at: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Those of the indexes `at` where a record header may stand."""
        heads = window.gather(self._header, at)
        captured, original = heads["captured"], heads["original"]
        good = (
            (captured <= self._limit) & (captured <= original) & (original > 0) & (original < MAX_SNAP_LENGTH)
        )
        good &= heads["fraction"] < NANOSECONDS // self._variant.tick
        if self._last_second is not None:
            good &= np.abs(heads["seconds"].astype(np.int64) - self._last_second) < RESUME_WITHIN
        return at[good]
