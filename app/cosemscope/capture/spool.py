"""The spool: an append-only pcapng file that a reader may follow while it grows.

Whatever makes traffic (a capture, a relay, a test link) writes one of these.
Blocks are built whole and handed to the operating system whole, so a reader
meets no half block and a killed process loses nothing that was written. The
format is draft-ietf-opsawg-pcapng; times have nanosecond resolution.
"""

import errno
import os
import platform
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from cosemscope import __version__

LINK_ETHERNET = 1
SNAP_LENGTH = 262144

_SECTION_HEADER = 0x0A0D0D0A
_INTERFACE_DESCRIPTION = 1
_INTERFACE_STATISTICS = 5
_ENHANCED_PACKET = 6
_BYTE_ORDER_MAGIC = 0x1A2B3C4D
_NANOSECONDS = b"\x09"
_MAX_OPTION = 0xFFFF

_COMMENT = 1
_SHB_OS, _SHB_APPLICATION = 3, 4
_IF_NAME, _IF_DESCRIPTION, _IF_RESOLUTION, _IF_FILTER = 2, 3, 9, 11
_ISB_START, _ISB_END, _ISB_RECEIVED, _ISB_DROPPED, _ISB_DELIVERED = 2, 3, 4, 5, 8

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file has reached the largest size that its disk allows",
    errno.EIO: "the disk reports an error",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "it may not be written there (permission denied)",
    errno.EPERM: "it may not be written there (operation not permitted)",
    errno.ENOENT: "the folder does not exist",
    errno.EISDIR: "that is a folder",
}


class SpoolError(Exception):
    """The spool cannot be written; the message is a sentence for people, with the file's name.

    What had been written before stays in the file, which ends after a whole block.
    """


@dataclass(frozen=True)
class SpoolInterface:
    """Where packets of a spool come from: an Interface Description Block's content.

    `link_type` is a LINKTYPE number; a packet longer than `snap_length` octets is cut there (0: never);
    `capture_filter` is the text of the libpcap filter that was at work, if any.
    """

    name: str
    link_type: int = LINK_ETHERNET
    snap_length: int = SNAP_LENGTH
    description: str = ""
    capture_filter: str = ""


class _Counts:
    """What one interface has delivered so far, for its Interface Statistics Block."""

    __slots__ = ("dropped", "first", "last", "received", "written")

    def __init__(self) -> None:
        self.written = 0
        self.first = 0
        self.last = 0
        self.received: int | None = None
        self.dropped: int | None = None


def _option(code: int, value: bytes) -> bytes:
    if len(value) > _MAX_OPTION:
        value = value[:_MAX_OPTION].decode("utf-8", "ignore").encode()
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def _options(pairs: Sequence[tuple[int, bytes]]) -> bytes:
    encoded = b"".join(_option(code, value) for code, value in pairs if value)
    return encoded + bytes(4) if encoded else b""


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def section_block(application: str, system: str) -> bytes:
    """A Section Header Block that names the program and the operating system it ran on."""
    options = _options(((_SHB_OS, system.encode()), (_SHB_APPLICATION, application.encode())))
    return _block(_SECTION_HEADER, struct.pack("<IHHq", _BYTE_ORDER_MAGIC, 1, 0, -1) + options)


def interface_block(interface: SpoolInterface) -> bytes:
    """An Interface Description Block with nanosecond resolution."""
    capture_filter = b"\0" + interface.capture_filter.encode() if interface.capture_filter else b""
    options = _options(
        (
            (_IF_NAME, interface.name.encode()),
            (_IF_DESCRIPTION, interface.description.encode()),
            (_IF_RESOLUTION, _NANOSECONDS),
            (_IF_FILTER, capture_filter),
        )
    )
    head = struct.pack("<HHI", interface.link_type, 0, interface.snap_length)
    return _block(_INTERFACE_DESCRIPTION, head + options)


def packet_block(
    time_ns: int, octets: bytes, *, original: int, interface: int = 0, comment: str | None = None
) -> bytes:
    """An Enhanced Packet Block; `time_ns` counts nanoseconds since the epoch."""
    options = _options(((_COMMENT, comment.encode()),)) if comment else b""
    padding = -len(octets) % 4
    length = 32 + len(octets) + padding + len(options)
    head = struct.pack(
        "<IIIIIII",
        _ENHANCED_PACKET,
        length,
        interface,
        time_ns >> 32,
        time_ns & 0xFFFFFFFF,
        len(octets),
        original,
    )
    return b"".join((head, octets, bytes(padding), options, struct.pack("<I", length)))


