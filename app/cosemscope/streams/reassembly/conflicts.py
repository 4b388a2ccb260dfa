"""Segments with octets that were seen before: copies that the capture made, and octets that differ.

Of octets that differ the first ones stand, as with a receiver that has them already, unless their checksum is
wrong and that of the others is right; that others came is worth an item, since stacks do not do it and
attackers do. The original is looked for in the batch and among the last `WINDOW` packets before it.
"""

from functools import partial
from itertools import pairwise

import numpy as np

from cosemscope.capture.columns import Array, Columns
from cosemscope.capture.packets.packet_row import SYN
from cosemscope.capture.packets.tcp_checksum import has_right_checksum
from cosemscope.streams.payload import PayloadSource
from cosemscope.streams.reassembly.repeats.captured_twice import alike, changed_before
from cosemscope.streams.reassembly.repeats.replaced_octets import Replacement
from cosemscope.streams.reassembly.row_collector import Output
from cosemscope.streams.tables.expert_items import NUMBERED, ItemKind
from cosemscope.streams.tables.stream_kinds import CAPTURED_TWICE, CONFLICT, KEEP_ALIVE

#: Packets before a batch among which the original of a retransmission is looked for.
WINDOW = 1 << 16
#: Segments that are compared one by one with a segment of the same octets that begins elsewhere.
MOST_COMPARED = 256
_HALF_WAY = 1 << 31
# In the place of a kind: what such a segment is has been told.
_TOLD = -1


