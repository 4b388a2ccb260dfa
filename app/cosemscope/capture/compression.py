"""Compressed captures, gzip and Zstandard: unpacked as they are read, into a temporary file without a name.

Nothing is unpacked before it is needed, and never more than bounds allow: a ratio, a size, and what the
disk has left. What cannot be unpacked is told; what came before it stays readable.
"""

import shutil
import tempfile
import zlib
from typing import IO, Protocol, cast

import zstandard

from .octets import OctetFile

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
# Zstandard files may begin with frames to be skipped.
ZSTD_SKIPPABLE = tuple(bytes((nibble, 0x2A, 0x4D, 0x18)) for nibble in range(0x50, 0x60))
# A file may unpack to this many octets whatever it is, and beyond them to so many times its own size.
RATIO_FREE = 256 << 20
MAX_RATIO = 400
MAX_UNPACKED = 64 << 30
# Octets that are left free on the disk.
MIN_FREE_DISK = 512 << 20
MAX_ZSTD_WINDOW = 1 << 27
# Octets that are read and unpacked at a time.
_PIECE = 1 << 17
_DISK_CHECK = 64 << 20


class UnpackError(Exception):
    """The compressed file ends too soon, is damaged or unpacks to too much; a clause for people."""


class _Decompressor(Protocol):
    """Gives unpacked octets piece by piece."""

    consumed: int

    def read(self) -> bytes:
        """The next octets; empty at the end. Raises UnpackError."""


class _Gzip:
    """The members of a gzip file, one after the other (RFC 1952)."""

    def __init__(self, source: OctetFile) -> None:
        self.consumed = 0
        self._source = source
        self._member = zlib.decompressobj(31)
        self._waiting = b""

    def read(self) -> bytes:
        while True:
            if not self._waiting:
                self._waiting = self._source.read(self.consumed, _PIECE)
                self.consumed += len(self._waiting)
            if self._member.eof:
                # Zeros may pad the file behind its last member.
                self._waiting = self._waiting.lstrip(b"\0")
                if not self._waiting and self.consumed >= self._source.size:
                    return b""
                if not self._waiting:
                    continue
                self._member = zlib.decompressobj(31)
            elif not self._waiting:
                unpacked = self._member.flush()
                if unpacked:
                    return unpacked
                raise UnpackError("the compressed file ends too soon")
            try:
                unpacked = self._member.decompress(self._waiting, _PIECE * 8)
            except zlib.error as error:
                raise UnpackError("the compressed file is damaged") from error
            self._waiting = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if unpacked:
                return unpacked


class _Zstd:
    """The frames of a Zstandard file, one after the other (RFC 8878)."""

    def __init__(self, source: OctetFile) -> None:
        self.consumed = 0
        self._source = source
        unpacker = zstandard.ZstdDecompressor(max_window_size=MAX_ZSTD_WINDOW)
        self._stream = unpacker.stream_reader(
            cast(IO[bytes], _Following(self)), read_size=_PIECE, read_across_frames=True
        )

    def take(self, size: int) -> bytes:
        """Compressed octets, for the unpacker."""
        octets = self._source.read(self.consumed, size)
        self.consumed += len(octets)
        return octets

    def read(self) -> bytes:
        try:
            unpacked = self._stream.read(_PIECE)
        except zstandard.ZstdError as error:
            raise UnpackError("the compressed file is damaged") from error
        if not unpacked and not zstd_is_whole(self._source):
            raise UnpackError("the compressed file ends too soon")
        return unpacked


class _Following:
    """The read end that the Zstandard unpacker wants."""

    def __init__(self, owner: _Zstd) -> None:
        self._owner = owner

    def read(self, size: int = -1) -> bytes:
        return self._owner.take(size if size > 0 else _PIECE)


def zstd_is_whole(source: OctetFile) -> bool:
    """Whether a Zstandard file ends where a frame ends: its block headers are followed (RFC 8878, 3.1.1)."""
    at, size = 0, source.size
    while at < size:
        head = source.read(at, 18)
        if head[:4] in ZSTD_SKIPPABLE:
            at += 8 + int.from_bytes(head[4:8], "little")
            continue
        try:
            at += zstandard.frame_header_size(head)
            checksum = 4 if zstandard.get_frame_parameters(head).has_checksum else 0
        except zstandard.ZstdError:
            return False
        last = False
        while not last and at < size:
            block = int.from_bytes(source.read(at, 3), "little")
            last = bool(block & 1)
            # A block of one repeated octet (type 1) holds just that.
            at += 3 + (1 if block >> 1 & 3 == 1 else block >> 3)
        if not last:
            return False
        at += checksum
    return at == size


class Unpacked:
    """A compressed file as an `OctetFile` that grows while it is asked for more. Closes both in the end.

    `problem` says what went wrong, None so far; `complete` is true once nothing more will come.
    """

    def __init__(self, source: OctetFile, magic: bytes) -> None:
        """Begin to unpack `source`, which starts with `magic`; raises OSError if there is no place for it."""
        self.file = OctetFile.temporary()
        self.problem: str | None = None
        self.complete = False
        self.size = 0
        self._source = source
        self._stream: _Decompressor = _Gzip(source) if magic.startswith(GZIP) else _Zstd(source)
        self._checked = 0

    @property
    def consumed(self) -> int:
        """Octets of the compressed file that were unpacked."""
        return self._stream.consumed

    def reach(self, size: int) -> None:
        """Unpack until there are `size` octets, or as far as possible. Raises OSError when reading fails."""
        while self.size < size and not self.complete:
            try:
                octets = self._stream.read()
                self._check(len(octets))
            except UnpackError as error:
                self.problem = str(error)
                self.complete = True
                return
            self.complete = not octets
            self.file.append(octets)
            self.size += len(octets)

    def close(self) -> None:
        """Close both files."""
        self.file.close()
        self._source.close()

    def _check(self, more: int) -> None:
        """Raise UnpackError when `more` octets are too much."""
        size = self.size + more
        if size > MAX_UNPACKED:
            raise UnpackError(
                f"it unpacks to more than {MAX_UNPACKED >> 30} GiB, which is not taken for a capture"
            )
        if size > RATIO_FREE and size > MAX_RATIO * self._stream.consumed:
            raise UnpackError(
                f"it unpacks to more than {MAX_RATIO} times its size, which is not taken for a capture"
            )
        if size >= self._checked:
            self._checked = size + _DISK_CHECK
            if shutil.disk_usage(tempfile.gettempdir()).free < MIN_FREE_DISK + _DISK_CHECK:
                raise UnpackError(
                    "the disk has no room for its contents; free some, or set TMPDIR to another disk"
                )


def is_compressed(magic: bytes) -> bool:
    """Whether the first octets of a file are those of a compressed one."""
    return magic.startswith((GZIP, ZSTD, *ZSTD_SKIPPABLE))
