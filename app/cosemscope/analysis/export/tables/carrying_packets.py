"""The table of packets: those that carry the WPDUs that are left, or all, and which WPDUs each carries."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.export.tables.out_table import AT_ONCE, OutColumn, OutTable, Subject, chosen
from cosemscope.analysis.export.tables.packet_choice import chosen_packets
from cosemscope.analysis.fields.value_arrays import Coded, Several, Values, coded, object_array
from cosemscope.analysis.fields.value_types import ADDRESS, Address, Duration, Instant, Integer, Text, Word
from cosemscope.capture.packets.packet_row import TCP, UDP

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Packets:
    """Packets of a capture, and where the WPDUs of each stand: `wpdus[starts[p]:starts[p + 1]]`."""

    subject: Subject
    rows: Numbers
    starts: Numbers
    wpdus: Numbers

    def column(self, name: str) -> npt.NDArray[np.int64]:
        """A column of the packet table."""
        column: npt.NDArray[np.int64] = self.subject.analysis.packets[name][self.rows].astype(np.int64)
        return column

    def of_protocol(self, name: str, protocol: int) -> Values:
        """A column of packets of this protocol, -1 of others."""
        return np.where(self.column("protocol") == protocol, self.column(name), -1)

    def end(self, *, receiver: bool, port: bool) -> Coded:
        """The address of the sender, or of the receiver; family 0 where there is none."""
        codes, used = coded(self.column("flow") * 2 + (self.column("direction") ^ receiver))
        ends, flows = np.zeros(len(used), ADDRESS), self.subject.analysis.flows
        for number, letter in enumerate("ab"):
            at = np.flatnonzero((used % 2 == number) & (used >= 0))
            flow = used[at] // 2
            ends["family"][at] = flows["family"][flow]
            for part in ("high", "low", "port") if port else ("high", "low"):
                ends[part][at] = flows[f"{letter}_{part}"][flow]
        return Coded(codes, ends)

    def ends(self, *, receiver: bool) -> Coded:
        """The address without its port as text, None where there is none."""
        codes, ends = self.end(receiver=receiver, port=False)
        texts = Address().texts(ends)
        there = ends["family"].tolist()
        return Coded(
            codes, object_array([text if one else None for text, one in zip(texts, there, strict=True)])
        )

    def port(self, *, receiver: bool) -> Values:
        """The port of one end, -1 where there is none."""
        codes, ends = self.end(receiver=receiver, port=True)
        return np.where(ends["family"] > 0, ends["port"].astype(np.int32), np.int32(-1))[codes]


def packet_table(subject: Subject, names: Sequence[str] | None) -> OutTable:
    """A row a packet that carries octets of the WPDUs that are left; of the whole capture where all are.

    Raises ExportError for a name that no column has.
    """
    columns = chosen(list(_COLUMNS), names, "packets")
    rows = chosen_packets(subject)
    place, packet = subject.analysis.wpdus.pieces(subject.wpdus)
    both = np.unique(packet << 32 | place)  # one that brought two pieces of a WPDU carries it once
    carried = subject.wpdus[both & 0xFFFFFFFF]
    starts = np.searchsorted(both >> 32, np.arange(len(subject.analysis.packets) + 1))

    def batches() -> Iterator[list[Values]]:
        for start in range(0, len(rows), AT_ONCE):
            packets = _Packets(subject, rows[start : start + AT_ONCE], starts, carried)
            yield [_COLUMNS[column](packets) for column in columns]
            subject.told(min(start + AT_ONCE, len(rows)), len(rows))

    return OutTable(tuple(columns), batches(), len(rows))


def _wpdus(packets: _Packets) -> Values:
    first, last = packets.starts[packets.rows], packets.starts[packets.rows + 1]
    stops = np.cumsum(last - first)
    within = np.arange(int(stops[-1]) if len(stops) else 0) - np.repeat(stops - (last - first), last - first)
    return Several(stops, packets.wpdus[np.repeat(first, last - first) + within] + 1)


def _comments(packets: _Packets) -> Values:
    comments = packets.subject.analysis.notes.comments
    told = [comments.get(packet, ()) for packet in packets.rows.tolist()]
    return Several(np.cumsum([len(one) for one in told], dtype=np.int64), object_array(list(chain(*told))))


def _since(packets: _Packets) -> Values:
    since: npt.NDArray[np.int64] = packets.column("time") - packets.subject.analysis.packets["time"][:1]
    return since


def _interface(packets: _Packets) -> Values:
    told = packets.subject.analysis.reader.sections
    return packets.column("interface") if told else np.full(len(packets.rows), -1)


_NONE = Integer(none=-1)
_COLUMNS: dict[OutColumn, Callable[[_Packets], Values]] = {
    OutColumn("frame.number", Integer(), "Number of the packet, from 1"): lambda them: them.rows + 1,
    OutColumn("frame.time", Instant(), "When it was captured"): lambda them: them.column("time"),
    OutColumn("frame.time_relative", Duration(), "Time since the capture's first packet"): _since,
    OutColumn("frame.interface_id", _NONE, "Number of its interface, in a pcapng"): _interface,
    OutColumn("frame.len", Integer(), "Octets on the wire"): lambda them: them.column("original"),
    OutColumn("frame.cap_len", Integer(), "Octets in the capture"): lambda them: them.column("captured"),
    OutColumn("ip.src", Text(), "IP address of the sender"): lambda them: them.ends(receiver=False),
    OutColumn("ip.dst", Text(), "IP address of the receiver"): lambda them: them.ends(receiver=True),
    OutColumn("protocol", Word({TCP: "tcp", UDP: "udp"}, none=0), "What carries it"): lambda them: (
        them.column("protocol")
    ),
    OutColumn("srcport", _NONE, "Port of the sender"): lambda them: them.port(receiver=False),
    OutColumn("dstport", _NONE, "Port of the receiver"): lambda them: them.port(receiver=True),
    OutColumn("stream", _NONE, "Number of its stream, from 0"): lambda them: (
        them.subject.analysis.packet_streams["stream"][them.rows]
    ),
    OutColumn("tcp.seq_raw", _NONE, "Sequence number"): lambda them: them.of_protocol("seq", TCP),
    OutColumn("tcp.ack_raw", _NONE, "Acknowledgement number"): lambda them: them.of_protocol("ack", TCP),
    OutColumn("tcp.flags", Integer(none=-1, digits=4), "Flags of TCP"): lambda them: them.of_protocol(
        "flags", TCP
    ),
    OutColumn("payload", Integer(), "Octets of payload on the wire"): lambda them: them.column(
        "payload_length"
    ),
    OutColumn("wpdus", Integer(), "Numbers of the WPDUs with octets in it", several=True): _wpdus,
    OutColumn("frame.comment", Text(), "Comments in the capture on it", several=True): _comments,
}