class ConflictFinder:
    """Collects suspects (segments with octets that were seen before), and compares them once a batch."""

    def __init__(
        self,
        packets: Columns,
        packet_streams: Columns,
        source: PayloadSource,
        output: Output,
        flows: Columns | None = None,
    ) -> None:
        self._flows = flows
        self._packets = packets
        self._streams = packet_streams
        self._source = source
        self._output = output
        self._suspects: list[tuple[Array, Array, int]] = []

    def suspect(self, packet: Array, start: Array, kind: ItemKind | None = None) -> None:
        """Note packets, int64[k] rows, with octets that were seen before; `start`: int64[k], first octet.

        `kind` of item is what they are if they are no copies; without it that has been told.
        """
        half = self._half(packet)
        moved = [self._output.moved(one >> 1, one & 1) for one in half.tolist()] if len(half) == 1 else 0
        self._suspects.append((packet, start - moved, kind.number if kind else _TOLD))

    def look(self, rows: slice) -> None:
        """Compare the suspects with what was seen before them; `rows`: the packet rows of the batch."""
        if not self._suspects:
            return
        packet = np.concatenate([suspect[0] for suspect in self._suspects]).astype(np.int64)
        start = np.concatenate([suspect[1] for suspect in self._suspects])
        kind = np.concatenate([np.full(len(one), number) for one, _, number in self._suspects])
        self._suspects = []
        window = slice(max(0, rows.start - WINDOW), rows.stop)
        copies = np.isin(packet, self._copies(window, packet[kind != _TOLD])) & (kind != _TOLD)
        kind[copies] = CAPTURED_TWICE.number
        self._tell(packet, start, kind)
        differ = kind != KEEP_ALIVE.number  # the octet of a keep-alive may be any
        packet, start = packet[~copies & differ], start[~copies & differ]
        if len(packet):
            self._compare(window, packet, start)

    def _tell(self, packet: Array, start: Array, kind: Array) -> None:
        """Items of segments all of whose octets were seen before: copies, retransmissions, keep-alives."""
        told = np.flatnonzero(kind != _TOLD)
        length = self._packets["payload_length"][packet[told]]
        columns = (kind[told], self._half(packet[told]), packet[told], start[told], length)
        for number, half, row, first, amount in zip(*(one.tolist() for one in columns), strict=True):
            moved = self._output.moved(half >> 1, half & 1)
            self._output.find(NUMBERED[number], half >> 1, half & 1, row, first + moved, amount)

    def _copies(self, window: slice, packet: Array) -> Array:
        """Those of the packets, int64[m], that are copies of the ones before them, to the last octet."""
        if not len(packet):
            return packet
        near = self._near(window, self._seq(packet))
        key = self._half(near) << 32 | self._seq(near)
        again, original = alike(self._packets, packet, near, key, partial(self._changed, window))
        return np.asarray(again[np.array(self._same_place(again, original), np.int64) == 0])

    def _changed(self, window: slice, packet: Array) -> Array:
        """Whether the senders of these packets had changed identifications before, bool[k]."""
        seen, half = self._candidates(window, packet)
        return changed_before(self._packets, packet, seen, half)

    def _compare(self, window: slice, packet: Array, start: Array) -> None:
        """Items of the packets, int64[k], whose octets differ from those first seen."""
        original = self._first_alike(window, packet)
        captured = self._packets["payload_captured"]
        # A segment is compared with the first that begins where it does and is as long, else octet by octet.
        exact = (original < packet) & (captured[original] >= captured[packet])
        different = np.zeros(len(packet), np.int64)
        different[exact] = self._same_place(packet[exact], original[exact])
        different[~exact] = self._anywhere(window, packet[~exact])
        found = np.flatnonzero(different)
        half = self._half(packet[found])
        for place, mine in zip(found.tolist(), half.tolist(), strict=True):
            suspect, offset, count = int(packet[place]), int(start[place]), int(different[place])
            offset += self._output.moved(mine >> 1, mine & 1)
            stop = offset + int(self._packets["payload_length"][suspect])
            self._output.find(CONFLICT, mine >> 1, mine & 1, suspect, offset, count, stop)
            if exact[place]:
                self._settle(mine >> 1, suspect, int(original[place]))

    def _settle(self, stream: int, suspect: int, original: int) -> None:
        """The octets of a segment give way to those of another one, if only the checksum of that is right."""
        packets = self._packets
        if self._flows is None or packets["payload_length"][suspect] != packets["payload_length"][original]:
            return
        read, flows = self._source.octets, self._flows
        if has_right_checksum(packets, flows, original, read):
            return
        if has_right_checksum(packets, flows, suspect, read):
            address, length = int(packets["payload"][original]), int(packets["payload_length"][original])
            by, time = int(packets["payload"][suspect]) - address, int(packets["time"][suspect])
            sound = Replacement(stream, original, address, length, suspect, time, by, read)
            self._output.replacements.add(sound)

    def _first_alike(self, window: slice, packet: Array) -> Array:
        """Rows, int64[k], of the first packet in the window with the half and sequence number of each."""
        number = self._seq(packet)
        near = self._near(window, number)
        key = self._half(near) << 32 | self._seq(near)
        order = np.argsort(key, kind="stable")
        place = np.searchsorted(key[order], self._half(packet) << 32 | number)
        return np.asarray(near[order[place]])

    def _near(self, window: slice, number: Array) -> Array:
        """Rows, int64[m], with octets, among them all of these sequence numbers in the window."""
        # Most others are ruled out by 16 bits; a SYN that carries octets counts one more than it says.
        wanted = np.zeros(1 << 16, np.bool_)
        wanted[number & 0xFFFF] = wanted[(number - 1) & 0xFFFF] = True
        near = np.flatnonzero(wanted[self._packets["seq"][window] & 0xFFFF]) + window.start
        return np.asarray(near[self._packets["payload_length"][near] > 0])

    def _anywhere(self, window: slice, packet: Array) -> list[int]:
        """Counts, [k], of octets that differ from those first seen at their places, in whichever segments."""
        if not len(packet):
            return []
        seen, half = self._candidates(window, packet)
        key = half << 32 | self._seq(seen)
        order = np.argsort(key, kind="stable")
        seen, key = seen[order], key[order]
        length = self._packets["payload_captured"][seen].astype(np.int64)
        longest = int(length.max(initial=0))
        suspects = zip(packet.tolist(), self._half(packet).tolist(), self._seq(packet).tolist(), strict=True)
        found = []
        for suspect, mine, number in suspects:
            size = int(self._packets["payload_captured"][suspect])
            near = _between(key, mine, number - longest + 1, number + size)
            # How far into each of these the suspect begins.
            shift = ((number - key[near] + _HALF_WAY) & 0xFFFFFFFF) - _HALF_WAY
            earlier = (seen[near] < suspect) & (-size < shift) & (shift < length[near])
            rows, shift = seen[near[earlier]], shift[earlier]
            oldest = np.argsort(rows)[:MOST_COMPARED]
            found.append(self._differences(suspect, rows[oldest], shift[oldest]))
        return found

    def _differences(self, suspect: int, rows: Array, shift: Array) -> int:
        """Count the octets of a segment that differ from those in the first of these rows that has them.

        `shift`: int64[k], how far into each of `rows`, int64[k], the segment begins, in octets.
        """
        address, captured = self._packets["payload"], self._packets["payload_captured"]
        octets = self._source.octets
        mine = np.frombuffer(octets(int(address[suspect]), int(captured[suspect])), np.uint8)
        owner = np.full(len(mine), -1, np.int64)
        starts, stops = np.maximum(-shift, 0), np.minimum(captured[rows] - shift, len(mine))
        for place, start, stop in zip(
            range(len(rows) - 1, -1, -1), starts[::-1].tolist(), stops[::-1].tolist(), strict=True
        ):
            owner[start:stop] = place  # the first comes last, and stands
        held = np.flatnonzero(owner >= 0)
        owner = owner[held]
        where = address[rows[owner]].astype(np.int64) + shift[owner] + held
        if self._source.at_hand(where).all():
            return int((self._source.gather(np.uint8, where) != mine[held]).sum())
        # Runs of octets that lie one after the other; what the file no longer has does not differ.
        edges = np.flatnonzero(np.diff(where) != 1) + 1
        known, pieces = mine[held].tobytes(), []
        bounds = pairwise([0, *edges.tolist(), len(where)])
        for (begin, end), at in zip(bounds, where[np.append(0, edges)].tolist(), strict=True):
            first = octets(at, end - begin)
            pieces.append(first + known[begin + len(first) : end])
        return _differing(known, b"".join(pieces))

    def _same_place(self, packet: Array, original: Array) -> list[int]:
        """Counts, [k], of octets that differ between each packet and the original with its number."""
        address, octets = self._packets["payload"], self._source.octets
        places = zip(
            address[packet].tolist(),
            address[original].tolist(),
            self._packets["payload_captured"][packet].tolist(),
            strict=True,
        )
        return [_differing(octets(one, length), octets(other, length)) for one, other, length in places]

    def _candidates(self, rows: slice, packet: Array) -> tuple[Array, Array]:
        """Packets with octets, among `rows`, of the streams of `packet`: (rows, halves), int64[m] each."""
        stream = self._streams["stream"]
        wanted = np.zeros(int(stream[packet].max()) + 2, np.bool_)
        wanted[stream[packet]] = True
        window = stream[rows]
        seen = np.flatnonzero(wanted[np.minimum(window, len(wanted) - 1)]) + rows.start
        seen = seen[self._packets["payload_length"][seen] > 0]
        return seen, self._half(seen)

    def _half(self, rows: Array) -> Array:
        half: Array = 2 * self._streams["stream"][rows].astype(np.int64)
        half += self._packets["direction"][rows]
        return half

    def _seq(self, rows: Array) -> Array:
        syn = (self._packets["flags"][rows] & SYN) > 0
        return (self._packets["seq"][rows].astype(np.int64) + syn) & 0xFFFFFFFF


def _between(key: Array, half: int, low: int, high: int) -> Array:
    """Indexes, int64[m], of the keys of a half whose sequence numbers lie from `low` up to `high`.

    `key`: int64[n], half << 32 | sequence number, ascending; `low` and `high` may lie beyond 0 and 2^32.
    """
    spans = [(low, high)]
    if low < 0:
        spans = [(low + (1 << 32), 1 << 32), (0, high)]
    elif high > 1 << 32:
        spans = [(low, 1 << 32), (0, high - (1 << 32))]
    base = half << 32
    return np.concatenate(
        [np.arange(*key.searchsorted([base + start, base + stop])) for start, stop in spans]
    )


def _differing(one: bytes, other: bytes) -> int:
    """Count the places at which two runs of octets differ, as far as both go."""
    if one == other:
        return 0
    length = min(len(one), len(other))
    return int((np.frombuffer(one, np.uint8, length) != np.frombuffer(other, np.uint8, length)).sum())
