"""Fields of the packet that brought a WPDU's first octet, with Wireshark's names: frame, IP, TCP, UDP."""

from itertools import chain

import numpy as np

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.row_field import declared
from cosemscope.analysis.fields.value_arrays import Array, Coded, Several, Values, both, object_array, since
from cosemscope.analysis.fields.value_types import Address, Duration, Flag, Instant, Integer, Text
from cosemscope.analysis.notes import NoteKind
from cosemscope.capture.packets.packet_row import TCP, UDP

_NO_PORT = Integer(none=-1)


@declared("frame.number", Integer(), "Packet", "Number of the packet with the first octet, from 1")
def _number(asked: AskedRows) -> Values:
    return asked.wpdus("first_packet").astype(np.int64) + 1


@declared("frame.time", Instant(), "Packet time", "When that packet was captured")
def _time(asked: AskedRows) -> Values:
    return asked.packets("time")


@declared(
    "frame.time_relative", Duration(), "Since start", "That packet's time since the capture's first packet"
)
def _time_relative(asked: AskedRows) -> Values:
    return since(asked.packets("time"), asked.analysis.packets["time"][:1])


@declared("frame.time_delta", Duration(), "Packet delta", "That packet's time since the packet before it")
def _time_delta(asked: AskedRows) -> Values:
    before = np.maximum(asked.wpdus("first_packet").astype(np.int64) - 1, 0)
    return since(asked.packets("time"), asked.analysis.packets["time"][before])


@declared("frame.len", Integer(), "Packet length", "Octets of that packet on the wire")
def _length(asked: AskedRows) -> Values:
    return asked.packets("original")


@declared("frame.cap_len", Integer(), "Captured", "Octets of that packet in the capture")
def _captured(asked: AskedRows) -> Values:
    return asked.packets("captured")


@declared(
    "frame.interface_id",
    Integer(-1),
    "Interface",
    "Number of the interface that captured that packet, in a file that has interfaces: a pcapng",
)
def _interface(asked: AskedRows) -> Values:
    interfaces = asked.packets("interface").astype(np.int32)
    return interfaces if asked.analysis.reader.sections else np.full(len(interfaces), -1, np.int32)


@declared("frame.marked", Flag(), "Marked", "Whether somebody has marked the WPDU")
def _marked(asked: AskedRows) -> Values:
    return asked.analysis.notes.has(NoteKind.MARKED, asked.numbers)


@declared(
    "frame.ignored",
    Flag(),
    "Ignored",
    "Whether somebody has set the WPDU aside, so that counts and exports leave it out",
)
def _ignored(asked: AskedRows) -> Values:
    return asked.analysis.notes.has(NoteKind.IGNORED, asked.numbers)


@declared(
    "frame.ref_time",
    Flag(),
    "Reference",
    "Whether somebody wants relative times behind the WPDU to count from it",
)
def _reference(asked: AskedRows) -> Values:
    return asked.analysis.notes.has(NoteKind.REFERENCE, asked.numbers)


@declared("frame.comment", Text(), "Comments", "Comments in the capture on the WPDU's packets", several=True)
def _comments(asked: AskedRows) -> Values:
    comments = asked.analysis.notes.comments
    stops, packets = asked.packet_rows
    if not comments:
        return Several(np.zeros(len(stops), np.int64), object_array([]))
    told = [comments.get(packet, ()) for packet in packets.tolist()]
    counts = np.fromiter(map(len, told), np.int64, len(told))
    return Several(np.cumsum(counts)[stops - 1], object_array(list(chain.from_iterable(told))))


@declared("ip.src", Address(), "IP source", "IP address of the sender")
def _source(asked: AskedRows) -> Values:
    return asked.end(port=False)


@declared("ip.dst", Address(), "IP destination", "IP address of the receiver")
def _destination(asked: AskedRows) -> Values:
    return asked.end(receiver=True, port=False)


@declared(
    "ip.addr", Address(), "IP addresses", "IP addresses of both sides, the sender's first", several=True
)
def _addresses(asked: AskedRows) -> Values:
    sender, receiver = asked.end(port=False), asked.end(receiver=True, port=False)
    stops, codes = both(sender.codes, receiver.codes + len(sender.values))
    return Several(stops, Coded(codes, np.concatenate([sender.values, receiver.values])))


@declared("ip.version", Integer(), "IP version", "4 or 6")
def _version(asked: AskedRows) -> Values:
    return asked.analysis.flows["family"][asked.streams("flow")]


@declared("ip.id", Integer(digits=4), "IP id", "Identification of that packet's IP header (0 with IPv6)")
def _ip_id(asked: AskedRows) -> Values:
    return asked.packets("ip_id")


@declared("ip.src_host", Text(), "Source name", "Name that the capture gives to the sender's address")
def _source_host(asked: AskedRows) -> Values:
    return _host(asked, asked.end(port=False))


