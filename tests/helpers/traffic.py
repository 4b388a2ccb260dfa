"""Made traffic whose contents are known: conversations become packets, and the truth about them is kept.

`Traffic` collects packets and truth; a `TcpConversation` or `UdpConversation`
says WPDUs (or other octets) in either direction. How TCP carries them is told
by pieces, ranges of octets in the order in which the capture sees them: so a
split, a swap, a repeat, an overlap and a hole are one thing. Nothing depends
on a clock; the same calls give the same packets.
"""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from cosemscope.capture.spool import synthetic_frames
from cosemscope.capture.spool.spool_writer import SpoolWriter
from tests.helpers.traffic_apdus import wpdu

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
START = 1_760_000_400 * SECOND

Address = tuple[str, int]
Piece = tuple[int, int]
Pieces = Sequence[Piece] | Callable[[int], Sequence[Piece]] | None


class Packet(NamedTuple):
    """One captured packet: nanoseconds since the epoch, the Ethernet frame, a comment or ""."""

    time: int
    frame: bytes
    comment: str


class TrueWpdu(NamedTuple):
    """One whole WPDU of the traffic; `time` is that of the packet that brought its last octet."""

    time: int
    protocol: str
    source: str
    destination: str
    source_wport: int
    destination_wport: int
    apdu: bytes


@dataclass
class Truth:
    """What a capture of the traffic must show."""

    wpdus: list[TrueWpdu] = field(default_factory=list)
    retransmissions: int = 0
    out_of_order: int = 0
    missing_octets: int = 0
    tcp_connections: int = 0
    udp_flows: int = 0

    @property
    def apdu_tags(self) -> Counter[int]:
        """How often each APDU tag occurs in whole WPDUs; -1 for a WPDU without data."""
        return Counter(one.apdu[0] if one.apdu else -1 for one in self.wpdus)


class Said(NamedTuple):
    """A WPDU to say: source and destination wPort and the APDU."""

    source: int
    destination: int
    apdu: bytes

    def encode(self) -> bytes:
        """The WPDU's octets."""
        return wpdu(*self)


