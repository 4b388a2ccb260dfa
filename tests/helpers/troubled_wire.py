"""TCP conversations of known truth: what was sent and when, apart from what a capture saw of it and when.

A `Conversation` has the segments of one connection as `Shot`s. Troubles (`stream_troubles`) delay, lose,
repeat or reorder them; `capture` then writes what stands at the point of capture, numbered in one of the
twelve ways of `NUMBERINGS`, and says what each packet truly is.
"""

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.helpers.files import NANO, Record, pcap
from tests.helpers.packets import ethernet, ipv4, ipv6, tcp
from tests.helpers.wire import ACK, FIN, PSH, SYN, get_request, get_response

MICROSECOND, MILLISECOND = 1_000, 1_000_000
START = 1_700_000_000_000_000_000
#: The round trips (ns) of connections, in turn.
ROUND_TRIPS = (2 * MILLISECOND, 20 * MILLISECOND, 80 * MILLISECOND)
_MSS = 60


@dataclass(frozen=True)
class Shot:
    """One segment: octets from `start` of a side, sent and seen (at the capture) at times in ns.

    `ack`: octets of the other side, -1 for what has arrived; `role` says what it is if it is neither new
    octets nor the same ones again: "keep-alive", "copy", "stray", "damaged".
    """

    side: int
    start: int
    octets: bytes
    sent: int
    seen: int
    flags: int = ACK
    ack: int = -1
    captured: bool = True
    arrives: bool = True
    role: str = ""
    keeps_number: bool = False
    window: int = 8192
    tags: tuple[int, ...] = ()  # identifiers of VLANs, outermost first

    @property
    def stop(self) -> int:
        """The octet behind its last."""
        return self.span.stop

    @property
    def span(self) -> range:
        """The octets that it carries: a SYN counts one before them."""
        first = self.start + (self.flags & SYN > 0)
        return range(first, first + len(self.octets))


@dataclass(frozen=True)
class Numbering:
    """How a sender numbers packets: identifications, timestamps, and the version of IP."""

    name: str
    identify: Callable[[int, random.Random], int] = lambda last, chance: 0
    timestamps: bool = False
    as_seen: bool = False
    family: int = 4


def _rising(last: int, chance: random.Random) -> int:
    return last + 1


NUMBERINGS = (
    Numbering("rising", _rising),
    Numbering("rising, timestamps", _rising, timestamps=True),
    Numbering("zero"),
    Numbering("zero, timestamps", timestamps=True),
    Numbering("random", lambda last, chance: chance.randrange(1, 1 << 16)),
    Numbering("constant", lambda last, chance: 0x4242),
    Numbering("as captured", _rising, as_seen=True),
    Numbering("as captured, timestamps", _rising, timestamps=True, as_seen=True),
    Numbering("shared", lambda last, chance: last + chance.randint(1, 5)),
    Numbering("shared, busy", lambda last, chance: last + chance.randint(1, 300)),
    Numbering("IPv6", family=6),
    Numbering("IPv6, timestamps", timestamps=True, family=6),
)


@dataclass
class Truth:
    """What is truly in a capture: WPDUs, and of packets, by row, fillers of gaps and everything else."""

    wpdus: list[bytes] = field(default_factory=list)
    overtaken: set[int] = field(default_factory=set)
    sent_again: set[int] = field(default_factory=set)  # fillers of gaps that had been sent before
    repeated: set[int] = field(default_factory=set)  # octets that had been seen before
    roles: dict[str, set[int]] = field(default_factory=dict)


