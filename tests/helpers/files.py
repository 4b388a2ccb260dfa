"""Builders of capture files, octet by octet: pcap in all variants, pcapng block by block."""

import struct
from collections.abc import Iterable
from typing import NamedTuple

MICRO, NANO, MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34


class Record(NamedTuple):
    """A packet for a file: its time in nanoseconds, its octets, its length on the wire if that is more."""

    time: int
    octets: bytes
    original: int | None = None

    @property
    def length(self) -> int:
        return len(self.octets) if self.original is None else self.original


def pcap(
    records: Iterable[Record],
    *,
    order: str = "<",
    magic: int = MICRO,
    link_type: int = 1,
    snap: int = 262_144,
) -> bytes:
    """A whole pcap file; `order` is `<` or `>`."""
    out = bytearray(struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, link_type))
    unit = 1 if magic == NANO else 1000
    for record in records:
        seconds, rest = divmod(record.time, 1_000_000_000)
        out += struct.pack(order + "IIII", seconds, rest // unit, len(record.octets), record.length)
        if magic == MODIFIED:
            out += struct.pack(order + "IHBB", 2, 0x0800, 0, 0)
        out += record.octets
    return bytes(out)


class Pcapng:
    """The blocks of a pcapng section in one byte order. Each method returns a whole block."""

    def __init__(self, order: str = "<") -> None:
        self.order = order

    def block(self, kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        length = struct.pack(self.order + "I", len(body) + 12)
        return struct.pack(self.order + "I", kind) + length + body + length

    def options(self, *options: tuple[int, bytes]) -> bytes:
        if not options:
            return b""
        out = b"".join(
            struct.pack(self.order + "HH", code, len(value)) + value + bytes(-len(value) % 4)
            for code, value in options
        )
        return out + bytes(4)

    def section(self, *options: tuple[int, bytes]) -> bytes:
        head = struct.pack(self.order + "IHHq", 0x1A2B3C4D, 1, 0, -1)
        return self.block(0x0A0D0D0A, head + self.options(*options))

    def interface(self, link_type: int = 1, snap: int = 0, *options: tuple[int, bytes]) -> bytes:
        return self.block(1, struct.pack(self.order + "HHI", link_type, 0, snap) + self.options(*options))

    def enhanced(
        self,
        ticks: int,
        octets: bytes,
        *options: tuple[int, bytes],
        interface: int = 0,
        original: int | None = None,
    ) -> bytes:
        length = len(octets) if original is None else original
        head = struct.pack(
            self.order + "IIIII", interface, ticks >> 32, ticks & 0xFFFF_FFFF, len(octets), length
        )
        return self.block(6, head + octets + bytes(-len(octets) % 4) + self.options(*options))

    def simple(self, octets: bytes, original: int | None = None) -> bytes:
        length = len(octets) if original is None else original
        return self.block(3, struct.pack(self.order + "I", length) + octets)

    def obsolete(self, ticks: int, octets: bytes, *, interface: int = 0, drops: int = 0) -> bytes:
        head = struct.pack(
            self.order + "HHIIII",
            interface,
            drops,
            ticks >> 32,
            ticks & 0xFFFF_FFFF,
            len(octets),
            len(octets),
        )
        return self.block(2, head + octets)

    def names(self, *records: tuple[int, bytes]) -> bytes:
        return self.block(4, self.options(*records))

    def statistics(self, interface: int, ticks: int, *options: tuple[int, bytes]) -> bytes:
        head = struct.pack(self.order + "III", interface, ticks >> 32, ticks & 0xFFFF_FFFF)
        return self.block(5, head + self.options(*options))

    def number(self, value: int, size: int) -> bytes:
        """A number in this section's byte order, as for an option."""
        return value.to_bytes(size, "little" if self.order == "<" else "big", signed=value < 0)
