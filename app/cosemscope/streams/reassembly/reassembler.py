"""One direction of a TCP stream put in order, segment by segment: the reassembler.

What it calls what: a segment whose octets were seen before, some or all, is a *retransmission*, except a
keep-alive (one octet, the last one again although it has been acknowledged) and the octet of a zero-window
probe. A segment that fills a gap which later ones left was either overtaken on its way (*out of order*) or
sent again because it was lost before it came here (a retransmission too): `sent_order` tells.

A gap is a *hole*, its octets not in the capture, when the other side has acknowledged past it, data has gone
on, and its octets do not come within `LATE_IN_CAPTURE` after that either (captures may show an
acknowledgement before what it acknowledges), when more waits behind it, or behind all gaps together, than the
bounds below allow, or when the connection ends. In a direction that was captured alone, time decides.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from cosemscope.streams.reassembly.sent_order import Recall, no_past, was_overtaken

#: What may wait behind a gap, in one direction of one stream: octets and segments.
MAX_AHEAD_OCTETS = 8 << 20
MAX_AHEAD_SEGMENTS = 4096
#: A gap of more octets is wider than windows are: what comes behind it is a stray, unless others follow.
WIDEST_GAP = 1 << 24
#: What may wait behind gaps in all streams together, in segments.
MAX_WAITING_SEGMENTS = 1 << 18
#: How long after an acknowledgement (ns) a capture may show what it acknowledges.
LATE_IN_CAPTURE = 100_000_000
#: How long a gap is waited for (ns) in a direction that was captured alone: nobody says what has arrived.
ALONE = 3_000_000_000


class Segment(NamedTuple):
    """Octets `start` to `stop` of a direction; the first `captured` of them lie at `address`."""

    start: int
    stop: int
    address: int
    captured: int
    packet: int
    time: int
    ip_id: int
    tsval: int = 0

    def part(self, start: int, stop: int) -> "Segment":
        """Only the octets from `start` to `stop` of it."""
        skip = start - self.start
        return self._replace(
            start=start,
            stop=stop,
            address=self.address + skip,
            captured=max(0, min(self.captured - skip, stop - start)),
        )


class Sink(Protocol):
    """Taker of a direction's octets, in order."""

    def chunk(self, segment: Segment, trigger: int) -> None:
        """The next octets, all captured; `trigger` is the packet that made them known."""

    def gap(self, start: int, stop: int, packet: int, trigger: int) -> None:
        """Octets that are not in the capture, noticed at `packet`."""

    def close(self, packet: int) -> None:
        """Nothing more comes."""

    @property
    def clean(self) -> bool:
        """True if nothing is pending: the next octet begins a WPDU."""


class Hole(NamedTuple):
    """Octets `start` to `stop` that are not in the capture; `packet` is the first one behind them."""

    start: int
    stop: int
    packet: int


class SegmentVerdict(NamedTuple):
    """The verdict on a segment: `seen` octets had come before; `cut` octets of the new ones are missing."""

    seen: int = 0
    retransmission: bool = False
    out_of_order: bool = False
    keep_alive: bool = False
    holes: tuple[Hole, ...] = ()
    cut: int = 0


class Waiting:
    """Counts the segments that wait behind gaps in all streams, for the bound on them."""

    def __init__(self) -> None:
        self.segments = 0