def _time_value(time_ns: int) -> bytes:
    return struct.pack("<II", time_ns >> 32, time_ns & 0xFFFFFFFF)


def _statistics_block(interface: int, counts: _Counts) -> bytes:
    pairs = []
    if counts.written:
        pairs += [(_ISB_START, _time_value(counts.first)), (_ISB_END, _time_value(counts.last))]
    if counts.received is not None:
        pairs.append((_ISB_RECEIVED, struct.pack("<Q", counts.received)))
    if counts.dropped is not None:
        pairs.append((_ISB_DROPPED, struct.pack("<Q", counts.dropped)))
    pairs.append((_ISB_DELIVERED, struct.pack("<Q", counts.written)))
    return _block(
        _INTERFACE_STATISTICS, struct.pack("<I", interface) + _time_value(counts.last) + _options(pairs)
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
        self._buffer = buffer
        self._pending = bytearray()
        self._size = 0
        self._interfaces: list[SpoolInterface] = []
        self._counts: list[_Counts] = []
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | getattr(os, "O_BINARY", 0)
        try:
            self._file: int | None = os.open(self.path, flags, 0o666)
        except OSError as error:
            raise self._error("created", error) from error
        try:
            self._put(section_block(application, platform.platform() if system is None else system))
            self.flush()
        except SpoolError:
            self._release()
            raise

    @property
    def size(self) -> int:
        """Octets in the file so far, those that still wait to be flushed included."""
        return self._size + len(self._pending)

    @property
    def packets(self) -> int:
        """Packets taken so far, of all interfaces."""
        return sum(counts.written for counts in self._counts)

    @property
    def interfaces(self) -> tuple[SpoolInterface, ...]:
        """The interfaces added so far, in the order of their numbers."""
        return tuple(self._interfaces)

    @property
    def closed(self) -> bool:
        """Whether `close` has been called."""
        return self._file is None

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
        self._put(interface_block(interface))
        self._interfaces.append(interface)
        self._counts.append(_Counts())
        self.flush()
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
        self._put(packet_block(time_ns, octets, original=wire, interface=interface, comment=comment))
        counts = self._counts[interface]
        if not counts.written:
            counts.first = time_ns
        counts.last = time_ns
        counts.written += 1
        if len(self._pending) >= self._buffer:
            self.flush()

    def count(self, interface: int, *, received: int | None = None, dropped: int | None = None) -> None:
        """Note what the system says that the interface received and dropped; `close` writes it down."""
        counts = self._counts[interface]
        counts.received = received
        counts.dropped = dropped

    def flush(self) -> None:
        """Hand all that waits to the operating system.

        When that fails, the file ends after the last whole block and the rest goes on waiting: a
        second `flush` (or `close`) tries again. Writing on after a failure collects in memory.
        """
        if not self._pending:
            return
        if self._file is None:
            raise SpoolError(f"Cannot write to {self.path}: it has been closed.")
        done = 0
        try:
            with memoryview(self._pending) as octets:
                while done < len(octets):
                    done += os.write(self._file, octets[done:])
        except OSError as error:
            whole = self._whole_blocks(done)
            if whole != done:
                os.ftruncate(self._file, self._size + whole)
            self._pending = self._pending[whole:]
            self._size += whole
            raise self._error("written", error) from error
        self._size += done
        self._pending.clear()

    def close(self) -> None:
        """Write the interfaces' counts, and let go of the file, also when that write fails."""
        if self._file is None:
            return
        try:
            for number, counts in enumerate(self._counts):
                self._put(_statistics_block(number, counts))
            self.flush()
        finally:
            self._release()

    def __enter__(self) -> "SpoolWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _put(self, block: bytes) -> None:
        if self._file is None:
            raise SpoolError(f"Cannot write to {self.path}: it has been closed.")
        self._pending += block

    def _release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._pending.clear()

    def _whole_blocks(self, written: int) -> int:
        """How many of the `written` octets of what waits are whole blocks."""
        end = 0
        while end + 8 <= written:
            length = int.from_bytes(self._pending[end + 4 : end + 8], "little")
            if end + length > written:
                break
            end += length
        return end

    def _error(self, verb: str, error: OSError) -> SpoolError:
        reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
        kept = " What was captured before is kept in it." if self.packets else ""
        return SpoolError(f"{self.path} cannot be {verb}: {reason}.{kept}")
