"""Wires on which anything happens, from a seed: for tests that all ways of reading them agree."""

import random
from typing import Any

import numpy as np

from tests.helpers.wire import Tcp, Wire, get_request, get_response, wpdu


def busy_wire(seed: int, *, handshake: bool = True) -> Wire:
    """Several connections at once with splits, swaps, repeats, overlaps, shared segments and loss."""
    draw = np.random.default_rng(seed)
    wire = Wire()
    connections = [Tcp(wire, ("10.0.0.1", 50000 + n), isn=(int(draw.integers(1 << 32)), n)) for n in range(6)]
    for connection in connections:
        if handshake:
            connection.handshake()
    for number in range(150):
        connection = connections[int(draw.integers(len(connections)))]
        request, answer = get_request(number), get_response(number, int(draw.integers(8, 300)))
        connection.say(0, request if draw.random() > 0.1 else request + get_request(number + 1000))
        _say_somehow(connection, answer, int(draw.integers(12)), draw)
    for connection in connections[:4]:
        connection.close()
    return wire


def _say_somehow(connection: Tcp, octets: bytes, manner: int, draw: Any) -> None:
    at = connection.sent[1]
    cut = int(draw.integers(1, len(octets)))
    number = connection.identification[1] + 1
    if manner < 5:
        connection.say(1, octets)
    elif manner == 5:
        connection.say(1, octets, [cut])
    elif manner == 6:
        connection.packet(1, at + cut, octets[cut:], identification=number + 1)
        connection.packet(1, at, octets[:cut], identification=number)
        connection.identification[1] += 2
    elif manner == 7:
        connection.say(1, octets, [cut])
        connection.packet(1, at, octets[:cut])
    elif manner == 8:
        connection.packet(1, at, octets[:cut])
        connection.packet(1, at + cut // 2, octets[cut // 2 :])
    elif manner == 9:
        connection.packet(1, at + cut, octets[cut:])  # the first part is not in the capture
    elif manner == 10:
        connection.say(1, octets + get_response(7)[:9])
        connection.say(1, get_response(7)[9:])
    else:
        connection.say(1, octets, list(range(1, min(12, len(octets)))))


def _odd_octets(draw: random.Random) -> bytes:
    """WPDUs, damaged ones, other framings, and noise."""
    whole = draw.choice([get_request, get_response])(draw.getrandbits(16), draw.randrange(7, 80))
    place = draw.randrange(len(whole))
    damaged = whole[:place] + bytes([whole[place] ^ 1 << draw.randrange(8)]) + whole[place + 1 :]
    others = [
        draw.randbytes(draw.randrange(1, 60)),
        b"\0\1" * draw.randrange(1, 20),
        wpdu(b"", draw.getrandbits(16)),
    ]
    return draw.choice([whole, whole, whole, whole, damaged, *others, bytes.fromhex("7ea0070303938c117e")])


def wild_wire(seed: int) -> Wire:
    """Anything at all: noise, jumps, holes, ends in the middle, ports used again, cut packets."""
    draw = random.Random(seed)
    wire = Wire(snap=draw.choice([1 << 18, 1 << 18, 60, 75]))
    connections = [Tcp(wire, ("10.0.0.1", 50000 + n), isn=(draw.getrandbits(32), 5)) for n in range(3)]
    for _ in range(draw.randrange(5, 120)):
        connection, side, manner = draw.choice(connections), draw.randrange(2), draw.random()
        octets, sent = _odd_octets(draw), connection.sent[side]
        if manner < 0.4:
            connection.say(side, octets)
        elif manner < 0.5:
            connection.say(side, octets, [len(octets) // 3] if len(octets) > 3 else ())
        elif manner < 0.6:
            connection.packet(side, max(0, sent + draw.randrange(-60, 60)), octets)
        elif manner < 0.7:
            connection.packet(
                side, draw.choice([-5, 0, sent, draw.getrandbits(26)]), octets, flags=draw.choice([0, 16])
            )
        elif manner < 0.75:
            connection.sent[side] += draw.randrange(1, 100)
        elif manner < 0.8:
            connection.packet(side, sent, flags=draw.choice([1, 2, 3, 4, 17, 18, 20]))
        elif manner < 0.88:
            connection.isn = draw.choice([connection.isn, [draw.getrandbits(32), 7]])
            connection.handshake()
        else:
            wire.udp(("10.0.0.5", draw.choice([1, 4059])), ("10.0.0.6", 2), octets)
    return wire
