"""A second, slow and simple reader of captures: dpkt, dictionaries of octets, no columns.

It takes what the truth of made traffic says and checks it from the file's
octets alone, and it is an oracle for the engine. Ethernet only.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import dpkt

from tests.helpers.traffic import address_text


class PlainWpdu(NamedTuple):
    """A WPDU as found: who sent it to whom."""

    protocol: str
    source: str
    destination: str
    source_wport: int
    destination_wport: int
    apdu: bytes


def frames(path: Path) -> Iterator[bytes]:
    """The frames of a pcap or pcapng file."""
    with path.open("rb") as file:
        for _, frame in dpkt.pcap.UniversalReader(file):
            yield frame


def split(octets: bytes) -> list[tuple[int, int, bytes]]:
    """The whole WPDUs at the start of `octets`, as source wPort, destination wPort, APDU."""
    found = []
    at = 0
    while octets[at : at + 2] == b"\x00\x01" and at + 8 <= len(octets):
        source, destination, size = (
            int.from_bytes(octets[at + place : at + place + 2], "big") for place in (2, 4, 6)
        )
        if at + 8 + size > len(octets):
            break
        found.append((source, destination, octets[at + 8 : at + 8 + size]))
        at += 8 + size
    return found


class _Direction:
    """The octets that one end has sent on one connection, first seen first kept."""

    def __init__(self, base: int) -> None:
        self.base = base
        self.octets: dict[int, int] = {}
        self.repeats = 0
        self.late = 0

    def add(self, sequence: int, payload: bytes) -> None:
        start = (sequence - self.base + (1 << 31)) % (1 << 32) - (1 << 31)
        places = range(start, start + len(payload))
        if any(place in self.octets for place in places):
            self.repeats += 1
        elif self.octets and start < max(self.octets):
            self.late += 1
        for place, octet in zip(places, payload, strict=True):
            self.octets.setdefault(place, octet)

    def whole(self) -> bytes:
        start = min(self.octets, default=0)
        end = start
        while end in self.octets:
            end += 1
        return bytes(self.octets[place] for place in range(start, end))

    def missing(self) -> int:
        return max(self.octets) - min(self.octets) + 1 - len(self.octets) if self.octets else 0


class PlainReading:
    """All that a capture without holes shows: `wpdus`, `retransmissions`, `out_of_order`, `missing_octets`.

    Streams on `ports` (client or server) are read as WPDUs.
    """

    def __init__(self, path: Path, ports: frozenset[int] = frozenset((4059,))) -> None:
        self.wpdus: list[PlainWpdu] = []
        self._ports = ports
        self._directions: dict[Any, _Direction] = {}
        self._instance: dict[Any, int] = defaultdict(int)
        for frame in frames(path):
            ip = dpkt.ethernet.Ethernet(frame).data
            if isinstance(ip.data, dpkt.udp.UDP):
                self._datagram(ip, ip.data)
            elif isinstance(ip.data, dpkt.tcp.TCP):
                self._segment(ip, ip.data)
        for (source, destination, _), one in self._directions.items():
            self._found("tcp", source, destination, one.whole())
        self.retransmissions = sum(one.repeats for one in self._directions.values())
        self.out_of_order = sum(one.late for one in self._directions.values())
        self.missing_octets = sum(one.missing() for one in self._directions.values())

    def _found(self, protocol: str, source: Any, destination: Any, octets: bytes) -> None:
        ends = (address_text(source), address_text(destination))
        self.wpdus += [PlainWpdu(protocol, *ends, *one) for one in split(octets)]

    def _ends(self, ip: Any, part: Any) -> tuple[tuple[str, int], tuple[str, int]]:
        return (dpkt.utils.inet_to_str(ip.src), part.sport), (dpkt.utils.inet_to_str(ip.dst), part.dport)

    def _datagram(self, ip: Any, datagram: Any) -> None:
        source, destination = self._ends(ip, datagram)
        if {datagram.sport, datagram.dport} & self._ports:
            self._found("udp", source, destination, datagram.data)

    def _segment(self, ip: Any, segment: Any) -> None:
        source, destination = self._ends(ip, segment)
        if not {segment.sport, segment.dport} & self._ports:
            return
        connection = frozenset((source, destination))
        if segment.flags & dpkt.tcp.TH_SYN and not segment.flags & dpkt.tcp.TH_ACK:
            self._instance[connection] += 1
        key = (source, destination, self._instance[connection])
        if segment.flags & dpkt.tcp.TH_SYN:
            self._directions[key] = _Direction(segment.seq + 1)
        elif segment.data:
            self._directions.setdefault(key, _Direction(segment.seq)).add(segment.seq, segment.data)
