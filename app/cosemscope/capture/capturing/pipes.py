"""Packets out of a pipe: standard input, a named pipe, or dumpcap, whose standard output is one.

No system can wait for every kind of pipe together with other things, so a thread reads it and puts octets
into a store with a bound: a writer that is faster than the disk waits, as for any pipe.
"""

import os
import sys
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from cosemscope.capture.capturing.privileges import give_up_capabilities
from cosemscope.capture.capturing.stream_cutter import StreamCutter, StreamError
from cosemscope.capture.spool.chunks import PIPED, Chunk, SourceError, Tally

STANDARD_INPUT = "-"
_READ = 1 << 18
_PIPE_SIZE = 1 << 20
#: Octets that are taken out of the store in one go, and those that wait in it.
_TAKEN, _STORED = 1 << 18, 1 << 20


def _widen(descriptor: int) -> None:
    """Let a pipe hold more, where that can be said, so that a burst does not make its writer wait."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)


class OctetStore:
    """Octets on their way from one thread to another, at most `limit` of them (and one piece more)."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._end: OSError | None = None
        self._ended = self._closed = False
        self._changed = threading.Condition()

    def put(self, piece: bytes) -> bool:
        """Add octets, when there is room; False when nobody wants them any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._size < self._limit)
            self._pieces.append(piece)
            self._size += len(piece)
            self._changed.notify_all()
            return not self._closed

    def end(self, error: OSError | None = None) -> None:
        """Say that nothing more comes, because of an error or in order."""
        with self._changed:
            self._ended, self._end = True, error
            self._changed.notify_all()

    def take(self, wait: float) -> bytes | None:
        """Returns the octets that are there, up to `_TAKEN`, after up to `wait` seconds without any.

        None: no more come.
        Raises the OSError that was the end.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._pieces or self._ended or self._closed, wait)
            taken: list[bytes] = []
            size = 0
            while self._pieces and size < _TAKEN:
                taken.append(self._pieces.popleft())
                size += len(taken[-1])
            self._size -= size
            self._changed.notify_all()
            if taken or not (self._ended or self._closed):
                return b"".join(taken)
            if self._end is not None and not self._closed:
                raise self._end
            return None

    def close(self) -> None:
        """Octets that are there may still be taken; nothing more is wanted."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """True when `close` has been called."""
        return self._closed


class PipeSource:
    """Takes packets from a pipe until its writer closes it; see `chunks.Source`."""

    mode = PIPED
    hold: int | None = None

    def __init__(self, path: str, stored: int = _STORED) -> None:
        """Read standard input (`-`) or the pipe at `path`, which is opened when its writer comes.

        Up to `stored` octets wait for the disk.
        """
        shown = "standard input" if path == STANDARD_INPUT else path
        self.name = f"pipe ({shown})"
        self.finished = False
        self.faults: list[SourceError] = []
        self._shown = shown
        self._path = path
        self._cutter = StreamCutter("pipe" if path == STANDARD_INPUT else os.path.basename(path))
        self._store = OctetStore(stored)
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
        """In the thread: everything that comes, to its end or to the error that ended it."""
        try:
            descriptor = self._open()
            give_up_capabilities()  # what leads here started the thread before it gave up its own
            _widen(descriptor)
            while (octets := os.read(descriptor, _READ)) and self._store.put(octets):
                pass
            self._store.end()
        except OSError as error:
            self._store.end(error)

    def take(self, wait: float) -> Sequence[Chunk]:
        """See `chunks.Source`."""
        if self.finished:
            return []
        try:
            octets = self._store.take(wait)
        except OSError as error:
            self._fail(f"{self._shown} cannot be read: {error.strerror}.")
            return []
        if octets is None:
            if self._store.closed:
                self.finished = True
            else:
                self._ended()
            return []
        chunks: list[Chunk] = []
        try:
            self._cutter.add(octets)
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
        self._store.close()

    def close(self) -> None:
        """See `chunks.Source`."""
        self._store.close()

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
