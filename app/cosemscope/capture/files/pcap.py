"""The pcap file format: one header, then records of 16 octets of header and the captured octets.

Both byte orders, microseconds and nanoseconds, and the "modified" format of old Linux systems, whose record
headers are 24 octets long. Files of old versions have the two lengths of a record the other way round. Where
the records stand is found by `chain`; everything else is read from all headers of a window at once.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import repeat
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.capture.files.record_chain import Chain, Places
from cosemscope.capture.files.record_walk import MAX_PROBLEMS, NANOSECONDS, RecordWalk, WalkStep
from cosemscope.capture.records import CaptureError, CaptureProblem, Interface, OctetWindow, RecordBatch

FILE_HEADER = 24
# What libpcap itself takes for the longest packet of a usual link type.
USUAL_SNAP_LENGTH = 262_144
MAX_SNAP_LENGTH = 1 << 26
# A record found again after damage lies within this time of the first one, or of the last before it.
RESUME_WITHIN = 366 * 86_400
# Records that are looked at in one go, at most, and just behind damage: the others were looked at in vain.
MAX_AT_ONCE = 1 << 16
_LEAST_AT_ONCE = 16


@dataclass(frozen=True)
class Variant:
    """Variant of the format, by its magic number.

    `order` is the byte order as for `struct`, `tick` in nanoseconds, `header` that of a record in octets.
    """

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


class Lengths(Enum):
    """The two lengths of a record in the order they have in the file; the shorter one is the captured one."""

    CAPTURED_FIRST = ("captured", "original")
    ORIGINAL_FIRST = ("original", "captured")
    EITHER = ("shorter", "longer")


def lengths_of(major: int, minor: int) -> Lengths:
    """The order of lengths in files of a version, as libpcap reads them.

    Version 2.3 changed it, but not every program that writes this number did. 543.0 is DG/UX's.
    """
    if major == 543 or (major == 2 and minor < 3):
        return Lengths.ORIGINAL_FIRST
    return Lengths.EITHER if (major, minor) == (2, 3) else Lengths.CAPTURED_FIRST


class PcapHead(NamedTuple):
    """Header of a file: variant, version, LINKTYPE number, and the longest packet in octets.

    That is `snap_length` as the file gives it, and `limit`, beyond which a record is not believed."""

    variant: Variant
    major: int
    minor: int
    link_type: int
    snap_length: int
    limit: int


def read_head(octets: bytes | bytearray) -> PcapHead | None:
    """The header that `octets` begin with; None where there is none, or not all of it."""
    variant = MAGICS.get(bytes(octets[:4]))
    if variant is None or len(octets) < FILE_HEADER:
        return None
    major, minor, snap, link = struct.unpack_from(variant.order + "4xHH8xII", octets)
    limit = snap if USUAL_SNAP_LENGTH < snap <= MAX_SNAP_LENGTH else USUAL_SNAP_LENGTH
    # The upper bits of the last word tell the length of the frame check sequence.
    return PcapHead(variant, major, minor, link & 0x03FF_FFFF, snap, limit)


class PcapWalk(RecordWalk):
    """The walk over the records of one pcap file."""

    start = FILE_HEADER

    def __init__(self, header: bytes, problems: list[CaptureProblem], interfaces: list[Interface]) -> None:
        """Read the file's `header` (24 octets); raises CaptureError for one that is not pcap's."""
        super().__init__(problems, interfaces)
        head = read_head(header)
        if head is None:
            raise CaptureError("This is no pcap file.")
        self._variant = variant = head.variant
        lengths = lengths_of(head.major, head.minor)
        self._either = lengths is Lengths.EITHER
        resolution = NANOSECONDS // variant.tick
        interfaces.append(Interface(head.link_type, head.snap_length, resolution=resolution))
        self._limit = head.limit
        captured = 12 if lengths is Lengths.ORIGINAL_FIRST else 8
        self._length = struct.Struct(f"{variant.order}{captured}xI").unpack_from
        self._both = struct.Struct(variant.order + "8xII").unpack_from
        names = ("seconds", "fraction", *(Lengths.CAPTURED_FIRST if self._either else lengths).value)
        self._header = np.dtype([(name, variant.order + "u4") for name in names])
        self._captured = captured
        self._unit = resolution
        self._greatest_fraction = self._unit - 1  # that a record may have which is searched for
        self._odd_times = 0
        self._odd_place = -1
        self._seconds: tuple[int, int] | None = None
        self._chain = Chain()
        self._at_once = MAX_AT_ONCE  # records that are looked at in one go: few after one that cannot be true

    def _take(self, window: OctetWindow, at: int, limit: int, final: bool) -> WalkStep:
        header = self._variant.header
        if window.size - at < header:
            return self._tail(window, at, final)
        # One more than is given: the last of them is not believed where it leads to what is no record.
        most = min(limit, self._at_once)
        places, stop = self._places(window, at, most + 1)
        self._at_once = min(self._at_once * 4, MAX_AT_ONCE)
        heads = self._heads(window, places)
        wrong = (heads["captured"] > self._limit) | ((heads["seconds"] == 0) & (heads["original"] == 0))
        odd = heads["fraction"] >= NANOSECONDS
        if (odd[-1] or _too_long(heads[-1])) and not (wrong[-1] or final) and stop > window.size - header:
            # What could vouch for the last one is not there yet.
            need, stop = stop + header - int(places[-1]), int(places[-1])
            places, heads, wrong, odd = places[:-1], heads[:-1], wrong[:-1], odd[:-1]
            if not len(places):
                return WalkStep(stop, need)
        if odd.any():
            wrong |= odd & ~self._followed(window, places, heads)
        good = len(places)
        if wrong.any():
            good = int(wrong.argmax())
            self._at_once = max(good * 2, _LEAST_AT_ONCE)
            if good and _too_long(heads[good - 1]):
                good -= 1  # its length led here
            stop = int(places[good])
            self._lose(window.base + stop)
        elif good > most:
            good, stop = most, int(places[most])
        elif stop > window.size:
            good -= 1
            need, stop = stop - int(places[good]), int(places[good])
            if not good:
                return self._cut(window, stop, heads) if final else WalkStep(stop, need)
        if not good:
            return WalkStep(stop)
        return WalkStep(stop, 0, self._batch(window, places[:good], heads[:good]))

    def _heads(self, window: OctetWindow, places: Places) -> npt.NDArray[np.void]:
        """The record headers at the indexes `places`, with the lengths where they belong."""
        heads = window.gather(self._header, places)
        if self._either:
            captured, original = heads["captured"].copy(), heads["original"].copy()
            np.minimum(captured, original, out=heads["captured"])
            np.maximum(captured, original, out=heads["original"])
        return heads

    def _followed(
        self, window: OctetWindow, places: Places, heads: npt.NDArray[np.void]
    ) -> npt.NDArray[np.bool_]:
        """True when another record, or the end of the window, comes behind each record."""
        header = self._variant.header
        after = places + heads["captured"] + header
        there = np.flatnonzero(after + header <= window.size)
        followed: npt.NDArray[np.bool_] = (after + header > window.size) & (after <= window.size)
        seconds = heads["seconds"].astype(np.int64)
        before = np.append(self._seconds[1] if self._seconds else seconds[:1], seconds[:-1])
        first = self._seconds[0] if self._seconds else int(seconds[0])
        known = (first, before[there], seconds[there])
        followed[there] = self._sound(self._heads(window, after[there]), known)
        return followed

    def _places(self, window: OctetWindow, at: int, limit: int) -> tuple[Places, int]:
        """Indexes of up to `limit` record headers, and the index behind the last of these records."""
        last = window.size - self._variant.header
        # The two most significant octets of the seconds, which change every 18 hours.
        first, second = (3, 2) if self._variant.order == "<" else (0, 1)

        def guess(start: int, stop: int) -> Places:
            """Where the seconds begin like those of the header at `start`."""
            octets = window.buffer
            places = np.flatnonzero(octets[start + first : stop + first] == octets[start + first]) + start
            held: Places = places[octets[places + second] == octets[start + second]]
            return held

        def follow(places: Places) -> Places:
            lengths = window.gather(self._header["captured"], places + self._captured)
            if self._either:
                lengths = np.minimum(lengths, window.gather(self._header["original"], places + 12))
            return places + lengths.astype(np.int64) + self._variant.header

        def walk(at: int, limit: int) -> tuple[Places, int]:
            return self._one_by_one(window, at, limit)

        return self._chain.places(at, last + 1, limit, guess, follow, walk)

    def _one_by_one(self, window: OctetWindow, at: int, limit: int) -> tuple[Places, int]:
        length, view, header = self._length, window.view, self._variant.header
        both = self._both if self._either else None
        places: list[int] = []
        append = places.append
        last = window.size - header
        for _ in repeat(None, limit):
            if at > last:
                break
            append(at)
            at += header + (min(both(view, at)) if both else length(view, at)[0])
        return np.array(places, np.int64), at

    def _batch(self, window: OctetWindow, places: Places, heads: npt.NDArray[np.void]) -> RecordBatch:
        seconds = heads["seconds"].astype(np.int64)
        self._seconds = (self._seconds[0] if self._seconds else int(seconds[0]), int(seconds[-1]))
        odd = heads["fraction"] >= self._unit
        if odd.any():
            self._tell_odd_times(window.base + int(places[odd.argmax()]), heads["fraction"][odd])
        return RecordBatch(
            time=seconds * NANOSECONDS + heads["fraction"].astype(np.int64) * self._variant.tick,
            offset=places + (window.base + self._variant.header),
            captured=heads["captured"].astype(np.uint32),
            original=heads["original"].astype(np.uint32),
            interface=np.zeros(len(places), np.uint16),
            interfaces=self._interfaces,
            buffer=window.buffer,
            base=window.base,
        )

    def _tell_odd_times(self, address: int, fractions: npt.NDArray[np.uint32]) -> None:
        """Count records that have `fractions` of a second or more, in one problem at the first of them."""
        self._odd_times += len(fractions)
        greatest = NANOSECONDS - 1 if fractions.max() < NANOSECONDS else 0xFFFF_FFFF
        self._greatest_fraction = max(self._greatest_fraction, greatest)
        many = f"{self._odd_times} packets, of which this is the first, have"
        message = (
            f"{'1 packet has' if self._odd_times == 1 else many} a second or more as fraction of a second"
        )
        message += " in the time; it is added to the seconds"
        if self._odd_times == len(fractions):
            self._odd_place = len(self._problems) if len(self._problems) < MAX_PROBLEMS else -1
            self._note(address, message)
        elif self._odd_place >= 0:
            self._problems[self._odd_place] = self._problems[self._odd_place]._replace(message=message)

    def _tail(self, window: OctetWindow, at: int, final: bool) -> WalkStep:
        """The end of the window, with less than a record header before it."""
        if final and at < window.size:
            there = window.size - at
            plural = "s"[: there != 1]
            message = f"the file ends in the middle of a record header, after {there} octet{plural} of it"
            self._note(window.base + at, message)
            return WalkStep(window.size)
        return WalkStep(at, self._variant.header)

    def _cut(self, window: OctetWindow, at: int, heads: npt.NDArray[np.void]) -> WalkStep:
        """The last record of a file that ends within it: what is there of it is given."""
        if _too_long(heads[0]):
            self._lose(window.base + at)
            return WalkStep(at)
        there = window.size - at - self._variant.header
        claimed = int(heads["captured"][0])
        self._note(window.base + at, f"the file ends in a packet, after {there} of its {claimed} octets")
        if not there:
            return WalkStep(window.size)
        heads = heads[:1].copy()
        heads["captured"] = there
        return WalkStep(window.size, 0, self._batch(window, np.array([at]), heads))

    @property
    def _room(self) -> int:
        return self._variant.header * 2 + self._limit

    def _find(self, window: OctetWindow, start: int, stop: int, final: bool) -> int | None:
        last = window.size - self._variant.header
        stop = min(stop, last + 1)
        # One field sorts out nearly all places; 0 becomes the greatest number.
        behind = 20 - self._captured  # the captured length stands at 8 or 12, the original one at the other
        original = window.every(self._header["original"], start + behind, stop + behind)
        at = np.flatnonzero(original - np.uint32(1) < MAX_SNAP_LENGTH) + start
        at = self._believable(window, at)
        length = self._heads(window, at)["captured"].astype(np.int64)
        after = at + length + self._variant.header
        followed = np.isin(after, self._believable(window, after[after <= last]))
        followed |= final & (after == window.size)
        return int(at[followed.argmax()]) if followed.any() else None

    def _believable(self, window: OctetWindow, at: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Those of the indexes `at` where a record header may stand."""
        heads = self._heads(window, at)
        good = self._sound(heads, self._seconds or ())
        return at[good & (heads["fraction"] <= self._greatest_fraction)]

    def _sound(
        self, heads: npt.NDArray[np.void], times: Sequence[int | npt.NDArray[np.int64]]
    ) -> npt.NDArray[np.bool_]:
        """True when lengths are those of a packet, and the seconds near one of `times` (if there are any)."""
        captured, original = heads["captured"], heads["original"]
        good = (captured <= self._limit) & (captured <= original)
        good &= (original > 0) & (original <= MAX_SNAP_LENGTH)
        if times:
            seconds = heads["seconds"].astype(np.int64)
            good &= np.any([np.abs(seconds - known) < RESUME_WITHIN for known in times], axis=0)
        sound: npt.NDArray[np.bool_] = good
        return sound


def _too_long(head: np.void) -> bool:
    """True when a record claims more octets than its packet had."""
    return bool(head["captured"] > head["original"])