@declared("ip.dst_host", Text(), "Destination name", "Name that the capture gives to the receiver's address")
def _destination_host(asked: AskedRows) -> Values:
    return _host(asked, asked.end(receiver=True, port=False))


def _host(asked: AskedRows, ends: Coded) -> Coded:
    names = asked.analysis.reader.names
    return Coded(ends.codes, object_array([names.get(address) for address in Address().texts(ends.values)]))


def _ports(asked: AskedRows, protocol: int, *, receiver: bool) -> Array:
    """The port of one side, int32[n]; -1 where another protocol carries the WPDU."""
    ends = asked.end(receiver=receiver)
    port = ends.values["port"].astype(np.int32)[ends.codes]
    return np.where(asked.streams("protocol") == protocol, port, np.int32(-1))


def _both_ports(asked: AskedRows, protocol: int) -> Several:
    """The ports of both sides, none where another protocol carries the WPDU."""
    sender, receiver = (_ports(asked, protocol, receiver=receiver) for receiver in (False, True))
    there = sender >= 0
    return Several(np.cumsum(2 * there), both(sender[there], receiver[there])[1])


@declared("tcp.srcport", _NO_PORT, "TCP source port", "TCP port of the sender")
def _tcp_source(asked: AskedRows) -> Values:
    return _ports(asked, TCP, receiver=False)


@declared("tcp.dstport", _NO_PORT, "TCP dest. port", "TCP port of the receiver")
def _tcp_destination(asked: AskedRows) -> Values:
    return _ports(asked, TCP, receiver=True)


@declared("tcp.port", _NO_PORT, "TCP ports", "TCP ports of both sides, the sender's first", several=True)
def _tcp_ports(asked: AskedRows) -> Values:
    return _both_ports(asked, TCP)


@declared(
    "tcp.stream", Integer(none=-1), "TCP stream", "Number of the connection among the TCP connections, from 0"
)
def _tcp_stream(asked: AskedRows) -> Values:
    return _stream_number(asked, TCP)


@declared("tcp.len", Integer(none=-1), "Segment length", "Octets of TCP payload in that packet")
def _tcp_length(asked: AskedRows) -> Values:
    return _of_tcp(asked, "payload_length")


@declared(
    "tcp.seq_raw",
    Integer(none=-1),
    "Sequence no.",
    "Sequence number of that packet, as it stands in the header",
)
def _sequence(asked: AskedRows) -> Values:
    return _of_tcp(asked, "seq")


@declared(
    "tcp.ack_raw",
    Integer(none=-1),
    "Ack no.",
    "Acknowledgement number of that packet, as it stands in the header",
)
def _acknowledged(asked: AskedRows) -> Values:
    return _of_tcp(asked, "ack")


@declared("tcp.flags", Integer(none=-1, digits=3), "TCP flags", "Flags of that packet's TCP header")
def _flags(asked: AskedRows) -> Values:
    return _of_tcp(asked, "flags")


@declared(
    "tcp.window_size_value", Integer(none=-1), "Window", "Window of that packet, as it stands in the header"
)
def _window(asked: AskedRows) -> Values:
    return _of_tcp(asked, "window")


def _of_tcp(asked: AskedRows, name: str) -> Array:
    """A column of the packet table, int64[n]; -1 where the WPDU did not come by TCP."""
    return np.where(asked.streams("protocol") == TCP, asked.packets(name).astype(np.int64), -1)


@declared(
    "tcp.analysis.initial_rtt", Duration(none=-1), "Handshake", "Round trip of the connection's handshake"
)
def _initial_rtt(asked: AskedRows) -> Values:
    return asked.streams("rtt")


@declared(
    "tcp.analysis.retransmission",
    Flag(),
    "Retransmitted",
    "A segment of the WPDU was sent again, or came late because it was",
)
def _retransmission(asked: AskedRows) -> Values:
    return asked.resent > 0


@declared("udp.srcport", _NO_PORT, "UDP source port", "UDP port of the sender")
def _udp_source(asked: AskedRows) -> Values:
    return _ports(asked, UDP, receiver=False)


@declared("udp.dstport", _NO_PORT, "UDP dest. port", "UDP port of the receiver")
def _udp_destination(asked: AskedRows) -> Values:
    return _ports(asked, UDP, receiver=True)


@declared("udp.port", _NO_PORT, "UDP ports", "UDP ports of both sides, the sender's first", several=True)
def _udp_ports(asked: AskedRows) -> Values:
    return _both_ports(asked, UDP)


@declared("udp.stream", Integer(none=-1), "UDP stream", "Number of the flow among the UDP flows, from 0")
def _udp_stream(asked: AskedRows) -> Values:
    return _stream_number(asked, UDP)


def _stream_number(asked: AskedRows, protocol: int) -> Array:
    """The stream's place among those of a protocol, int64[n]; -1 for streams of another."""
    mine = asked.analysis.streams["protocol"] == protocol
    return np.where(mine, np.cumsum(mine) - 1, -1)[asked.wpdus("stream")]
