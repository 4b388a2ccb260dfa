"""Random traffic from a seed: many meters and sessions, cut, shuffled and repeated on the way."""

import itertools
import random

from tests.helpers import traffic_apdus as a
from tests.helpers.traffic import SECOND, START, Piece, Said, Traffic
from tests.helpers.traffic_meters import REGISTERS, CipheredSession, Meter, Session


def random_pieces(chance: random.Random, size: int, holes: bool = False) -> list[Piece]:
    """`size` octets cut anywhere; some pieces change places, come twice or overlap, with `holes` are lost."""
    cuts = sorted({0, size, *(chance.randrange(size + 1) for _ in range(chance.randrange(6)))})
    pieces = list(itertools.pairwise(cuts))
    for at in range(len(pieces) - 1):
        if chance.random() < 0.2:
            pieces[at], pieces[at + 1] = pieces[at + 1], pieces[at]
    for at in range(len(pieces) - 1, -1, -1):
        what = chance.random()
        start, stop = pieces[at]
        # Of a single octet nobody can tell whether it is sent again or probes a closed window.
        if what < 0.1 and stop - start > 1:
            pieces.insert(at + 1, (start, stop))
        elif what < 0.2 and start > 1:
            pieces[at] = (chance.randrange(start - 1), stop)
        elif holes and what < 0.3 and len(pieces) > 2:
            del pieces[at]
    return pieces


def _session(traffic: Traffic, chance: random.Random, number: int, time: int) -> Session:
    v6 = chance.random() < 0.4
    client = ("2001:db8::10" if v6 else "192.0.2.10", 50000 + number)
    host = f"2001:db8:30::{number:x}" if v6 else f"198.51.100.{number % 250 + 1}"
    server = (host, chance.choice((4059, 4059, 4063, 61000)))
    vlan = chance.choice((None, None, 7))
    sequence = chance.choice((None, (0xFFFF_FFF0, 0xFFFF_FF00)))
    link = traffic.tcp(client, server, time, vlan=vlan, first_sequence=sequence)
    wports = chance.choice(((16, 1), (1, 1), (48, 17), (0, 0)))
    meter = Meter(number)
    if chance.random() < 0.25:
        return CipheredSession(link, meter, *wports, general=chance.random() < 0.5)
    return Session(link, meter, *wports)


def _talk(chance: random.Random, session: Session, holes: bool) -> None:
    """A few exchanges in random order; every other answer travels in random pieces."""

    def broken() -> dict[str, object]:
        if chance.random() < 0.5:
            return {}
        return {"pieces": lambda size: random_pieces(chance, size, holes)}

    for _ in range(chance.randrange(3, 12)):
        what = chance.randrange(6)
        if what < 3:
            session.read_register(chance.randrange(len(REGISTERS)), **broken())
        elif what == 3:
            session.get(7, "1.0.99.1.0.255", 2, session.meter.profile(chance.randrange(90)), **broken())
        elif what == 4:
            session.get_blocks(chance.randrange(1, 60), 200)
        else:
            session.set_clock()


def random_traffic(seed: int, connections: int = 8, pushes: int = 5, holes: bool = False) -> Traffic:
    """Traffic of `connections` TCP sessions at the same time and `pushes` pushing meters.

    With `holes`, octets are missing here and there, and the WPDUs that they belong to are not in the truth.
    """
    traffic = Traffic(seed)
    chance = traffic.random
    for number in range(1, connections + 1):
        session = _session(traffic, chance, number, START + chance.randrange(3 * SECOND))
        if chance.random() < 0.85:
            session.link.open()
        session.associate()
        _talk(chance, session, holes)
        session.release()
        if chance.random() < 0.8:
            session.link.close(chance.random() < 0.7)
        else:
            session.link.reset(chance.random() < 0.5)
    for number in range(pushes):
        meter = Meter(500 + number)
        link = traffic.udp((f"198.51.100.{number + 1}", 4059), ("192.0.2.10", 4059), START + number)
        for turn in range(chance.randrange(1, 5)):
            body = a.structure(meter.clock(), meter.reading(0))
            time = a.date_time(2025, 10, 9, 11, turn)
            link.say(True, Said(1, 64, a.data_notification(turn + 1, time, body)), after=700)
    return traffic
