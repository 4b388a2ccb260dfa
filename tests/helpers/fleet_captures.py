"""Three days of a fleet of 2,000 meters, a capture a day, in which every answer to a question is planted.

    truth = write_fleet(folder)

A head-end reads each meter once a day over UDP, some over TCP, each in an hour of its own. `FleetTruth` says
what was planted; everything else is as it should be.
"""

import struct
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.helpers import packets
from tests.helpers.traffic_apdus import (
    aare,
    aarq,
    double_long_unsigned,
    get_error,
    get_request,
    get_response,
    initiate_request,
    initiate_response,
    visible_string,
    wpdu,
)

SECOND, MILLISECOND = 1_000_000_000, 1_000_000
DAY = 86_400 * SECOND
#: 2026-11-28, 00:00 UTC, a Saturday.
FIRST_DAY = 20_785 * DAY
DAYS = ("2026-11-28", "2026-11-29", "2026-11-30")
METERS = 2000
HEAD_END = "10.1.0.1"
ENERGY, FIRMWARE, SERIAL, PROFILE = "1.0.1.8.0.255", "1.0.0.2.0.255", "0.0.96.1.0.255", "1.0.99.1.0.255"
RLRQ, RLRE = bytes.fromhex("6203800100"), bytes.fromhex("6303800100")

#: Meters by what is planted in them.
SLOW = (11, 222, 333, 444, 555)
SILENT = (700, 801, 902)
COUNTING_BACK = (1201, 1302, 1403, 1504)
REFUSED = (601, 602, 603, 604, 605, 606)
UNREAD = (1701, 1702)
OVER_TCP = tuple(range(50, METERS, 200))
BROKEN = OVER_TCP[:2]
SLOW_HOUR = 13
#: Milliseconds of an answer: usually, of a slow meter, what the slow hour adds, of a profile.
USUAL, SLOWLY, SLOW_HOUR_ADDS, PROFILE_TAKES = 50, 3000, 300, 900


class Said(NamedTuple):
    """A request, its answer (empty: none came), and how many milliseconds that took."""

    request: bytes
    answer: bytes
    takes: int


@dataclass
class FleetTruth:
    """What was planted: counts of requests by firmware and status, of connections by day and outcome."""

    captures: list[Path] = field(default_factory=list)
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    times: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    exchanges: int = 0


def meter(number: int) -> str:
    """The address of a meter."""
    return f"10.20.{number // 250}.{number % 250 + 1}"


def firmware(number: int) -> str:
    """What a meter's firmware says of itself."""
    return "2.1" if number % 4 == 0 else "1.9"


def hour(number: int) -> int:
    """The hour of each day in which a meter is read."""
    return number % 24


def counter(number: int, day: int) -> int:
    """What the counter of a meter says on a day, from 0; those that count back do so on the last day."""
    return 7 if number in COUNTING_BACK and day == 2 else 100_000 + number * 10 + day * 500


def write_fleet(folder: Path, meters: int = METERS) -> FleetTruth:
    """Write a capture a day into a folder; what was planted. `meters`: the first so many of them."""
    truth = FleetTruth()
    for day, name in enumerate(DAYS):
        records = [record for number in range(meters) for record in _conversation(number, day, truth)]
        records.sort(key=lambda record: record[0])
        path = folder / f"fleet-{name}.pcap"
        path.write_bytes(_pcap(records))
        truth.captures.append(path)
    return truth


def _pcap(records: Sequence[tuple[int, bytes]]) -> bytes:
    """A pcap with nanoseconds of packets that begin with their IP header."""
    head = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65_535, 101)
    told = (
        struct.pack("<IIII", *divmod(time, SECOND), len(packet), len(packet)) + packet
        for time, packet in records
    )
    return head + b"".join(told)


def _said(number: int, day: int) -> Iterator[Said]:
    """What is said between the head-end and a meter on a day."""
    takes = USUAL + number % 7 + (SLOW_HOUR_ADDS if hour(number) == SLOW_HOUR else 0)
    if number in SLOW:
        takes = SLOWLY + number % 7
    asked = aarq(initiate_request())
    if number in SILENT and day > 0:
        yield Said(asked, b"", 0)
        return
    if number in REFUSED and day == 1:
        yield Said(asked, aare(b"", result=1, diagnostic=13), takes)
        return
    yield Said(asked, aare(initiate_response()), takes)
    yield Said(get_request(1, 1, FIRMWARE), get_response(1, visible_string(firmware(number))), takes)
    serial = get_error(2, 4) if number % 8 == 0 else get_response(2, visible_string(f"SN{number:06}"))
    yield Said(get_request(2, 1, SERIAL), serial, takes)
    energy = get_response(3, double_long_unsigned(counter(number, day)))
    if number in UNREAD and day == 0:
        energy = get_error(3, 2)
    yield Said(get_request(3, 3, ENERGY), energy, takes)
    if number % 40 == 1:
        yield Said(get_request(4, 7, PROFILE), get_response(4, b"\x01\x00"), PROFILE_TAKES)
    if number in BROKEN and day == 2:
        yield Said(get_request(5, 3, ENERGY), b"", 0)
        return
    yield Said(RLRQ, RLRE, takes)


