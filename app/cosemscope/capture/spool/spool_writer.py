"""The spool: an append-only pcapng file that a reader may follow while it grows.

Whatever makes traffic (a capture, a relay, a test link) writes one of these.
Blocks are built whole and handed to the operating system whole, so a reader
meets no half block and a killed process loses nothing that was written. The
format is draft-ietf-opsawg-pcapng; times have nanosecond resolution.
"""

import platform
import struct
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from cosemscope import __version__
from cosemscope.capture.pcapng_layout import (
    BYTE_ORDER_MAGIC,
    LENGTH,
    PACKET_HEAD,
    BlockKind,
    BlockOption,
    encoded_block,
    encoded_options,
)
from cosemscope.capture.spool.spool_file import SpoolError, SpoolFile

LINK_ETHERNET = 1
SNAP_LENGTH = 262144

_NANOSECONDS = b"\x09"
_PADDING = (b"", b"\0", b"\0\0", b"\0\0\0")
# For each packet of a capture: names that are looked up once.
_PACKET, _packet_head, _length = BlockKind.PACKET, PACKET_HEAD.pack, LENGTH.pack


@dataclass(frozen=True)
class SpoolInterface:
    """Source of the packets of a spool: the content of an Interface Description Block.

    `link_type` is a LINKTYPE number; a packet longer than `snap_length` octets is cut there (0: never);
    `capture_filter` is the text of the libpcap filter that was at work, if any.
    """

    name: str
    link_type: int = LINK_ETHERNET
    snap_length: int = SNAP_LENGTH
    description: str = ""
    capture_filter: str = ""


@dataclass(slots=True)
class Counts:
    """Counts of one interface so far, for its Interface Statistics Block.

    `written` packets, the `first` and the `last` of them at these times (ns since the epoch); `received` and
    `dropped` as the operating system counts them, None when it does not tell.
    """

    written: int = 0
    first: int = 0
    last: int = 0
    received: int | None = None
    dropped: int | None = None


def section_block(application: str, system: str) -> bytes:
    """A Section Header Block that names the program and the operating system it ran on."""
    options = encoded_options(
        (
            (BlockOption.SECTION_SYSTEM, system.encode()),
            (BlockOption.SECTION_APPLICATION, application.encode()),
        )
    )
    return encoded_block(BlockKind.SECTION, struct.pack("<IHHq", BYTE_ORDER_MAGIC, 1, 0, -1) + options)


def interface_block(interface: SpoolInterface) -> bytes:
    """An Interface Description Block with nanosecond resolution."""
    capture_filter = b"\0" + interface.capture_filter.encode() if interface.capture_filter else b""
    options = encoded_options(
        (
            (BlockOption.INTERFACE_NAME, interface.name.encode()),
            (BlockOption.INTERFACE_DESCRIPTION, interface.description.encode()),
            (BlockOption.INTERFACE_RESOLUTION, _NANOSECONDS),
            (BlockOption.INTERFACE_FILTER, capture_filter),
        )
    )
    head = struct.pack("<HHI", interface.link_type, 0, interface.snap_length)
    return encoded_block(BlockKind.INTERFACE, head + options)


def packet_block(
    time_ns: int, octets: bytes, *, original: int, interface: int = 0, comment: str | None = None
) -> bytes:
    """An Enhanced Packet Block; `time_ns` counts nanoseconds since the epoch."""
    captured = len(octets)
    tail = _PADDING[-captured & 3]
    if comment:
        tail += encoded_options(((BlockOption.COMMENT, comment.encode()),))
    length = 32 + captured + len(tail)
    head = _packet_head(_PACKET, length, interface, time_ns >> 32, time_ns & 0xFFFFFFFF, captured, original)
    return b"".join((head, octets, tail, _length(length)))


def _time_value(time_ns: int) -> bytes:
    return struct.pack("<II", time_ns >> 32, time_ns & 0xFFFFFFFF)


