"""Fields of the WPDU itself: times, header, size, segments, marks, and whom its wPorts name."""

import numpy as np

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.row_field import Cost, declared
from cosemscope.analysis.fields.value_arrays import (
    Array,
    Coded,
    Several,
    Values,
    both,
    coded,
    object_array,
    since,
)
from cosemscope.analysis.fields.value_types import Duration, Flag, Instant, Integer, Octets, Term, Text, Word
from cosemscope.capture.octets import SIDE
from cosemscope.streams.tables.wpdu_table import Mark
from cosemscope.transport.wpdu import HEADER_SIZE
from cosemscope.transport.wports import Side, wport_name

_HEADER = "(IEC 62056-4-7, 5.3.2 and 6.3.2)"
_TABLE_1 = "(IEC 62056-4-7, Table 1)"


@declared("wpdu.number", Integer(), "No.", "Number of the WPDU in the capture, from 1")
def _number(asked: AskedRows) -> Values:
    return asked.numbers + 1


@declared("wpdu.time", Instant(), "Time", "When the WPDU's last octet was captured")
def _time(asked: AskedRows) -> Values:
    return asked.wpdus("time")


@declared("wpdu.first_time", Instant(), "First octet", "When the WPDU's first octet was captured")
def _first_time(asked: AskedRows) -> Values:
    return asked.wpdus("first_time")


@declared("wpdu.transfer_time", Duration(), "Transfer", "Time from the WPDU's first octet to its last one")
def _transfer_time(asked: AskedRows) -> Values:
    return since(asked.wpdus("time"), asked.wpdus("first_time"))


@declared("wpdu.time_relative", Duration(), "Since first", "Time since the capture's first WPDU")
def _time_relative(asked: AskedRows) -> Values:
    return since(asked.wpdus("time"), asked.analysis.wpdus["time"][:1])


@declared("wpdu.time_delta", Duration(), "Delta", "Time since the WPDU before, whatever its session")
def _time_delta(asked: AskedRows) -> Values:
    before = np.maximum(asked.numbers - 1, 0)
    return since(asked.wpdus("time"), asked.analysis.wpdus["time"][before])


@declared("wpdu.version", Integer(), "Version", f"Version in the header: 1 {_HEADER}")
def _version(asked: AskedRows) -> Values:
    return asked.wpdus("version")


@declared("wpdu.length", Integer(), "Length", f"Octets of the APDU, as the header says {_HEADER}")
def _length(asked: AskedRows) -> Values:
    return asked.wpdus("length")


@declared("wpdu.size", Integer(), "Size", "Octets of the WPDU that are in the capture, header included")
def _size(asked: AskedRows) -> Values:
    return asked.wpdus("size")


@declared("wpdu.missing", Integer(), "Missing", "Octets that a truncated WPDU lacks")
def _missing(asked: AskedRows) -> Values:
    lacking = asked.wpdus("length").astype(np.int64) + HEADER_SIZE - asked.wpdus("size")
    return np.where(_marked(asked, Mark.TRUNCATED), np.maximum(lacking, 0), 0)


@declared("wpdu.segments", Integer(), "Seg.", "Pieces of TCP segments or datagrams that the WPDU came in")
def _segments(asked: AskedRows) -> Values:
    return asked.wpdus("segments")


@declared("wpdu.packet_count", Integer(), "Packets", "Packets that carried the WPDU")
def _packet_count(asked: AskedRows) -> Values:
    return np.diff(asked.packet_rows[0], prepend=0)


@declared(
    "wpdu.packets",
    Integer(),
    "Packet no.",
    "Numbers of the packets that carried the WPDU, in the order of its octets",
    several=True,
)
def _packets(asked: AskedRows) -> Values:
    stops, packets = asked.packet_rows
    return Several(stops, packets + 1)


@declared(
    "wpdu.offset",
    Integer(none=-1),
    "Offset",
    "Where its first octet lies in the capture file; none where it lies in IP fragments that were joined",
)
def _offset(asked: AskedRows) -> Values:
    address = asked.wpdus("address").astype(np.int64)
    spread = np.flatnonzero(address < 0)
    address[spread] = asked.analysis.wpdus.extents["address"][-1 - address[spread]]
    return np.where(address < SIDE, address, -1)


@declared("wpdu.octets", Octets(), "Octets", "The WPDU's octets, header included", cost=Cost.TREE)
def _octets(asked: AskedRows) -> Values:
    return object_array(asked.octets)