def _conversation(number: int, day: int, truth: FleetTruth) -> Iterator[tuple[int, bytes]]:
    """The packets of a meter on a day, each with its time in ns; what they come to is put down."""
    said = list(_said(number, day))
    _put_down(number, day, said, truth)
    time = FIRST_DAY + day * DAY + hour(number) * 3600 * SECOND + number // 24 * 20 * SECOND
    carry = _Tcp(number) if number in OVER_TCP else _Udp(number)
    for packet in carry.opening():
        yield time, packet
        time += MILLISECOND
    for request, answer, takes in said:
        yield time, carry.asks(wpdu(16, 1, request))
        time += takes * MILLISECOND
        if answer:
            yield time, carry.answers(wpdu(1, 16, answer))
        time += 20 * MILLISECOND
    for packet in carry.closing(broken=not said[-1].answer):
        yield time, packet
        time += MILLISECOND


def _put_down(number: int, day: int, said: Sequence[Said], truth: FleetTruth) -> None:
    truth.exchanges += len(said)
    for _, answer, takes in said:
        is_error = (answer[:1] == b"\xc4" and answer[3] == 1) or (number in REFUSED and len(said) == 1)
        status = "error" if is_error else "answered"
        if not answer:  # whoever is cut off had no time to answer
            status = "unfinished" if number in BROKEN else "unanswered"
        truth.requests[firmware(number), status] += 1
        if answer:
            truth.times[hour(number)].append(takes)
    outcome = "complete"
    if number in SILENT and day > 0:
        outcome = "unanswered"
    elif number in REFUSED and day == 1:
        outcome = "refused"
    elif number in BROKEN and day == 2:
        outcome = "broken-off"
    truth.outcomes[DAYS[day], outcome] += 1


class _Udp:
    """The datagrams between the head-end and a meter."""

    def __init__(self, number: int) -> None:
        self._meter, self._port = meter(number), 30_000 + number

    def opening(self) -> list[bytes]:
        """There is none."""
        return []

    def asks(self, octets: bytes) -> bytes:
        """The head-end says something."""
        datagram = packets.udp(octets, self._port, 4059)
        return packets.ipv4(datagram, 17, source=HEAD_END, destination=self._meter)

    def answers(self, octets: bytes) -> bytes:
        """The meter says something."""
        datagram = packets.udp(octets, 4059, self._port)
        return packets.ipv4(datagram, 17, source=self._meter, destination=HEAD_END)

    def closing(self, *, broken: bool) -> list[bytes]:
        """There is none."""
        return []


class _Tcp:
    """The segments of a connection between the head-end and a meter, with its handshake and its end."""

    def __init__(self, number: int) -> None:
        self._meter, self._port = meter(number), 30_000 + number
        self._mine, self._its = 1000, 5000

    def _segment(self, octets: bytes, flags: int, *, up: bool) -> bytes:
        ports = (self._port, 4059) if up else (4059, self._port)
        numbers = (self._mine, self._its) if up else (self._its, self._mine)
        head = struct.pack(">HHIIHHHH", *ports, *numbers, 5 << 12 | flags, 0xFFFF, 0, 0)
        ends = (HEAD_END, self._meter) if up else (self._meter, HEAD_END)
        taken = len(octets) + bool(flags & 3)
        if up:
            self._mine += taken
        else:
            self._its += taken
        return packets.ipv4(head + octets, 6, source=ends[0], destination=ends[1])

    def opening(self) -> list[bytes]:
        """SYN, SYN and ACK, ACK."""
        return [
            self._segment(b"", 0x02, up=True),
            self._segment(b"", 0x12, up=False),
            self._segment(b"", 0x10, up=True),
        ]

    def asks(self, octets: bytes) -> bytes:
        """The head-end says something."""
        return self._segment(octets, 0x18, up=True)

    def answers(self, octets: bytes) -> bytes:
        """The meter says something."""
        return self._segment(octets, 0x18, up=False)

    def closing(self, *, broken: bool) -> list[bytes]:
        """A FIN of both sides; or a RST of the meter."""
        if broken:
            return [self._segment(b"", 0x14, up=False)]
        return [
            self._segment(b"", 0x11, up=True),
            self._segment(b"", 0x11, up=False),
            self._segment(b"", 0x10, up=True),
        ]
