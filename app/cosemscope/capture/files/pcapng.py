"""The pcapng file format: sections, each with its own byte order and interfaces, made of blocks.

Runs of packet blocks are walked over with nothing but their lengths read one by one; their fields are read
for the whole run at once. Other blocks are read (see `pcapng_blocks`) or skipped.
"""

import struct
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.capture.files.pcapng_blocks import (
    MAX_INTERFACES,
    Blocks,
    comments_of,
    interface_of,
    names_of,
    section_of,
    statistics_of,
)
from cosemscope.capture.files.record_walk import NANOSECONDS, RecordWalk, WalkStep
from cosemscope.capture.pcapng_layout import LEAST_BLOCK, MAX_BLOCK, ORDERS, BlockKind
from cosemscope.capture.records import (
    CaptureProblem,
    Interface,
    OctetWindow,
    RecordBatch,
    Section,
    Statistics,
)

# A block that ends a search is no longer than this.
MAX_FOUND_BLOCK = 1 << 19
# Nor has a packet so many octets of options.
MAX_OPTIONS = 1 << 17
# Times beyond these seconds do not fit 64 bits of nanoseconds.
_LAST_SECOND = 9_000_000_000
# Packet blocks that are expected in a row before any were seen.
_FIRST_REACH = 1_024
_LEAST_REACH = 16


class _Packets(NamedTuple):
    """Offsets of the fields in a kind of packet block.

    `least` are the octets of it without packet and options.
    """

    least: int
    data: int
    interface: str | None
    fields: dict[str, int]


_STAMPED = {"high": 12, "low": 16, "captured": 20, "original": 24}
_PACKETS: dict[int, _Packets] = {
    BlockKind.PACKET: _Packets(32, 28, "u4", _STAMPED),
    BlockKind.OLD_PACKET: _Packets(32, 28, "u2", _STAMPED),
    BlockKind.SIMPLE_PACKET: _Packets(16, 12, None, {"original": 8}),
}
# Where the packet stands, by the kind of its block.
_DATA = np.zeros(max(_PACKETS) + 1, np.int64)
for _kind, _layout in _PACKETS.items():
    _DATA[_kind] = _layout.data
_HEADERS = frozenset((BlockKind.SECTION, BlockKind.INTERFACE, BlockKind.NAMES, BlockKind.STATISTICS))
# Blocks that end a row of packets, and those within one that are read: names and statistics.
_APART = (BlockKind.SECTION, BlockKind.INTERFACE, *_PACKETS)
_BETWEEN = (BlockKind.NAMES, BlockKind.STATISTICS)


