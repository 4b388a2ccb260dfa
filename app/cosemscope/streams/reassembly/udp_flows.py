"""UDP flows to WPDUs: one WPDU a datagram (IEC 62056-4-7, 5.3.3), and what deviates from that, marked.

Flows of HDLC frames may have data units of IEC 61334-4-32 between them, and APDUs in segments that come in
datagrams of their own: so the splitter of each direction is kept.
"""

from collections import OrderedDict
from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.capture.columns import Columns
from cosemscope.capture.packets.packet_row import UDP
from cosemscope.streams.payload import PayloadSource
from cosemscope.streams.reassembly.reassembler import Segment
from cosemscope.streams.reassembly.row_collector import Output
from cosemscope.streams.reassembly.splitters.hdlc_splitter import HdlcSplitter
from cosemscope.streams.reassembly.splitters.splitter import Unit
from cosemscope.streams.reassembly.splitters.splitter_table import splitter_for
from cosemscope.streams.reassembly.unit_sink import UnitSink
from cosemscope.streams.recognition import HEAD, MAX_SEGMENTS, Recogniser, believable, datagram_framing
from cosemscope.streams.stream_table import StreamTable, first_rows
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.stream_kinds import CUT, SEVERAL, SKIPPED, TRAILING
from cosemscope.streams.tables.wpdu_table import Mark, wrapper_rows
from cosemscope.transport.wpdu import HEADER_SIZE, BadVersion, decode_datagram
from cosemscope.transport.wports import DLMS_PORT

Array = npt.NDArray[Any]
_FLAG = 0x7E
#: Directions of flows whose HDLC segments are waited for.
_MAX_HDLC = 4096


