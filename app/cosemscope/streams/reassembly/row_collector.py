"""Rows and expert items are collected until the end of a batch, to come into the tables in order.

WPDU rows are ordered by the packet at which they became known: the one that completed them, except behind a
hole or before recognition. Rows of the fast path come as arrays, those of the reassembler one by one.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.capture.columns import Array
from cosemscope.capture.packets.packet_row import UDP
from cosemscope.streams.reassembly.reassembler import Segment
from cosemscope.streams.reassembly.repeats.replaced_octets import Replacements
from cosemscope.streams.reassembly.splitters.splitter import Unit
from cosemscope.streams.stream_table import StreamTable, add_counts
from cosemscope.streams.tables.expert_items import ExpertItems, ItemKind, Source
from cosemscope.streams.tables.stream_kinds import (
    CAPTURED_TWICE,
    CONFLICT,
    CUT,
    HOLE,
    NO_FRAGMENT,
    NO_FRAME,
    OUT_OF_ORDER,
    RETRANSMISSION,
    SKIPPED,
    TRAILING,
)
from cosemscope.streams.tables.wpdu_table import WpduTable


class FoundUnit(NamedTuple):
    """A unit that a splitter found on side `side` of a stream; `trigger`: the packet that made it known."""

    trigger: int
    stream: int
    side: int
    unit: Unit


class Output:
    """Collects a batch's rows and items; `flush` moves them into the tables.

    `replacements` are of octets in rows, to be applied behind each flush.
    """

    def __init__(self, streams: StreamTable, wpdus: WpduTable, items: ExpertItems) -> None:
        self._streams = streams
        self._wpdus = wpdus
        self._items = items
        self._units: list[FoundUnit] = []
        self._arrays: list[dict[str, Array]] = []
        self._known: list[Array] = []
        self._found: list[tuple[int, ...]] = []
        self._found_arrays: list[dict[str, Array]] = []
        self.replacements = Replacements(wpdus)
        self._turned: set[int] = set()  # streams that were turned round in this batch
        self._moved: dict[
            tuple[int, int], int
        ] = {}  # octets by which a (stream, side) was moved in this batch

    def add_unit(self, stream: int, side: int, unit: Unit, trigger: int) -> None:
        """Add one WPDU, or what another framing has in its place, that became known at packet `trigger`."""
        self._units.append(FoundUnit(trigger, stream, side, unit))

    def add_rows(self, rows: dict[str, Array], known: Array) -> None:
        """Add WPDUs by the columns of their table, [k]; `known`: int64[k], packets that made them known."""
        if len(known):
            self._arrays.append(rows)
            self._known.append(known)

    def find(
        self,
        kind: ItemKind,
        stream: int,
        side: int,
        packet: int,
        start: int,
        amount: int,
        stop: int | None = None,
    ) -> None:
        """Add an item; `side` is the sender's side of the flow, `start` to `stop` octets of its stream.

        Without `stop` the item is about `amount` octets from `start` on.
        """
        stop = start + amount if stop is None else stop
        moved = self.moved(stream, side)
        self._found.append((kind.number, stream, side, packet, start - moved, stop - moved, amount))

    def find_many(
        self,
        kind: ItemKind,
        stream: Array,
        side: Array,
        packet: Array,
        start: Array,
        amount: Array,
    ) -> None:
        """Add items of one kind, each about `amount` octets from `start` on; integers[k], see `find`."""
        kinds = np.full(len(stream), kind.number, np.uint16)
        columns = (kinds, stream, side, packet, start, start + amount, amount)
        self._found_arrays.append(dict(zip(_FOUND, columns, strict=True)))

    def turn_round(self, stream: int) -> None:
        """The client of this stream is the other side after all: its items so far change direction."""
        self._turned ^= {stream}

    def move_spans(self, stream: int, side: int, by: int) -> None:
        """Octet 0 of a side of a TCP stream is `by` octets earlier than its items so far say."""
        self._moved[stream, side] = self._moved.get((stream, side), 0) + by

    def moved(self, stream: int, side: int) -> int:
        """Octets by which octet 0 of a side of a stream became earlier in this batch."""
        return self._moved.get((stream, side), 0) if self._moved else 0

    def _move(self, stream: Array, side: Array, spans: Mapping[str, Array]) -> None:
        """Move spans, {"start", "stop"}: int64[k], of sides of streams, int[k], as they were moved."""
        moves = np.zeros(2 * len(self._streams) + 2, np.int64)  # the last two: items of no stream
        for (moved, of), by in self._moved.items():
            moves[2 * moved + of] = by
        octets = moves[2 * stream.astype(np.int64) + side]
        for name in ("start", "stop"):
            spans[name][:] += octets

    def flush(self, batch: slice) -> slice:
        """Put everything into the tables, in order; returns the new WPDU rows. `batch`: its packet rows."""
        self._flush_items()
        parts, triggers = self._arrays, self._known
        if self._units:
            units = _in_order(self._units)
            # First, since what a packet ends stands before what begins with it.
            parts = [self._columns(units), *parts]
            triggers = [np.array([one.trigger for one in units], np.int64), *triggers]
        self._units, self._arrays, self._known = [], [], []
        if not parts:
            return slice(len(self._wpdus), len(self._wpdus))
        trigger = np.concatenate(triggers).astype(np.int64) - batch.start
        # Sorting 16-bit numbers is by radix, many times faster.
        key = trigger.astype(np.uint16) if trigger.min() >= 0 and trigger.max() <= 0xFFFF else trigger
        order = np.argsort(key, kind="stable")
        if len(parts) == 1:
            return self._wpdus.extend(len(order), **{name: part[order] for name, part in parts[0].items()})
        return self._wpdus.extend(
            len(order),
            **{name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]},
        )

    def extents(
        self, address: npt.ArrayLike, length: npt.ArrayLike, packet: npt.ArrayLike, count: int
    ) -> int:
        """Add `count` pieces of WPDUs, each array [count]; returns the number of the first extent."""
        added = self._wpdus.extents.extend(count, address=address, length=length, packet=packet)
        return int(added.start)

    def _columns(self, found: list[FoundUnit]) -> dict[str, Array]:
        """The units as columns of the table, those of several pieces with extents."""
        units = [one.unit for one in found]
        headers = [unit.header for unit in units]
        packets = [[piece.packet for piece in unit.pieces] for unit in units]
        times = [[piece.time for piece in unit.pieces] for unit in units]
        client = self._streams["client_side"]
        columns = {
            "first_packet": map(min, packets),
            "last_packet": map(max, packets),
            "segments": map(len, packets),
            "time": map(max, times),
            "first_time": map(min, times),
            "stream": (one.stream for one in found),
            "direction": (one.side ^ int(client[one.stream]) for one in found),
            "framing": (unit.framing for unit in units),
            "version": (header.version for header in headers),
            "source_wport": (header.source_wport for header in headers),
            "destination_wport": (header.destination_wport for header in headers),
            "length": (header.length for header in headers),
            "apdu_tag": (unit.apdu_tag for unit in units),
            "address": (self._address(unit.pieces) for unit in units),
            "size": (unit.size for unit in units),
            "marks": (unit.marks for unit in units),
        }
        return {
            name: np.fromiter(values, self._wpdus[name].dtype, len(units)) for name, values in columns.items()
        }

    def _address(self, pieces: tuple[Segment, ...]) -> int:
        """The `address` of a unit: that of its only piece, or `-1 - extent` of the first of several."""
        if len(pieces) == 1:
            return pieces[0].address
        address, captured, packet = zip(
            *((piece.address, piece.captured, piece.packet) for piece in pieces), strict=True
        )
        return -1 - self.extents(address, captured, packet, len(pieces))

    def _flush_items(self) -> None:
        parts = self._found_arrays
        if self._found:
            columns = zip(*self._found, strict=True)
            found = {name: np.array(column) for name, column in zip(_FOUND, columns, strict=True)}
            parts = [*parts, found]
            if self._moved:
                self._move(found["stream"], found["direction"], found)
        if self._turned:
            turned = np.zeros(len(self._streams) + 1, np.bool_)  # the last: items of no stream
            turned[list(self._turned)] = True
            self._items["direction"][:] ^= turned[self._items["stream"]]
        if self._moved:
            stream = self._items["stream"]
            side = self._items["direction"] ^ self._streams["client_side"][stream]
            self._move(stream, side, {name: self._items[name] for name in ("start", "stop")})
        self._found, self._found_arrays, self._turned, self._moved = [], [], set(), {}
        if not parts:
            return
        whole = {name: np.concatenate([part[name] for part in parts]) for name in _FOUND}
        stream = whole["stream"]
        whole["direction"] = whole["direction"] ^ self._streams["client_side"][stream]
        udp = self._streams["protocol"][stream] == UDP
        whole["source"] = np.where(udp, Source.DATAGRAM, Source.STREAM)
        order = np.argsort(whole["packet"], kind="stable")
        added = self._items.add(len(order), **{name: column[order] for name, column in whole.items()})
        kind, stream, amount = (self._items[name][added] for name in ("kind", "stream", "amount"))
        for counted, column in _COUNTED.items():
            hit = kind == counted.number
            weights = amount[hit] if column in ("missing_octets", "skipped_octets") else None
            add_counts(self._streams[column], stream[hit], weights)


def _in_order(units: list[FoundUnit]) -> list[FoundUnit]:
    """By what made them known, then by their last packets, but those of one direction as they stand there."""
    latest: dict[tuple[int, int, int], int] = {}
    keys = []
    for place, (trigger, stream, side, unit) in enumerate(units):
        half = trigger, stream, side
        latest[half] = max(latest.get(half, 0), *(piece.packet for piece in unit.pieces))
        keys.append((trigger, latest[half], place))
    return [units[place] for _, _, place in sorted(keys)]


#: Columns of an item as it is found.
_FOUND = ("kind", "stream", "direction", "packet", "start", "stop", "amount")

# Items that are counted in a column of their stream: octets, or how many there are.
_COUNTED = {
    RETRANSMISSION: "retransmissions",
    OUT_OF_ORDER: "out_of_order",
    CONFLICT: "conflicts",
    CAPTURED_TWICE: "captured_twice",
    HOLE: "missing_octets",
    CUT: "missing_octets",
    NO_FRAGMENT: "missing_octets",
    SKIPPED: "skipped_octets",
    TRAILING: "skipped_octets",
    NO_FRAME: "skipped_octets",
}
