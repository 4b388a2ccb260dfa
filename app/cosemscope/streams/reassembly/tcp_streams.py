"""TCP streams to WPDUs, a batch of packets at a time.

Halves (one direction of one stream, see `halves`) are in one of three states: fast (all in order, at a WPDU
boundary: `segments_in_order` and `wpdu_chains` read them, once `overtaking` has put pairs in order), slow (a
`Reassembler` and a splitter hold what is pending), or in a stream that is not recognised yet (`undecided`).
Only the packets from an irregular segment on, until the half is clean again, go one by one (`packet_walk`);
what stays pending at the end of a batch goes on in the next. Both ways give the same rows.
"""

from heapq import heappop, heappush
from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.capture.columns import Columns
from cosemscope.capture.packets.packet_row import ACK, FIN, RST, SYN, TCP
from cosemscope.streams.endings import FAR
from cosemscope.streams.payload import PayloadSource
from cosemscope.streams.reassembly.conflicts import ConflictFinder
from cosemscope.streams.reassembly.overtaking import Surroundings, exchange, find_early, put_right
from cosemscope.streams.reassembly.packet_walk import PacketWalk
from cosemscope.streams.reassembly.row_collector import Output
from cosemscope.streams.reassembly.segments_in_order import Layout, Segments, lay_out, sort_segments
from cosemscope.streams.reassembly.splitters.splitter_table import SPLITTERS
from cosemscope.streams.reassembly.wpdu_chains import Links, apart, covered, find_chains
from cosemscope.streams.recognition import HEAD, believable, take_heads
from cosemscope.streams.stream_table import StreamTable, first_rows
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.stream_kinds import CUT, HOLE, OUT_OF_ORDER, RETRANSMISSION
from cosemscope.streams.tables.wpdu_table import Mark, wrapper_rows
from cosemscope.transport.wpdu import HEADER_SIZE

Array = npt.NDArray[Any]
# Framings whose units are found by a splitter only: no fast path knows them.
_SPLIT_FRAMINGS = [framing for framing in SPLITTERS if framing is not Framing.WRAPPER]


