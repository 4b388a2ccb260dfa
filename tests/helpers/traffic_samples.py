"""The sample captures of `resources/samples`: `python3 tests/helpers/traffic_samples.py` makes them again.

Each function below is one file. They hold no real traffic: addresses are from
the ranges for documentation, the meters are invented, the keys are published
test keys. The same code gives the same octets everywhere.
"""

import struct
import sys
from collections.abc import Callable
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.helpers.equipment import equip

    equip()

from tests.helpers import traffic_apdus as a
from tests.helpers.traffic import MILLISECOND, SECOND, START, Said, TcpConversation, Traffic, cut_at
from tests.helpers.traffic_meters import (
    AUTHENTICATION,
    ENCRYPTION,
    CipheredSession,
    HdlcSession,
    Meter,
    Session,
)

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"

HEAD_END = "192.0.2.10"
HEAD_END_6 = "2001:db8::10"
CELLULAR = (380.0, 1400.0)
PUSH_SETUP = "0.0.25.9.0.255"


def _meter_address(number: int) -> tuple[str, int]:
    return f"198.51.100.{number}", 4059


def _meter_address_6(number: int) -> tuple[str, int]:
    return f"2001:db8:10::{number:x}", 4059


def _push_body(meter: Meter) -> bytes:
    return a.structure(
        a.octet_string(a.obis(PUSH_SETUP)),
        a.octet_string(meter.device_name.encode()),
        meter.clock(),
        meter.reading(0),
        meter.reading(1),
        meter.reading(3),
    )


def _push(meter: Meter, number: int) -> Said:
    """A data notification of the meter's push setup, from its logical device 1 to client 64."""
    time = a.date_time(2025, 10, 9, 11, 15 * (number % 4), 2)
    return Said(1, 64, a.data_notification(0x0000_0100 + number, time, _push_body(meter)))


def _two_clients_at_once(traffic: Traffic) -> None:
    """A public and a reading client on one connection, their requests in turn."""
    link = traffic.tcp((HEAD_END, 50112), _meter_address(21)).open()
    meter = Meter(21)
    public, reader = Session(link, meter), Session(link, meter, client=1)
    public.associate()
    public.get(1, "0.0.42.0.0.255", 2, a.octet_string(meter.device_name.encode()))
    reader.associate(b"12345678")
    public.get(8, "0.0.1.0.0.255", 2, meter.clock())
    for index in range(9):
        reader.read_register(index)
        if index == 3:
            public.get(1, "0.0.96.1.0.255", 2, a.visible_string("MADE-2025-000021"))
    public.get(3, "1.0.1.8.0.255", 2, 3)  # read-write-denied: not for the public client
    public.release()
    reader.get_list((0, 1, 2, 3))
    reader.access((0, 4, 7))
    reader.get_blocks(rows=96, block=480)
    reader.set_clock()
    reader.get(1, "0.0.96.99.8.255", 2, 4)  # object-undefined
    reader.release()
    link.close()


def _over_a_poor_line(traffic: Traffic) -> None:
    """A meter behind a cellular line, over IPv6: late answers, one segment twice, WPDUs cut and joined."""
    link = traffic.tcp(
        (HEAD_END_6, 50340), _meter_address_6(34), START + 2 * SECOND,
        answer_time=CELLULAR, round_trip=180, first_sequence=(0xFFFF_FE80, 0x1000_2000),
    ).open()  # fmt: skip
    meter = Meter(34)
    session = Session(link, meter)
    session.associate()
    session.get(1, "0.0.42.0.0.255", 2, a.octet_string(meter.device_name.encode()))
    session.read_register(0, pieces=cut_at(17, 5), apart=22, comment="The wrapper header is split")
    session.read_register(3)
    invoke = meter.next_invoke()
    answer = session.down(a.get_response(invoke, meter.reading(4)))
    session.link.ask(session.up(a.get_request(invoke, 3, "1.0.32.7.0.255", 2)))
    link.answer(answer)
    link.repeat(False, answer.encode(), after=640)
    invoke = meter.next_invoke()
    link.ask(session.up(a.get_request(invoke, 3, "1.0.31.7.0.255", 2)))
    event = a.event_notification(b"", 1, "0.0.97.98.0.255", 2, a.double_long_unsigned(4))
    link.answer(
        session.down(a.get_response(invoke, meter.reading(7))), session.down(event),
        comment="Two WPDUs in one segment",
    )  # fmt: skip
    profile = a.get_response(0xC9, meter.profile(40))
    size = 8 + len(profile)
    link.ask(session.up(a.get_request(0xC9, 7, "1.0.99.1.0.255", 2)))
    link.answer(session.down(profile), pieces=cut_at(size, 300, 301, 520), apart=35)
    session.release()
    link.close(False)


