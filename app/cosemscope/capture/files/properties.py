"""The properties of a capture, as rows of name and value: how its file is written, what made it, its counts.

The rows stand under headings: one for each section, one for each interface. What a capture does not tell
is left out. What is asked of packets is asked of whole columns, so millions of them take some milliseconds.
"""

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from cosemscope.capture.columns import Columns
from cosemscope.capture.files import compression, pcap
from cosemscope.capture.packets.link_types import link_type_name
from cosemscope.capture.pcapng_layout import MAGIC, ORDERS
from cosemscope.capture.records import CaptureError, Interface, Section, Statistics
from cosemscope.capture.source import RecordSource

#: Sections, and interfaces, that are told one by one; a merged capture may have thousands.
MAX_TOLD = 100

Rows = tuple[tuple[str, str], ...]


class Properties(NamedTuple):
    """A heading and the rows (name, value) below it."""

    title: str
    rows: Rows


class Figures(NamedTuple):
    """Figures of all packets: how many, how many of them are `cut` short, their `octets` on the wire.

    `first` and `last` are the earliest and the latest time (ns since the epoch; 0 without packets),
    `by_interface` the packets of each interface.
    """

    packets: int
    cut: int
    octets: int
    first: int
    last: int
    by_interface: tuple[int, ...]


_HEAD = 28
_COUNTS = (
    ("received", "Packets received"),
    ("dropped", "Packets dropped by the interface"),
    ("accepted", "Packets accepted by the filter"),
    ("dropped_by_system", "Packets dropped by the system"),
    ("delivered", "Packets delivered"),
)
_RESOLUTIONS = {1: "seconds", 10**3: "milliseconds", 10**6: "microseconds", 10**9: "nanoseconds"}


def figures_of(packets: Columns, count: int) -> Figures:
    """Figures of the first `count` rows of a packet table, which may grow meanwhile."""
    if not count:
        return Figures(0, 0, 0, 0, 0, ())
    time, captured, original, interface = (
        packets[name][:count] for name in ("time", "captured", "original", "interface")
    )
    return Figures(
        count,
        int(np.count_nonzero(captured < original)),
        int(original.sum(dtype=np.uint64)),
        int(time.min()),
        int(time.max()),
        tuple(np.bincount(interface).tolist()),
    )


def format_rows(source: RecordSource, path: Path) -> Rows:
    """Rows about the format of the file at `path`: format, byte order, compression.

    Nothing while that is not known.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError:  # removed meanwhile
        return ()
    packed = _compression(head)
    try:
        written = _written(source.octets(0, _HEAD) if packed else head)
    except CaptureError:
        return ()
    return (*written, ("Compression", packed or "none")) if written else ()


def origin_of(source: RecordSource, packets: tuple[int, ...] = ()) -> tuple[Properties, ...]:
    """Rows about the sections and interfaces of a capture, as far as it is read.

    `packets` are the packets of each interface.
    """
    sections, interfaces = list(source.sections), list(source.interfaces)
    found = []
    for number, section in enumerate(sections[:MAX_TOLD]):
        title = f"Section {number + 1}" if len(sections) > 1 else "Section"
        found.append(Properties(title, _section_rows(section) or (("", "says nothing of itself"),)))
    if len(sections) > MAX_TOLD:
        found.append(Properties(f"and {len(sections) - MAX_TOLD:,} more sections", ()))
    for number, interface in enumerate(interfaces[:MAX_TOLD]):
        title = f"Interface {number + 1}" if len(interfaces) > 1 else "Interface"
        rows = [("Section", f"{interface.section + 1}")] if len(sections) > 1 else []
        rows += _interface_rows(interface, source.statistics.get(number))
        rows.append(("Packets in this capture", f"{packets[number] if number < len(packets) else 0:,}"))
        found.append(Properties(title, tuple(rows)))
    if len(interfaces) > MAX_TOLD:
        found.append(Properties(f"and {len(interfaces) - MAX_TOLD:,} more interfaces", ()))
    return tuple(found)


def _compression(head: bytes) -> str:
    if not compression.is_compressed(head):
        return ""
    return "gzip" if head.startswith(compression.GZIP) else "Zstandard"


def _written(head: bytes) -> Rows:
    """Rows about the format by the first octets of a capture; nothing for too few of them."""
    if len(head) < pcap.FILE_HEADER:
        return ()
    if head[:4] == MAGIC:
        little = ORDERS.get(head[8:12]) == "<"
        kind, at = "pcapng", 12
    elif head[:4] in pcap.MAGICS:
        variant = pcap.MAGICS[head[:4]]
        little = variant.order == "<"
        kind, at = ("pcap" if variant.header == 16 else "pcap as modified in old Linux systems"), 4
    else:
        return ()
    order: Literal["little", "big"] = "little" if little else "big"
    version = ".".join(str(int.from_bytes(head[place : place + 2], order)) for place in (at, at + 2))
    return ("Format", f"{kind}, version {version}"), ("Byte order", f"{order}-endian")


def _section_rows(section: Section) -> Rows:
    rows = (
        ("Hardware", section.hardware),
        ("Operating system", section.operating_system),
        ("Application", section.application),
        ("Comment", section.comment),
    )
    return tuple(row for row in rows if row[1])


def _interface_rows(interface: Interface, statistics: Statistics | None) -> Rows:
    ticks = interface.resolution
    rows = [
        ("Name", interface.name),
        ("Description", interface.description),
        ("Link type", link_type_name(interface.link_type)),
        ("Snap length", f"{interface.snap_length:,} octets" if interface.snap_length else "unlimited"),
        ("Capture filter", interface.filter),
        ("Time resolution", _RESOLUTIONS.get(ticks, f"1/{ticks:,} s")),
        ("Time offset", f"{interface.offset:,} s" if interface.offset else ""),
        ("Hardware", interface.hardware),
        ("Operating system", interface.operating_system),
        ("Comment", interface.comment),
    ]
    for field, name in _COUNTS if statistics is not None else ():
        counted = getattr(statistics, field)
        rows.append((name, f"{counted:,}" if counted >= 0 else ""))
    return tuple(row for row in rows if row[1])