# What is remarkable about it.

_MARKS = {
    Mark.TRUNCATED: ("truncated", "Not all of its octets are in the capture"),
    Mark.RESYNCHRONISED: (
        "resynchronised",
        "Found by searching, after missing octets or octets that are no WPDU",
    ),
    Mark.SHARED: ("shared", "Came in one segment or datagram with another WPDU"),
    Mark.TRAILING: ("trailing", "Octets that are no WPDU follow it in its datagram"),
    Mark.OUT_OF_ORDER: ("out_of_order", "A segment of it was seen after one that was sent later"),
    Mark.DAMAGED: ("damaged", "A check sequence, length field or address of an HDLC frame is wrong"),
}


def _marked(asked: AskedRows, mark: Mark) -> Array:
    return (asked.wpdus("marks") & mark) > 0


@declared(
    "wpdu.marks",
    Term([word for word, _ in _MARKS.values()]),
    "Marks",
    "All that is remarkable about it, in words",
    several=True,
)
def _marks(asked: AskedRows) -> Values:
    set_ = np.stack([_marked(asked, mark) for mark in _MARKS], 1)
    words = object_array([word for word, _ in _MARKS.values()])
    return Several(np.cumsum(set_.sum(1)), Coded(np.nonzero(set_)[1], words))


def _declare_mark(mark: Mark, word: str, meaning: str) -> None:
    @declared(f"wpdu.{word}", Flag(), word.replace("_", " ").capitalize(), meaning)
    def flag(asked: AskedRows) -> Values:
        return _marked(asked, mark)


for _mark, (_word, _meaning) in _MARKS.items():
    _declare_mark(_mark, _word, _meaning)


@declared(
    "tcp.analysis.out_of_order",
    Flag(),
    "TCP out of order",
    "A segment of it was seen after one that was sent later",
)
def _out_of_order(asked: AskedRows) -> Values:
    return _marked(asked, Mark.OUT_OF_ORDER)


# wPorts: numbers of the header, and whom they name by the DLMS roles of the two sides.


@declared("wport.src", Integer(), "Src wPort", f"wPort of the sender {_HEADER}; in HDLC its upper address")
def _source(asked: AskedRows) -> Values:
    return asked.wpdus("source_wport")


@declared("wport.dst", Integer(), "Dst wPort", f"wPort of the receiver {_HEADER}; in HDLC its upper address")
def _destination(asked: AskedRows) -> Values:
    return asked.wpdus("destination_wport")


@declared("wport", Integer(), "wPorts", "wPorts of both sides, the sender's first", several=True)
def _either(asked: AskedRows) -> Values:
    return Several(*both(asked.wpdus("source_wport"), asked.wpdus("destination_wport")))


@declared("wport.src.name", Text(), "Src wPort name", f"Whom the sender's wPort names {_TABLE_1}")
def _source_name(asked: AskedRows) -> Values:
    return _named(asked.wpdus("source_wport"), asked.from_client)


@declared("wport.dst.name", Text(), "Dst wPort name", f"Whom the receiver's wPort names {_TABLE_1}")
def _destination_name(asked: AskedRows) -> Values:
    return _named(asked.wpdus("destination_wport"), ~asked.from_client)


def _named(wport: Array, client: Array) -> Coded:
    """The names of wPorts on the client's side or the server's."""
    codes, used = coded(wport.astype(np.int64) * 2 + client)
    sides = Side.SERVER, Side.CLIENT
    return Coded(codes, object_array([wport_name(one // 2, sides[one % 2]) for one in used.tolist()]))


@declared("wport.client", Integer(), "Client wPort", "wPort of the DLMS client")
def _client(asked: AskedRows) -> Values:
    return np.where(asked.from_client, asked.wpdus("source_wport"), asked.wpdus("destination_wport"))


@declared("wport.server", Integer(), "Server wPort", "wPort of the DLMS server")
def _server(asked: AskedRows) -> Values:
    return np.where(asked.from_client, asked.wpdus("destination_wport"), asked.wpdus("source_wport"))


@declared(
    "role",
    Word({0: Side.SERVER.value, 1: Side.CLIENT.value}),
    "Sender",
    "DLMS role of the sender, told by what it says: client or server",
)
def _role(asked: AskedRows) -> Values:
    return asked.from_client.astype(np.int8)


@declared("session", Integer(), "Session", "Number of the wPort pair on its stream, in this capture, from 0")
def _session(asked: AskedRows) -> Values:
    return asked.pairs
