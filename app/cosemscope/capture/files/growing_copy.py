"""Captures that lie nowhere as plain files: copied, as far as a reader needs, into a file without a name.

A pipe is copied as it comes (`Piped`), a compressed file as it is unpacked (`compression.Unpacked`). The copy
is never larger than bounds and the free space allow, and is gone however the program ends.
"""

import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable

from cosemscope.capture.cancelling import Look, no_look
from cosemscope.capture.octets import OctetFile

MAX_COPIED = 64 << 30
# Octets that are left free on the disk.
MIN_FREE_DISK = 512 << 20
_DISK_CHECK = 64 << 20
_PIECE = 1 << 18


class CopyError(Exception):
    """The copy ends before its source does, as that is cut, damaged or too much; a clause for people."""


class GrowingCopy(ABC):
    """A copy as an `OctetFile` that grows while it is asked for more.

    `problem` says what went wrong, None so far; `complete` is true once nothing more will come.
    """

    def __init__(self) -> None:
        """Begin with an empty copy; raises OSError if there is no place for it."""
        self.file = OctetFile.temporary()
        self.look: Look = no_look
        self.problem: str | None = None
        self.complete = False
        self.size = 0
        self._checked = 0

    @property
    @abstractmethod
    def consumed(self) -> int:
        """Octets of the source that were copied."""

    @abstractmethod
    def _next(self) -> bytes:
        """The next octets of the source; empty at its end. Raises CopyError, and OSError."""

    def reach(self, size: int) -> None:
        """Copy until there are `size` octets, or as far as possible. Raises OSError when reading fails."""
        while self.size < size and not self.complete:
            self.look()
            try:
                octets = self._next()
                self._check(self.size + len(octets))
            except CopyError as error:
                self.problem = str(error)
                self.complete = True
                return
            self.complete = not octets
            self.file.append(octets)
            self.size += len(octets)

    def close(self) -> None:
        """Close the copy, which removes it."""
        self.file.close()

    def _check(self, size: int) -> None:
        """Raise CopyError when a copy of `size` octets is too much."""
        if size > MAX_COPIED:
            raise CopyError(f"it has more than {MAX_COPIED >> 30} GiB, which is not taken for a capture")
        if size >= self._checked:
            self._checked = size + _DISK_CHECK
            if shutil.disk_usage(tempfile.gettempdir()).free < MIN_FREE_DISK + _DISK_CHECK:
                raise CopyError(
                    "the disk has no room for its contents; free some, or set TMPDIR to another disk"
                )


class Piped(GrowingCopy):
    """The copy of a pipe. `read` takes a number of octets and gives up to so many, empty at the end."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        super().__init__()
        self._read = read

    @property
    def consumed(self) -> int:
        """Octets that came."""
        return self.size

    def _next(self) -> bytes:
        return self._read(_PIECE)
