"""IP fragments put together again: of overlapping octets the first to come stay, as for TCP.

What waits is bounded in number, octets and time (of the capture, no clock is read), so that a flood of first
fragments costs nothing but itself. Oldest datagrams are given up first.
"""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Hashable
from typing import NamedTuple

MAX_WAITING = 4_096
MAX_WAITING_OCTETS = 64 << 20
MAX_DATAGRAM = 65_535
# RFC 8200, 4.5: fragments that have not found each other after 60 seconds are given up.
TIMEOUT = 60 * 1_000_000_000


class Fragment(NamedTuple):
    """Place of a fragment: its datagram's `key`, its `offset` there in octets, the mark of the `last` one.

    `protocol` is that of the datagram's body, which the first fragment tells.
    """

    key: Hashable
    offset: int
    last: bool
    protocol: int


class _Datagram:
    """One datagram that is not complete yet."""

    def __init__(self, time: int) -> None:
        self.time = time
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
    """Datagrams that wait for fragments. `protocol` is the last whole one's, `given_up` counts the lost."""

    def __init__(self) -> None:
        self.protocol = 0
        self.given_up = 0
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
            self._give_up(fragment.key)
            waiting = None
        if waiting is None:
            waiting = self._waiting[fragment.key] = _Datagram(time)
        before = len(waiting.octets)
        waiting.put(fragment.offset, octets)
        self._octets += len(waiting.octets) - before
        if fragment.last and waiting.length is None:
            waiting.length = stop
        if not fragment.offset:
            waiting.protocol = fragment.protocol
        if waiting.complete:
            self.protocol = waiting.protocol
            self._remove(fragment.key)
            return bytes(waiting.octets)
        while len(self._waiting) > MAX_WAITING or self._octets > MAX_WAITING_OCTETS:
            self._give_up(next(iter(self._waiting)))
        return None

    def _give_up(self, key: Hashable) -> None:
        self._remove(key)
        self.given_up += 1

    def _remove(self, key: Hashable) -> None:
        self._octets -= len(self._waiting.pop(key).octets)