def address_text(address: Address) -> str:
    """`192.0.2.1:4059` or `[2001:db8::1]:4059`."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def cut_at(size: int, *cuts: int) -> list[Piece]:
    """`size` octets in pieces that end at `cuts`, in order."""
    bounds = [0, *cuts, size]
    return [(start, stop) for start, stop in itertools.pairwise(bounds) if start < stop]


class Traffic:
    """All packets of a made capture, and the truth about it."""

    def __init__(self, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.truth = Truth()
        self._packets: list[Packet] = []
        self._flows: set[frozenset[Address]] = set()

    def add(self, time: int, frame: bytes, comment: str = "") -> None:
        """Put one packet in, at any time."""
        self._packets.append(Packet(time, frame, comment))

    def packets(self) -> list[Packet]:
        """The packets in the order of their times."""
        return sorted(self._packets, key=lambda packet: packet.time)

    def spread(self, low: float, high: float) -> int:
        """A random duration between `low` and `high` milliseconds, in nanoseconds, short ones more likely."""
        share = self.random.random() * self.random.random()
        return int((low + (high - low) * share) * MILLISECOND)

    def tcp(self, client: Address, server: Address, time: int = START, **how: object) -> "TcpConversation":
        """A TCP connection that `client` opens to `server`; `how` as for TcpConversation."""
        self.truth.tcp_connections += 1
        return TcpConversation(self, client, server, time, **how)

    def udp(
        self, client: Address, server: Address, time: int = START, vlan: int | None = None
    ) -> "UdpConversation":
        """Datagrams between `client` and `server`."""
        if frozenset((client, server)) not in self._flows:
            self._flows.add(frozenset((client, server)))
            self.truth.udp_flows += 1
        return UdpConversation(self, client, server, time, vlan)

    def write(self, path: Path, interface: str = "made", description: str = "Traffic made for tests") -> None:
        """Write it as pcapng; the same traffic gives the same octets on every machine."""
        with SpoolWriter(path, buffer=1 << 20, application="Cosemscope sample maker", system="none") as spool:
            spool.add_interface(interface, description=description)
            for packet in self.packets():
                spool.write(packet.time, packet.frame, comment=packet.comment or None)


class TcpConversation:
    """One TCP connection. `now` is its time: every call goes on from there.

    `answer_time` are the bounds of the server's answer times, `think_time` those between an answer and
    the next request, in milliseconds. `first_sequence` are the initiator's and the responder's.
    """

    def __init__(
        self,
        traffic: Traffic,
        client: Address,
        server: Address,
        time: int,
        *,
        answer_time: tuple[float, float] = (40, 160),
        think_time: tuple[float, float] = (3, 40),
        first_sequence: tuple[int, int] | None = None,
        mss: int | None = None,
        vlan: int | None = None,
        round_trip: float = 12,
    ) -> None:
        self.traffic = traffic
        self.client, self.server = client, server
        self.now = time
        self.answer_time, self.think_time = answer_time, think_time
        self.round_trip = int(round_trip * MILLISECOND)
        sequences = first_sequence or (self._number(), self._number())
        self.tcp = synthetic_frames.SyntheticTcp(
            client, server, mss=mss, initial_sequence=sequences, vlan=vlan
        )
        self._vlan = vlan
        self._sent_pieces = 0

    def _number(self) -> int:
        return int(self.traffic.random.random() * (1 << 32))

    def _emit(self, frames: Iterable[bytes], step: int = 30_000, comment: str = "") -> None:
        for frame in frames:
            self.traffic.add(self.now, frame, comment)
            self.now += step
            comment = ""

    def open(self) -> "TcpConversation":
        """The handshake, as a capture beside the client sees it."""
        syn, answer, ack = self.tcp.handshake()
        self._emit([syn])
        self.now += self.round_trip
        self._emit([answer, ack])
        return self

    def close(self, from_client: bool = True) -> None:
        """Both ends finish."""
        self.now += self.traffic.spread(1, 10)
        self._emit(self.tcp.acknowledge(True) + self.tcp.acknowledge(False))
        frames = self.tcp.close(from_client)
        self._emit(frames[:1])
        self.now += self.round_trip
        self._emit(frames[1:])

    def reset(self, from_client: bool) -> None:
        """That end resets the connection."""
        self.now += self.traffic.spread(1, 10)
        self._emit(self.tcp.reset(from_client))

    def ask(self, *said: Said, **how: object) -> None:
        """The client says something, after a while."""
        self.now += self.traffic.spread(*self.think_time)
        self.say(True, *said, **how)

    def answer(self, *said: Said, **how: object) -> None:
        """The server says something, after its time to answer; it had acknowledged the request before."""
        delay = self.traffic.spread(*self.answer_time)
        if delay > 40 * MILLISECOND:
            self.now += self.round_trip
            self._emit(self.tcp.acknowledge(False))
            delay -= self.round_trip
        self.now += max(delay, MILLISECOND // 2)
        self.say(False, *said, **how)

    def say(
        self,
        from_client: bool,
        *said: Said,
        pieces: Pieces = None,
        apart: float = 0.3,
        unsent_after: int | None = None,
        change: Callable[[int, bytes], bytes] | None = None,
        comment: str = "",
    ) -> None:
        """Send WPDUs. `pieces` are ranges of their octets in capture order, `apart` milliseconds apart.

        What no piece covers is missing in the capture, but was sent, unless it is after
        `unsent_after`. `change(number, octets)` may alter the octets of a piece.
        """
        octets = b"".join(one.encode() for one in said)
        starts = self.raw(
            from_client, octets, pieces=pieces, apart=apart, unsent_after=unsent_after, change=change,
            comment=comment,
        )  # fmt: skip
        source, destination = self._ends(from_client)
        at = 0
        for one in said:
            stop = at + 8 + len(one.apdu)
            arrived = [starts.get(octet) for octet in range(at, stop)]
            times = [time for time in arrived if time is not None]
            if len(times) == len(arrived):
                self.traffic.truth.wpdus.append(TrueWpdu(max(times), "tcp", source, destination, *one))
            at = stop

    def raw(
        self,
        from_client: bool,
        octets: bytes,
        *,
        pieces: Pieces = None,
        apart: float = 0.3,
        unsent_after: int | None = None,
        change: Callable[[int, bytes], bytes] | None = None,
        comment: str = "",
    ) -> dict[int, int]:
        """As `say`, for any octets. Returns when each octet was first seen.

        `pieces` may also be a function that makes them from the number of octets.
        """
        sent = octets if unsent_after is None else octets[:unsent_after]
        seen: dict[int, int] = {}
        if pieces is None:
            for start, stop in cut_at(len(sent), *range(self.tcp.mss, len(sent), self.tcp.mss)):
                seen.update(dict.fromkeys(range(start, stop), self.now))
                self._emit(self.tcp.data(from_client, sent[start:stop]), comment="" if start else comment)
            return seen
        pieces = pieces(len(sent)) if callable(pieces) else pieces
        base = self.tcp.next_sequence(from_client)
        self.tcp.data(from_client, sent)  # for its sequence numbers; the pieces are what is captured
        ip_ids = self._ip_ids(pieces)
        for number, (start, stop) in enumerate(pieces):
            part = octets[start:stop]
            self._count(seen, start, stop)
            part = part if change is None else change(number, part)
            frame = self._piece(from_client, base + start, part, ip_ids[number])
            for octet in range(start, stop):
                seen.setdefault(octet, self.now)
            self._emit([frame], step=int(apart * MILLISECOND), comment=comment if number == 0 else "")
        self.traffic.truth.missing_octets += len(sent) - len(seen)
        self._emit(self.tcp.acknowledge(not from_client))
        return seen

    def repeat(self, from_client: bool, octets: bytes, after: float = 250) -> None:
        """Send once more the `octets` that were the last of that end: a retransmission."""
        self.now += int(after * MILLISECOND)
        sequence = self.tcp.next_sequence(from_client) - len(octets)
        self._emit([self._piece(from_client, sequence, octets, *self._ip_ids([(0, len(octets))]))])
        self.traffic.truth.retransmissions += 1

    def _count(self, seen: dict[int, int], start: int, stop: int) -> None:
        """Tell a segment with octets seen before (a retransmission) from a late one, below what was seen."""
        if any(octet in seen for octet in range(start, stop)):
            self.traffic.truth.retransmissions += 1
        elif seen and start < max(seen):
            self.traffic.truth.out_of_order += 1

    def _ip_ids(self, pieces: Sequence[Piece]) -> list[int]:
        """IP ids in the order of sending: what is new by its place in the stream, then what is sent again."""
        seen: set[int] = set()
        keys = []
        for start, stop in pieces:
            keys.append((not seen.isdisjoint(range(start, stop)), start))
            seen.update(range(start, stop))
        ip_ids = [0] * len(pieces)
        for order, number in enumerate(sorted(range(len(pieces)), key=keys.__getitem__), self._sent_pieces):
            ip_ids[number] = 0x8000 + order
        self._sent_pieces += len(pieces)
        return ip_ids

    def _piece(self, from_client: bool, sequence: int, part: bytes, ip_id: int) -> bytes:
        ends = (self.tcp.initiator, self.tcp.responder)
        source, destination = ends if from_client else ends[::-1]
        return synthetic_frames.tcp_frame(
            source,
            destination,
            sequence=sequence,
            acknowledgement=self.tcp.next_sequence(not from_client),
            flags=synthetic_frames.ACK | synthetic_frames.PSH,
            payload=part,
            ip_id=ip_id,
            vlan=self._vlan,
        )

    def _ends(self, from_client: bool) -> tuple[str, str]:
        ends = (address_text(self.client), address_text(self.server))
        return ends if from_client else (ends[1], ends[0])


class UdpConversation:
    """Datagrams between two ends. `now` is its time."""

    def __init__(
        self, traffic: Traffic, client: Address, server: Address, time: int, vlan: int | None
    ) -> None:
        self.traffic = traffic
        self.client, self.server = client, server
        self.now = time
        self._udp = synthetic_frames.SyntheticUdp(client, server, vlan=vlan)

    def say(
        self, from_client: bool, *said: Said, after: float = 5, trailing: bytes = b"", comment: str = ""
    ) -> None:
        """Send WPDUs in one datagram, `after` milliseconds; `trailing` octets follow them in it."""
        octets = b"".join(one.encode() for one in said) + trailing
        ends = (address_text(self.client), address_text(self.server))
        source, destination = ends if from_client else ends[::-1]
        time = self.raw(from_client, octets, after=after, comment=comment)
        for one in said:
            self.traffic.truth.wpdus.append(TrueWpdu(time, "udp", source, destination, *one))

    def raw(self, from_client: bool, octets: bytes, *, after: float = 5, comment: str = "") -> int:
        """Send any octets; returns when."""
        self.now += int(after * MILLISECOND)
        for frame in self._udp.data(from_client, octets):
            self.traffic.add(self.now, frame, comment)
        return self.now