class PcapngWalk(RecordWalk):
    """The walk over the blocks of one pcapng file.

    Beside packets it collects `sections`, `names` (NRB), `statistics` by interface (ISB), and `comments` by
    packet number from 0.
    """

    def __init__(self, problems: list[CaptureProblem], interfaces: list[Interface]) -> None:
        super().__init__(problems, interfaces)
        self.sections: list[Section] = []
        self.names: dict[str, str] = {}
        self.statistics: dict[int, Statistics] = {}
        self.comments: dict[int, tuple[str, ...]] = {}
        self._packets = 0
        self._reach = _FIRST_REACH
        self._last_time = 0
        self._begin_section("<")

    def _begin_section(self, order: str) -> None:
        self._order = order
        self._head = struct.Struct(order + "II").unpack_from
        self._length = struct.Struct(order + "4xI").unpack_from
        self._blocks = Blocks(order, lambda: self.look())
        self._first_interface = len(self._interfaces)

    def _take(self, window: OctetWindow, at: int, limit: int, final: bool) -> WalkStep:
        if window.size - at < LEAST_BLOCK:
            return self._tail(window, at, LEAST_BLOCK, final)
        kind, length = self._head(window.view, at)
        if kind == BlockKind.SECTION:
            return self._section(window, at, final)
        if kind in _PACKETS and window.size - at >= length:
            return self._run(window, at, kind, limit)
        if length < LEAST_BLOCK or length % 4 or length > MAX_BLOCK:
            self._lose(window.base + at)
            return WalkStep(at)
        if window.size - at < length:
            if final and kind in _PACKETS:
                return self._cut(window, at, kind)
            if final and length > MAX_FOUND_BLOCK:
                self._lose(window.base + at)
                return WalkStep(at)
            return self._tail(window, at, length, final)
        torn = self._blocks.number(window.view, at + length - 4) != length
        if torn and not self._accept_torn(window, at, length, final):
            return WalkStep(at)
        if kind in _HEADERS:
            self._block(window, at, kind, length)
        return WalkStep(at + length)

    def _section(self, window: OctetWindow, at: int, final: bool) -> WalkStep:
        """A section header block, whose byte order counts from here on."""
        order = ORDERS.get(window.view[at + 8 : at + 12].tobytes())
        length = struct.unpack_from((order or "<") + "I", window.view, at + 4)[0]
        if order is None or not 28 <= length <= MAX_BLOCK or length % 4:
            self._lose(window.base + at)
            return WalkStep(at)
        if window.size - at < length:
            return self._tail(window, at, length, final)
        self._begin_section(order)
        self.sections.append(section_of(self._blocks, bytes(window.view[at : at + length])))
        return WalkStep(at + length)

    def _block(self, window: OctetWindow, at: int, kind: int, length: int) -> None:
        """A block that says something about packets to come, or those that came."""
        block = bytes(window.view[at : at + length])
        if kind == BlockKind.INTERFACE and length >= 20:
            if len(self._interfaces) >= MAX_INTERFACES:
                self._note(window.base + at, f"more than {MAX_INTERFACES} interfaces: this one is not known")
            else:
                self._interfaces.append(interface_of(self._blocks, block, max(len(self.sections) - 1, 0)))
        elif kind == BlockKind.NAMES:
            self.names.update(names_of(self._blocks, block))
        elif kind == BlockKind.STATISTICS and length >= 24:
            number = self._first_interface + self._blocks.number(block, 8)
            if number < len(self._interfaces):
                high, low = self._blocks.number(block, 12), self._blocks.number(block, 16)
                time = nanoseconds(np.array([high << 32 | low], np.uint64), self._interfaces[number])
                self.statistics[number] = statistics_of(self._blocks, block, int(time[0]))

    def _run(self, window: OctetWindow, at: int, kind: int, limit: int) -> WalkStep:
        """As many packet blocks as stand in a row."""
        start, length, kinds, stop = self._places(window, at, kind, limit)
        if not len(start):
            self._lose(window.base + at)
            return WalkStep(at)
        torn = window.gather(self._order + "u4", start + length - 4) != length
        keep = self._believed(window, start, length, np.flatnonzero(torn))
        if not keep:
            self._lose(window.base + at)
            return WalkStep(at)
        if keep < len(start):
            self._reach = max(keep * 2, _LEAST_REACH)  # what lies behind was looked at in vain
            start, length, kinds = start[:keep], length[:keep], kinds[:keep]
            stop = int(start[-1] + length[-1])
        fields, good = self._fields(window, start, length, kinds)
        for index in np.flatnonzero(~good).tolist():
            message = "a packet block of an unknown interface, or shorter than its packet; it was skipped"
            self._note(window.base + int(start[index]), message)
        if not good.any():
            return WalkStep(stop)
        rows = slice(None) if good.all() else np.flatnonzero(good)
        fields = {name: values[rows] for name, values in fields.items()}
        return WalkStep(stop, 0, self._batch(window, start[rows], length[rows], fields, kinds[rows]))

    def _believed(
        self,
        window: OctetWindow,
        start: npt.NDArray[np.int64],
        length: npt.NDArray[np.int64],
        torn: npt.NDArray[np.int64],
    ) -> int:
        """How many of the blocks are believed: all, or those before the first of `torn` that is not."""
        for index in torn.tolist():
            if not self._believable(window, int(start[index] + length[index]), False):
                return int(index)
            self._note_torn(window, int(start[index]))
        return len(start)

    def _note_torn(self, window: OctetWindow, at: int) -> None:
        self._note(window.base + at, "the two lengths of this block differ; the first one was followed")

    def _accept_torn(self, window: OctetWindow, at: int, length: int, final: bool) -> bool:
        """True when a block is believed whose two lengths differ; if not, the walk is lost here."""
        if not self._believable(window, at + length, final):
            self._lose(window.base + at)
            return False
        self._note_torn(window, at)
        return True

    def _places(
        self, window: OctetWindow, at: int, kind: int, limit: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[Any], int]:
        """Indexes, lengths and kinds of whole packet blocks in a row from one of `kind`, and where it ends.

        Lengths are followed blindly for a while, and what was passed is checked all at once. How far depends
        on how far it went well before. Blocks that bear on no packet may stand between.
        """
        following, view, least = self._length, window.view, _PACKETS[kind].least
        places: list[int] = []
        append = places.append
        last = window.size - least
        for _ in repeat(None, min(limit, self._reach)):
            if at > last:
                break
            append(at)
            at += following(view, at)[0]
        start = np.array(places, np.int64)
        length = window.gather(self._order + "u4", start + 4).astype(np.int64)
        kinds = window.gather(self._order + "u4", start)
        packet = kinds == kind
        leasts = np.where(packet, least, LEAST_BLOCK)
        others = () if packet.all() else _PACKETS.keys() - {kind}
        for other in others:
            leasts[kinds == other] = _PACKETS[other].least
            packet |= kinds == other
        good = (length >= leasts) & (length & 3 == 0)
        good &= start + length <= window.size
        between = np.flatnonzero(good & ~packet & ~np.isin(kinds, _APART))
        whole = window.gather(self._order + "u4", start[between] + length[between] - 4) == length[between]
        good &= packet
        good[between[whole]] = True
        count = len(start) if good.all() else int(good.argmin())
        self._reach = max(count * 2, _LEAST_REACH)
        if not count:
            return start[:0], length[:0], kinds[:0], at
        for index in np.flatnonzero(np.isin(kinds[:count], _BETWEEN)).tolist():
            self._block(window, int(start[index]), int(kinds[index]), int(length[index]))
        rows = np.flatnonzero(packet[:count])
        return start[rows], length[rows], kinds[rows], int(start[count - 1] + length[count - 1])

    def _fields(
        self,
        window: OctetWindow,
        start: npt.NDArray[np.int64],
        length: npt.NDArray[np.int64],
        kinds: npt.NDArray[Any],
    ) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.bool_]]:
        """Fields of packet blocks, 0 where a kind has no such field, and which of the blocks can be true."""
        if (kinds == kinds[0]).all():
            return self._fields_of(window, start, length, int(kinds[0]))
        fields = {name: np.zeros(len(start), np.int64) for name in (*_STAMPED, "interface")}
        good = np.zeros(len(start), np.bool_)
        for kind in np.unique(kinds).tolist():
            rows = np.flatnonzero(kinds == kind)
            some, good[rows] = self._fields_of(window, start[rows], length[rows], kind)
            for name, values in some.items():
                fields[name][rows] = values
        return fields, good

    def _fields_of(
        self, window: OctetWindow, start: npt.NDArray[np.int64], length: npt.NDArray[np.int64], kind: int
    ) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.bool_]]:
        """The same of blocks of one kind, without the fields that it has not."""
        layout = _PACKETS[kind]
        fields: dict[str, npt.NDArray[Any]] = {
            name: window.gather(self._order + "u4", start + place) for name, place in layout.fields.items()
        }
        known = len(self._interfaces) - self._first_interface
        if layout.interface is None:
            fields["interface"] = np.zeros(len(start), np.int64)
            fields["captured"] = np.minimum(fields["original"], length - layout.least)
            snap = self._interfaces[self._first_interface].snap_length if known else 0
            if snap:
                fields["captured"] = np.minimum(fields["captured"], snap)
        else:
            fields["interface"] = window.gather(self._order + layout.interface, start + 8).astype(np.int64)
        return fields, (fields["captured"] <= length - layout.least) & (fields["interface"] < known)

    def _batch(
        self,
        window: OctetWindow,
        start: npt.NDArray[np.int64],
        length: npt.NDArray[np.int64],
        fields: dict[str, npt.NDArray[Any]],
        kinds: npt.NDArray[Any],
    ) -> RecordBatch:
        captured = fields["captured"].astype(np.uint32)
        interface = fields["interface"] + self._first_interface
        # A simple packet block has no time: that of the packet before it is the best there is.
        stamped = kinds != BlockKind.SIMPLE_PACKET
        time = np.full(len(start), self._last_time)
        if stamped.all():
            time = self._times(fields["high"], fields["low"], interface)
        elif stamped.any():
            rows = np.flatnonzero(stamped)
            known = self._times(fields["high"][rows], fields["low"][rows], interface[rows])
            time = np.append(known, self._last_time)[np.cumsum(stamped) - 1]
        self._last_time = int(time[-1])
        self._comments(window, start, length, captured, stamped)
        self._packets += len(start)
        return RecordBatch(
            time=time,
            offset=start + _DATA[kinds] + window.base,
            captured=captured,
            original=fields["original"].astype(np.uint32),
            interface=interface.astype(np.uint16),
            interfaces=self._interfaces,
            buffer=window.buffer,
            base=window.base,
        )

    def _times(
        self, high: npt.NDArray[Any], low: npt.NDArray[Any], interface: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Nanoseconds since the epoch of stamps in the resolutions of their interfaces."""
        ticks = (high.astype(np.uint64) << np.uint64(32)) | low.astype(np.uint64)
        if (interface == interface[0]).all():
            return nanoseconds(ticks, self._interfaces[int(interface[0])])
        time = np.empty(len(ticks), np.int64)
        for number in np.unique(interface).tolist():
            rows = interface == number
            time[rows] = nanoseconds(ticks[rows], self._interfaces[number])
        return time

    def _comments(
        self,
        window: OctetWindow,
        start: npt.NDArray[np.int64],
        length: npt.NDArray[np.int64],
        captured: npt.NDArray[np.uint32],
        stamped: npt.NDArray[np.bool_],
    ) -> None:
        """Keep the comments of packets that have options, which only blocks with a time stamp have."""
        options = start + 28 + ((captured.astype(np.int64) + 3) & ~3)
        stop = start + length - 4
        for index in np.flatnonzero((options + 4 <= stop) & stamped).tolist():
            texts = comments_of(self._blocks, bytes(window.view[int(options[index]) : int(stop[index])]))
            if texts:
                self.comments[self._packets + index] = texts

    def _tail(self, window: OctetWindow, at: int, need: int, final: bool) -> WalkStep:
        """The end of the window, within a block."""
        if not final:
            return WalkStep(at, need)
        if at < window.size:
            there = window.size - at
            message = f"the file ends in the middle of a block, after {there} octet{'s'[: there != 1]} of it"
            self._note(window.base + at, message)
        return WalkStep(window.size, 0 if at < window.size else need)

    def _cut(self, window: OctetWindow, at: int, kind: int) -> WalkStep:
        """A packet block at the end of a file that ends within it: what is there of the packet is given.

        A length that its packet does not account for is damage: then there may be more behind it.
        """
        layout = _PACKETS[kind]
        there = window.size - at - layout.data
        if there <= 0:
            return self._tail(window, at, 0, True)
        start = np.array([at], np.int64)
        length = np.array([self._head(window.view, at)[1]], np.int64)
        fields, good = self._fields_of(window, start, length, kind)
        claimed = int(fields["captured"][0])
        if not good[0] or length[0] - layout.least - claimed > MAX_OPTIONS:
            self._lose(window.base + at)
            return WalkStep(at)
        fields["captured"] = np.minimum(fields["captured"], there)
        there = min(there, claimed)
        self._note(
            window.base + at, f"the file ends in a packet's block, after {there} of its {claimed} octets"
        )
        # Options that may be cut are not looked at.
        length = fields["captured"].astype(np.int64) + layout.data
        return WalkStep(window.size, 0, self._batch(window, start, length, fields, np.array([kind])))

    @property
    def _room(self) -> int:
        return MAX_FOUND_BLOCK + 12

    def _find(self, window: OctetWindow, start: int, stop: int, final: bool) -> int | None:
        number = self._order + "u4"
        stop = min(stop, window.size - 11)
        # The lengths alone sort out nearly all places; one below 12 becomes a great number.
        lengths = window.every(number, start + 4, stop + 4)
        at = np.flatnonzero((lengths - np.uint32(12) <= MAX_FOUND_BLOCK - 12) & (lengths & 3 == 0)) + start
        kind = window.gather(number, at)
        length = window.gather(number, at + 4).astype(np.int64)
        packet = (kind >= BlockKind.INTERFACE) & (kind <= BlockKind.PACKET) & (length >= 16)
        good = packet | ((kind == BlockKind.SECTION) & (length >= 28))
        good &= at + length <= window.size
        at, length = at[good], length[good]
        twice = window.gather(number, at + length - 4) == length
        for place, after in zip(at[twice].tolist(), (at + length)[twice].tolist(), strict=True):
            if self._believable(window, after, final):
                return int(place)
        return None

    def _believable(self, window: OctetWindow, at: int, final: bool) -> bool:
        """True when a block can begin at `at`; at the end of the file, that it ends there."""
        if window.size - at < 8:
            return not final or at == window.size
        kind, length = self._head(window.view, at)
        if kind == BlockKind.SECTION:
            return True
        return bool(
            (kind & 0x7FFF_FFFF) < 0x1_0000 and LEAST_BLOCK <= length <= MAX_BLOCK and length % 4 == 0
        )


def nanoseconds(ticks: npt.NDArray[np.uint64], interface: Interface) -> npt.NDArray[np.int64]:
    """Time stamps of an interface in nanoseconds since the epoch, rounded down, kept within 64 bits."""
    resolution, shift = interface.resolution, interface.offset
    if NANOSECONDS % resolution == 0 and not shift:
        factor = NANOSECONDS // resolution
        if int(ticks.max(initial=0)) <= _LAST_SECOND * resolution:
            return ticks.astype(np.int64) * factor
    if resolution >= 1 << 33:
        return np.array([_clipped(tick, resolution, shift) for tick in ticks.tolist()], np.int64)
    unit = np.uint64(resolution)
    seconds = np.minimum(ticks // unit, np.uint64(_LAST_SECOND)).astype(np.int64) + shift
    part = (ticks % unit * np.uint64(NANOSECONDS) // unit).astype(np.int64)
    return np.clip(seconds, -_LAST_SECOND, _LAST_SECOND) * NANOSECONDS + part


def _clipped(tick: int, resolution: int, shift: int) -> int:
    seconds, rest = divmod(tick, resolution)
    seconds = max(-_LAST_SECOND, min(_LAST_SECOND, min(seconds, _LAST_SECOND) + shift))
    return seconds * NANOSECONDS + rest * NANOSECONDS // resolution
