"""Compressed captures, gzip and Zstandard: unpacked as they are read, into a temporary file without a name.

Nothing is unpacked before it is needed, and never more than bounds allow: a ratio, and those of every copy.
What cannot be unpacked is told; what came before it stays readable.
"""

import zlib
from contextlib import suppress
from typing import Protocol

import zstandard

from cosemscope.capture.cancelling import Look
from cosemscope.capture.files.growing_copy import CopyError, GrowingCopy
from cosemscope.capture.octets import OctetFile

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
# Zstandard files may begin with frames to be skipped.
ZSTD_SKIPPABLE = tuple(bytes((nibble, 0x2A, 0x4D, 0x18)) for nibble in range(0x50, 0x60))
# A file may unpack to this many octets whatever it is, and beyond them to so many times its own size.
RATIO_FREE = 256 << 20
MAX_RATIO = 400
MAX_ZSTD_WINDOW = 1 << 27
_CUT = "the compressed file ends too soon"
_DAMAGED = "the compressed file is damaged"
# No header of a Zstandard frame is longer.
_ZSTD_HEADER = 18
# Octets that are read and unpacked at a time.
_PIECE = 1 << 17


class _Decompressor(Protocol):
    """Gives unpacked octets piece by piece."""

    consumed: int

    def read(self) -> bytes:
        """The next octets; empty at the end. Raises CopyError."""


class _Gzip:
    """The members of a gzip file, one after the other (RFC 1952)."""

    def __init__(self, source: OctetFile, look: Look) -> None:
        self._look = look
        self.consumed = 0
        self._source = source
        self._member = zlib.decompressobj(31)
        self._waiting = b""
        self._damaged = False

    def read(self) -> bytes:
        while True:
            self._look()
            if self._damaged:
                raise CopyError(_DAMAGED)
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
                raise CopyError(_CUT)
            unpacked = self._unpack()
            if unpacked:
                return unpacked

    def _unpack(self) -> bytes:
        """Unpacked octets of those that wait, or of some of them.

        Where it is damaged, what comes before the damage.
        """
        before = self._member.copy()
        try:
            unpacked = self._member.decompress(self._waiting, _PIECE * 8)
        except zlib.error:
            self._damaged = True
            return _before_damage(before, self._waiting)
        self._waiting = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        return unpacked


def _before_damage(member: "zlib._Decompress", octets: bytes) -> bytes:
    """Octets that a damaged stream unpacks to: zlib itself keeps that back."""
    unpacked = []
    with suppress(zlib.error):
        for octet in octets:
            unpacked.append(member.decompress(bytes((octet,))))
    return b"".join(unpacked)


class _Zstd:
    """The frames of a Zstandard file, one after the other (RFC 8878, 3.1.1).

    They are unpacked block by block, so that what comes before damage, or before the file's end, is had.
    """

    def __init__(self, source: OctetFile, look: Look) -> None:
        self._look = look
        self.consumed = 0
        self._source = source
        self._unpacker = zstandard.ZstdDecompressor(max_window_size=MAX_ZSTD_WINDOW)
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._checksum = 0  # octets of it at the end of the frame
        self._last = False  # all blocks of the frame are done
        self._cut = False

    def read(self) -> bytes:
        try:
            while self._frame is not None or self._begin():
                self._look()
                assert self._frame is not None
                if self._last:
                    checksum = self._take(self._checksum)
                    if checksum:  # a frame without one is at its end, and takes no more
                        self._frame.decompress(checksum)
                    self._frame = None
                elif unpacked := self._block(self._frame):
                    return unpacked
        except zstandard.ZstdError as error:
            raise CopyError(_DAMAGED) from error
        return b""

    def _begin(self) -> bool:
        """Read the header of the next frame that is not to be skipped; False at the end of the file."""
        while head := self._source.read(self.consumed, _ZSTD_HEADER):
            self._look()
            if head[:4] in ZSTD_SKIPPABLE:
                self._take(8 + int.from_bytes(head[4:8], "little"), skip=True)
                continue
            if not head.startswith(ZSTD[: len(head)]):
                raise CopyError(_DAMAGED)
            size = zstandard.frame_header_size(head) if len(head) > 4 else _ZSTD_HEADER
            if len(head) < size:
                raise CopyError(_CUT)
            frame = zstandard.get_frame_parameters(head)
            if frame.window_size > MAX_ZSTD_WINDOW:
                raise CopyError(f"unpacking it takes more than {MAX_ZSTD_WINDOW >> 20} MiB of memory")
            if frame.dict_id:
                raise CopyError("it was compressed with a dictionary, which is not in it")
            self._checksum = 4 if frame.has_checksum else 0
            self._last = False
            self._frame = self._unpacker.decompressobj()
            self._frame.decompress(self._take(size))
            return True
        return False

    def _block(self, frame: "zstandard.ZstdDecompressionObj") -> bytes:
        """The next block of the frame, unpacked; what is there of it, where the file ends within it."""
        header = int.from_bytes(self._take(3), "little")
        self._last = bool(header & 1)
        # A block of one repeated octet (type 1) holds just that.
        size = 1 if header >> 1 & 3 == 1 else header >> 3
        unpacked = frame.decompress(header.to_bytes(3, "little"))
        octets = self._source.read(self.consumed, size)
        self.consumed += len(octets)
        self._cut = len(octets) < size
        # A block may hold nothing, and the last one ends the frame, which takes no more.
        return unpacked + frame.decompress(octets) if octets else unpacked

    def _take(self, size: int, *, skip: bool = False) -> bytes:
        """The next octets, all of them, or with `skip` nothing but that they are passed over."""
        if self._cut or self.consumed + size > self._source.size:
            raise CopyError(_CUT)
        octets = b"" if skip else self._source.read(self.consumed, size)
        self.consumed += size
        return octets


class Unpacked(GrowingCopy):
    """A compressed file, unpacked as it is asked for more. Closes both files in the end."""

    def __init__(self, source: OctetFile, magic: bytes) -> None:
        """Begin to unpack `source`, which starts with `magic`; raises OSError if there is no place for it."""
        super().__init__()
        self._source = source
        made = _Gzip if magic.startswith(GZIP) else _Zstd
        self._stream: _Decompressor = made(source, lambda: self.look())

    @property
    def consumed(self) -> int:
        """Octets of the compressed file that were unpacked."""
        return self._stream.consumed

    def close(self) -> None:
        """Close both files."""
        super().close()
        self._source.close()

    def _next(self) -> bytes:
        return self._stream.read()

    def _check(self, size: int) -> None:
        if size > RATIO_FREE and size > MAX_RATIO * self.consumed:
            raise CopyError(
                f"it unpacks to more than {MAX_RATIO} times its size, which is not taken for a capture"
            )
        super()._check(size)


def is_compressed(magic: bytes) -> bool:
    """True when the first octets of a file are those of a compressed one."""
    return magic.startswith((GZIP, ZSTD, *ZSTD_SKIPPABLE))
