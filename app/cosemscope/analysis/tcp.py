"""TCP streams to WPDUs, a batch of packets at a time.

Halves (one direction of one stream, number 2 x stream + side of the flow) are in one of three states:
fast (all in order, at a WPDU boundary: `segments` reads them), slow (a
`Reassembler` and a splitter hold what is pending), or in a stream that is not
recognised yet (`Recogniser`). Only the packets from an irregular segment
on, until the half is clean again, go one by one; what stays pending at the
end of a batch goes on in the next. Both ways give the same rows.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.conflicts import ConflictFinder
from cosemscope.analysis.findings import FindingKind
from cosemscope.analysis.framing import Framing
from cosemscope.analysis.output import Output, WpduRow
from cosemscope.analysis.payload import PayloadSource
from cosemscope.analysis.reassembly import Reassembler, Segment, Verdict, Waiting
from cosemscope.analysis.recognition import HEAD, Recogniser, believable
from cosemscope.analysis.segments import Layout, Segments, lay_out, sort_segments
from cosemscope.analysis.splitters import NoSplitter, Splitter, Unit, splitter_for
from cosemscope.analysis.streams import ACK, FIN, RST, SYN, TCP, StreamTable, first_rows
from cosemscope.analysis.wpdus import Mark
from cosemscope.capture.columns import Columns
from cosemscope.transport.wpdu import HEADER_SIZE

# HALF columns: `base`, the sequence number of octet 0, once `known`; `highest`, the octet behind the highest
# seen; `ack`, the last acknowledgement of the other side (-1 none); `slow`: a Reassembler has it.
_HALF_FIELDS = {"base": "u4", "known": "?", "highest": "i8", "ack": "i8", "window": "i4", "slow": "?"}
_UNKNOWN_ACK = -(1 << 62)
#: Streams that may wait for recognition at once, and octets that they may keep; the oldest is decided when there are more.
MAX_UNDECIDED = 8192
MAX_UNDECIDED_OCTETS = 64 << 20
#: Octets of begun WPDUs that may be pending in all streams together; above, the longest are given up.
_COLUMNS = ("time", "direction", "seq", "ack", "flags", "window", "payload", "payload_length", "payload_captured", "ip_id")

Array = npt.NDArray[Any]


class Half:
    """What a slow half reports: its units become rows, its findings findings. Made for one half."""

    def __init__(self, owner: "TcpStreams", half: int) -> None:
        self._owner = owner
        self.half = half

    def unit(self, unit: Unit, trigger: int) -> None:
        """A WPDU became known."""
        self._owner.add_unit(self.half, unit, trigger)

    def found(self, kind: FindingKind, packet: int, offset: int, count: int) -> None:
        """Something is wrong in this half."""
        self._owner.output.find(kind, self.half >> 1, self.half & 1, packet, offset, count)

    def frames(self, count: int) -> None:
        """So many HDLC frames more."""
        self._owner.streams["frames"][self.half >> 1] += count

    def read(self, address: int, length: int) -> bytes:
        """Octets of the capture."""
        return self._owner.source.octets(address, length)


class Prelude:
    """The sink of a half whose stream is not recognised yet: keeps its chunks, and asks the recogniser."""

    clean = False

    def __init__(self, owner: "TcpStreams", half: int, recogniser: Recogniser) -> None:
        self._owner = owner
        self._half = half
        self._recogniser = recogniser
        self.kept: list[tuple[Segment, int] | tuple[int, int, int, int]] = []
        self.decision = Framing.UNDECIDED
        self.closed = -1

    def chunk(self, segment: Segment, trigger: int) -> None:
        """The next octets: kept, and shown to the recogniser."""
        self.kept.append((segment, trigger))
        if self.decision is Framing.UNDECIDED:
            octets = self._owner.source.octets(segment.address, segment.captured)
            self.decision = self._recogniser.add(self._half & 1, octets)

    def gap(self, start: int, stop: int, packet: int, trigger: int) -> None:
        """Octets that are missing."""
        self.kept.append((start, stop, packet, trigger))

    def close(self, packet: int) -> None:
        """Nothing more comes in this half."""
        self.closed = packet

    def replay(self, splitter: Splitter, trigger: int) -> None:
        """Give everything to the splitter of the framing that was recognised at packet `trigger`."""
        for kept in self.kept:
            if len(kept) == 2:
                splitter.chunk(kept[0], trigger)
            else:
                splitter.gap(*kept[:3], trigger)
        if self.closed >= 0:
            splitter.close(trigger)


class Undecided:
    """A stream that waits for recognition: one recogniser for both of its halves."""

    def __init__(self, owner: "TcpStreams", stream: int) -> None:
        self.recogniser = Recogniser()
        self.preludes = tuple(Prelude(owner, 2 * stream + side, self.recogniser) for side in (0, 1))

    @property
    def decision(self) -> Framing:
        """What either half decided."""
        one, other = self.preludes
        return one.decision if one.decision is not Framing.UNDECIDED else other.decision


class TcpStreams:
    """Takes the TCP packets of batch after batch; rows and findings go to `output`."""

    def __init__(
        self,
        packets: Columns,
        packet_streams: Columns,
        streams: StreamTable,
        source: PayloadSource,
        output: Output,
        *,
        one_by_one: bool = False,
    ) -> None:
        self.streams = streams
        self.source = source
        self.output = output
        self._packets = packets
        self._halves = Columns(_HALF_FIELDS)
        self._slow: dict[int, Reassembler] = {}
        self._undecided: dict[int, Undecided] = {}
        self._waiting = Waiting()
        self._conflicts = ConflictFinder(packets, packet_streams, source, output)
        self._one_by_one = one_by_one
        self._batch: dict[str, Array] = {}
        self._base = 0
        self._by_stream: tuple[Array, Array] | None = None
        self._stream = np.zeros(0, np.int32)

    # ---- a batch

    def add(self, rows: slice, stream: npt.NDArray[np.int32]) -> None:
        """Take the packets `rows`, of these streams."""
        self._batch = {name: self._packets[name][rows] for name in _COLUMNS}
        self._base, self._stream, self._by_stream = rows.start, stream, None
        tcp = np.flatnonzero((self._packets["protocol"][rows] == TCP) & (stream >= 0))
        self._extend_halves()
        if len(tcp):
            half = stream[tcp].astype(np.int64) * 2 + self._batch["direction"][tcp]
            self._set_bases(tcp, half)
            if self._one_by_one:
                self._walk_all(tcp, half)
            else:
                self._take(tcp, half)
            self._note_acks(tcp, half)
        for old, packet in self.streams.replaced:
            self._end_stream(old, packet)
        self._bound_undecided(rows.stop)
        self._conflicts.look(rows)

    def finish(self, end: int) -> None:
        """Nothing more comes; `end` is the number of packets."""
        for stream in sorted({half >> 1 for half in self._slow} | set(self._undecided)):
            self._end_stream(stream, end)
        self._conflicts.look(slice(end, end))

    def _extend_halves(self) -> None:
        missing = 2 * len(self.streams) - len(self._halves)
        if missing > 0:
            self._halves.extend(missing, ack=-1, window=-1)

    def _set_bases(self, tcp: Array, half: Array) -> None:
        """Octet 0 of a half comes behind its SYN, or where the start was not seen, is its first octet seen."""
        known = self._halves["known"]
        opening = ~known[half]
        if not opening.any():
            return
        rows, half = tcp[opening], half[opening]
        flags = self._batch["flags"][rows]
        carries = ((flags & SYN) > 0) | (self._batch["payload_length"][rows] > 0)
        rows, half = rows[carries], half[carries]
        first = half[::-1]  # the first of a half wins
        syn = ((self._batch["flags"][rows] & SYN) > 0).astype(np.uint32)
        self._halves["base"][first] = (self._batch["seq"][rows] + syn)[::-1]
        known[half] = True

    def _note_acks(self, tcp: Array, half: Array) -> None:
        acks = (self._batch["flags"][tcp] & ACK) > 0
        rows, other = (tcp, half ^ 1) if acks.all() else (tcp[acks], half[acks] ^ 1)
        self._halves["ack"][other] = self._batch["ack"][rows]  # the last wins
        self._halves["window"][other] = self._batch["window"][rows]

    def _take(self, tcp: Array, half: Array) -> None:
        """The fast way: NumPy for what is regular, the reassembler for the rest."""
        carries = self._batch["payload_length"][tcp] > 0
        index, half = tcp[carries], half[carries]
        if len(index):
            self._recognise_early(index, half)
        segments = self._sort(index, half)
        taken = np.zeros(len(index), np.bool_)
        self._go_on(segments, tcp, taken)
        if len(index):
            self._take_segments(segments, taken)

    def _sort(self, index: Array, half: Array) -> Segments:
        highest, base = self._halves["highest"], self._halves["base"]
        flags = self._batch["flags"][index]
        syn = ((flags & SYN) > 0).astype(np.uint32)
        near = highest[half]
        distance = self._batch["seq"][index] + syn - base[half] - near.astype(np.uint32)
        relative = near + distance.astype(np.int32)
        length = self._batch["payload_length"][index].astype(np.int64)
        return sort_segments(
            index,
            half,
            relative,
            length,
            highest,
            self._batch["payload"][index],
            self._batch["payload_captured"][index].astype(np.int64),
        )

    def _recognise_early(self, index: Array, half: Array) -> None:
        """Streams whose first segment is exactly one believable WPDU need no recogniser."""
        stream = half >> 1
        fresh = self.streams.undecided
        if self._undecided:
            fresh[list(self._undecided)] = False
        rows = np.flatnonzero(fresh[stream])
        if not len(rows):
            return
        first = first_rows(stream[rows], len(self.streams))
        rows = rows[first[first >= 0]]
        packet = index[rows]
        address = self._batch["payload"][packet]
        length = self._batch["payload_length"][packet]
        flags = self._batch["flags"][packet]
        syn = ((flags & SYN) > 0).astype(np.uint32)
        sound = self.source.at_hand(address) & (self._batch["payload_captured"][packet] == length)
        sound &= self._batch["seq"][packet] + syn == self._halves["base"][half[rows]]
        sound &= ~self._halves["slow"][half[rows]]
        rows, packet, address, length = rows[sound], packet[sound], address[sound], length[sound]
        heads = self.source.gather(HEAD, address)
        strong = believable(heads) & (heads["length"].astype(np.int64) + HEADER_SIZE == length)
        found = stream[rows[strong]]
        self.streams["framing"][found] = Framing.WRAPPER
        blind = strong & ~self.streams["start_seen"][stream[rows]]
        for place in np.flatnonzero(blind).tolist():
            self._settle_client(int(half[rows[place]]), int(heads["tag"][place]))

    def _settle_client(self, half: int, tag: int) -> None:
        stream = half >> 1
        before = int(self.streams["client_side"][stream])
        self.streams.set_client(stream, tag, half & 1)
        if before != self.streams["client_side"][stream]:
            self.output.turn_round(stream)

    # ---- the fast path

    def _take_segments(self, segments: Segments, taken: Array) -> None:
        framing = self.streams["framing"][segments.half >> 1]
        wrapper = framing == Framing.WRAPPER
        fast = wrapper & ~taken
        layout = lay_out(segments, fast, self.source.gather, self.source.at_hand)
        new = segments.stop > segments.before
        old = ~new & ((segments.stop - segments.start) > 1)
        regular = np.where(wrapper, layout.whole, segments.start == segments.before) | old
        # The first octets of a half whose start was not seen are believed only if they are one whole WPDU.
        blind = (segments.start == 0) & ~self.streams["start_seen"][segments.half >> 1] & wrapper
        parted, shared = self._walk_specials(segments, layout, ~regular & ~taken, blind, taken)
        self._emit_whole(segments, layout, np.flatnonzero(layout.whole & ~taken))
        self._emit_spread(segments, layout, parted)
        if len(layout.shared.position):
            self._emit_shared(segments, layout, shared)
        self._emit_old(segments, np.flatnonzero(old & ~taken))
        tracked = ~wrapper & (segments.start == segments.before) & ~taken
        cut = (tracked | layout.whole) & ~taken & (segments.captured < segments.stop - segments.start)
        self._emit_cut(segments, np.flatnonzero(cut))
        ends = np.flatnonzero(np.append(segments.first[1:], True))
        highest = np.maximum(segments.before, segments.stop)[ends]
        half = segments.half[ends]
        quick = ~self._halves["slow"][half]
        self._halves["highest"][half[quick]] = highest[quick]

    def _walk_specials(
        self, segments: Segments, layout: Layout, special: Array, blind: Array, taken: Array
    ) -> tuple[list[tuple[int, int]], Array]:
        """Go through the irregular segments in order; those that the reassembler takes are noted in `taken`.

        Returns the (first, last) positions of WPDUs over several segments, and for each position whether it
        holds several WPDUs that count.
        """
        shared = np.zeros(len(special), np.bool_)
        shared[layout.shared.position] = True
        shared &= ~blind & ~taken
        positions = np.flatnonzero(special & ~shared)
        last = np.where(blind, -1, layout.last)[positions].tolist()
        parted: list[tuple[int, int]] = []
        covered = -1
        for position, end in zip(positions.tolist(), last, strict=True):
            if position < covered:
                continue
            if end >= 0:
                parted.append((position, end))
                covered = end + 1
            else:
                covered = self._run_from(segments, position)
                taken[position:covered] = True
        covers = np.zeros(len(special) + 1, np.int8)
        for first, end in parted:
            covers[first] += 1
            covers[end + 1] -= 1
        within = np.cumsum(covers[:-1]) > 0
        layout.whole[within] = False
        return parted, shared & ~within & ~taken

    def _emit(self, sorted_: Segments, position: Array, head: Array, **columns: Any) -> None:
        """Rows of WPDUs whose headers are `head`, that began in the segments at `position`."""
        packet = sorted_.index[position]
        stream = sorted_.half[position] >> 1
        side = (sorted_.half[position] & 1).astype(np.uint8)
        row = {
            "first_packet": packet + self._base,
            "last_packet": packet + self._base,
            "segments": np.ones(len(packet), np.uint16),
            "time": self._batch["time"][packet],
            "first_time": self._batch["time"][packet],
            "stream": stream,
            "direction": side ^ self.streams["client_side"][stream],
            "framing": np.full(len(packet), Framing.WRAPPER, np.uint8),
            "version": head["version"],
            "source_wport": head["source_wport"],
            "destination_wport": head["destination_wport"],
            "length": head["length"],
            "apdu_tag": np.where(head["length"] > 0, head["tag"], np.int16(-1)),
            "address": sorted_.address[position],
            "size": head["length"].astype(np.uint32) + np.uint32(HEADER_SIZE),
            "marks": np.zeros(len(packet), np.uint16),
        }
        self.output.add_rows(row | columns)

    def _emit_whole(self, segments: Segments, layout: Layout, position: Array) -> None:
        columns = {}
        if layout.cut.any():
            captured = segments.captured[position]
            columns["size"] = captured.astype(np.uint32)
            columns["marks"] = np.where(layout.cut[position], Mark.TRUNCATED, 0).astype(np.uint16)
        self._emit(segments, position, layout.head[position], **columns)

    def _emit_spread(self, segments: Segments, layout: Layout, parted: list[tuple[int, int]]) -> None:
        if not parted:
            return
        ends = np.array(parted, np.int64)
        begin, end = layout.place[ends[:, 0]], layout.place[ends[:, 1]] + 1
        count = end - begin
        offset = np.cumsum(count) - count
        inner = layout.ordered[np.arange(int(count.sum())) - np.repeat(offset - begin, count)]
        packet = segments.index[inner]
        first = self.output.extents(
            segments.address[inner],
            segments.stop[inner] - segments.start[inner],
            packet + self._base,
            len(inner),
        )
        last = segments.index[ends[:, 1]]
        self._emit(
            segments,
            ends[:, 0],
            layout.head[ends[:, 0]],
            last_packet=last + self._base,
            segments=np.minimum(count, 0xFFFF).astype(np.uint16),
            time=self._batch["time"][last],
            address=-1 - (first + offset),
        )

    def _emit_shared(self, segments: Segments, layout: Layout, counts: Array) -> None:
        shared = layout.shared
        rows = np.flatnonzero(counts[shared.position])
        position, head = shared.position[rows], shared.head[rows]
        self._emit(
            segments,
            position,
            head,
            address=segments.address[position] + shared.offset[rows],
            marks=np.full(len(rows), Mark.SHARED, np.uint16),
        )

    def _emit_old(self, segments: Segments, position: Array) -> None:
        """Segments of which every octet was seen before: retransmissions."""
        if not len(position):
            return
        half, packet = segments.half[position], segments.index[position] + self._base
        start, stop = segments.start[position], segments.stop[position]
        self.output.find_many(
            FindingKind.RETRANSMISSION, half >> 1, (half & 1).astype(np.uint8), packet, start, stop - start
        )
        self._conflicts.suspect(packet, start)

    def _emit_cut(self, segments: Segments, position: Array) -> None:
        if not len(position):
            return
        half, packet = segments.half[position], segments.index[position] + self._base
        offset = segments.start[position] + segments.captured[position]
        missing = segments.stop[position] - offset
        side = (half & 1).astype(np.uint8)
        self.output.find_many(FindingKind.CUT, half >> 1, side, packet, offset, missing)

    # ---- packet by packet

    def _go_on(self, segments: Segments, tcp: Array, taken: Array) -> None:
        """Streams that were pending, and those not recognised at once, go first, packet by packet."""
        undecided = self.streams.undecided
        streams = np.unique(segments.half[undecided[segments.half >> 1]] >> 1).tolist()
        pending = {half >> 1 for half in self._slow} | set(self._undecided)
        if pending:
            present = np.zeros(len(self.streams), np.bool_)
            present[self._stream[tcp]] = True
            streams = sorted(set(streams) | {stream for stream in pending if present[stream]})
        for stream in streams:
            self._open_undecided(stream)
            counts = self._walk_stream(stream, self._indexes(stream), one_by_one=False)
            for side in (0, 1):
                if counts[side]:
                    at = int(np.searchsorted(segments.half, 2 * stream + side))
                    taken[at : at + counts[side]] = True

    def _open_undecided(self, stream: int) -> None:
        if stream not in self._undecided and self.streams["framing"][stream] == Framing.UNDECIDED:
            waiting = self._undecided[stream] = Undecided(self, stream)
            for prelude in waiting.preludes:
                half = prelude._half
                self._slow[half] = Reassembler(int(self._halves["highest"][half]), _UNKNOWN_ACK, prelude, self._waiting)
                self._halves["slow"][half] = True

    def _walk_all(self, tcp: Array, half: Array) -> None:
        """Every packet one by one."""
        for stream in np.unique(half >> 1).tolist():
            self._open_undecided(stream)
            self._walk_stream(stream, self._indexes(stream), one_by_one=True)

    def _indexes(self, stream: int) -> list[int]:
        """The packets of a stream in this batch."""
        if self._by_stream is None:
            tcp = np.flatnonzero(self._stream >= 0)
            order = tcp[np.argsort(self._stream[tcp], kind="stable")]
            self._by_stream = order, self._stream[order]
        order, owner = self._by_stream
        first, stop = np.searchsorted(owner, [stream, stream + 1])
        found: list[int] = order[first:stop].tolist()
        return found

    def _walk_stream(self, stream: int, indexes: list[int], *, one_by_one: bool) -> tuple[int, int]:
        """Take packets as long as a half of the stream is slow; how many segments of each side were taken."""
        counts = [0, 0]
        slow = self._slow
        near = 2 * stream
        resting = [near not in slow, near + 1 not in slow]
        for index in indexes:
            if resting[0] and resting[1] and not one_by_one:
                break
            side = int(self._batch["direction"][index])
            half = near + side
            if self._batch["payload_length"][index] and not resting[side]:
                counts[side] += 1
                if half in slow:
                    self._segment(half, index)
            elif one_by_one and self._batch["payload_length"][index]:
                self._open(half, int(self._halves["highest"][half]))
                resting[side] = False
                self._segment(half, index)
            self._control(half, index)
            if not one_by_one:
                for other in (0, 1):
                    resting[other] = resting[other] or self._let_go(near + other)
        return counts[0], counts[1]

    def _run_from(self, segments: Segments, position: int) -> int:
        """The reassembler takes a half from this segment on, until it is clean; the position behind."""
        half, index = int(segments.half[position]), int(segments.index[position])
        indexes = self._indexes(half >> 1)
        place = indexes.index(index)
        reassembler = self._open(half, int(segments.before[position]))
        for earlier in reversed(indexes[:place]):
            if int(self._batch["direction"][earlier]) != half & 1 and self._batch["flags"][earlier] & ACK:
                self._acknowledge(reassembler, half, int(self._batch["ack"][earlier]))
                self._halves["window"][half] = self._batch["window"][earlier]
                break
        for index in indexes[place:]:
            if int(self._batch["direction"][index]) == half & 1 and self._batch["payload_length"][index]:
                position += 1
                self._segment(half, index)
            self._control(2 * (half >> 1) + int(self._batch["direction"][index]), index)
            if self._let_go(half):
                break
        return position

    def _open(self, half: int, start: int) -> Reassembler:
        """A reassembler for a half that was clean up to `start`."""
        if half in self._slow:
            return self._slow[half]
        stream = half >> 1
        framing = Framing(int(self.streams["framing"][stream]))
        trusted = bool(start or self.streams["start_seen"][stream])
        splitter = splitter_for(framing, Half(self, half), start, trusted=trusted)
        reassembler = Reassembler(start, _UNKNOWN_ACK, splitter, self._waiting)
        self._slow[half] = reassembler
        self._halves["slow"][half] = True
        self._halves["highest"][half] = start
        if self._halves["ack"][half] >= 0:
            self._acknowledge(reassembler, half, int(self._halves["ack"][half]))
        return reassembler

    def _let_go(self, half: int) -> bool:
        """Whether the half is, or can again be, in the fast path."""
        reassembler = self._slow.get(half)
        if reassembler is None:
            return True
        self._halves["highest"][half] = reassembler.highest
        if not reassembler.clean:
            return False
        del self._slow[half]
        self._halves["slow"][half] = False
        return True

    def _relative(self, reassembler: Reassembler, half: int, seq: int) -> int:
        near = reassembler.highest
        distance = (seq - int(self._halves["base"][half]) - near) & 0xFFFFFFFF
        return near + (distance if distance < 0x80000000 else distance - 0x100000000)

    def _acknowledge(self, reassembler: Reassembler, half: int, ack: int) -> None:
        if self._halves["known"][half]:
            reassembler.acked = max(reassembler.acked, self._relative(reassembler, half, ack))

    def _segment(self, half: int, index: int) -> None:
        """One segment into the reassembler; what it turned out to be goes to the findings."""
        batch, stream, reassembler = self._batch, half >> 1, self._slow[half]
        flags = int(batch["flags"][index])
        start = self._relative(reassembler, half, int(batch["seq"][index]) + ((flags & SYN) > 0))
        length = int(batch["payload_length"][index])
        segment = Segment(
            start,
            start + length,
            int(batch["payload"][index]),
            min(int(batch["payload_captured"][index]), length),
            self._base + index,
            int(batch["time"][index]),
            int(batch["ip_id"][index]),
        )
        verdict = reassembler.add(
            segment, int(self.streams["rtt"][stream]), int(self._halves["window"][half])
        )
        self._report(half, segment, verdict)
        self._decide(stream, segment.packet)

    def _report(self, half: int, segment: Segment, verdict: Verdict) -> None:
        stream, side, packet = half >> 1, half & 1, segment.packet
        length = segment.stop - segment.start
        find = self.output.find
        if verdict.keep_alive:
            find(FindingKind.KEEP_ALIVE, stream, side, packet, segment.start, length)
        if verdict.retransmission:
            find(FindingKind.RETRANSMISSION, stream, side, packet, segment.start, length)
        if verdict.out_of_order:
            find(FindingKind.OUT_OF_ORDER, stream, side, packet, segment.start, length)
        if verdict.seen and not verdict.keep_alive:
            self._conflicts.suspect(np.array([packet]), np.array([segment.start]))
        if verdict.cut:
            find(FindingKind.CUT, stream, side, packet, segment.start + segment.captured, verdict.cut)
        self._report_holes(half, packet, verdict.holes)

    def _report_holes(self, half: int, packet: int, holes: tuple[tuple[int, int], ...]) -> None:
        for start, stop in holes:
            self.output.find(FindingKind.HOLE, half >> 1, half & 1, packet, start, stop - start)

    def _control(self, half: int, index: int) -> None:
        """What a packet of `half` says beside its octets: acknowledgement, FIN, RST."""
        flags = int(self._batch["flags"][index])
        other = self._slow.get(half ^ 1)
        if flags & ACK and other is not None:
            self._acknowledge(other, half ^ 1, int(self._batch["ack"][index]))
            self._halves["window"][half ^ 1] = self._batch["window"][index]
        if flags & RST:
            self._end_stream(half >> 1, self._base + index)
            return
        mine = self._slow.get(half)
        if mine is None:
            return
        if flags & FIN:
            end = int(self._batch["seq"][index]) + int(self._batch["payload_length"][index])
            mine.end = self._relative(mine, half, end)
        if mine.end is not None and mine.next >= mine.end:
            self._end_half(half, self._base + index)

    # ---- ends and decisions

    def _end_half(self, half: int, packet: int) -> None:
        """This direction has ended: what it has begun is truncated."""
        reassembler = self._slow[half]
        self._report_holes(half, min(packet, len(self._packets) - 1), reassembler.close(packet))
        self._halves["highest"][half] = reassembler.highest
        waiting = self._undecided.get(half >> 1)
        if waiting is None:
            del self._slow[half]
            self._halves["slow"][half] = False
        elif all(prelude.closed >= 0 or not prelude.kept for prelude in waiting.preludes):
            self._decide(half >> 1, packet, ended=True)

    def _end_stream(self, stream: int, packet: int) -> None:
        """The connection ends at this packet: everything pending is given up."""
        if stream in self._undecided:
            for side in (0, 1):
                half = 2 * stream + side
                self._report_holes(half, min(packet, len(self._packets) - 1), self._slow[half].close(packet))
            self._decide(stream, packet, ended=True)
        for side in (0, 1):
            if 2 * stream + side in self._slow:
                self._end_half(2 * stream + side, packet)

    def _decide(self, stream: int, packet: int, *, ended: bool = False) -> None:
        """If the stream has been recognised (or must be now), its halves go on with its splitter."""
        waiting = self._undecided.get(stream)
        if waiting is None:
            return
        framing = waiting.decision
        if framing is Framing.UNDECIDED:
            if not ended:
                return
            framing = Framing.UNKNOWN
        del self._undecided[stream]
        self.streams["framing"][stream] = framing
        if framing.carries_dlms and not self.streams["start_seen"][stream]:
            self._settle_client(*self._first_tag(stream, waiting))
        for prelude in waiting.preludes:
            half = prelude._half
            splitter = splitter_for(
                framing, Half(self, half), 0, trusted=bool(self.streams["start_seen"][stream])
            )
            self._slow[half].sink = splitter
            prelude.replay(splitter, packet)

    def _first_tag(self, stream: int, waiting: Undecided) -> tuple[int, int]:
        """The half and the tag of the first chunk that begins like a WPDU, for the question who is client."""
        chunks = [
            (kept[1], prelude._half, kept[0])
            for prelude in waiting.preludes
            for kept in prelude.kept
            if len(kept) == 2
        ]
        for _, half, segment in sorted(chunks):
            octets = self.source.octets(segment.address, min(segment.captured, 10))
            if len(octets) == 10 and octets[:2] in (b"\x00\x01", b"\x01\x00"):
                return half, octets[HEADER_SIZE]
        return 2 * stream, -1

    def _bound_undecided(self, packet: int) -> None:
        """Streams that wait for recognition for too long are decided when they are too many."""
        if not self._undecided:
            return
        octets = sum(waiting.recogniser.octets for waiting in self._undecided.values())
        while len(self._undecided) > MAX_UNDECIDED or octets > MAX_UNDECIDED_OCTETS:
            stream = next(iter(self._undecided))
            octets -= self._undecided[stream].recogniser.octets
            self._decide(stream, packet - 1, ended=True)

    def add_unit(self, half: int, unit: Unit, trigger: int) -> None:
        """A WPDU from the slow path becomes a row."""
        stream, pieces = half >> 1, unit.pieces
        packets = [piece.packet for piece in pieces]
        times = [piece.time for piece in pieces]
        marks = unit.marks
        self.output.add_row(
            WpduRow(
                trigger,
                min(packets),
                max(packets),
                min(len(pieces), 0xFFFF),
                max(times),
                min(times),
                stream,
                (half & 1) ^ int(self.streams["client_side"][stream]),
                int(self.streams["framing"][stream]),
                unit.header.version,
                unit.header.source_wport,
                unit.header.destination_wport,
                unit.header.length,
                unit.apdu_tag,
                unit.size,
                marks,
                tuple((piece.address, piece.captured, piece.packet) for piece in pieces),
            )
        )


__all__ = ["NoSplitter", "TcpStreams"]
