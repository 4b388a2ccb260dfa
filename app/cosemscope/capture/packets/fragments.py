"""IP fragments put together again: of overlapping octets the first to come stay, as for TCP.

What waits is bounded in number, octets and time (of the capture, no clock is read), so that a flood of first
fragments costs nothing but itself. Oldest datagrams are given up first; what came of them in one piece from
the beginning on is handed out then.
"""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Hashable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.capture.packets.packet_row import PacketRow

MAX_WAITING = 4_096
MAX_WAITING_OCTETS = 64 << 20
MAX_DATAGRAM = 65_535
# RFC 8200, 4.5: fragments that have not found each other after 60 seconds are given up.
TIMEOUT = 60 * 1_000_000_000


class Fragment(NamedTuple):
    """Place of a fragment: its datagram's `key`, its `offset` there in octets, the mark of the `last` one.

    `protocol` is that of the datagram's body, which the first fragment tells. `packet` is the packet's row.
    """

    key: Hashable
    offset: int
    last: bool
    protocol: int
    packet: int = 0


class FirstFragment(NamedTuple):
    """A first fragment as a packet of UDP or TCP: its row in the packet table, and what its headers say.

    `row.payload` counts from the first octet of the datagram's body.
    """

    packet: int
    row: PacketRow


class LostDatagram(NamedTuple):
    """A datagram that was given up at packet `trigger`: its first fragment, and its octets up to a gap."""

    trigger: int
    first: FirstFragment
    octets: bytes


class _Datagram:
    """One datagram that is not complete yet."""

    def __init__(self, time: int, packet: int) -> None:
        self.time = time
        self.looked = packet  # packets up to this one do not end the waiting
        self.packets: list[int] = []
        self.first: FirstFragment | None = None
        self.length: int | None = None
        self.protocol = 0
        self.octets = bytearray()
        self.spans: list[tuple[int, int]] = []  # in order, with gaps between them

    def put(self, start: int, octets: bytes) -> None:
        """Put octets in where there are none yet."""
        stop = start + len(octets)
        if stop > len(self.octets):
            self.octets.extend(bytes(stop - len(self.octets)))
        spans = self.spans
        # Those that touch or overlap the new octets become one span with them.
        first = bisect_left(spans, (start,))
        if first and spans[first - 1][1] >= start:
            first -= 1
        last = bisect_right(spans, (stop, MAX_DATAGRAM))
        at = start
        for begin, end in [*spans[first:last], (stop, stop)]:
            if at < begin:
                self.octets[at:begin] = octets[at - start : begin - start]
            at = max(at, end)
        if first < last:
            start, stop = min(start, spans[first][0]), max(stop, spans[last - 1][1])
        spans[first:last] = [(start, stop)]

    @property
    def complete(self) -> bool:
        return self.length is not None and self.spans == [(0, self.length)]


class Reassembly:
    """Datagrams that wait for fragments. `protocol` is the last whole one's, `given_up` counts the lost.

    `first` is the last whole one's first fragment, as `begins` was told; `lost` are those given up that had
    one, until somebody takes them from there. `parts` has the packets that brought the octets of a datagram
    by the one that stands for it: that which completed it, or the first fragment of one given up.
    """

    def __init__(self) -> None:
        self.protocol = 0
        self.first: FirstFragment | None = None
        self.given_up = 0
        self.lost: list[LostDatagram] = []
        self.parts: dict[int, tuple[int, ...]] = {}
        self._waiting: OrderedDict[Hashable, _Datagram] = OrderedDict()
        self._octets = 0

    @property
    def incomplete(self) -> int:
        """Number of datagrams that lack fragments: those given up, and those that wait."""
        return self.given_up + len(self._waiting)

    def add(self, fragment: Fragment, octets: bytes, time: int) -> bytes | None:
        """Take a fragment in, seen at `time` (ns); the whole body once the last piece is there, else None."""
        stop = fragment.offset + len(octets)
        if stop > MAX_DATAGRAM or not octets or (not fragment.last and len(octets) % 8):
            return None
        waiting = self._waiting.get(fragment.key)
        if waiting is not None and abs(time - waiting.time) > TIMEOUT:
            self._give_up(fragment.key, fragment.packet)
            waiting = None
        if waiting is None:
            waiting = self._waiting[fragment.key] = _Datagram(time, fragment.packet)
        before = len(waiting.octets)
        waiting.put(fragment.offset, octets)
        waiting.packets.append(fragment.packet)
        self._octets += len(waiting.octets) - before
        if fragment.last and waiting.length is None:
            waiting.length = stop
        if not fragment.offset:
            waiting.protocol = fragment.protocol
        if waiting.complete:
            self.protocol, self.first = waiting.protocol, waiting.first
            self.parts[fragment.packet] = tuple(waiting.packets)
            self._remove(fragment.key)
            return bytes(waiting.octets)
        while len(self._waiting) > MAX_WAITING or self._octets > MAX_WAITING_OCTETS:
            self._give_up(next(iter(self._waiting)), fragment.packet)
        return None

    def begins(self, fragment: Fragment, row: PacketRow) -> bool:
        """Keep what the headers in a first fragment say, of several the first; True if its datagram waits."""
        waiting = self._waiting.get(fragment.key)
        if waiting is not None and waiting.first is None:
            waiting.first = FirstFragment(fragment.packet, row)
        return waiting is not None

    def expire(self, times: npt.NDArray[np.int64], latest: npt.NDArray[np.int64], first: int) -> None:
        """Give up what has waited too long, by the times of the packets from row `first` on.

        `times` and `latest`, int64[n]: the time of each (ns), and the greatest so far.
        """
        while self._waiting and len(times):
            key, oldest = next(iter(self._waiting.items()))
            end = oldest.time + TIMEOUT
            if latest[-1] <= end:
                return
            # The first packet behind the deadline ends the waiting, however many are looked at together.
            place, start = int(np.searchsorted(latest, end, "right")), max(oldest.looked - first, 0)
            if place < start:  # a packet before the fragment has a later time
                late = times[start:] > end
                place = start + int(late.argmax()) if late.any() else len(times)
            if place == len(times):
                oldest.looked = first + place
                return
            self._give_up(key, first + place)

    def finish(self, packet: int) -> None:
        """Nothing more comes: what still waits is given up."""
        while self._waiting:
            self._give_up(next(iter(self._waiting)), packet)

    def _give_up(self, key: Hashable, packet: int) -> None:
        lost = self._remove(key)
        self.given_up += 1
        if lost.first is not None:
            self.parts[lost.first.packet] = tuple(lost.packets)
            self.lost.append(LostDatagram(packet, lost.first, bytes(lost.octets[: lost.spans[0][1]])))

    def _remove(self, key: Hashable) -> _Datagram:
        removed = self._waiting.pop(key)
        self._octets -= len(removed.octets)
        return removed
