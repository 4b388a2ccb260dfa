"""TCP packet by packet: what the fast path does not know goes through here.

A `PacketWalk` keeps what is pending of slow halves (see `halves`): a `Reassembler` with the splitter of the
stream's framing, or in a stream that is not recognised yet, with a `Prelude`.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import numpy as np

from cosemscope.capture.cancelling import Look
from cosemscope.capture.columns import Array
from cosemscope.capture.packets.packet_row import ACK, FIN, RST, SYN, TCP
from cosemscope.streams.endings import FAR
from cosemscope.streams.foreign.foreign_table import foreign_framing
from cosemscope.streams.payload import PayloadSource
from cosemscope.streams.reassembly.conflicts import ConflictFinder
from cosemscope.streams.reassembly.halves import Halves
from cosemscope.streams.reassembly.packet_batch import PacketBatch
from cosemscope.streams.reassembly.reassembler import (
    LATE_IN_CAPTURE,
    WIDEST_GAP,
    Hole,
    Reassembler,
    Segment,
    SegmentVerdict,
    Sink,
    Waiting,
)
from cosemscope.streams.reassembly.recognising.late_evidence import LOOKED_BEHIND, Told
from cosemscope.streams.reassembly.recognising.reopening import WentBy
from cosemscope.streams.reassembly.row_collector import Output
from cosemscope.streams.reassembly.segments_in_order import Segments
from cosemscope.streams.reassembly.sent_order import SenderPasts
from cosemscope.streams.reassembly.splitters.splitter import Unit
from cosemscope.streams.reassembly.splitters.splitter_table import splitter_for
from cosemscope.streams.reassembly.undecided import Kept, Undecided
from cosemscope.streams.reassembly.unit_sink import UnitSink
from cosemscope.streams.recognition import HEAD, believable
from cosemscope.streams.stream_table import StreamTable
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.stream_kinds import CUT, HOLE, KEEP_ALIVE, OUT_OF_ORDER, RETRANSMISSION, STRAY
from cosemscope.streams.tables.wpdu_table import Mark
from cosemscope.transport.wpdu import HEADER_SIZE, decode_header
from cosemscope.transport.wports import DLMS_PORT

#: Streams that may wait for recognition, and octets that they may keep: beyond, the oldest are decided.
MAX_UNDECIDED = 8192
MAX_UNDECIDED_OCTETS = 64 << 20


def _one_by_one(indexes: Array, look: Look) -> Iterator[int]:
    """Yield the numbers of int64[n] as Python's, a few at a time: most walks end after a few.

    Before each of them is a look whether it is wanted.
    """
    start, step = 0, 8
    while start < len(indexes):
        for index in indexes[start : start + step].tolist():
            look()
            yield index
        start, step = start + step, min(2 * step, 4096)


class PacketWalk:
    """Takes packets of slow halves one by one; rows and items go to `output`.

    In its methods `index` is the position of a packet in the batch.
    """

    def __init__(
        self,
        halves: Halves,
        streams: StreamTable,
        source: PayloadSource,
        output: Output,
        conflicts: ConflictFinder,
        history: WentBy,
        pasts: SenderPasts,
    ) -> None:
        self._halves = halves
        self._streams = streams
        self._source = source
        self._output = output
        self._conflicts = conflicts
        self._history = history
        self._pasts = pasts
        self._slow: dict[int, Reassembler] = {}
        self._undecided: dict[int, Undecided] = {}
        self._waiting = Waiting()
        self._strays: dict[int, Segment] = {}

    @property
    def pending(self) -> set[int]:
        """The streams of which something is pending."""
        return {half >> 1 for half in self._slow} | set(self._undecided)

    @property
    def undecided(self) -> list[int]:
        """The streams that wait for recognition."""
        return list(self._undecided)

    def walk_stream(
        self, batch: PacketBatch, stream: int, *, one_by_one: bool, evidence: Sequence[Told] = ()
    ) -> tuple[int, int]:
        """Take packets as long as a half of the stream is slow; returns the segments taken of each side.

        While the stream is not recognised and there is `evidence` ahead, in order, packets are taken on.
        """
        counts = [0, 0]
        ahead = list(reversed(evidence))
        always = one_by_one
        slow = self._slow
        near = 2 * stream
        resting = [near not in slow, near + 1 not in slow]
        for index in _one_by_one(batch.of_stream(stream), self._source.look):
            one_by_one = always or (bool(ahead) and self._is_open(stream))
            if resting[0] and resting[1] and not one_by_one:
                break
            side = int(batch.direction[index])
            half = near + side
            carries = bool(batch.payload_length[index])
            if carries and one_by_one and half not in slow:
                self._open(half, int(self._halves["highest"][half]))
                self._learn_ack(batch, half, index)
            if carries and half in slow:
                counts[side] += 1
                self._segment(batch, half, index)
            for other in (near, near + 1):
                self._control(batch, other, index)
            if ahead and ahead[-1].place == index:
                told = ahead.pop()
                if self._is_open(stream):
                    self._reopen(stream, told.framing, batch.base + index)
                    resting = [near not in slow, near + 1 not in slow]
            for other in (near, near + 1):
                if not one_by_one:
                    resting[other & 1] = resting[other & 1] or self._let_go(other)
        return counts[0], counts[1]

    def _is_open(self, stream: int) -> bool:
        """True if late evidence counts for a stream."""
        return self._streams["framing"].item(stream) in LOOKED_BEHIND

    def _reopen(self, stream: int, framing: Framing, packet: int) -> None:
        """Late evidence: what went by of the stream is read again, up to this packet."""
        if stream in self._undecided:
            self._decide(stream, packet, framing=framing)
            return
        history = []
        for half in (2 * stream, 2 * stream + 1):
            reassembler = self._slow.get(half)
            limit = reassembler.next if reassembler else int(self._halves["highest"][half])
            history.append(self._history.half(half, packet, int(self._halves["base"][half]), limit))
        self._recognised(stream, framing, history)
        for kept in history:
            start = kept.segments[0].start if kept.segments else 0
            splitter = splitter_for(framing, self._sink(kept.half), start, trusted=False)
            if kept.half in self._slow:
                self._slow[kept.half].sink = splitter
            elif kept.kept:
                self._reassembler(kept.half, int(self._halves["highest"][kept.half]), splitter)
            kept.replay(splitter, packet)

    def run_from(self, batch: PacketBatch, segments: Segments, position: int, index: int) -> int:
        """The reassembler takes a half from this segment on, until it is clean; the position behind.

        `index` is the packet to begin with: that of the segment, or one that overtook it.
        """
        half = int(segments.half[position])
        indexes = batch.of_stream(half >> 1)
        place = bisect_left(indexes, index)
        self._open(half, int(segments.before[position]))
        self._learn_ack(batch, half, index)
        for index in _one_by_one(indexes[place:], self._source.look):
            if int(batch.direction[index]) == half & 1 and batch.payload_length[index]:
                position += 1
                self._segment(batch, half, index)
            self._control(batch, half, index)
            if self._let_go(half):
                break
        return position

    def _learn_ack(self, batch: PacketBatch, half: int, index: int) -> None:
        """Find the other side's last acknowledgement before a packet of this batch."""
        indexes = batch.of_stream(half >> 1)
        before = indexes[: bisect_left(indexes, index)]
        direction, flags = batch.direction, batch.flags
        step = 16
        while len(before):
            some = before[-step:]
            found = some[(direction[some] != half & 1) & ((flags[some] & ACK) > 0)]
            if len(found):
                self._slow[half].ack = int(batch.ack[found[-1]])
                self._halves["window"][half] = batch.window[found[-1]]
                break
            before, step = before[:-step], 4 * step

    def open_undecided(self, stream: int) -> None:
        """A stream that is not recognised yet waits for it, both halves."""
        if stream not in self._undecided and self._streams["framing"].item(stream) == Framing.UNDECIDED:
            waiting = self._undecided[stream] = Undecided(self._source, stream)
            for prelude in waiting.preludes:
                half = prelude.half
                self._reassembler(half, int(self._halves["highest"][half]), prelude)

    def _open(self, half: int, start: int) -> Reassembler:
        """A reassembler for a half that was clean up to `start`."""
        if half in self._slow:
            return self._slow[half]
        stream = half >> 1
        framing = Framing(int(self._streams["framing"][stream]))
        trusted = bool(start or self._halves["trusted"][half])
        splitter = splitter_for(framing, self._sink(half), start, trusted=trusted)
        reassembler = self._reassembler(half, start, splitter)
        self._halves["highest"][half] = start
        return reassembler

    def _sink(self, half: int) -> UnitSink:
        return UnitSink(half >> 1, half & 1, self._streams, self._source, self._output)

    def _reassembler(self, half: int, start: int, sink: Sink) -> Reassembler:
        base, ack = int(self._halves["base"][half]), int(self._halves["ack"][half])
        recall = self._pasts.of(half, base)
        reassembler = Reassembler(start, base, ack, sink, self._waiting, recall)
        self._slow[half] = reassembler
        self._halves["slow"][half] = True
        return reassembler

    def _let_go(self, half: int) -> bool:
        """Give a clean half back to the fast path; True if it is there."""
        reassembler = self._slow.get(half)
        if reassembler is None:
            return True
        self._halves["highest"][half] = reassembler.highest
        if not reassembler.clean or half in self._strays:
            return False
        self._drop(half)
        return True

    def let_go(self, stream: int) -> None:
        """Give the halves of a stream that are clean back to the fast path."""
        for half in (2 * stream, 2 * stream + 1):
            self._let_go(half)

    def note_highest(self) -> None:
        """Put the highest octets of slow halves into their rows."""
        for half, reassembler in self._slow.items():
            self._halves["highest"][half] = reassembler.highest

    def _drop(self, half: int) -> None:
        """Nothing is pending in this half: it is in the fast path."""
        self._tell_stray(half)
        del self._slow[half]
        self._halves["slow"][half] = False

    def _segment(self, batch: PacketBatch, half: int, index: int) -> None:
        """One segment into the reassembler; what it turned out to be becomes an item."""
        stream, reassembler = half >> 1, self._slow[half]
        flags = int(batch.flags[index])
        reassembler.base = int(self._halves["base"][half])  # may have become known only now
        number = int(batch.seq[index]) + ((flags & SYN) > 0)
        start = reassembler.offset(number, reassembler.highest)
        held = self._strays.get(half)
        if held and abs(reassembler.offset(number, held.stop) - held.stop) <= WIDEST_GAP:
            start = reassembler.offset(number, held.stop)  # though it may be half a round away
        length = int(batch.payload_length[index])
        if start < 0 and self._begin_earlier(half, start, int(batch.time[index])):
            start, reassembler = 0, self._slow[half]
        segment = Segment(
            start,
            start + length,
            int(batch.payload[index]),
            min(int(batch.payload_captured[index]), length),
            batch.base + index,
            int(batch.time[index]),
            int(batch.ip_id[index]),
            int(batch.tsval[index]),
        )
        if (segment.stop <= 0 and self._is_early(half, segment)) or self._is_stray(half, segment):
            return
        self._put(half, segment)
        self._decide(stream, segment.packet)

    def _put(self, half: int, segment: Segment) -> None:
        """One segment into the reassembler, and its verdict into items."""
        stream, reassembler = half >> 1, self._slow[half]
        verdict = reassembler.add(
            segment, int(self._streams["rtt"][stream]), int(self._halves["window"][half])
        )
        self._report(half, segment, verdict)

    def _is_stray(self, half: int, segment: Segment) -> bool:
        """Hold a segment that is further ahead than any window reaches; True if it is held.

        The next one of its half tells: where it follows there, octets are missing, else it was a stray.
        """
        held = self._strays.pop(half, None)
        far = segment.start - self._slow[half].highest > WIDEST_GAP
        if held and far and abs(segment.start - held.stop) <= WIDEST_GAP:
            self._put(half, held)
            return False
        if held:
            self._strays[half] = held
            self._tell_stray(half)
        if far:
            self._strays[half] = segment
        return far

    def _tell_stray(self, half: int) -> None:
        """Tell of the segment that is held of a half, if any: nothing followed it."""
        held = self._strays.pop(half, None)
        if held:
            length = held.stop - held.start
            self._output.find(STRAY, half >> 1, half & 1, held.packet, held.start, length)

    def _is_early(self, half: int, segment: Segment) -> bool:
        """Add a segment before the first octet seen as a row, if it is one WPDU; True if it is."""
        length = segment.stop - segment.start
        wrapper = self._streams["framing"][half >> 1] == Framing.WRAPPER
        if not wrapper or self._halves["trusted"][half] or not HEAD.itemsize <= length == segment.captured:
            return False
        octets = self._source.octets(segment.address, HEAD.itemsize)
        header = decode_header(octets)
        if header is None or not believable(np.frombuffer(octets, HEAD))[0]:
            return False
        if header.length + HEADER_SIZE != length:
            return False
        marks, tag = int(Mark.OUT_OF_ORDER), octets[HEADER_SIZE]
        unit = Unit(header, tag, length, marks, (segment,), Framing.WRAPPER)
        self._sink(half).unit(unit, segment.packet)
        self._report(half, segment, SegmentVerdict(out_of_order=True))
        return True

    def _begin_earlier(self, half: int, start: int, time: int) -> bool:
        """Let a half begin with octets before the first seen, if these had overtaken them; whether they had.

        That can be while its stream waits for recognition: nothing has been read yet. What came is judged
        anew each time, so it can be for a few segments only.
        """
        waiting, old, ahead = self._undecided.get(half >> 1), self._slow[half], self._slow[half].ahead
        if waiting is None or self._halves["trusted"][half] or -start > FAR:
            return False
        if not waiting.may_renew(half & 1, len(ahead)):
            return False
        kept = sorted((*waiting.preludes[half & 1].segments, *ahead), key=lambda segment: segment.packet)
        if not kept or time - kept[0].time >= LATE_IN_CAPTURE:
            return False
        old.withdraw()
        self._halves["base"][half] = (int(self._halves["base"][half]) + start) & 0xFFFFFFFF
        self._output.move_spans(half >> 1, half & 1, -start)
        waiting = self._undecided[half >> 1] = waiting.renew(half & 1, len(ahead))
        self._slow[half ^ 1].sink = waiting.preludes[1 - (half & 1)]
        new = self._reassembler(half, 0, waiting.preludes[half & 1])
        new.ack, new.end = old.ack, None if old.end is None else old.end - start
        for segment in kept:
            moved = segment._replace(start=segment.start - start, stop=segment.stop - start)
            new.add(moved, int(self._streams["rtt"][half >> 1]), int(self._halves["window"][half]))
        return True

    def _report(self, half: int, segment: Segment, verdict: SegmentVerdict) -> None:
        stream, side, packet = half >> 1, half & 1, segment.packet
        length = segment.stop - segment.start
        find = self._output.find
        if verdict.seen == length:
            kind = KEEP_ALIVE if verdict.keep_alive else RETRANSMISSION
            self._conflicts.suspect(np.array([packet]), np.array([segment.start]), kind)
        elif verdict.retransmission:
            find(RETRANSMISSION, stream, side, packet, segment.start, length)
        if verdict.out_of_order:
            find(OUT_OF_ORDER, stream, side, packet, segment.start, length)
        if 0 < verdict.seen < length:
            self._conflicts.suspect(np.array([packet]), np.array([segment.start]))
        if verdict.cut:
            find(CUT, stream, side, packet, segment.start + segment.captured, verdict.cut)
        self._report_holes(half, verdict.holes)

    def _report_holes(self, half: int, holes: tuple[Hole, ...]) -> None:
        for start, stop, packet in holes:
            self._output.find(HOLE, half >> 1, half & 1, packet, start, stop - start)

    def _control(self, batch: PacketBatch, half: int, index: int) -> None:
        """Tell this half the acknowledgement, FIN or RST of a packet of its stream, of either side."""
        reassembler = self._slow.get(half)
        if reassembler is None:
            return
        flags = int(batch.flags[index])
        own = int(batch.direction[index]) == half & 1
        if flags & ACK and not own:
            reassembler.ack = int(batch.ack[index])
            self._halves["window"][half] = batch.window[index]
        holes = reassembler.give_up_holes(batch.base + index, int(batch.time[index]))
        self._report_holes(half, holes)
        if reassembler.clean:
            reassembler.end = None
        if reassembler.clean or not self._begun(half >> 1):
            return
        if flags & FIN and own and reassembler.highest:
            end = int(batch.seq[index]) + int(batch.payload_length[index])
            reassembler.end = reassembler.offset(end, reassembler.highest)
        ended = reassembler.end is not None and reassembler.next >= reassembler.end
        packet = batch.base + index
        if ended or (flags & RST and not self._history.stray_reset(packet)):
            self._end_half(half, packet)

    def _begun(self, stream: int) -> bool:
        """True if a stream is recognised, or octets of it have come."""
        waiting = self._undecided.get(stream)
        behind = any(self._slow[2 * stream + side].has_gap for side in (0, 1)) if waiting else False
        return waiting is None or waiting.begun or behind

    def _end_half(self, half: int, packet: int) -> None:
        """End this direction: a WPDU that it has begun is truncated."""
        reassembler = self._slow[half]
        if reassembler.clean:
            return
        self._report_holes(half, reassembler.close(packet))
        self._halves["highest"][half] = reassembler.highest
        waiting = self._undecided.get(half >> 1)
        if waiting is None:
            self._drop(half)
        elif waiting.ended:
            self._decide(half >> 1, packet, ended=True)

    def end_stream(self, stream: int, packet: int) -> None:
        """The connection ends at this packet: everything pending is given up."""
        for half in (2 * stream, 2 * stream + 1):
            self._tell_stray(half)
        if stream in self._undecided:
            if not self._begun(stream):
                return
            for side in (0, 1):
                half = 2 * stream + side
                self._report_holes(half, self._slow[half].close(packet))
            self._decide(stream, packet, ended=True)
        for half in (2 * stream, 2 * stream + 1):
            if half in self._slow:
                self._end_half(half, packet)

    def _decide(
        self, stream: int, packet: int, *, ended: bool = False, framing: Framing = Framing.UNDECIDED
    ) -> None:
        """If the stream has been recognised (or must be now), its halves go on with its splitter."""
        waiting = self._undecided.get(stream)
        if waiting is None:
            return
        if framing is Framing.UNDECIDED:
            framing = waiting.decision
        if framing is Framing.UNDECIDED:
            if not ended:
                return
            # On its own port half a WPDU is one that was cut: nothing else would have begun so.
            cut = waiting.recogniser.begins_wpdu and DLMS_PORT in self._streams.ports(stream)
            framing = Framing.WRAPPER if cut else Framing.UNKNOWN
        if framing is Framing.UNKNOWN:
            framing = foreign_framing(waiting.firsts, TCP)
        del self._undecided[stream]
        self._recognised(stream, framing, waiting.preludes)
        for prelude in waiting.preludes:
            half = prelude.half
            trusted = bool(self._halves["trusted"][half])
            splitter = splitter_for(framing, self._sink(half), 0, trusted=trusted)
            self._slow[half].sink = splitter
            prelude.replay(splitter, packet)
            if not prelude.kept and not self._slow[half].has_gap and half not in self._strays:
                self._drop(half)

    def _recognised(self, stream: int, framing: Framing, history: Sequence[Kept]) -> None:
        """Set the framing of a stream, and who is its client by the octets that came of it."""
        self._streams["framing"][stream] = framing
        if framing.carries_dlms and not self._streams["start_seen"][stream]:
            self.settle_client(*self._first_tag(stream, history))

    def _first_tag(self, stream: int, history: Sequence[Kept]) -> tuple[int, int]:
        """The half and the tag of the first chunk that begins like a WPDU, for the question who is client."""
        chunks = [
            (kept[1], prelude.half, kept[0]) for prelude in history for kept in prelude.kept if len(kept) == 2
        ]
        for _, half, segment in sorted(chunks):
            octets = self._source.octets(segment.address, min(segment.captured, 10))
            if len(octets) == 10 and octets[:2] in (b"\x00\x01", b"\x01\x00"):
                return half, octets[HEADER_SIZE]
        return 2 * stream, -1

    def settle_client(self, half: int, tag: int) -> None:
        """The first APDU of a stream, with this tag, came from this half: that may tell who is client."""
        stream = half >> 1
        before = int(self._streams["client_side"][stream])
        self._streams.set_client(stream, tag, half & 1)
        if before != self._streams["client_side"][stream]:
            self._output.turn_round(stream)

    def bound_undecided(self, packet: int) -> None:
        """Streams that wait for recognition for too long are decided when they are too many."""
        if not self._undecided:
            return
        octets = sum(waiting.recogniser.octets for waiting in self._undecided.values())
        while len(self._undecided) > MAX_UNDECIDED or octets > MAX_UNDECIDED_OCTETS:
            stream = next(iter(self._undecided))
            octets -= self._undecided[stream].recogniser.octets
            self._decide(stream, packet - 1, ended=True)