class UdpFlows:
    """Takes the UDP packets of batch after batch."""

    def __init__(self, packets: Columns, streams: StreamTable, source: PayloadSource, output: Output) -> None:
        self.streams = streams
        self.source = source
        self.output = output
        self._packets = packets
        self._tries: dict[int, int] = {}
        # Flows in which nothing was recognised for long; yet a WPDU may come, after many heartbeats.
        self._given_up: set[int] = set()
        # Splitters of HDLC by stream and side, with their sinks and the octets that each has taken.
        self._hdlc: OrderedDict[tuple[int, int], tuple[HdlcSplitter, UnitSink, int]] = OrderedDict()

    def add_batch(self, rows: slice, stream: npt.NDArray[np.int32]) -> None:
        """Take the packets `rows`, of these streams."""
        protocol = self._packets["protocol"][rows]
        length = self._packets["payload_length"][rows]
        index = np.flatnonzero((protocol == UDP) & (stream >= 0) & (length > 0))
        if not len(index):
            return
        flow = stream[index]
        address = self._packets["payload"][rows][index]
        captured = self._packets["payload_captured"][rows][index]
        whole = captured == length[index]
        ready = self.source.at_hand(address) & whole & (captured >= HEADER_SIZE)
        heads = np.zeros(len(index), HEAD)
        heads[ready] = self.source.gather(HEAD, address[ready])
        exact = ready & (heads["version"] == 1)
        exact &= heads["length"].astype(np.int64) + HEADER_SIZE == captured
        strong = exact & believable(heads)
        self._recognise_early(index + rows.start, flow, heads, strong)
        framing = self.streams["framing"][flow]
        simple = exact & (framing == Framing.WRAPPER)
        self._add_simple(index[simple] + rows.start, flow[simple], heads[simple], address[simple])
        rest = ~simple & ((framing < Framing.UNKNOWN) | ~whole)
        if self._given_up:
            rest |= np.isin(flow, list(self._given_up.intersection(flow[strong].tolist())))
        for place in np.flatnonzero(rest).tolist():
            self._one(int(index[place]) + rows.start, int(flow[place]))

    def finish(self) -> None:
        """Flows that were not recognised carry no DLMS; APDUs whose segments are not all here are cut."""
        for splitter, _, _ in self._hdlc.values():
            splitter.close(max(0, len(self._packets) - 1))
        self._hdlc.clear()
        mask = (self.streams["protocol"] == UDP) & (self.streams["framing"] == Framing.UNDECIDED)
        self.streams["framing"][mask] = Framing.UNKNOWN

    def _recognise_early(self, packet: Array, flow: Array, heads: Array, strong: Array) -> None:
        """Flows whose first datagram is exactly one believable WPDU."""
        fresh = (self.streams["protocol"] == UDP) & self.streams.undecided
        for tried in self._tries:
            fresh[tried] = False
        rows = np.flatnonzero(fresh[flow])
        if not len(rows):
            return
        first = first_rows(flow[rows], len(self.streams))
        rows = rows[first[first >= 0]]
        for place in rows[strong[rows]].tolist():
            self._recognised(int(flow[place]), Framing.WRAPPER, int(packet[place]), int(heads["tag"][place]))

    def _recognised(self, stream: int, framing: Framing, packet: int, tag: int) -> None:
        self.streams["framing"][stream] = framing
        self._tries.pop(stream, None)
        before = int(self.streams["client_side"][stream])
        self.streams.set_client(stream, tag, int(self._packets["direction"][packet]))
        if before != self.streams["client_side"][stream]:
            self.output.turn_round(stream)

    def _add_simple(self, packet: Array, flow: Array, heads: Array, address: Array) -> None:
        if not len(packet):
            return
        time = self._packets["time"][packet]
        direction = self._packets["direction"][packet] ^ self.streams["client_side"][flow]
        self.output.add_rows(wrapper_rows(heads, packet, time, flow, direction, address), packet)

    def _one(self, packet: int, stream: int) -> None:
        """A datagram that is not simply one WPDU, or whose flow is not recognised yet."""
        column = self._packets
        side, length = int(column["direction"][packet]), int(column["payload_length"][packet])
        captured = min(length, int(column["payload_captured"][packet]))
        address, time = int(column["payload"][packet]), int(column["time"][packet])
        segment = Segment(0, length, address, captured, packet, time, 0)
        if captured < length:
            self.output.find(CUT, stream, side, packet, captured, length - captured)
        octets = self.source.octets(address, captured)
        known = True
        if stream in self._given_up:
            known = self._try_again(stream, packet, octets)
        elif self.streams["framing"][stream] == Framing.UNDECIDED:
            known = self._try(stream, side, packet, octets, length)
        if not known:
            return
        framing = Framing(int(self.streams["framing"][stream]))
        if framing in (Framing.WRAPPER, Framing.SWAPPED):
            self._split(segment, stream, side, octets, swapped=framing is Framing.SWAPPED)
        elif not octets:
            return
        elif framing is Framing.HDLC and octets[0] == _FLAG:
            self._take_frames(segment, stream, side)
        else:
            framing = Framing.IEC_61334_4_32 if framing is Framing.HDLC else framing
            splitter_for(framing, self._sink(stream, side), 0, trusted=True).chunk(segment, packet)

    def _sink(self, stream: int, side: int) -> UnitSink:
        return UnitSink(stream, side, self.streams, self.source, self.output)

    def _take_frames(self, segment: Segment, stream: int, side: int) -> None:
        """HDLC frames, whole ones; the segments of an APDU may go on in the next datagram."""
        key = stream, side
        known = self._hdlc.pop(key, None)
        if known is None:
            sink = self._sink(*key)
            known = HdlcSplitter(sink, 0), sink, 0
        splitter, sink, taken = known
        if len(self._hdlc) >= _MAX_HDLC:
            _, (oldest, _, _) = self._hdlc.popitem(last=False)
            oldest.close(segment.packet)
        stop = taken + segment.stop
        self._hdlc[key] = splitter, sink, stop
        sink.base = taken
        splitter.chunk(segment._replace(start=taken, stop=stop), segment.packet)
        splitter.end_datagram(segment.packet)
        if taken + segment.captured < stop:
            splitter.gap(taken + segment.captured, stop, segment.packet, segment.packet)

    def _try(self, stream: int, side: int, packet: int, octets: bytes, length: int) -> bool:
        """Whether this datagram tells that its flow carries DLMS."""
        framing = Recogniser().add(side, octets, length)
        if framing is Framing.UNDECIDED:
            framing = datagram_framing(octets, registered=DLMS_PORT in self.streams.ports(stream))
        if framing is Framing.UNDECIDED:
            self._tries[stream] = self._tries.get(stream, 0) + 1
            if self._tries[stream] >= MAX_SEGMENTS:
                self._recognised(stream, Framing.UNKNOWN, packet, -1)
                self._given_up.add(stream)
            return False
        wrapped = framing in (Framing.WRAPPER, Framing.SWAPPED) and len(octets) > HEADER_SIZE
        tag = octets[HEADER_SIZE] if wrapped else -1
        self._recognised(stream, framing, packet, tag)
        return framing.carries_dlms

    def _try_again(self, stream: int, packet: int, octets: bytes) -> bool:
        """Whether this datagram of a flow that was given up is exactly one WPDU to believe."""
        if len(octets) < HEAD.itemsize:
            return False
        head = np.frombuffer(octets[: HEAD.itemsize], HEAD)
        if not believable(head)[0] or int(head["length"][0]) + HEADER_SIZE != len(octets):
            return False
        self._given_up.discard(stream)
        self._recognised(stream, Framing.WRAPPER, packet, int(head["tag"][0]))
        return True

    def _split(self, segment: Segment, stream: int, side: int, octets: bytes, *, swapped: bool) -> None:
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
            sink.unit(unit, packet)
        if several:
            sink.found(SEVERAL, packet, 0, len(result.wpdus), result.wpdus[-1].stop)
        if result.trailing:
            start = result.wpdus[-1].stop
            sink.found(TRAILING, packet, start, length - start)
        problem = result.problem
        if isinstance(problem, BadVersion) or (problem is not None and problem.header is None):
            sink.found(SKIPPED, packet, 0, length)
        elif problem is not None and problem.header is not None:
            tag = octets[HEADER_SIZE] if len(octets) > HEADER_SIZE else -1
            pieces = (segment.part(0, len(octets)),)
            unit = Unit(problem.header, tag, len(octets), int(Mark.TRUNCATED), pieces, framing)
            sink.unit(unit, packet)