class TcpStreams:
    """Takes the TCP packets of batch after batch; rows and items go to `output`."""

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
        self._conflicts = ConflictFinder(packets, packet_streams, source, output)
        self._walk = PacketWalk(packets, streams, source, output, self._conflicts)
        self._one_by_one = one_by_one

    def add(self, rows: slice, stream: npt.NDArray[np.int32]) -> None:
        """Take the packets `rows`, of these streams."""
        walk = self._walk
        walk.begin(rows, stream)
        tcp = np.flatnonzero((self._packets["protocol"][rows] == TCP) & (stream >= 0))
        if len(tcp):
            half = stream[tcp].astype(np.int64) * 2 + walk.batch["direction"][tcp]
            self._set_bases(tcp, half)
            if self._one_by_one:
                self._walk_all(tcp, half)
            else:
                self._take(tcp, half)
            self._note_acks(tcp, half)
        for old, packet in self.streams.replaced:
            walk.end_stream(old, packet)
        walk.bound_undecided(rows.stop)
        self._conflicts.look(rows)

    def finish(self, end: int) -> None:
        """Nothing more comes; `end` is the number of packets."""
        for stream in sorted(self._walk.pending):
            self._walk.end_stream(stream, end)
        self._walk.note_highest()
        self._find_lost_ends()
        self._conflicts.look(slice(end, end))

    def _set_bases(self, tcp: Array, half: Array) -> None:
        """Octet 0 of a half stands behind its SYN; where that was not seen, it is the first octet seen.

        What overtook others then would be taken for the first: the acknowledgement in the last octets of the
        other side tells better.
        """
        halves, batch = self._walk.halves, self._walk.batch
        known = halves["known"]
        opening = ~known[half]
        if not opening.any():
            return
        rows, half = tcp[opening], half[opening]
        carries = ((batch["flags"][rows] & SYN) > 0) | (batch["payload_length"][rows] > 0)
        rows, half = rows[carries], half[carries]
        first = first_rows(half, len(halves))
        half = np.flatnonzero(first >= 0)
        rows = rows[first[half]]
        syn = (batch["flags"][rows] & SYN) > 0
        base = batch["seq"][rows] + syn.astype(np.uint32)
        plain = np.flatnonzero(~syn)
        if len(plain):
            told = self._told_by_other_side(rows[plain], half[plain])
            near = (told >= 0) & ((base[plain] - told.astype(np.uint32)) < FAR)
            base[plain[near]] = told[near]
        halves["base"][half], halves["trusted"][half] = base, syn
        known[half] = True

    def _told_by_other_side(self, rows: Array, half: Array) -> Array:
        """For the first octets of halves: what the other side acknowledged with its last before, or -1."""
        batch, stream = self._walk.batch, self._walk.stream
        order, _ = self._walk.by_stream()
        carrying = order[batch["payload_length"][order] > 0]
        place = np.zeros(len(stream), np.int64)
        place[carrying] = np.arange(len(carrying))
        before = carrying[place[rows] - 1]
        here = (place[rows] > 0) & (stream[before] == stream[rows])
        return np.where(here, _acknowledged(batch, before), self._walk.halves["asked"][half])

    def _note_acks(self, tcp: Array, half: Array) -> None:
        acks = (self._walk.batch["flags"][tcp] & ACK) > 0
        rows, other = (tcp, half ^ 1) if acks.all() else (tcp[acks], half[acks] ^ 1)
        self._walk.halves["ack"][other] = self._walk.batch["ack"][rows]  # the last wins
        self._walk.halves["window"][other] = self._walk.batch["window"][rows]
        ends = np.flatnonzero((self._walk.batch["flags"][tcp] & FIN) > 0)
        self._walk.halves["fin"][half[ends]] = tcp[ends] + self._walk.base
        asks = (self._walk.batch["payload_length"][tcp] > 0) & ~self._walk.halves["known"][half ^ 1]
        self._walk.halves["asked"][half[asks] ^ 1] = _acknowledged(self._walk.batch, tcp[asks])

    def _take(self, tcp: Array, half: Array) -> None:
        """The fast way: NumPy for what is regular, the reassembler for the rest."""
        carries = self._walk.batch["payload_length"][tcp] > 0
        index, half = tcp[carries], half[carries]
        if len(index):
            self._recognise_early(index, half)
        segments = self._sort(index, half)
        taken = np.zeros(len(index), np.bool_)
        self._go_on(segments, tcp, taken)
        if len(index):
            self._take_segments(segments, taken)

    def _sort(self, index: Array, half: Array) -> Segments:
        highest, base = self._walk.halves["highest"], self._walk.halves["base"]
        flags = self._walk.batch["flags"][index]
        syn = ((flags & SYN) > 0).astype(np.uint32)
        near = highest[half]
        distance = self._walk.batch["seq"][index] + syn - base[half] - near.astype(np.uint32)
        relative = near + distance.astype(np.int32)
        length = self._walk.batch["payload_length"][index].astype(np.int64)
        return sort_segments(
            index,
            half,
            relative,
            length,
            highest,
            self._walk.batch["payload"][index],
            self._walk.batch["payload_captured"][index].astype(np.int64),
        )

    def _recognise_early(self, index: Array, half: Array) -> None:
        """Streams whose first segment is exactly one believable WPDU need no recogniser."""
        stream = half >> 1
        fresh = self.streams.undecided
        fresh[self._walk.undecided] = False
        rows = np.flatnonzero(fresh[stream])
        if not len(rows):
            return
        first = first_rows(stream[rows], len(self.streams))
        rows = rows[first[first >= 0]]
        packet = index[rows]
        address = self._walk.batch["payload"][packet]
        length = self._walk.batch["payload_length"][packet]
        flags = self._walk.batch["flags"][packet]
        syn = ((flags & SYN) > 0).astype(np.uint32)
        sound = self.source.at_hand(address) & (self._walk.batch["payload_captured"][packet] >= HEAD.itemsize)
        sound &= self._walk.batch["seq"][packet] + syn == self._walk.halves["base"][half[rows]]
        sound &= ~self._walk.halves["slow"][half[rows]]
        rows, packet, address, length = rows[sound], packet[sound], address[sound], length[sound]
        heads = self.source.gather(HEAD, address)
        strong = believable(heads) & (heads["length"].astype(np.int64) + HEADER_SIZE == length)
        found = stream[rows[strong]]
        self.streams["framing"][found] = Framing.WRAPPER
        blind = strong & ~self.streams["start_seen"][stream[rows]]
        for place in np.flatnonzero(blind).tolist():
            self._walk.settle_client(int(half[rows[place]]), int(heads["tag"][place]))

    def _take_segments(self, segments: Segments, taken: Array) -> None:
        framing = self.streams["framing"][segments.half >> 1]
        wrapper = framing == Framing.WRAPPER
        fast = wrapper & ~taken
        # The first octets of a half whose start was not seen are believed only if they are one whole WPDU.
        blind = (segments.start == 0) & ~self._walk.halves["trusted"][segments.half] & wrapper
        order, _ = self._walk.by_stream()
        base, rtt = self._walk.halves["base"], self.streams["rtt"]
        around = Surroundings(self._walk.batch, order, self._walk.stream, base, rtt)
        overtook = put_right(segments, fast, blind, around)
        layout = lay_out(segments, fast, self.source)
        links, last = find_chains(segments, layout, self.source)
        last[blind | self._ended_within(segments, last)] = -1
        old = (segments.stop <= segments.before) & ((segments.stop - segments.start) > 1)
        unsure = old & fast & ~self._walk.halves["trusted"][segments.half]
        early, early_head = find_early(segments, unsure, self.source)
        old[early] = False
        split = np.isin(framing, _SPLIT_FRAMINGS)
        regular = np.where(wrapper, layout.whole, (segments.start == segments.before) & ~split) | old
        regular[early] = True
        begins = self._walk_specials(segments, ~regular & ~taken, last, overtook, taken)
        whole = layout.whole & ~covered(begins, last) & ~taken
        self._emit_whole(segments, layout, np.flatnonzero(whole & ~overtook))
        self._emit_chains(segments, layout, links.take(begins[links.owner]), overtook)
        self._emit_whole(segments, layout, np.flatnonzero(whole & overtook), known=-1)
        self._find_late(segments, np.flatnonzero(overtook & ~taken) - 1)
        rows = np.flatnonzero(~taken[early])
        self._emit_early(segments, early[rows], take_heads(early_head, rows))
        self._emit_old(segments, np.flatnonzero(old & ~taken))
        tracked = ~wrapper & (segments.start == segments.before) & ~taken
        cut = (tracked | layout.whole) & ~taken & (segments.captured < segments.stop - segments.start)
        self._emit_cut(segments, np.flatnonzero(cut))
        ends = np.flatnonzero(np.append(segments.first[1:], True))
        highest = np.maximum(segments.before, segments.stop)[ends]
        half = segments.half[ends]
        quick = ~self._walk.halves["slow"][half]
        self._walk.halves["highest"][half[quick]] = highest[quick]

    def _walk_specials(
        self, segments: Segments, special: Array, last: Array, overtook: Array, taken: Array
    ) -> Array:
        """Go through the irregular segments in order; those that the reassembler takes are noted in `taken`.

        Returns the mask of positions at which chains begin that count (see `wpdu_chains`).
        """
        positions = np.flatnonzero(special)
        heads, rest = apart(positions, last[positions])
        begins = np.zeros(len(special), np.bool_)
        begins[heads] = True
        done, todo = -1, rest.tolist()
        while todo:
            position = heappop(todo)
            if position < done:
                continue
            if last[position] >= 0:
                begins[position], done = True, int(last[position]) + 1
                continue
            begin = _beginning(position, begins, last, overtook)
            done = self._run_from(segments, begin, overtook)
            taken[begin:done] = True
            inside = begin + np.flatnonzero(begins[begin:done])
            begins[inside] = False
            for end in last[inside[-1:]].tolist():  # what this chain had beyond is looked at again
                for again in (done + np.flatnonzero(special[done : end + 1])).tolist():
                    heappush(todo, again)
        return begins

    def _run_from(self, segments: Segments, position: int, overtook: Array) -> int:
        """The reassembler takes a half from this segment on, until it is clean; the position behind."""
        overtaken = position + 1 < len(overtook) and overtook[position + 1]
        done = self._walk.run_from(segments, position, int(segments.packet[position + int(overtaken)]))
        if done < len(overtook) and overtook[done]:  # it gave up the gap between the two
            exchange(segments, np.array([done - 1]))
            overtook[done] = False
            return self._run_from(segments, done, overtook)
        return done

    def _ended_within(self, segments: Segments, last: Array) -> Array:
        """Which chains of several segments have a FIN or RST of their stream between these."""
        within = np.zeros(len(segments.half), np.bool_)
        rows = np.flatnonzero((self._walk.batch["flags"] & (FIN | RST)) > 0)
        rows = rows[self._walk.stream[rows] >= 0]
        begun = np.flatnonzero(last > np.arange(len(last)))
        if not len(rows) or not len(begun):
            return within
        stream = self._walk.stream[rows]
        first = np.full(len(self.streams), len(self._walk.stream), np.int64)
        latest = np.full(len(self.streams), -1, np.int64)
        first[stream[::-1]] = rows[::-1]
        latest[stream] = rows
        owner = segments.half[begun] >> 1
        within[begun] = (first[owner] < segments.packet[last[begun]]) & (
            latest[owner] >= segments.packet[begun]
        )
        return within

    def _emit(
        self, segments: Segments, position: Array, head: Array, known: Array, /, **columns: Array
    ) -> None:
        """Rows of WPDUs with these headers, which began at `position`; `known`: the packets that told."""
        packet = segments.packet[position]
        stream = segments.half[position] >> 1
        side = (segments.half[position] & 1).astype(np.uint8)
        row = wrapper_rows(
            head,
            packet + self._walk.base,
            self._walk.batch["time"][packet],
            stream,
            side ^ self.streams["client_side"][stream],
            segments.address[position],
        )
        self.output.add_rows(row | columns, known)

    def _emit_whole(self, segments: Segments, layout: Layout, position: Array, known: int = 0) -> None:
        """Segments that are one WPDU each; `known`: how far from each stands the one that told."""
        if not len(position):
            return
        columns = {}
        if layout.cut.any():
            captured = segments.captured[position]
            columns["size"] = captured.astype(np.uint32)
            columns["marks"] = np.where(layout.cut[position], Mark.TRUNCATED, 0).astype(np.uint16)
        trigger = segments.packet[position + known] + self._walk.base
        self._emit(segments, position, take_heads(layout.head, position), trigger, **columns)

    def _emit_early(self, segments: Segments, position: Array, head: Array) -> None:
        """WPDUs before the first octet seen, which overtook them."""
        if not len(position):
            return
        marks = np.full(len(position), Mark.OUT_OF_ORDER, np.uint16)
        self._emit(segments, position, head, segments.packet[position] + self._walk.base, marks=marks)
        self._find_late(segments, position)

    def _emit_chains(self, segments: Segments, layout: Layout, links: Links, overtook: Array) -> None:
        """The WPDUs of chains: octets of one segment are pointed at, those of several are extents."""
        if not len(links.owner):
            return
        begin = layout.place[links.position]
        count = layout.place[links.end] - begin + 1
        offset = np.cumsum(count) - count
        inner = layout.ordered[np.arange(int(count.sum())) - np.repeat(offset - begin, count)]
        packet, time = segments.packet[inner], self._walk.batch["time"][segments.packet[inner]]
        address, length = segments.address[inner], segments.stop[inner] - segments.start[inner]
        address[offset] += links.offset
        length[offset] -= links.offset
        length[offset + count - 1] -= segments.stop[links.end] - links.stop
        spread = count > 1
        pieces = np.flatnonzero(np.repeat(spread, count))
        extent = self.output.extents(
            address[pieces], length[pieces], packet[pieces] + self._walk.base, len(pieces)
        )
        extents = -1 - extent - (np.cumsum(np.where(spread, count, 0)) - np.where(spread, count, 0))
        turned = np.append(False, packet[1:] < packet[:-1])
        turned[offset] = False
        shared = (links.offset > 0) | (links.stop != segments.stop[links.end])
        marks = np.where(shared, Mark.SHARED, 0)
        marks |= np.where(np.logical_or.reduceat(turned, offset), Mark.OUT_OF_ORDER, 0)
        self._emit(
            segments,
            links.position,
            links.head,
            segments.packet[links.end - overtook[links.end]] + self._walk.base,
            first_packet=np.minimum.reduceat(packet, offset) + self._walk.base,
            last_packet=np.maximum.reduceat(packet, offset) + self._walk.base,
            segments=count,
            time=np.maximum.reduceat(time, offset),
            first_time=np.minimum.reduceat(time, offset),
            address=np.where(spread, extents, address[offset]),
            marks=marks.astype(np.uint16),
        )

    def _find_late(self, segments: Segments, position: Array) -> None:
        """Segments that others overtook, and were put in order: items."""
        if not len(position):
            return
        half = segments.half[position]
        self.output.find_many(
            OUT_OF_ORDER,
            half >> 1,
            (half & 1).astype(np.uint8),
            segments.packet[position] + self._walk.base,
            segments.start[position],
            segments.stop[position] - segments.start[position],
        )

    def _find_lost_ends(self) -> None:
        """Octets between the last ones seen and the FIN behind them: holes."""
        halves = self._walk.halves
        half = np.flatnonzero((halves["fin"] >= 0) & (halves["highest"] > 0))
        packet, seen = halves["fin"][half], halves["highest"][half]
        number = self._packets["seq"][packet] + self._packets["payload_length"][packet]
        missing = (number - halves["base"][half] - seen.astype(np.uint32)).astype(np.int32).astype(np.int64)
        rows = np.flatnonzero((missing > 0) & (missing < FAR))
        half, packet, seen, missing = half[rows], packet[rows], seen[rows], missing[rows]
        side = (half & 1).astype(np.uint8)
        self.output.find_many(HOLE, half >> 1, side, packet, seen, missing)

    def _emit_old(self, segments: Segments, position: Array) -> None:
        """Segments of which every octet was seen before: retransmissions."""
        if not len(position):
            return
        half, packet = segments.half[position], segments.packet[position] + self._walk.base
        start, stop = segments.start[position], segments.stop[position]
        self.output.find_many(
            RETRANSMISSION, half >> 1, (half & 1).astype(np.uint8), packet, start, stop - start
        )
        self._conflicts.suspect(packet, start)

    def _emit_cut(self, segments: Segments, position: Array) -> None:
        if not len(position):
            return
        half, packet = segments.half[position], segments.packet[position] + self._walk.base
        offset = segments.start[position] + segments.captured[position]
        missing = segments.stop[position] - offset
        side = (half & 1).astype(np.uint8)
        self.output.find_many(CUT, half >> 1, side, packet, offset, missing)

    def _go_on(self, segments: Segments, tcp: Array, taken: Array) -> None:
        """Streams that were pending, and those not recognised at once, go first, packet by packet."""
        undecided = self.streams.undecided
        streams = np.unique(segments.half[undecided[segments.half >> 1]] >> 1).tolist()
        pending = self._walk.pending
        if pending:
            present = np.zeros(len(self.streams), np.bool_)
            present[self._walk.stream[tcp]] = True
            streams = sorted(set(streams) | {stream for stream in pending if present[stream]})
        base = self._walk.halves["base"]
        for stream in streams:
            self._walk.open_undecided(stream)
            bases = base[2 * stream : 2 * stream + 2].tolist()
            counts = self._walk.walk_stream(stream, one_by_one=False)
            for side in (0, 1):
                half = 2 * stream + side
                earlier = (bases[side] - int(base[half])) & 0xFFFFFFFF  # octets before what seemed the first
                if counts[side] or earlier:
                    at, end = segments.half.searchsorted((half, half + 1))
                    taken[at : at + counts[side]] = True
                    for column in (segments.start, segments.stop, segments.before):
                        column[at:end] += earlier

    def _walk_all(self, tcp: Array, half: Array) -> None:
        """Every packet one by one."""
        carrying = np.zeros(len(self.streams), np.bool_)
        carrying[half[self._walk.batch["payload_length"][tcp] > 0] >> 1] = True
        for stream in np.unique(half >> 1).tolist():
            if carrying[stream]:
                self._walk.open_undecided(stream)
            self._walk.walk_stream(stream, one_by_one=True)


def _acknowledged(batch: dict[str, Array], rows: Array) -> Array:
    """The acknowledgement numbers of packets, -1 where they have none."""
    return np.where((batch["flags"][rows] & ACK) > 0, batch["ack"][rows].astype(np.int64), -1)


def _beginning(position: int, begins: Array, last: Array, overtook: Array) -> int:
    """Where the reassembler has to begin for this segment: one that came too early goes with the late one.

    Chains (`begins`) that hold the late one are given up.
    """
    while overtook[position]:
        earlier = np.flatnonzero(begins[:position])
        position -= 1
        if len(earlier) and last[earlier[-1]] >= position:
            position = int(earlier[-1])
            begins[position] = False
    return position
