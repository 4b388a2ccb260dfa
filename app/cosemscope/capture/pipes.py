"""Packets out of a pipe: standard input, a named pipe, or dumpcap, whose standard output is one.

No system can wait for every kind of pipe together with other things, so a thread reads it and hands octets on
through a queue of bounded length: a writer that is faster than the disk waits, as for any pipe.
"""

import os
import queue
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress

from .chunks import Chunk, SourceError, Tally
from .streams import StreamCutter, StreamError

STANDARD_INPUT = "-"
_READ = 1 << 18
_QUEUED = 16
_PIPE_SIZE = 1 << 20


def _widen(descriptor: int) -> None:
    """Let a pipe hold more, where that can be said, so that a burst does not make its writer wait."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)


class PipeSource:
    """Takes packets from a pipe until its writer closes it; see `chunks.Source`."""

    def __init__(self, path: str) -> None:
        """Read standard input (`-`) or the pipe at `path`, which is opened when its writer comes."""
        shown = "standard input" if path == STANDARD_INPUT else path
        self.name = f"pipe ({shown})"
        self.finished = False
        self.faults: list[SourceError] = []
        self._shown = shown
        self._path = path
        self._cutter = StreamCutter("pipe" if path == STANDARD_INPUT else os.path.basename(path))
        self._octets: queue.Queue[bytes | OSError] = queue.Queue(_QUEUED)
        self._closed = threading.Event()
        if path != STANDARD_INPUT and not os.path.exists(path) and not path.startswith("\\\\"):
            raise SourceError("input", f"There is no pipe {path}.")
        if os.path.isdir(path):
            raise SourceError("input", f"{path} is a folder: name a pipe.")
        self._start()

    def _start(self) -> None:
        threading.Thread(target=self._read, name="capture pipe", daemon=True).start()

    def _open(self) -> int:
        if self._path == STANDARD_INPUT:
            return sys.stdin.fileno()
        return os.open(self._path, os.O_RDONLY | getattr(os, "O_BINARY", 0))

    def _read(self) -> None:
        """In the thread: everything that comes, then empty octets, or the error that ended it."""
        try:
            descriptor = self._open()
            _widen(descriptor)
            while octets := os.read(descriptor, _READ):
                if not self._put(octets):
                    return
            self._put(b"")
        except OSError as error:
            self._put(error)

    def _put(self, item: bytes | OSError) -> bool:
        while not self._closed.is_set():
            try:
                self._octets.put(item, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def take(self, wait: float) -> Sequence[Chunk]:
        """See `chunks.Source`."""
        if self.finished:
            return []
        try:
            item = self._octets.get(timeout=0 if self._closed.is_set() else wait)
        except queue.Empty:
            self.finished = self._closed.is_set()
            return []
        if isinstance(item, OSError):
            self._fail(f"{self._shown} cannot be read: {item.strerror}.")
            return []
        if not item:
            self._ended()
            return []
        chunks: list[Chunk] = []
        try:
            self._cutter.add(item)
            for chunk in self._cutter.chunks():
                chunks.append(chunk)
        except StreamError as error:
            self._fail(str(error))
        return chunks

    def tally(self) -> Tally:
        """See `chunks.Source`: what the far end says in the stream, if it does."""
        return Tally(self._cutter.dropped)

    def trailer(self) -> bytes:
        """See `chunks.Source`: the stream has its own."""
        return b""

    def end(self) -> None:
        """See `chunks.Source`: what was read so far is all there will be."""
        self._closed.set()

    def close(self) -> None:
        """See `chunks.Source`."""
        self._closed.set()

    def _ended(self) -> None:
        """The writer has closed the pipe."""
        self.finished = True
        if not self._cutter.begun:
            came = f"after {self._cutter.waiting} octets" if self._cutter.waiting else "without anything"
            self._fail(f"{self._shown} ended {came}: there was no capture in it.")
        elif self._cutter.waiting:
            self._fail(
                f"{self._shown} ended in the middle of a packet, of which {self._cutter.waiting} octets came."
            )

    def _fail(self, message: str) -> None:
        self.finished = True
        self.faults.append(SourceError("input", message[0].upper() + message[1:]))