class Conversation:
    """A connection: its shots, the bursts (indexes of a write's segments) among them, and its WPDUs."""

    def __init__(self, seed: int, *, exchanges: int = 12, mss: int = _MSS, rtt: int | None = None) -> None:
        self.chance = random.Random(seed)
        self.rtt = ROUND_TRIPS[seed % len(ROUND_TRIPS)] if rtt is None else rtt
        self.isn = [self.chance.randrange(1 << 32), self.chance.randrange(1 << 32)]
        self.client_port = 20_000 + seed
        self.wpdus: list[bytes] = []
        self.shots: list[Shot] = []
        self.bursts: list[list[Shot]] = []
        self.sides = (0, 1)
        self.snap = 1 << 16
        #: After how many ns, and in which VLANs, every packet is captured a second time.
        self.copies: tuple[int, tuple[int, ...]] | None = None
        self._time = START + seed * 1_000 * MILLISECOND
        self._sent = [0, 0]
        self._mss = mss
        self._handshake()
        for number in range(exchanges):
            self._exchange(seed * 1000 + number)
        self.end()

    def _handshake(self) -> None:
        time, rtt = self._time, self.rtt
        self.shots += [
            Shot(0, -1, b"", time, time, SYN, ack=-2),
            Shot(1, -1, b"", time + rtt // 2, time + rtt, SYN | ACK, ack=0),
            Shot(0, 0, b"", time + rtt, time + rtt, ack=0),
        ]
        self._time += rtt + 10 * MICROSECOND

    def _exchange(self, number: int) -> None:
        request = get_request(number, 13)
        self.say(0, request)
        response = get_response(number, self.chance.randint(5 * self._mss, 9 * self._mss))
        self.bursts.append(self.say(1, response))
        self._time += self.chance.randint(600, 900) * MILLISECOND

    def say(self, side: int, octets: bytes, *, wpdu: bool = True) -> list[Shot]:
        """Write octets, cut into segments; the next write comes when they have arrived."""
        way = self.rtt // 2
        # The capture stands beside the client: what that sends is seen at once.
        delay = way if side else 0
        burst = []
        for at in range(0, len(octets), self._mss):
            part = octets[at : at + self._mss]
            burst.append(Shot(side, self._sent[side], part, self._time, self._time + delay, PSH | ACK))
            self._sent[side] += len(part)
            self._time += self.chance.randint(20, 200) * MICROSECOND
        self.shots += burst
        self._time += way
        if wpdu:
            self.wpdus.append(octets)
        return burst

    def wait(self, time: int) -> None:
        """Let ns go by."""
        self._time += time

    def end(self) -> None:
        """FIN of both sides, once what was sent again has come, too."""
        self._time += 3_000 * MILLISECOND
        self.shots.append(Shot(0, self._sent[0], b"", self._time, self._time, FIN | ACK))
        self._time += self.rtt
        self.shots.append(Shot(1, self._sent[1], b"", self._time - self.rtt // 2, self._time, FIN | ACK))

    def change(self, old: Shot, **changes: object) -> Shot:
        """Another shot in the place of this one."""
        new = replace(old, **changes)  # type: ignore[arg-type]
        self.shots[self.shots.index(old)] = new
        return new


def capture(path: Path, conversations: list[Conversation], numbering: Numbering) -> Truth:
    """Write a capture (Ethernet, nanoseconds) of these conversations, one numbering for all senders."""
    truth, packets = Truth(), []
    for conversation in conversations:
        truth.wpdus += conversation.wpdus
        packets += list(_packets(conversation, numbering))
    packets.sort(key=lambda packet: packet[0])
    known: dict[int, _Seen] = {}
    for row, (_, _, shot, again, owner) in enumerate(packets):
        _judge(truth, row, shot, again, known.setdefault(2 * owner + shot.side, _Seen()))
    snap = min(conversation.snap for conversation in conversations)
    records = [Record(time, octets[:snap], len(octets)) for time, octets, _, _, _ in packets]
    path.write_bytes(pcap(records, magic=NANO))
    return truth


class _Seen:
    def __init__(self) -> None:
        self.octets: set[int] = set()
        self.highest = 0


def _judge(truth: Truth, row: int, shot: Shot, again: bool, seen: _Seen) -> None:
    """Say what a packet is, from what was sent and seen before it."""
    if shot.role:
        truth.roles.setdefault(shot.role, set()).add(row)
        return
    if not shot.octets:
        return
    octets = shot.span
    if not seen.octets.isdisjoint(octets):
        truth.repeated.add(row)
    elif octets.start < seen.highest:
        (truth.sent_again if again else truth.overtaken).add(row)
    seen.octets.update(octets)
    seen.highest = max(seen.highest, shot.stop)


def _packets(
    conversation: Conversation, numbering: Numbering
) -> Iterator[tuple[int, bytes, Shot, bool, int]]:
    """The packets of a conversation that were captured: time, octets, shot, whether it was sent again."""
    shots = _with_acks(conversation)
    order = sorted(shots, key=lambda shot: shot.seen if numbering.as_seen else shot.sent)
    last = [conversation.chance.randrange(1 << 15), conversation.chance.randrange(1 << 15)]
    numbers: dict[int, int] = {}
    first: dict[tuple[int, int], int] = {}
    for shot in order:
        key = shot.side, shot.start
        if shot.keeps_number and key in first:
            numbers[id(shot)] = first[key]
            continue
        last[shot.side] = numbering.identify(last[shot.side], conversation.chance) & 0xFFFF
        numbers[id(shot)] = last[shot.side]
        if shot.octets:
            first.setdefault(key, last[shot.side])
    sent: list[set[int]] = [set(), set()]
    again = set()
    for shot in sorted(shots, key=lambda shot: shot.sent):
        if not shot.role and shot.octets and not sent[shot.side].isdisjoint(shot.span):
            again.add(id(shot))
        if not shot.role:
            sent[shot.side].update(shot.span)
    for shot in shots:
        if shot.captured and shot.side in conversation.sides:
            octets = frame(conversation, shot, numbers[id(shot)], numbering)
            yield shot.seen, octets, shot, id(shot) in again, conversation.client_port
            if conversation.copies:
                after, tags = conversation.copies
                copy = replace(shot, seen=shot.seen + after, tags=tags, role="copy")
                octets = frame(conversation, copy, numbers[id(shot)], numbering)
                yield copy.seen, octets, copy, False, conversation.client_port


def _with_acks(conversation: Conversation) -> list[Shot]:
    """The shots with their acknowledgement numbers, and the acknowledgements that the client adds."""
    have: list[set[int]] = [set(), set()]
    next_octet = [0, 0]
    shots: list[Shot] = []
    todo = sorted(conversation.shots, key=lambda shot: shot.seen if shot.side else shot.sent)
    for shot in todo:
        other = 1 - shot.side
        shots.append(replace(shot, ack=next_octet[other]) if shot.ack == -1 else shot)
        if not shot.arrives or not shot.octets:
            continue
        have[shot.side].update(shot.span)
        while next_octet[shot.side] in have[shot.side]:
            next_octet[shot.side] += 1
        if shot.side and not shot.role:
            time = shot.seen + 5 * MICROSECOND
            shots.append(Shot(0, next_octet[0], b"", time, time, ack=next_octet[1]))
    return shots


def frame(conversation: Conversation, shot: Shot, number: int, numbering: Numbering) -> bytes:
    """The Ethernet frame of a shot, TCP's checksum included."""
    ports = (conversation.client_port, 4059)
    own, other = shot.side, 1 - shot.side
    options = b""
    if numbering.timestamps:
        stamp = (shot.sent // MILLISECOND + 7_000_000 * own) & 0xFFFFFFFF
        options = struct.pack(">BBBBII", 1, 1, 8, 10, stamp, 1)
    if shot.flags & SYN:
        options = bytes.fromhex("020405b4") + options
    segment = tcp(
        shot.octets,
        ports[own],
        ports[other],
        seq=(conversation.isn[own] + 1 + shot.start) & 0xFFFFFFFF,
        ack=(conversation.isn[other] + 1 + shot.ack) & 0xFFFFFFFF if shot.flags & ACK else 0,
        flags=shot.flags,
        window=shot.window,
        options=options,
    )
    if numbering.family == 6:
        ends = ("2001:db8::1", "2001:db8::2")
        packet = ipv6(segment, source=ends[own], destination=ends[other])
        pseudo = packet[8:40] + struct.pack(">II", len(segment), 6)
    else:
        ends = ("10.0.0.1", "10.0.0.2")
        packet = ipv4(segment, source=ends[own], destination=ends[other], number=number)
        pseudo = packet[12:20] + struct.pack(">HH", 6, len(segment))
    total = checksum(pseudo + segment)
    at = len(packet) - len(segment) + 16
    octets = packet[:at] + struct.pack(">H", total) + packet[at + 2 :]
    if shot.role == "damaged":
        octets = octets[:-3] + bytes([octets[-3] ^ 0xFF]) + octets[-2:]
    kind = 0x0800 if numbering.family == 4 else 0x86DD
    if not shot.tags:
        return ethernet(octets, kind)
    inner = b"".join(struct.pack(">HH", tag, 0x8100) for tag in shot.tags[:-1])
    return ethernet(inner + struct.pack(">HH", shot.tags[-1], kind) + octets, 0x8100)


def checksum(octets: bytes) -> int:
    """The Internet checksum (RFC 1071) of octets."""
    total = sum(struct.unpack(f">{(len(octets) + 1) // 2}H", octets + bytes(len(octets) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