def _ciphered(traffic: Traffic) -> None:
    """A session with HLS-GMAC and suite 0; `first-look-keys.toml` opens it."""
    link = traffic.tcp((HEAD_END, 50977), _meter_address(57), START + 5 * SECOND).open()
    session = CipheredSession(link, Meter(57))
    session.associate()
    for index in (0, 1, 3, 4):
        session.read_register(index)
    session.get_blocks(rows=24, block=200)
    session.set_clock()
    session.reconnect()
    session.release()
    link.close()


def _pushes(traffic: Traffic) -> None:
    """Data notifications: datagrams of one meter, a connection that another opens, one ciphered."""
    meter = Meter(44)
    udp = traffic.udp(("198.51.100.44", 4059), (HEAD_END, 4059), START + SECOND)
    for number in range(4):
        udp.say(True, _push(meter, number), after=3_100)
    meter = Meter(71)
    link = traffic.tcp(("2001:db8:10::47", 40210), (HEAD_END_6, 4059), START + 9 * SECOND).open()
    link.ask(_push(meter, 1))
    link.close()
    meter = Meter(72)
    cipher = a.Cipher(meter.title, ENCRYPTION, AUTHENTICATION, 0x210)
    udp = traffic.udp(("198.51.100.72", 4059), (HEAD_END, 4059), START + 10 * SECOND)
    for number in range(2):
        sealed = cipher.general_glo(_push(meter, number).apdu)
        udp.say(True, Said(1, 64, sealed), after=2_400)


def _hdlc(traffic: Traffic, time: int = START + 12 * SECOND) -> HdlcSession:
    """A meter that speaks HDLC over TCP instead of the wrapper."""
    link = traffic.tcp((HEAD_END, 51200), ("198.51.100.66", 4061), time).open()
    meter = Meter(66)
    session = HdlcSession(link, meter)
    session.connect()
    session.exchange(a.aarq(), a.aare())
    for index in (0, 3, 4):
        invoke = meter.next_invoke()
        name = ("1.0.1.8.0.255", "", "", "1.0.1.7.0.255", "1.0.32.7.0.255")[index]
        session.exchange(a.get_request(invoke, 3, name), a.get_response(invoke, meter.reading(index)))
    session.exchange(a.RLRQ, a.RLRE)
    session.disconnect()
    link.close()
    return session


def _refused_association(traffic: Traffic) -> None:
    """A wrong password, then a read without an association, which the meter answers with an exception."""
    link = traffic.tcp((HEAD_END, 51340), _meter_address(23), START + 14 * SECOND).open()
    session = Session(link, Meter(23), client=1)
    refused = a.aare(a.INITIATE_REFUSED, result=1, diagnostic=13)
    session.exchange(a.aarq(mechanism=1, authentication=b"00000000"), refused)
    session.exchange(a.get_request(0xC1, 3, "1.0.1.8.0.255"), a.exception_response(1, 1))
    link.close(False)


