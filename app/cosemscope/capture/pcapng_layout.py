"""The layout of pcapng (draft-ietf-opsawg-pcapng), for readers and writers: kinds of blocks, options, heads.

Every block begins with its kind and its length, both of 32 bits in the byte order of its section, and ends
with its length.
"""

import struct
from collections.abc import Iterable, Iterator


class BlockKind:
    """The kinds of blocks that are known here. That of a section is the same in both byte orders."""

    SECTION = 0x0A0D0D0A
    INTERFACE = 1
    OLD_PACKET = 2
    SIMPLE_PACKET = 3
    NAMES = 4
    STATISTICS = 5
    PACKET = 6


PACKETS = frozenset((BlockKind.OLD_PACKET, BlockKind.SIMPLE_PACKET, BlockKind.PACKET))
"""Blocks with a packet."""

MAGIC = struct.pack("<I", BlockKind.SECTION)
BYTE_ORDER_MAGIC = 0x1A2B3C4D
ORDERS = {struct.pack(order + "I", BYTE_ORDER_MAGIC): order for order in "<>"}
"""The byte order of a section, as for `struct`, by the octets 8 to 11 of its header."""

LEAST_BLOCK = 12
_MAX_OPTION = 0xFFFF
MAX_BLOCK = 1 << 26
"""A longer block is not believed: it bounds what is waited for."""

PACKET_HEAD = struct.Struct("<7I")
"""What comes before the octets of a `PACKET` block, as Cosemscope writes it.

Kind, length, interface, upper and lower half of the time, captured and original octets.
"""
LENGTH = struct.Struct("<I")


class BlockOption:
    """Codes of options. Those from 2 on mean something else in each kind of block."""

    COMMENT = 1

    SECTION_HARDWARE, SECTION_SYSTEM, SECTION_APPLICATION = 2, 3, 4
    INTERFACE_NAME, INTERFACE_DESCRIPTION, INTERFACE_RESOLUTION, INTERFACE_FILTER = 2, 3, 9, 11
    INTERFACE_SYSTEM, INTERFACE_OFFSET, INTERFACE_HARDWARE = 12, 14, 15
    STATISTICS_START, STATISTICS_END, STATISTICS_RECEIVED, STATISTICS_DROPPED = 2, 3, 4, 5
    STATISTICS_FILTERED, STATISTICS_DROPPED_BY_SYSTEM, STATISTICS_DELIVERED = 6, 7, 8


class NameRecord:
    """Kinds of records in a block of names."""

    IPV4, IPV6 = 1, 2


class BlockError(ValueError):
    """The octets at the place of a block cannot be one; the text says what it claims."""


def block_heads(octets: bytes | bytearray | memoryview, order: str) -> Iterator[tuple[int, int, int, str]]:
    """The index, kind, length and byte order of blocks that follow one another from the start of `octets`.

    They are in a section of that `order` until another one begins. The last block may not be all there.
    Raises BlockError where it cannot go on.
    """
    section, longest = BlockKind.SECTION, MAX_BLOCK
    head = struct.Struct(order + "II").unpack_from
    at, last = 0, len(octets) - LEAST_BLOCK
    while at <= last:
        kind, length = head(octets, at)
        if kind == section:
            found = ORDERS.get(bytes(octets[at + 8 : at + 12]))
            if found is None:
                raise BlockError("a section without a byte order")
            if found != order:
                order, head = found, struct.Struct(found + "II").unpack_from
                length = head(octets, at)[1]
        if length < LEAST_BLOCK or length & 3 or length > longest:
            raise BlockError(f"a block of {length} octets")
        yield at, kind, length, order
        at += length


def encoded_options(pairs: Iterable[tuple[int, bytes]]) -> bytes:
    """Options with their end, those without a value left out; nothing where none is left.

    A text that is too long for an option is cut between characters.
    """
    encoded = b"".join(_option(code, value) for code, value in pairs if value)
    return encoded + bytes(4) if encoded else b""


def _option(code: int, value: bytes) -> bytes:
    if len(value) > _MAX_OPTION:
        value = value[:_MAX_OPTION].decode("utf-8", "ignore").encode()
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def encoded_block(kind: int, body: bytes) -> bytes:
    """A block with this body, whose length is a multiple of four."""
    length = struct.pack("<I", len(body) + LEAST_BLOCK)
    return struct.pack("<I", kind) + length + body + length
