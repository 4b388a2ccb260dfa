"""Captures made packet by packet, for tests of streams: what is sent, and in which order.

A `Wire` collects raw IP packets (link type 101) with any sequence number,
identification and time; `capture` writes them into a pcap file.
"""

import struct
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from cosemscope.analysis.engine import Analysis
from cosemscope.capture.files.reader import open_capture
from cosemscope.streams.decode_as import DecodeAs

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
START = 1_700_000_000_000_000_000
MILLISECOND = 1_000_000
CLIENT, SERVER = ("10.0.0.1", 50000), ("10.0.0.2", 4059)


def wpdu(body: bytes, source: int = 16, destination: int = 1, version: int = 1) -> bytes:
    """A WPDU around an APDU."""
    return struct.pack(">4H", version, source, destination, len(body)) + body


def get_request(number: int, length: int = 13) -> bytes:
    """A WPDU with a GET request of `length` octets that nobody else sends."""
    body = bytes([0xC0, 0x01, 0xC1]) + number.to_bytes(4, "big")
    return wpdu(body.ljust(length, b"\x55")[:length])


def get_response(number: int, length: int = 20) -> bytes:
    """The answer."""
    body = bytes([0xC4, 0x01, 0xC1]) + number.to_bytes(4, "big")
    return wpdu(body.ljust(length, b"\xaa")[:length], 1, 16)


class Wire:
    """Packets in the order of the capture; `time` (ns) goes on by `step` for each."""

    def __init__(self, *, step: int = MILLISECOND, snap: int = 1 << 18) -> None:
        self.packets: list[tuple[int, bytes]] = []
        self.time = START
        self.step = step
        self.snap = snap

    def add(self, octets: bytes, *, wait: int | None = None) -> None:
        """One IP packet, `wait` ns after the one before."""
        self.time += self.step if wait is None else wait
        self.packets.append((self.time, octets))

    def udp(self, source: tuple[str, int], destination: tuple[str, int], octets: bytes) -> None:
        """One datagram."""
        header = struct.pack(">4H", source[1], destination[1], 8 + len(octets), 0)
        self.add(_ip(source, destination, 17, header + octets, 0))

    def capture(self, path: Path) -> Path:
        """Write everything to a pcap file with nanoseconds."""
        out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, self.snap, 101)]
        for time, octets in self.packets:
            kept = octets[: self.snap]
            out.append(struct.pack("<4I", *divmod(time, 10**9), len(kept), len(octets)) + kept)
        path.write_bytes(b"".join(out))
        return path


class Tcp:
    """A TCP connection on a wire; offsets count octets of a direction, 0 the first behind the SYN."""

    def __init__(
        self,
        wire: Wire,
        client: tuple[str, int] = CLIENT,
        server: tuple[str, int] = SERVER,
        *,
        isn: tuple[int, int] = (1000, 9000),
    ) -> None:
        self.wire = wire
        self.ends = (client, server)
        self.isn = list(isn)
        self.sent = [0, 0]
        self.identification = [100, 500]

    def packet(
        self,
        side: int,
        offset: int,
        octets: bytes = b"",
        *,
        flags: int = ACK,
        ack: int | None = None,
        identification: int | None = None,
        wait: int | None = None,
        window: int = 8192,
    ) -> None:
        """Any segment: `octets` at `offset` of a side (0: client), `ack` octets of the other acknowledged."""
        if identification is None:
            identification = self.identification[side] = (self.identification[side] + 1) & 0xFFFF
        seq = (self.isn[side] + 1 + offset) & 0xFFFFFFFF
        other = self.sent[1 - side] if ack is None else ack
        number = (self.isn[1 - side] + 1 + other) & 0xFFFFFFFF if flags & ACK else 0
        source, destination = self.ends[side], self.ends[1 - side]
        header = struct.pack(">HHIIBBHHH", source[1], destination[1], seq, number, 0x50, flags, window, 0, 0)
        self.wire.add(_ip(source, destination, 6, header + octets, identification), wait=wait)
        self.sent[side] = max(self.sent[side], offset + len(octets))

    def handshake(self) -> "Tcp":
        """SYN, SYN-ACK, ACK."""
        self.packet(0, -1, flags=SYN)
        self.packet(1, -1, flags=SYN | ACK, ack=0)
        self.packet(0, 0, ack=0)
        return self

    def say(self, side: int, octets: bytes, pieces: Sequence[int] = ()) -> None:
        """Octets in order, cut at the offsets `pieces`."""
        cuts = [0, *pieces, len(octets)]
        for start, stop in pairwise(cuts):
            self.packet(side, self.sent[side], octets[start:stop], flags=PSH | ACK)

    def close(self) -> None:
        """FIN and FIN."""
        self.packet(0, self.sent[0], flags=FIN | ACK)
        self.packet(1, self.sent[1], flags=FIN | ACK)


def _ip(
    source: tuple[str, int], destination: tuple[str, int], protocol: int, body: bytes, number: int
) -> bytes:
    addresses = bytes(int(part) for end in (source, destination) for part in end[0].split("."))
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), number, 0, 64, protocol, 0) + addresses + body


def analyse(
    wire: Wire,
    folder: Path,
    *,
    decode_as: DecodeAs | None = None,
    one_by_one: bool = False,
    records: int = 65536,
) -> Analysis:
    """Everything of a wire, analysed; the capture file lies in `folder`."""
    reader = open_capture(wire.capture(folder / "wire.pcap"))
    analysis = Analysis(reader, decode_as, one_by_one=one_by_one)
    while analysis.step(records):
        pass
    analysis.finish()
    return analysis


def contents(analysis: Analysis) -> list[bytes]:
    """The octets of all WPDUs, in the order of the table."""
    return [analysis.octets(row) for row in range(len(analysis.wpdus))]


def rows(analysis: Analysis, names: Sequence[str] | None = None) -> list[tuple[object, ...]]:
    """The WPDU rows as tuples, without addresses, each with its packets and octets."""
    wanted = [name for name in (names or analysis.wpdus.names) if name != "address"]
    columns = (analysis.wpdus[name].tolist() for name in wanted)
    return [
        (*row, tuple(analysis.packets_of(number).tolist()), analysis.octets(number))
        for number, row in enumerate(zip(*columns, strict=True))
    ]


def found_items(analysis: Analysis) -> list[tuple[object, ...]]:
    """The expert items as tuples, in the order of their packets."""
    return sorted(
        zip(*(analysis.expert_items[name].tolist() for name in analysis.expert_items.names), strict=True)
    )
