"""Fields of the stream that a WPDU came in: its number, sides, framing, and its counts so far."""

import numpy as np

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.row_field import Cost, declared
from cosemscope.analysis.fields.value_arrays import Coded, Values, object_array, since
from cosemscope.analysis.fields.value_types import Address, Duration, Flag, Instant, Integer, Text, Word
from cosemscope.analysis.outcomes.cause_sentences import CauseSentences
from cosemscope.analysis.outcomes.outcome_words import ConnectionOutcome
from cosemscope.analysis.sessions.session_tree import protocol_name
from cosemscope.capture.packets.packet_row import TCP, UDP
from cosemscope.streams.tables.framing import Framing


@declared("source", Address(port=True), "Source", "IP address and port of the sender")
def _source(asked: AskedRows) -> Values:
    return asked.end()


@declared("destination", Address(port=True), "Destination", "IP address and port of the receiver")
def _destination(asked: AskedRows) -> Values:
    return asked.end(receiver=True)


@declared("client", Address(port=True), "Client", "IP address and port of the DLMS client")
def _client(asked: AskedRows) -> Values:
    return asked.end(receiver=asked.client_is_near != (asked.wpdus("direction") == 0))


@declared("server", Address(port=True), "Server", "IP address and port of the DLMS server")
def _server(asked: AskedRows) -> Values:
    return asked.end(receiver=asked.client_is_near == (asked.wpdus("direction") == 0))


@declared("meter", Address(), "Meter", "IP address of the DLMS server")
def _meter(asked: AskedRows) -> Values:
    return asked.end(receiver=asked.client_is_near == (asked.wpdus("direction") == 0), port=False)


@declared(
    "protocol", Word(protocol_name, numbers=(TCP, UDP)), "Protocol", "What carries the WPDU: tcp or udp"
)
def _protocol(asked: AskedRows) -> Values:
    return asked.streams("protocol")


@declared("stream", Integer(), "Stream", "Number of the TCP connection or UDP flow in this capture, from 0")
def _stream(asked: AskedRows) -> Values:
    return asked.wpdus("stream")


@declared(
    "direction",
    Word({0: "to responder", 1: "to initiator"}),
    "Direction",
    "Whether it goes to the side that accepted the connection, or to the one that opened it",
)
def _direction(asked: AskedRows) -> Values:
    return asked.wpdus("direction")


@declared(
    "wpdu.framing",
    Word(lambda value: Framing(value).word, numbers=Framing),
    "Framing",
    "What stands around the APDU: wrapper (IEC 62056-4-7), swapped, hdlc, mbus, coap, iec-61334-4-32 or bare",
)
def _framing(asked: AskedRows) -> Values:
    return asked.wpdus("framing")


def _counted(name: str, column: str, title: str, meaning: str) -> None:
    @declared(name, Integer(), title, meaning)
    def count(asked: AskedRows) -> Values:
        return asked.streams(column)


_counted("stream.packets", "packets", "Str. packets", "Packets of the stream")
_counted("stream.wpdus", "wpdus", "Str. WPDUs", "Whole WPDUs of the stream")
_counted("stream.octets", "octets", "Str. octets", "Octets of payload of the stream, on the wire")
_counted("stream.retransmissions", "retransmissions", "Str. retrans.", "Retransmitted segments of the stream")
_counted(
    "stream.out_of_order", "out_of_order", "Str. o.o.o.", "Segments of the stream that came out of order"
)
_counted(
    "stream.conflicts",
    "conflicts",
    "Str. conflicts",
    "Segments of the stream that were sent again with other octets",
)
_counted("stream.captured_twice", "captured_twice", "Str. twice", "Packets of the stream captured twice")
_counted("stream.missing", "missing_octets", "Str. missing", "Octets of the stream that were not captured")
_counted("stream.skipped", "skipped_octets", "Str. skipped", "Octets of the stream that are no WPDU")


@declared("stream.start_seen", Flag(), "Str. start", "Whether the capture has the stream's beginning, a SYN")
def _start_seen(asked: AskedRows) -> Values:
    return asked.streams("start_seen")


@declared("stream.ended", Flag(), "Str. ended", "Whether the capture has the stream's end, a FIN or RST")
def _ended(asked: AskedRows) -> Values:
    return asked.streams("ended")


@declared("stream.first_time", Instant(), "Str. begin", "When the stream's first packet was captured")
def _first_time(asked: AskedRows) -> Values:
    return asked.streams("first_time")


@declared(
    "stream.age", Duration(), "Str. age", "Time of the WPDU's last octet since the stream's first packet"
)
def _age(asked: AskedRows) -> Values:
    return since(asked.wpdus("time"), asked.streams("first_time"))


@declared(
    "stream.outcome",
    Word({outcome: outcome.word for outcome in ConnectionOutcome}, none=ConnectionOutcome.NOT_DLMS),
    "Outcome",
    "What the connection came to: complete, refused, unanswered, broken-off, no-association, push-only, "
    "unfinished (the capture ended first) or one-sided (the capture has one direction of it)",
    cost=Cost.WHOLE,
)
def _outcome(asked: AskedRows) -> Values:
    return asked.facts.outcomes.outcome[asked.wpdus("stream")]


@declared("stream.cause", Text(), "Cause", "The first cause of the outcome, in a sentence", cost=Cost.WHOLE)
def _cause(asked: AskedRows) -> Values:
    sentences = CauseSentences(asked.analysis, asked.facts)
    used, places = np.unique(asked.wpdus("stream"), return_inverse=True)
    told = object_array([sentences.sentence(stream) for stream in used.tolist()])
    return Coded(places.reshape(-1), told)


@declared(
    "stream.cause_packet",
    Integer(none=0),
    "Cause packet",
    "Number of the packet with the first cause",
    cost=Cost.WHOLE,
)
def _cause_packet(asked: AskedRows) -> Values:
    return asked.facts.outcomes.packet[asked.wpdus("stream")] + 1
