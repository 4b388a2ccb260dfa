"""Which end of a connection came first, by tables of packets, whatever the numbers they begin with."""

from pathlib import Path

import numpy as np
import pytest

from cosemscope.analysis.exchanges.connection_ends import ConnectionEnds
from tests.helpers.wire import ACK, FIN, PSH, RST, Tcp, Wire, analyse, get_request, get_response

CLIENT, SERVER = 0, 1
#: What a side sends: offset behind what both have said, octets, flags, what it acknowledges beyond.
Packet = tuple[int, int, bytes, int, int]
_DATA = b"\0" * 10

#: Packets behind a request and its answer, and what ended the connection: index of its packet and side.
CASES: dict[str, tuple[list[Packet], tuple[int, int]]] = {
    "none": ([(CLIENT, 0, _DATA, PSH, 0)], (-1, -1)),
    "fin, fin": ([(SERVER, 0, b"", FIN, 0), (CLIENT, 0, b"", FIN, 1)], (0, SERVER)),
    "fin, octets of the other, fin": (
        [(CLIENT, 0, b"", FIN, 0), (SERVER, 0, _DATA, PSH, 1), (SERVER, 10, b"", FIN, 1)],
        (0, CLIENT),
    ),
    "fin again": (
        [(SERVER, 0, b"", FIN, 0), (SERVER, 0, b"", FIN, 0), (CLIENT, 0, b"", FIN, 1)],
        (0, SERVER),
    ),
    "fin with octets again": (
        [(SERVER, 0, _DATA, FIN, 0), (CLIENT, 0, b"", FIN, 0), (SERVER, 0, _DATA, FIN, 0)],
        (0, SERVER),
    ),
    "fin that overtook octets": (
        [(SERVER, 10, b"", FIN, 0), (SERVER, 0, _DATA, PSH, 0), (CLIENT, 0, b"", FIN, 11)],
        (0, SERVER),
    ),
    "fin that overtook the other": ([(SERVER, 0, b"", FIN, 1), (CLIENT, 0, b"", FIN, 0)], (1, CLIENT)),
    "fin that its sender went on behind": (
        [(SERVER, 0, b"", FIN, 0), (SERVER, 0, _DATA, PSH, 0), (CLIENT, 0, b"", RST, 10)],
        (2, CLIENT),
    ),
    "rst that its sender went on behind": (
        [(CLIENT, 0, b"", RST, 0), (CLIENT, 0, _DATA, PSH, 0), (SERVER, 0, b"", RST, 10)],
        (2, SERVER),
    ),
    "rst far away": ([(CLIENT, 1 << 30, b"", RST, 0), (SERVER, 0, b"", FIN, 0)], (1, SERVER)),
}


@pytest.mark.parametrize("first", [1000, (1 << 32) - 30], ids=["small", "about to wrap"])
@pytest.mark.parametrize("name", CASES)
def test_the_first_end(name: str, first: int, tmp_path: Path) -> None:
    """Copies, and packets that overtook others, change nothing."""
    packets, (wanted, side) = CASES[name]
    wire = Wire()
    tcp = Tcp(wire, isn=(first, first)).handshake()
    tcp.say(CLIENT, get_request(1))
    tcp.say(SERVER, get_response(1))
    base, said = len(wire.packets), list(tcp.sent)
    for sender, offset, octets, flags, beyond in packets:
        ack = said[1 - sender] + beyond
        tcp.packet(sender, said[sender] + offset, octets, flags=flags | ACK, ack=ack)
    analysis = analyse(wire, tmp_path)
    ends = ConnectionEnds(analysis.packets, analysis.packet_streams, analysis.streams)
    packet, found = ends.first(np.array([0]))
    assert (packet.tolist(), found.tolist()) == ([base + wanted if wanted >= 0 else -1], [side])


def test_what_breaks_off_a_side_that_sends(tmp_path: Path) -> None:
    """The other one may close its direction before and still listen; behind a packet, that counts."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    tcp.say(CLIENT, get_request(1))
    fin = len(wire.packets)
    tcp.packet(CLIENT, tcp.sent[CLIENT], flags=FIN | ACK)
    tcp.say(SERVER, get_response(1))
    reset = len(wire.packets)
    tcp.packet(SERVER, tcp.sent[SERVER], flags=RST | ACK)
    analysis = analyse(wire, tmp_path)
    ends = ConnectionEnds(analysis.packets, analysis.packet_streams, analysis.streams)
    stream, side = np.array([0, 0, 0]), np.array([SERVER, SERVER, CLIENT])
    packet, who = ends.breaking(stream, side, np.array([fin, fin - 1, fin]))
    assert packet.tolist() == [reset, fin, fin]
    assert who.tolist() == [SERVER, CLIENT, CLIENT]
