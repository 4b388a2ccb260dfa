"""TCP streams to WPDUs, a batch of packets at a time.

Halves (one direction of one stream, see `halves`) are in one of three states: fast (all in order, at a WPDU
boundary: `segments_in_order` and `wpdu_chains` read them, once `overtaking` has put pairs in order), slow (a
`Reassembler` and a splitter hold what is pending), or in a stream that is not recognised yet (`undecided`).
Only the packets from an irregular segment on, until the half is clean again, go one by one (`packet_walk`);
what stays pending at the end of a batch goes on in the next. Both ways give the same rows.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from cosemscope.capture.columns import Array, Columns
from cosemscope.capture.packets.packet_row import FIN, RST, TCP
from cosemscope.streams.payload import PayloadSource
from cosemscope.streams.reassembly.conflicts import ConflictFinder
from cosemscope.streams.reassembly.halves import Halves
from cosemscope.streams.reassembly.irregular_segments import settle_irregular
from cosemscope.streams.reassembly.overtaking import find_early, put_right
from cosemscope.streams.reassembly.packet_batch import PacketBatch
from cosemscope.streams.reassembly.packet_walk import PacketWalk
from cosemscope.streams.reassembly.reassembler import WIDEST_GAP
from cosemscope.streams.reassembly.recognising.late_evidence import LateEvidence, Told
from cosemscope.streams.reassembly.recognising.reopening import WentBy
from cosemscope.streams.reassembly.row_collector import Output
from cosemscope.streams.reassembly.segment_rows import SegmentRows
from cosemscope.streams.reassembly.segments_in_order import Segments, lay_out, sort_segments
from cosemscope.streams.reassembly.sent_order import SenderPasts
from cosemscope.streams.reassembly.splitters.splitter_table import SPLITTERS
from cosemscope.streams.reassembly.wpdu_chains import covered, find_chains
from cosemscope.streams.recognition import HEAD, believable, take_heads
from cosemscope.streams.stream_table import StreamTable, first_rows
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.stream_kinds import HOLE, RETRANSMISSION
from cosemscope.transport.wpdu import HEADER_SIZE

# Framings whose units are found by a splitter only: no fast path knows them.
_SPLIT_FRAMINGS = [framing for framing in SPLITTERS if framing is not Framing.WRAPPER]

# Octets from the highest one on, either way, within which it does not matter which segments came before: of
# 2^32 numbers, half are before and half behind.
_LOST = 1 << 29


class TcpStreams:
    """Takes the TCP packets of batch after batch; rows and items go to `output`.

    In its methods `tcp` (or `index`) is int64[t], positions of packets in the batch; `half` int64[t], the
    half of each; s the number of segments.
    """

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
        self._packets = packets
        self._streams = streams
        self._source = source
        self._output = output
        self._halves = Halves()
        self._conflicts = ConflictFinder(packets, packet_streams, source, output, streams.flows)
        self._evidence = LateEvidence(streams, source)
        history = WentBy(packets, packet_streams)
        self._pasts = SenderPasts(packets, packet_streams)
        self._walk = PacketWalk(self._halves, streams, source, output, self._conflicts, history, self._pasts)
        self._one_by_one = one_by_one

    def add(self, batch: PacketBatch) -> None:
        """Take the TCP packets of a batch."""
        self._halves.grow(len(self._streams))
        self._pasts.use(batch)
        tcp = np.flatnonzero((batch.protocol == TCP) & (batch.stream >= 0))
        if len(tcp):
            half = batch.stream[tcp].astype(np.int64) * 2 + batch.direction[tcp]
            self._halves.set_bases(batch, tcp, half)
            if self._one_by_one:
                self._walk_all(batch, tcp, half)
            else:
                self._take(batch, tcp, half)
            self._halves.note_acks(batch, tcp, half)
        for old, packet in self._streams.replaced:
            self._source.look()
            self._walk.end_stream(old, packet)
        self._walk.bound_undecided(batch.rows.stop)
        self._conflicts.look(batch.rows)

    def finish(self, end: int) -> None:
        """Nothing more comes; `end` is the number of packets."""
        for stream in sorted(self._walk.pending):
            self._source.look()
            self._walk.end_stream(stream, end)
        self._walk.note_highest()
        half, packet, start, missing = self._halves.lost_ends(self._packets)
        side = (half & 1).astype(np.uint8)
        self._output.find_many(HOLE, half >> 1, side, packet, start, missing)
        self._conflicts.look(slice(end, end))

    def _take(self, batch: PacketBatch, tcp: Array, half: Array) -> None:
        """The fast way: NumPy for what is regular, the reassembler for the rest."""
        carries = batch.payload_length[tcp] > 0
        index, half = tcp[carries], half[carries]
        if len(index):
            self._recognise_early(batch, index, half)
        distance = self._distance(batch, index, half)
        segments = self._sort(batch, index, half, distance)
        taken = np.zeros(len(index), np.bool_)
        lost = np.append(
            half[distance + _LOST >= 2 * _LOST], segments.half[segments.start - segments.before > WIDEST_GAP]
        )
        evidence = self._evidence.look(batch, index) if len(index) else {}
        self._go_on(batch, segments, tcp, taken, set((lost >> 1).tolist()), evidence)
        if len(index):
            self._take_segments(batch, segments, taken)

    def _recognise_early(self, batch: PacketBatch, index: Array, half: Array) -> None:
        """Streams whose first segment is exactly one believable WPDU need no recogniser."""
        stream = half >> 1
        fresh = self._streams.undecided
        fresh[self._walk.undecided] = False
        rows = np.flatnonzero(fresh[stream])
        if not len(rows):
            return
        first = first_rows(stream[rows], len(self._streams))
        rows = rows[first[first >= 0]]
        packet = index[rows]
        sound = self._source.at_hand(batch.payload[packet])
        sound &= batch.payload_captured[packet] >= HEAD.itemsize
        sound &= batch.first_octets(packet) == self._halves["base"][half[rows]]
        sound &= ~self._halves["slow"][half[rows]]
        rows, packet = rows[sound], packet[sound]
        heads = self._source.gather(HEAD, batch.payload[packet])
        size = heads["length"].astype(np.int64) + HEADER_SIZE
        strong = believable(heads) & (size == batch.payload_length[packet])
        self._streams["framing"][stream[rows[strong]]] = Framing.WRAPPER
        blind = strong & ~self._streams["start_seen"][stream[rows]]
        for place in np.flatnonzero(blind).tolist():
            self._walk.settle_client(int(half[rows[place]]), int(heads["tag"][place]))

    def _distance(self, batch: PacketBatch, index: Array, half: Array) -> Array:
        """Octets from the highest of each half to these packets, uint32[k]: negative ones wrap."""
        near = self._halves["highest"][half].astype(np.uint32)
        distance: Array = batch.first_octets(index) - self._halves["base"][half] - near
        return distance

    def _sort(self, batch: PacketBatch, index: Array, half: Array, distance: Array) -> Segments:
        """The segments of these packets; of the octets that a number may name, the nearest to the highest."""
        highest = self._halves["highest"]
        return sort_segments(
            index,
            half,
            highest[half] + distance.astype(np.int32),
            batch.payload_length[index].astype(np.int64),
            highest,
            batch.payload[index],
            batch.payload_captured[index].astype(np.int64),
        )

    def _go_on(
        self,
        batch: PacketBatch,
        segments: Segments,
        tcp: Array,
        taken: Array,
        lost: set[int],
        evidence: Mapping[int, Sequence[Told]],
    ) -> None:
        """Streams that were pending, and those not recognised at once, go first, packet by packet.

        Those of `lost` go so to the end: which octets their numbers name depends on each segment before.
        Those of `evidence`, by stream, go so until they are recognised. `taken`: bool[s], set for the
        segments that went; the others of a half go on in the fast path.
        """
        undecided = self._streams.undecided
        streams = np.unique(segments.half[undecided[segments.half >> 1]] >> 1).tolist()
        pending = self._walk.pending
        if pending:
            present = np.zeros(len(self._streams), np.bool_)
            present[batch.stream[tcp]] = True
            streams = sorted(set(streams) | {stream for stream in pending if present[stream]})
        base = self._halves["base"]
        for stream in sorted({*streams, *lost, *evidence}) if lost or evidence else streams:
            self._walk.open_undecided(stream)
            bases = base[2 * stream : 2 * stream + 2].tolist()
            told = evidence.get(stream, ())
            counts = self._walk.walk_stream(batch, stream, one_by_one=stream in lost, evidence=told)
            if stream in lost or told:
                self._walk.let_go(stream)
            for side in (0, 1):
                half = 2 * stream + side
                earlier = (bases[side] - int(base[half])) & 0xFFFFFFFF  # octets before what seemed the first
                if counts[side] or earlier:
                    at, end = segments.half.searchsorted((half, half + 1))
                    taken[at : at + counts[side]] = True
                    for column in (segments.start, segments.stop, segments.before):
                        column[at:end] += earlier

    def _take_segments(self, batch: PacketBatch, segments: Segments, taken: Array) -> None:
        """Settle the segments that are not `taken` yet, bool[s]: each becomes rows, an item, or is taken.

        Every mask here is bool[s]; a segment that the reassembler takes meanwhile is nobody else's.
        """
        framing = self._streams["framing"][segments.half >> 1]
        wrapper = framing == Framing.WRAPPER
        fast = wrapper & ~taken
        trusted = self._halves["trusted"][segments.half]
        # The first octets of a half whose start was not seen are believed only if they are one whole WPDU.
        blind = (segments.start == 0) & ~trusted & wrapper
        overtook = put_right(segments, fast, blind, batch, self._halves["base"], self._streams["rtt"])
        layout = lay_out(segments, fast, self._source)
        links, last = find_chains(segments, layout, self._source)
        last[blind | _ended_within(batch, segments, last, len(self._streams))] = -1
        # Regular: one WPDU, octets seen before, or in order in a framing that needs no splitter.
        old = (segments.stop <= segments.before) & ((segments.stop - segments.start) > 1)
        early, early_head = find_early(segments, old & fast & ~trusted, self._source)
        old[early] = False
        in_order = segments.start == segments.before
        regular = np.where(wrapper, layout.whole, in_order & ~np.isin(framing, _SPLIT_FRAMINGS)) | old
        regular[early] = True
        run = partial(self._walk.run_from, batch, segments)
        begins = settle_irregular(run, segments, ~regular & ~taken, last, overtook, taken)
        rows = SegmentRows(batch, segments, self._streams, self._output)
        whole = layout.whole & ~covered(begins, last) & ~taken
        rows.add_whole(layout, np.flatnonzero(whole & ~overtook))
        rows.add_chains(layout, links.take(begins[links.owner]), overtook)
        rows.add_whole(layout, np.flatnonzero(whole & overtook), known=-1)
        rows.find_late(np.flatnonzero(overtook & ~taken) - 1)
        kept = np.flatnonzero(~taken[early])
        rows.add_early(early[kept], take_heads(early_head, kept))
        again = np.flatnonzero(old & ~taken)
        if len(again):
            packet, start = segments.packet[again] + batch.base, segments.start[again]
            self._conflicts.suspect(packet, start, RETRANSMISSION)
        cut = (~wrapper & in_order | layout.whole) & ~taken
        rows.find_cut(np.flatnonzero(cut & (segments.captured < segments.stop - segments.start)))
        self._note_highest(segments, taken)

    def _note_highest(self, segments: Segments, taken: Array) -> None:
        """Keep how far the halves have come whose last segments went the fast path.

        Of the others the walk knows it, and which segments far ahead were none of the stream's.
        """
        ends = np.flatnonzero(np.append(segments.first[1:], True))
        highest = np.maximum(segments.before, segments.stop)[ends]
        half = segments.half[ends]
        quick = ~self._halves["slow"][half] & ~taken[ends]
        self._halves["highest"][half[quick]] = highest[quick]

    def _walk_all(self, batch: PacketBatch, tcp: Array, half: Array) -> None:
        """Every packet one by one."""
        carrying = np.zeros(len(self._streams), np.bool_)
        carrying[half[batch.payload_length[tcp] > 0] >> 1] = True
        evidence = self._evidence.look(batch, tcp[batch.payload_length[tcp] > 0])
        for stream in np.unique(half >> 1).tolist():
            if carrying[stream]:
                self._walk.open_undecided(stream)
            told = evidence.get(stream, ())
            self._walk.walk_stream(batch, stream, one_by_one=True, evidence=told)


def _ended_within(batch: PacketBatch, segments: Segments, last: Array, streams: int) -> Array:
    """Mask of chains, bool[s], of several segments, with a FIN or RST of their stream among these packets.

    `last`: int64[s], position with which the chain ends that begins there, or -1; `streams`: how many.
    """
    within = np.zeros(len(segments.half), np.bool_)
    rows = np.flatnonzero(((batch.flags & (FIN | RST)) > 0) & (batch.stream >= 0))
    begun = np.flatnonzero(last > np.arange(len(last)))
    if not len(rows) or not len(begun):
        return within
    # The first and the latest FIN or RST of each stream; a chain between the two counts as ended, too.
    stream = batch.stream[rows]
    first = np.full(streams, len(batch.stream), np.int64)
    latest = np.full(streams, -1, np.int64)
    first[stream[::-1]] = rows[::-1]
    latest[stream] = rows
    owner = segments.half[begun] >> 1
    within[begun] = first[owner] < segments.packet[last[begun]]
    within[begun] &= latest[owner] >= segments.packet[begun]
    return within