def statistics_block(interface: int, counts: Counts) -> bytes:
    """An Interface Statistics Block of the interface with that number."""
    pairs = []
    if counts.written:
        pairs += [
            (BlockOption.STATISTICS_START, _time_value(counts.first)),
            (BlockOption.STATISTICS_END, _time_value(counts.last)),
        ]
    if counts.received is not None:
        pairs.append((BlockOption.STATISTICS_RECEIVED, struct.pack("<Q", counts.received)))
    if counts.dropped is not None:
        pairs.append((BlockOption.STATISTICS_DROPPED, struct.pack("<Q", counts.dropped)))
    pairs.append((BlockOption.STATISTICS_DELIVERED, struct.pack("<Q", counts.written)))
    return encoded_block(
        BlockKind.STATISTICS, struct.pack("<I", interface) + _time_value(counts.last) + encoded_options(pairs)
    )


class SpoolWriter:
    """Writes one pcapng file, block by block; an existing file of that name is replaced.

    With `buffer` 0 every packet is in the file when `write` returns. With a
    larger one, whole blocks are collected until they are `buffer` octets, or
    until `flush`: for a busy link, whose writer flushes a few times a second.
    Every method that writes raises SpoolError. Not for several threads at once.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        buffer: int = 0,
        application: str = f"Cosemscope {__version__}",
        system: str | None = None,
    ) -> None:
        self.path = Path(path)
        self._interfaces: list[SpoolInterface] = []
        self._counts: list[Counts] = []
        self._file = SpoolFile(path, buffer=buffer)
        try:
            self._file.put(section_block(application, platform.platform() if system is None else system))
            self._file.flush()
        except SpoolError:
            self._file.release()
            raise

    @property
    def size(self) -> int:
        """Octets in the file so far, those that still wait to be flushed included."""
        return self._file.size

    @property
    def packets(self) -> int:
        """Packets taken so far, of all interfaces."""
        return self._file.packets

    @property
    def interfaces(self) -> tuple[SpoolInterface, ...]:
        """The interfaces added so far, in the order of their numbers."""
        return tuple(self._interfaces)

    @property
    def closed(self) -> bool:
        """True when `close` has been called."""
        return self._file.closed

    def add_interface(
        self,
        name: str,
        link_type: int = LINK_ETHERNET,
        snap_length: int = SNAP_LENGTH,
        description: str = "",
        capture_filter: str = "",
    ) -> int:
        """Add an interface; returns its number, which `write` wants."""
        interface = SpoolInterface(name, link_type, snap_length, description, capture_filter)
        self._file.put(interface_block(interface))
        self._interfaces.append(interface)
        self._counts.append(Counts())
        self._file.flush()
        return len(self._interfaces) - 1

    def write(
        self,
        time_ns: int,
        octets: bytes,
        *,
        original: int | None = None,
        interface: int = 0,
        comment: str | None = None,
    ) -> None:
        """Add a packet seen at `time_ns` (nanoseconds since the epoch, not negative).

        `original` is its length on the wire when `octets` is only its start.
        Raises ValueError for a number that no interface has and for a time out of range.
        """
        if not 0 <= interface < len(self._interfaces):
            raise ValueError(f"the spool has no interface {interface}; it has {len(self._interfaces)}")
        if not 0 <= time_ns < 1 << 64:
            raise ValueError(f"{time_ns} ns is no time that a pcapng file can hold")
        snap_length = self._interfaces[interface].snap_length
        wire = len(octets) if original is None else original
        if snap_length and len(octets) > snap_length:
            octets = octets[:snap_length]
        counts = self._counts[interface]
        if not counts.written:
            counts.first = time_ns
        counts.last = time_ns
        counts.written += 1
        block = packet_block(time_ns, octets, original=wire, interface=interface, comment=comment)
        self._file.put(block, packets=1)

    def count(self, interface: int, *, received: int | None = None, dropped: int | None = None) -> None:
        """Note what the system says that the interface received and dropped; `close` writes it down."""
        counts = self._counts[interface]
        counts.received = received
        counts.dropped = dropped

    def flush(self) -> None:
        """Hand all that waits to the operating system; see `SpoolFile.flush` for when that fails."""
        self._file.flush()

    def close(self) -> None:
        """Write the interfaces' counts, and let go of the file, also when that write fails."""
        if self._file.closed:
            return
        try:
            for number, counts in enumerate(self._counts):
                self._file.put(statistics_block(number, counts))
        finally:
            self._file.close()

    def __enter__(self) -> "SpoolWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
