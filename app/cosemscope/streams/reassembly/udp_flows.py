"""UDP flows to WPDUs: one WPDU a datagram (IEC 62056-4-7, 5.3.3), and what deviates from that, marked.

Flows of HDLC frames may have data units of IEC 61334-4-32 between them, and APDUs in segments that come in
datagrams of their own: so the splitter of each direction is kept.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

import numpy as np

from cosemscope.capture.columns import Array, Columns
from cosemscope.capture.packets.packet_row import UDP
from cosemscope.streams.foreign.coap_messages import carries_apdu
from cosemscope.streams.foreign.foreign_table import MAX_LOOKED_AT, foreign_framing
from cosemscope.streams.payload import PayloadSource
from cosemscope.streams.reassembly.packet_batch import PacketBatch
from cosemscope.streams.reassembly.reassembler import Segment
from cosemscope.streams.reassembly.repeats.captured_twice import NEAR_ROWS, datagram_copies
from cosemscope.streams.reassembly.row_collector import Output
from cosemscope.streams.reassembly.splitters.coap_splitter import CoapSplitter
from cosemscope.streams.reassembly.splitters.hdlc_splitter import HdlcSplitter
from cosemscope.streams.reassembly.splitters.mbus_splitter import MBusSplitter
from cosemscope.streams.reassembly.splitters.splitter import Splitter, Unit, UnitListener
from cosemscope.streams.reassembly.splitters.splitter_table import splitter_for
from cosemscope.streams.reassembly.unit_sink import UnitSink
from cosemscope.streams.recognition import (
    HEAD,
    MAX_SEGMENTS,
    Recogniser,
    apdu_begins,
    believable,
    datagram_framing,
)
from cosemscope.streams.stream_table import StreamTable, first_rows
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.stream_kinds import (
    CAPTURED_TWICE,
    CUT,
    NO_FRAGMENT,
    SEVERAL,
    SKIPPED,
    TRAILING,
    WRONG_VERSION,
)
from cosemscope.streams.tables.wpdu_table import Mark, wrapper_rows
from cosemscope.transport.wpdu import HEADER_SIZE, VERSION, BadVersion, decode_datagram, decode_header
from cosemscope.transport.wports import DLMS_PORT

#: Directions of flows whose HDLC segments are waited for.
MAX_HDLC = 4096
_FLAG = 0x7E


class _KeptSplitter(Splitter, Protocol):
    """A splitter that goes on from datagram to datagram, in which nothing but APDUs may go on."""

    def end_datagram(self, packet: int) -> None:
        """The datagram ends."""


_KEPT: dict[Framing, Callable[[UnitListener, int], _KeptSplitter]] = {
    Framing.HDLC: HdlcSplitter,
    Framing.MBUS: MBusSplitter,
    Framing.COAP: CoapSplitter,
}


class LateDatagram(NamedTuple):
    """A datagram of a side of a stream that lacks IP fragments, which became known at packet `trigger`."""

    trigger: int
    stream: int
    side: int
    segment: Segment


class UdpFlows:
    """Takes the UDP packets of batch after batch; rows and items go to `output`.

    In its methods `index` is int64[k], positions of packets with octets in the batch, and `flow`, `heads` and
    `strong` are int32[k], HEAD[k] and bool[k]: the stream of each, the WPDU header it begins with, and
    whether it is one believable WPDU.
    """

    def __init__(
        self,
        streams: StreamTable,
        source: PayloadSource,
        output: Output,
        packets: Columns | None = None,
        packet_streams: Columns | None = None,
    ) -> None:
        self._packets, self._packet_streams = packets, packet_streams
        self._streams = streams
        self._source = source
        self._output = output
        self._tries: dict[int, int] = {}
        # What datagrams without DLMS look like, of flows that are tried.
        self._named: dict[int, Framing] = {}
        # Flows in which nothing was recognised for long; yet a WPDU may come, after many heartbeats.
        self._given_up: set[int] = set()
        # Splitters that are kept, by stream and side, with their sinks and the octets that each has taken.
        self._kept: OrderedDict[tuple[int, int], tuple[_KeptSplitter, UnitSink, int]] = OrderedDict()

    def add(self, batch: PacketBatch, late: Iterable[LateDatagram] = ()) -> None:
        """Take the UDP packets of a batch, and what is `late`, in the order in which it became known."""
        index = np.flatnonzero((batch.protocol == UDP) & (batch.stream >= 0) & (batch.payload_length > 0))
        waiting = deque(late)
        index = self._without_copies(batch, index)
        if len(index):
            self._take(batch, index, waiting)
        self.take_late(waiting)

    def _without_copies(self, batch: PacketBatch, index: Array) -> Array:
        """The positions `index` but for datagrams that the capture has twice: these make no rows."""
        packets, streams = self._packets, self._packet_streams
        if packets is None or streams is None or not len(index):
            return index
        begun = max(0, batch.base - NEAR_ROWS)
        before = slice(begun, batch.base)
        mine = (packets["protocol"][before] == UDP) & (packets["payload_length"][before] > 0)
        mine &= streams["stream"][before] >= 0
        rows = np.append(np.flatnonzero(mine) + begun, index + batch.base)
        copies = []
        for again, first in zip(*datagram_copies(packets, streams["stream"][rows], rows), strict=True):
            one, other = (int(packets["payload"][row]) for row in (again, first))
            length = int(packets["payload_captured"][again])
            if again >= batch.base and self._source.octets(one, length) == self._source.octets(other, length):
                copies.append(int(again) - batch.base)
        for place in copies:
            stream, side = int(batch.stream[place]), int(batch.direction[place])
            amount = int(batch.payload_length[place])
            self._output.find(CAPTURED_TWICE, stream, side, batch.base + place, 0, amount)
        return index[~np.isin(index, copies)] if copies else index

    def _take(self, batch: PacketBatch, index: Array, late: deque[LateDatagram]) -> None:
        flow = batch.stream[index]
        address = batch.payload[index]
        captured = batch.payload_captured[index]
        whole = captured == batch.payload_length[index]
        ready = self._source.at_hand(address) & whole & (captured >= HEADER_SIZE)
        heads = np.zeros(len(index), HEAD)
        heads[ready] = self._source.gather(HEAD, address[ready])
        # Simple: a datagram that is exactly one WPDU, in a flow of the wrapper; all others go one by one.
        exact = ready & (heads["version"] == 1)
        exact &= heads["length"].astype(np.int64) + HEADER_SIZE == captured
        strong = exact & believable(heads)
        self._recognise_early(batch, index, flow, heads, strong, late)
        framing = self._streams["framing"][flow]
        simple = exact & (framing == Framing.WRAPPER)
        self._add_simple(batch, index[simple], flow[simple], heads[simple])
        rest = ~simple & ((framing < Framing.UNKNOWN) | ~whole)
        if self._given_up:
            rest |= np.isin(flow, list(self._given_up.intersection(flow[strong].tolist())))
        for place in np.flatnonzero(rest).tolist():
            while late and late[0].trigger <= batch.base + index[place]:
                self.take_late((late.popleft(),))
            self._one(batch, int(index[place]), int(flow[place]))

    def finish(self, end: int) -> None:
        """Flows that were not recognised carry no DLMS; APDUs whose segments are not all here are cut.

        `end`: number of packets.
        """
        for splitter, _, _ in self._kept.values():
            splitter.close(max(0, end - 1))
        self._kept.clear()
        mask = (self._streams["protocol"] == UDP) & (self._streams["framing"] == Framing.UNDECIDED)
        self._streams["framing"][mask] = Framing.UNKNOWN
        for stream, framing in self._named.items():
            if mask[stream]:
                self._streams["framing"][stream] = framing

    def _recognise_early(
        self,
        batch: PacketBatch,
        index: Array,
        flow: Array,
        heads: Array,
        strong: Array,
        late: Iterable[LateDatagram],
    ) -> None:
        """Flows whose first datagram is exactly one believable WPDU; those with `late` ones go in turn."""
        fresh = (self._streams["protocol"] == UDP) & self._streams.undecided
        for tried in (*self._tries, *(one.stream for one in late)):
            fresh[tried] = False
        rows = np.flatnonzero(fresh[flow])
        if not len(rows):
            return
        first = first_rows(flow[rows], len(self._streams))
        rows = rows[first[first >= 0]]
        for place in rows[strong[rows]].tolist():
            side = int(batch.direction[index[place]])
            self._recognised(int(flow[place]), Framing.WRAPPER, side, int(heads["tag"][place]))

    def _recognised(self, stream: int, framing: Framing, side: int, tag: int) -> None:
        """A datagram from this side, whose APDU has this tag, told the framing of its flow."""
        self._streams["framing"][stream] = framing
        self._tries.pop(stream, None)
        before = int(self._streams["client_side"][stream])
        self._streams.set_client(stream, tag, side)
        if before != self._streams["client_side"][stream]:
            self._output.turn_round(stream)

    def _add_simple(self, batch: PacketBatch, index: Array, flow: Array, heads: Array) -> None:
        if not len(index):
            return
        packet = index + batch.base
        direction = batch.direction[index] ^ self._streams["client_side"][flow]
        rows = wrapper_rows(heads, packet, batch.time[index], flow, direction, batch.payload[index])
        self._output.add_rows(rows, packet)

    def _one(self, batch: PacketBatch, index: int, stream: int) -> None:
        """A datagram that is not simply one WPDU, or whose flow is not recognised yet."""
        side, length = int(batch.direction[index]), int(batch.payload_length[index])
        captured = min(length, int(batch.payload_captured[index]))
        packet, address, time = batch.base + index, int(batch.payload[index]), int(batch.time[index])
        if captured < length:
            self._output.find(CUT, stream, side, packet, captured, length - captured)
        self._datagram(Segment(0, length, address, captured, packet, time, 0), stream, side, packet)

    def take_late(self, late: Iterable[LateDatagram]) -> None:
        """Take what came of datagrams that lack fragments, in the order in which it became known."""
        for trigger, stream, side, segment in late:
            missing = segment.stop - segment.captured
            self._streams["octets"][stream] += segment.stop
            if missing:
                self._output.find(NO_FRAGMENT, stream, side, segment.packet, segment.captured, missing)
            self._datagram(segment, stream, side, trigger)

    def _datagram(self, segment: Segment, stream: int, side: int, trigger: int) -> None:
        """One datagram, `segment.stop` octets long, for the splitter of its flow."""
        octets = self._source.octets(segment.address, segment.captured)
        known = True
        if stream in self._given_up:
            known = self._try_again(stream, side, octets)
        elif self._streams["framing"].item(stream) == Framing.UNDECIDED:
            known = self._try(stream, side, octets, segment.stop)
        if not known:
            return
        framing = Framing(int(self._streams["framing"][stream]))
        if framing in (Framing.WRAPPER, Framing.SWAPPED):
            self._split(segment, stream, side, octets, trigger, swapped=framing is Framing.SWAPPED)
        elif not octets:
            return
        elif framing in _KEPT and (framing is not Framing.HDLC or octets[0] == _FLAG):
            self._take_frames(framing, segment, stream, side, trigger)
        else:
            framing = Framing.IEC_61334_4_32 if framing is Framing.HDLC else framing
            splitter_for(framing, self._sink(stream, side), 0, trusted=True).chunk(segment, trigger)

    def _sink(self, stream: int, side: int) -> UnitSink:
        return UnitSink(stream, side, self._streams, self._source, self._output)

    def _take_frames(self, framing: Framing, segment: Segment, stream: int, side: int, trigger: int) -> None:
        """Frames or messages, whole ones; the segments of an APDU may go on in the next datagram."""
        key = stream, side
        known = self._kept.pop(key, None)
        if known is None:
            sink = self._sink(*key)
            known = _KEPT[framing](sink, 0), sink, 0
        splitter, sink, taken = known
        if len(self._kept) >= MAX_HDLC:
            _, (oldest, _, _) = self._kept.popitem(last=False)
            oldest.close(trigger)
        stop = taken + segment.stop
        self._kept[key] = splitter, sink, stop
        sink.base = taken
        splitter.chunk(segment._replace(start=taken, stop=stop), trigger)
        splitter.end_datagram(trigger)
        if taken + segment.captured < stop:
            splitter.gap(taken + segment.captured, stop, segment.packet, trigger)

    def _try(self, stream: int, side: int, octets: bytes, length: int) -> bool:
        """Judge the flow by this datagram; True if it carries DLMS."""
        framing = Recogniser().add(side, octets, length)
        if framing is Framing.UNDECIDED:
            framing = datagram_framing(octets, registered=DLMS_PORT in self._streams.ports(stream))
        if framing is Framing.UNDECIDED and len(octets) == length and carries_apdu(octets):
            framing = Framing.COAP
        if framing is Framing.UNDECIDED:
            self._tries[stream] = self._tries.get(stream, 0) + 1
            unnamed = self._named.get(stream, Framing.UNKNOWN) is Framing.UNKNOWN
            if unnamed and len(octets) == length and self._tries[stream] <= MAX_LOOKED_AT:
                self._named[stream] = foreign_framing(((octets,), ()), UDP)
            if self._tries[stream] >= MAX_SEGMENTS:
                self._recognised(stream, self._named.pop(stream, Framing.UNKNOWN), side, -1)
                self._given_up.add(stream)
            return False
        wrapped = framing in (Framing.WRAPPER, Framing.SWAPPED) and len(octets) > HEADER_SIZE
        tag = octets[HEADER_SIZE] if wrapped else -1
        self._recognised(stream, framing, side, tag)
        return framing.carries_dlms

    def _try_again(self, stream: int, side: int, octets: bytes) -> bool:
        """Judge a flow that was given up; True if this datagram is exactly one believable WPDU."""
        if len(octets) < HEAD.itemsize:
            return False
        head = np.frombuffer(octets[: HEAD.itemsize], HEAD)
        if not believable(head)[0] or int(head["length"][0]) + HEADER_SIZE != len(octets):
            return False
        self._given_up.discard(stream)
        self._recognised(stream, Framing.WRAPPER, side, int(head["tag"][0]))
        return True

    def _split(
        self, segment: Segment, stream: int, side: int, octets: bytes, trigger: int, *, swapped: bool
    ) -> None:
        result = decode_datagram(octets, swapped=swapped)
        framing = Framing.SWAPPED if swapped else Framing.WRAPPER
        several = Mark.SHARED if len(result.wpdus) > 1 else Mark(0)
        packet, length = segment.packet, segment.stop
        sink = self._sink(stream, side)
        for received in result.wpdus:
            trailing = Mark.TRAILING if result.trailing and received is result.wpdus[-1] else Mark(0)
            data = received.wpdu.data
            tag, size = data[0] if data else -1, received.stop - received.start
            piece = segment.part(received.start, received.stop)
            unit = Unit(received.wpdu.header, tag, size, int(several | trailing), (piece,), framing)
            sink.unit(unit, trigger)
        if several:
            sink.found(SEVERAL, packet, 0, len(result.wpdus), result.wpdus[-1].stop)
        if result.trailing:
            start = result.wpdus[-1].stop
            sink.found(TRAILING, packet, start, length - start)
        problem = result.problem
        if isinstance(problem, BadVersion) or (problem is not None and problem.header is None):
            sink.found(SKIPPED, packet, 0, length)
            self._tell_version(sink, packet, octets, swapped=swapped)
        elif problem is not None and problem.header is not None:
            tag = octets[HEADER_SIZE] if len(octets) > HEADER_SIZE else -1
            pieces = (segment.part(0, len(octets)),)
            unit = Unit(problem.header, tag, len(octets), int(Mark.TRUNCATED), pieces, framing)
            sink.unit(unit, trigger)

    def _tell_version(self, sink: UnitSink, packet: int, octets: bytes, *, swapped: bool) -> None:
        """Tell of a datagram that is one WPDU but for the version in its header."""
        header = decode_header(octets, swapped=swapped)
        if header is None or header.version == VERSION or HEADER_SIZE + header.length != len(octets):
            return
        if apdu_begins(octets, HEADER_SIZE, header.length):
            sink.found(WRONG_VERSION, packet, 0, header.version, HEADER_SIZE)