def _neighbours(traffic: Traffic, time: int = START + SECOND // 2) -> None:
    """What is not DLMS and stands beside: STUN, whose first octets look like a WPDU's, DNS, HTTP and TLS."""
    cookie, transaction = 0x2112A442, bytes(range(12))
    stun = traffic.udp((HEAD_END, 54320), ("203.0.113.5", 3478), time)
    stun.raw(True, struct.pack("!HHI", 0x0001, 0, cookie) + transaction)
    mapped = struct.pack("!HHBBH4s", 0x0020, 8, 0, 1, 0xF532, bytes(4))
    stun.raw(False, struct.pack("!HHI", 0x0101, len(mapped), cookie) + transaction + mapped, after=31)
    dns = traffic.udp((HEAD_END, 49801), ("203.0.113.53", 53), time)
    question = b"\x04time\x07example\x03com\x00" + struct.pack("!HH", 1, 1)
    dns.raw(True, struct.pack("!HHHHHH", 0x51A2, 0x0100, 1, 0, 0, 0) + question)
    answer = b"\xc0\x0c" + struct.pack("!HHIH4s", 1, 1, 300, 4, bytes((203, 0, 113, 9)))
    dns.raw(False, struct.pack("!HHHHHH", 0x51A2, 0x8180, 1, 1, 0, 0) + question + answer, after=14)
    web = traffic.tcp((HEAD_END, 49900), ("203.0.113.80", 80), time).open()
    web.raw(True, b"GET /status HTTP/1.1\r\nHost: www.example.com\r\n\r\n")
    web.now += 30 * MILLISECOND
    web.raw(False, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
    web.close()
    tls = traffic.tcp((HEAD_END, 49950), ("203.0.113.80", 443), time).open()
    hello = b"\x03\x03" + bytes(range(32)) + b"\0" + struct.pack("!HHH", 4, 0x1301, 0x1302) + b"\1\0"
    handshake = b"\1" + len(hello).to_bytes(3, "big") + hello
    tls.raw(True, b"\x16\x03\x01" + struct.pack("!H", len(handshake)) + handshake)
    tls.now += 30 * MILLISECOND
    tls.raw(False, b"\x15\x03\x03\x00\x02\x02\x28")  # alert: handshake failure
    tls.close(False)


def first_look() -> Traffic:
    """Small and rich: what the start page offers."""
    traffic = Traffic(seed=1)
    _neighbours(traffic)
    _two_clients_at_once(traffic)
    _over_a_poor_line(traffic)
    _ciphered(traffic)
    _pushes(traffic)
    _hdlc(traffic)
    _refused_association(traffic)
    return traffic


def _faulty(traffic: Traffic, number: int, **how: object) -> tuple[TcpConversation, Session]:
    """A connection with an association for the fault with that number."""
    time = START + number * 3 * SECOND
    link = traffic.tcp((HEAD_END, 52000 + number), _meter_address(100 + number), time, **how)
    return link, Session(link, Meter(100 + number))


def _octet_by_octet(traffic: Traffic) -> None:
    link, session = _faulty(traffic, 1)
    link.open()
    session.associate()
    session.read_register(0, pieces=cut_at(17, *range(1, 17)), apart=2, comment="A WPDU, an octet a segment")
    session.release()
    link.close()


def _swapped(traffic: Traffic) -> None:
    link, session = _faulty(traffic, 2)
    link.open()
    session.associate()
    swap = [(6, 21), (0, 6)]
    session.get(8, "0.0.1.0.0.255", 2, session.meter.clock(), pieces=[*swap, (21, 26)], comment="Swapped")
    session.get(8, "0.0.1.0.0.255", 2, session.meter.clock(), pieces=[(20, 26), (8, 20), (0, 8)])
    session.release()
    link.close()


def _overlapping(traffic: Traffic) -> None:
    link, session = _faulty(traffic, 3)
    link.open()
    session.associate()
    clock = session.meter.clock()
    session.get(8, "0.0.1.0.0.255", 2, clock, pieces=[(0, 15), (9, 26)], comment="Segments overlap")
    session.get(8, "0.0.1.0.0.255", 2, clock, pieces=[(0, 12), (0, 26), (0, 26)])
    session.get(
        8, "0.0.1.0.0.255", 2, clock, pieces=[(0, 20), (12, 26)],
        change=lambda number, part: bytes(4) + part[4:] if number else part,
        comment="Segments overlap and disagree",
    )  # fmt: skip
    session.release()
    link.close()


def _with_a_hole(traffic: Traffic) -> None:
    link, session = _faulty(traffic, 4)
    link.open()
    session.associate()
    profile = a.get_response(0xC5, session.meter.profile(20))
    size = 8 + len(profile)
    link.ask(session.up(a.get_request(0xC5, 7, "1.0.99.1.0.255")))
    link.answer(
        session.down(profile), pieces=[(0, 100), (160, size)], comment="60 octets are not in the capture"
    )
    session.read_register(3)
    session.release()
    link.close()


def _reset_in_a_wpdu(traffic: Traffic) -> None:
    link, session = _faulty(traffic, 5)
    link.open()
    session.associate()
    link.ask(session.up(a.get_request(0xC5, 7, "1.0.99.1.0.255")))
    link.answer(
        session.down(a.get_response(0xC5, session.meter.profile(20))),
        pieces=[(0, 120)], unsent_after=120, comment="The connection ends within this WPDU",
    )  # fmt: skip
    link.reset(False)


def _start_not_seen(traffic: Traffic) -> None:
    _, session = _faulty(traffic, 6)
    for index in (0, 1, 3):
        session.read_register(index)
    session.release()
    session.link.close()


def _sequence_wrap(traffic: Traffic) -> None:
    link, session = _faulty(traffic, 7, first_sequence=(0xFFFF_FFD0, 0xFFFF_FFA0))
    link.open()
    session.associate()
    session.read_register(0)
    session.get(7, "1.0.99.1.0.255", 2, session.meter.profile(60), pieces=None)
    session.release()
    link.close()


def _port_used_again(traffic: Traffic) -> None:
    for turn in range(2):
        link, session = _faulty(traffic, 8)
        link.now += turn * SECOND
        link.open()
        session.associate()
        session.read_register(turn)
        session.release()
        link.close()


def _several_in_a_segment(traffic: Traffic) -> None:
    link, session = _faulty(traffic, 9, vlan=120)
    link.open()
    session.associate()
    names = ("1.0.1.8.0.255", "1.0.2.8.0.255", "1.0.1.7.0.255")
    indices = (0, 1, 3)
    link.ask(*(session.up(a.get_request(0xC1 + at, 3, name)) for at, name in enumerate(names)))
    answers = [
        session.down(a.get_response(0xC1 + at, session.meter.reading(index)))
        for at, index in enumerate(indices)
    ]
    link.answer(*answers, pieces=cut_at(51, 20), comment="Three WPDUs, cut within the second")
    session.release()
    link.close()


def _no_answer(traffic: Traffic) -> None:
    link, session = _faulty(traffic, 10)
    link.open()
    session.associate()
    link.ask(session.up(a.get_request(0xC1, 3, "1.0.1.8.0.255")))
    link.now += 5 * SECOND
    session.read_register(3)
    session.release()
    link.close()


def faults() -> Traffic:
    """What goes wrong on the way, a connection a fault."""
    traffic = Traffic(seed=2)
    for fault in (
        _octet_by_octet, _swapped, _overlapping, _with_a_hole, _reset_in_a_wpdu, _start_not_seen,
        _sequence_wrap, _port_used_again, _several_in_a_segment, _no_answer,
    ):  # fmt: skip
        fault(traffic)
    _neighbours(traffic)
    return traffic


def push() -> Traffic:
    """Many meters that push every quarter of an hour, in clear and ciphered, and one that alarms."""
    traffic = Traffic(seed=3)
    for number in range(1, 13):
        meter = Meter(number)
        cipher = a.Cipher(meter.title, ENCRYPTION, AUTHENTICATION, 0x100)
        v6 = number % 3 == 0
        source = (f"2001:db8:20::{number:x}", 4059) if v6 else (f"198.51.100.{number}", 4059)
        link = traffic.udp(source, (HEAD_END_6 if v6 else HEAD_END, 4059), START + number * SECOND)
        for quarter in range(4):
            said = _push(meter, quarter)
            if number % 4 == 0:
                said = Said(1, 64, cipher.general_glo(said.apdu))
            link.say(True, said, after=900_000 + 200 * traffic.random.random())
    link = traffic.udp(("198.51.100.3", 4059), (HEAD_END, 4059), START + 600 * SECOND)
    time = a.date_time(2025, 10, 9, 11, 10, 4)
    alarm = a.event_notification(time, 1, "0.0.97.98.0.255", 2, a.double_long_unsigned(0x0000_0004))
    link.say(True, Said(1, 64, alarm), comment="Alarm register 1")
    link.say(True, _push(Meter(3), 9), trailing=b"\0\0\0", comment="Three octets behind the WPDU")
    link.say(True, _push(Meter(3), 10), _push(Meter(3), 11), comment="Two WPDUs in one datagram")
    return traffic


def key_file(*meters: Meter) -> str:
    """The published test keys for `meters` and the client that talks to them, as TOML."""
    titles = [CipheredSession.CLIENT_TITLE, *(meter.title for meter in meters)]
    lines = ["# Published test keys for the sample captures: no real meter has them.\n"]
    for title in titles:
        lines.append(
            "\n[[key]]\n"
            f'system_title = "{title.hex().upper()}"\n'
            f'encryption = "{ENCRYPTION.hex().upper()}"\n'
            f'authentication = "{AUTHENTICATION.hex().upper()}"\n'
        )
    return "".join(lines)


CAPTURES: dict[str, Callable[[], Traffic]] = {
    "first-look.pcapng": first_look,
    "faults.pcapng": faults,
    "push.pcapng": push,
}

KEY_FILES: dict[str, Callable[[], str]] = {
    "first-look-keys.toml": lambda: key_file(Meter(57), Meter(72)),
    "push-keys.toml": lambda: key_file(Meter(4), Meter(8), Meter(12)),
}


def make(folder: Path) -> None:
    """Write all samples to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, made in CAPTURES.items():
        made().write(folder / name)
    for name, text in KEY_FILES.items():
        (folder / name).write_text(text(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    make(SAMPLES)
