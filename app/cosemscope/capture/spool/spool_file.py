"""One pcapng file that grows by whole blocks: what all spools are made of.

Blocks are handed to the operating system whole, so a reader that follows the file meets no half block and a
process that is killed loses nothing that was written. When the disk takes no more, the file is cut back to
its last whole block, so that what was captured before stays readable.
"""

import errno
import os
from pathlib import Path

from cosemscope.capture.pcapng_layout import MAGIC, ORDERS, PACKETS, block_heads
from cosemscope.capture.spool.spool_folder import is_private, mark_held

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


class SpoolFile:
    """A file of pcapng blocks; an existing file of that name is replaced, unless nobody gave it that name.

    A file in the folder of spools is for its owner alone, and no link or file that lies there is written to.

    With `buffer` 0 every block is in the file when `put` returns. With a larger one, blocks are collected
    until they are `buffer` octets, or until `flush`. Every method but `close` on a closed file raises
    SpoolError. The file counts as in use (see `spools`) until it is closed. Not for several threads at once.
    """

    def __init__(self, path: str | Path, *, buffer: int = 0) -> None:
        self.path = Path(path)
        self.packets = 0
        """Packets put so far; once it is closed, those that are in the file."""
        self._buffer = buffer
        self._pending = bytearray()
        self._written = 0
        self._order = "<"
        private = is_private(self.path)
        begun = os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) if private else os.O_TRUNC
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | begun
        try:
            self._file: int | None = os.open(self.path, flags, 0o600 if private else 0o666)
        except OSError as error:
            raise self._error("created", error) from error
        mark_held(self._file)

    @property
    def size(self) -> int:
        """Octets in the file so far, those that still wait to be flushed included."""
        return self._written + len(self._pending)

    @property
    def closed(self) -> bool:
        """True when `close` or `release` has been called."""
        return self._file is None

    def put(self, blocks: bytes | memoryview, packets: int = 0) -> None:
        """Add whole blocks, `packets` of them with a packet. A section begins at the start of a call."""
        if self._file is None:
            raise SpoolError(f"Cannot write to {self.path}: it has been closed.")
        if blocks[:4] == MAGIC:
            self.flush()
            self._order = ORDERS[bytes(blocks[8:12])]
        self._pending += blocks
        self.packets += packets
        if len(self._pending) >= self._buffer:
            self.flush()

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
                os.ftruncate(self._file, self._written + whole)
            self._pending = self._pending[whole:]
            self._written += whole
            raise self._error("written", error) from error
        self._written += done
        self._pending.clear()

    def close(self) -> None:
        """Flush, and let go of the file, also when that fails."""
        try:
            self.flush()
        finally:
            self.release()

    def release(self) -> None:
        """Let go of the file as it is; what still waits is given up."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self.packets -= self._packets_waiting()
        self._pending.clear()

    def _packets_waiting(self) -> int:
        """Number of the waiting blocks that have a packet."""
        return sum(kind in PACKETS for _, kind, _, _ in block_heads(self._pending, self._order))

    def _whole_blocks(self, written: int) -> int:
        """Number of octets, of the first `written` of those that wait, that are whole blocks."""
        ends = (at + length for at, _, length, _ in block_heads(self._pending, self._order))
        return max((end for end in ends if end <= written), default=0)

    def _error(self, verb: str, error: OSError) -> SpoolError:
        reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
        kept = " What was captured before is kept in it." if self.packets else ""
        return SpoolError(f"{self.path} cannot be {verb}: {reason}.{kept}")
