"""Octets by address: the capture file as it lies on disk, and a side store for octets that were put together.

One address space serves both: addresses below `SIDE` are offsets in the (uncompressed) capture file, those
from `SIDE` up lie in the side store. Files are read by position, never mapped: a file that another program
shortens then ends in an error that can be told, a file that grows needs nothing to be renewed, and only the
window that is being worked on counts as memory. All reading here may be done from several threads at once.
"""

import os
import tempfile
import threading
from pathlib import Path
from typing import IO, Any

SIDE = 1 << 62


class OctetFile:
    """A file that is read by position. Takes over `file`, unbuffered and binary, and closes it at the end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "OctetFile":
        """The file at `path`; raises OSError when it cannot be opened."""
        return cls(Path(path).open("rb", buffering=0))

    @classmethod
    def temporary(cls) -> "OctetFile":
        """A new, empty file without a name; raises OSError when there is no place for it."""
        return cls(tempfile.TemporaryFile("w+b", buffering=0, prefix="cosemscope-"))

    @property
    def size(self) -> int:
        """The length of the file now, in octets; raises OSError when it is gone."""
        return os.fstat(self._file.fileno()).st_size

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` octets from `offset`; fewer at the end of the file. Raises OSError."""
        target = bytearray(length)
        return bytes(memoryview(target)[: self.read_into(offset, memoryview(target))])

    def read_into(self, offset: int, view: memoryview) -> int:
        """Fill `view` from `offset`; the number of octets that there were. Raises OSError."""
        done = 0
        while done < len(view):
            count = self._read_some(offset + done, view[done:])
            if not count:
                break
            done += count
        return done

    def append(self, octets: bytes | memoryview) -> int:
        """Write at the end of a temporary file; the offset at which the octets now lie. Raises OSError."""
        with self._lock:
            start = self._file.seek(0, os.SEEK_END)
            view = memoryview(octets)
            while view:
                view = view[self._file.write(view) :]
            return start

    def close(self) -> None:
        """Close the file; doing so twice is no error."""
        self._file.close()

    def _read_some(self, offset: int, view: memoryview) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [view], offset)
        with self._lock:
            self._file.seek(offset)
            file: Any = self._file
            return int(file.readinto(view) or 0)


class SideStore:
    """Octets that lie nowhere in one piece, such as reassembled datagrams; kept in a temporary file."""

    def __init__(self) -> None:
        self._file: OctetFile | None = None

    def add(self, octets: bytes) -> int:
        """Keep `octets`; their address, `SIDE` or above. Raises OSError when the disk takes no more."""
        if self._file is None:
            self._file = OctetFile.temporary()
        return SIDE + self._file.append(octets)

    def octets(self, address: int, length: int) -> bytes:
        """Up to `length` octets at `address`, as given out by `add`; empty where nothing lies."""
        return b"" if self._file is None else self._file.read(address - SIDE, length)

    def close(self) -> None:
        """Give the octets up."""
        if self._file is not None:
            self._file.close()
