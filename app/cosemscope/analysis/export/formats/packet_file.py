"""A pcapng with some packets of a capture, as they were captured: link types, interfaces, times, comments.

Packets keep their order and their octets, interfaces their numbers, time stamps the resolution of their
interface. The names that the capture gives to addresses go along; keys that it may hold do not.
"""

import ipaddress
import struct
from collections.abc import Iterator
from typing import IO

import numpy as np
import numpy.typing as npt

from cosemscope import __version__
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.export.tables.out_table import Told, nobody
from cosemscope.capture.pcapng_layout import (
    BYTE_ORDER_MAGIC,
    LENGTH,
    PACKET_HEAD,
    BlockKind,
    BlockOption,
    NameRecord,
    encoded_block,
    encoded_options,
)
from cosemscope.capture.records import Interface, Section

Numbers = npt.NDArray[np.int64]

_SECOND = 1_000_000_000
_AT_ONCE = 4096
#: Octets of the capture that are read at once where packets lie near each other.
_MOST_READ = 16 << 20
#: A name is no longer, and a block of names has no more.
_MOST_NAME, _MOST_NAMES = 1 << 10, 1 << 12


def write_packets(
    analysis: Analysis, packets: Numbers, file: IO[bytes], remark: str = "", told: Told = nobody
) -> int:
    """Write these packet rows, int64[n] ascending; the number of those whose octets are not there any more.

    `remark` says in the section's comment what they were chosen by. Raises CaptureError and OSError.
    """
    reader, comments = analysis.reader, analysis.notes.comments
    interfaces = reader.interfaces
    file.write(section_header(reader.sections[0] if reader.sections else Section(), remark))
    for interface in interfaces:
        file.write(interface_description(interface))
    for block in name_blocks(reader.names):
        file.write(block)
    lost = 0
    units = np.array([_SECOND // ticks_of(one) for one in interfaces] or [1], np.int64)
    offsets = np.array([one.offset * _SECOND for one in interfaces] or [0], np.int64)
    for start in range(0, len(packets), _AT_ONCE):
        rows = packets[start : start + _AT_ONCE]
        interface = analysis.packets["interface"][rows]
        ticks = (analysis.packets["time"][rows] - offsets[interface]) // units[interface]
        columns = (interface, np.maximum(ticks, 0), analysis.packets["original"][rows])
        captured = analysis.packets["captured"][rows].tolist()
        fields = zip(
            rows.tolist(),
            *(column.tolist() for column in columns),
            captured,
            _octets(analysis, rows),
            strict=True,
        )
        blocks = []
        for row, number, tick, original, length, octets in fields:
            if len(octets) < length:
                lost += 1
            else:
                blocks.append(packet_block(tick, octets, original, number, comments.get(row, ())))
        file.write(b"".join(blocks))
        told(min(start + _AT_ONCE, len(packets)), len(packets))
    return lost


def _octets(analysis: Analysis, rows: Numbers) -> Iterator[bytes]:
    """The captured octets of packet rows, from one reading where they lie near each other."""
    offset, size = analysis.packets["offset"][rows], analysis.packets["captured"][rows].astype(np.int64)
    first, last = int(offset.min()), int((offset + size).max())
    read = analysis.reader.octets
    if last - first > _MOST_READ:
        yield from map(read, offset.tolist(), size.tolist())
        return
    window = read(first, last - first)
    for start, stop in zip((offset - first).tolist(), (offset + size - first).tolist(), strict=True):
        # A reading ends where a file of a ring does: what lies in the next one is read by itself.
        yield window[start:stop] if stop <= len(window) else read(first + start, stop - start)


def ticks_of(interface: Interface) -> int:
    """The ticks in a second of an interface's stamps as they are written: nanoseconds where those differ."""
    return interface.resolution if _SECOND % interface.resolution == 0 else _SECOND


def section_header(section: Section, remark: str) -> bytes:
    """A section header that names who wrote the file, and on what it was captured."""
    told = "\n".join(filter(None, (section.comment, remark)))
    options = encoded_options(
        (
            (BlockOption.SECTION_HARDWARE, _octets_of(section.hardware)),
            (BlockOption.SECTION_SYSTEM, _octets_of(section.operating_system)),
            (BlockOption.SECTION_APPLICATION, f"Cosemscope {__version__}".encode()),
            (BlockOption.COMMENT, _octets_of(told)),
        )
    )
    return encoded_block(BlockKind.SECTION, struct.pack("<IHHq", BYTE_ORDER_MAGIC, 1, 0, -1) + options)


def interface_description(interface: Interface) -> bytes:
    """An interface as the capture described it; the resolution is a power of ten."""
    decimals = len(str(ticks_of(interface))) - 1
    capture_filter = b"\0" + _octets_of(interface.filter) if interface.filter else b""
    shift = struct.pack("<q", interface.offset) if interface.offset else b""
    options = encoded_options(
        (
            (BlockOption.INTERFACE_NAME, _octets_of(interface.name)),
            (BlockOption.INTERFACE_DESCRIPTION, _octets_of(interface.description)),
            (BlockOption.INTERFACE_RESOLUTION, bytes([decimals])),
            (BlockOption.INTERFACE_FILTER, capture_filter),
            (BlockOption.INTERFACE_SYSTEM, _octets_of(interface.operating_system)),
            (BlockOption.INTERFACE_OFFSET, shift),
            (BlockOption.INTERFACE_HARDWARE, _octets_of(interface.hardware)),
            (BlockOption.COMMENT, _octets_of(interface.comment)),
        )
    )
    head = struct.pack("<HHI", interface.link_type & 0xFFFF, 0, interface.snap_length & 0xFFFFFFFF)
    return encoded_block(BlockKind.INTERFACE, head + options)


def name_blocks(names: dict[str, str]) -> Iterator[bytes]:
    """Blocks with the names of addresses, 4,096 a block."""
    records = []
    for address, name in names.items():
        octets = ipaddress.ip_address(address).packed
        kind = NameRecord.IPV4 if len(octets) == 4 else NameRecord.IPV6
        records.append((kind, octets + _octets_of(name)[:_MOST_NAME] + b"\0"))
    for start in range(0, len(records), _MOST_NAMES):
        yield encoded_block(BlockKind.NAMES, encoded_options(records[start : start + _MOST_NAMES]))


def packet_block(tick: int, octets: bytes, original: int, interface: int, comments: tuple[str, ...]) -> bytes:
    """A packet with its stamp in ticks of its interface, and its comments."""
    captured = len(octets)
    tail = bytes(-captured & 3)
    if comments:
        tail += encoded_options([(BlockOption.COMMENT, _octets_of(comment)) for comment in comments])
    length = 32 + captured + len(tail)
    head = (BlockKind.PACKET, length, interface, tick >> 32, tick & 0xFFFFFFFF, captured, original)
    return b"".join((PACKET_HEAD.pack(*head), octets, tail, LENGTH.pack(length)))


def _octets_of(text: str) -> bytes:
    return text.encode("utf-8", "replace")