class Reassembler:
    """Puts segments in order and gives them to a sink; `next` is the first octet not yet given.

    Octets count from 0, which has the sequence number `base`. `ack` is the other side's last
    acknowledgement as it stands in the header, -1 unknown. `recall` tells what the sender did before.
    """

    __slots__ = (
        *("next", "highest", "ack", "sink", "base", "end"),
        *("_ahead", "_ahead_octets", "_waiting", "_recall", "_openers", "_gap"),
    )

    def __init__(
        self, start: int, base: int, ack: int, sink: Sink, waiting: Waiting, recall: Recall = no_past
    ) -> None:
        self.next = start
        self.highest = start
        self.ack = ack
        self.sink = sink
        self.base = base
        self.end: int | None = None  # where the FIN stands
        self._ahead: list[Segment] = []
        self._ahead_octets = 0
        self._waiting = waiting
        self._recall = recall
        self._openers: list[tuple[int, int, Segment]] = []  # of each gap: stop, start, first segment behind
        self._gap: tuple[int, int] | None = None  # a gap that should be a hole, and since when

    @property
    def clean(self) -> bool:
        """True if all is in order and the sink stands between two WPDUs."""
        return not self._ahead and self.sink.clean

    @property
    def ahead(self) -> Sequence[Segment]:
        """The segments that wait behind gaps, in order."""
        return self._ahead

    @property
    def has_gap(self) -> bool:
        """True if segments wait behind a gap."""
        return bool(self._ahead)

    def add(self, segment: Segment, rtt: int, window: int) -> SegmentVerdict:
        """Take a segment that carries octets; `rtt` in ns, `window` of the other side (-1: unknown)."""
        fresh = self._fresh(segment)
        length = segment.stop - segment.start
        seen = length - sum(stop - start for start, stop in fresh)
        acknowledged = segment.stop == self.highest and (self.ack < 0 or self._acked() >= segment.stop)
        if length == 1 and seen and (acknowledged or window == 0):
            return SegmentVerdict(seen, keep_alive=True)
        filler = bool(fresh) and fresh[0][0] < self.highest
        overtaken = filler and not seen and self._overtaken(segment, rtt)
        if segment.start > self.highest:
            self._openers.append((segment.start, self.highest, segment))
        cut = 0
        for start, stop in fresh:
            cut += self._take(segment.part(start, stop))
        self.highest = max(self.highest, segment.stop)
        self._deliver(segment.packet)
        holes = self.give_up_holes(segment.packet, segment.time)
        # One octet of a probe that was not accepted comes again with what follows it.
        probed = seen == 1 and length > 1 and bool(fresh)
        again = (seen > 0 and not probed) or (filler and not seen and not overtaken)
        return SegmentVerdict(seen, again, overtaken, holes=holes, cut=cut)

    def offset(self, number: int, near: int) -> int:
        """The octet that a sequence number names, the one nearest to octet `near` (numbers wrap)."""
        distance = (number - self.base - near) & 0xFFFFFFFF
        return near + (distance if distance < 0x80000000 else distance - 0x100000000)

    def close(self, packet: int) -> tuple[Hole, ...]:
        """The connection ends at `packet`: give up every hole, tell the sink; returns the holes."""
        holes = self.give_up_all(packet)
        self.sink.close(packet)
        return holes

    def give_up_all(self, packet: int) -> tuple[Hole, ...]:
        """Read on behind every gap, at `packet`; returns the gaps: all are holes."""
        holes = []
        while self._ahead:
            holes.append(self._give_up(packet))
        return tuple(holes)

    def _fresh(self, segment: Segment) -> list[tuple[int, int]]:
        """The parts of a segment that were not seen before, in order."""
        start, parts = max(segment.start, self.next), []
        first = max(0, bisect_left(self._ahead, (start,)) - 1)
        for place in range(first, len(self._ahead)):
            other = self._ahead[place]
            if other.stop <= start:
                continue
            if other.start >= segment.stop:
                break
            if other.start > start:
                parts.append((start, other.start))
            start = max(start, other.stop)
        if start < segment.stop:
            parts.append((start, segment.stop))
        return parts

    def _overtaken(self, segment: Segment, rtt: int) -> bool:
        """True if a segment that fills a gap was sent before the segment that left the gap."""
        place = bisect_left(self._openers, (segment.stop,))
        if place == len(self._openers):
            return False
        _, gap, opener = self._openers[place]
        return was_overtaken(segment, opener, rtt, lambda: self._recall(segment, opener, gap))

    def _take(self, part: Segment) -> int:
        """Keep a part that was not seen before; the octets of it that were cut off."""
        insort(self._ahead, part)
        self._ahead_octets += part.stop - part.start
        self._waiting.segments += 1
        return part.stop - part.start - part.captured

    def _deliver(self, trigger: int) -> None:
        while self._ahead and self._ahead[0].start <= self.next:
            segment = self._ahead.pop(0)
            self._ahead_octets -= segment.stop - segment.start
            self._waiting.segments -= 1
            self.next = segment.stop
            if segment.captured:
                self.sink.chunk(segment, trigger)
            if segment.start + segment.captured < segment.stop:
                self.sink.gap(segment.start + segment.captured, segment.stop, segment.packet, trigger)
        while self._openers and self._openers[0][0] <= self.next:
            del self._openers[0]

    def withdraw(self) -> None:
        """Forget what waits behind gaps: another reassembler takes it."""
        self._waiting.segments -= len(self._ahead)
        self._ahead, self._ahead_octets, self._openers = [], 0, []

    def give_up_holes(self, packet: int, time: int) -> tuple[Hole, ...]:
        """The gaps that are holes by now, when `packet` comes at `time` (ns): reading goes on behind them."""
        holes = []
        while self._ahead and self._hopeless(time):
            holes.append(self._give_up(packet))
        return tuple(holes)

    def _acked(self) -> int:
        """The octet up to which the other side has acknowledged."""
        return self.next - 1 if self.ack < 0 else self.offset(self.ack, self.next)

    def _hopeless(self, time: int) -> bool:
        many = len(self._ahead) > MAX_AHEAD_SEGMENTS or self._waiting.segments > MAX_WAITING_SEGMENTS
        if many or self._ahead_octets > MAX_AHEAD_OCTETS:
            return True
        if self.ack < 0:
            return bool(self._openers) and time - self._openers[0][2].time >= ALONE
        if self._acked() < self._ahead[0].start:
            return False
        if self._gap is None or self._gap[0] != self.next:
            self._gap = self.next, time
        return time - self._gap[1] >= LATE_IN_CAPTURE

    def _give_up(self, packet: int) -> Hole:
        """The first gap is a hole: go on behind it."""
        hole = Hole(self.next, self._ahead[0].start, self._ahead[0].packet)
        self.sink.gap(*hole, packet)
        self.next = hole.stop
        self._deliver(packet)
        return hole
