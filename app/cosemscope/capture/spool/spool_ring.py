"""Files of a live capture: one spool, or a ring whose oldest files are removed; and the end of both.

Every file of a ring is a complete pcapng that begins with the section's head, so each opens by itself, in any
program. The names tell their order (NAME_00001_20260131235959.pcapng), which `sequence` follows.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cosemscope.capture.job_options import option
from cosemscope.capture.option_values import COUNT, SIZE, SOME_SECONDS
from cosemscope.capture.spool.chunks import Chunk
from cosemscope.capture.spool.spool_file import SpoolFile

_BUFFER = 1 << 20


@dataclass(frozen=True)
class RingOptions:
    """When a file is followed by a new one: at `size` octets, after `seconds`; 0 is never.

    Only the newest `files` are kept (0: all).
    """

    size: int = option(
        0, SIZE, "--ring-size", help="go on in a new file after so many octets (k, M, G may follow)"
    )
    seconds: float = option(
        0, SOME_SECONDS, "--ring-seconds", help="go on in a new file after so many seconds"
    )
    files: int = option(0, COUNT, "--ring-files", help="keep only so many files, the newest")

    @property
    def is_ring(self) -> bool:
        """True when there can be more than one file."""
        return bool(self.size or self.seconds)


@dataclass(frozen=True)
class StopOptions:
    """When a capture ends by itself: at so many packets, octets in all files, seconds, files; 0 is never."""

    packets: int = option(0, COUNT, "--packets", help="end after so many packets")
    size: int = option(0, SIZE, "--size", help="end before the files have more octets")
    seconds: float = option(0, SOME_SECONDS, "--seconds", help="end after so many seconds")
    files: int = option(0, COUNT, "--files", help="end when so many files are full")


class Ring:
    """Takes chunks and writes them to one file, or to those of a ring.

    `now` is a clock's time in seconds, for `seconds` of the options. `stopped` names the stop option that has
    been reached ("packets", "size", "files"); what comes after that is not taken. Of `stop.seconds` it only
    says when they are over (`is_over`): what the system still holds back by then belongs to them. Methods
    that write raise SpoolError. `on_file(path, removed)` is called for each further file.
    """

    def __init__(
        self,
        path: Path,
        now: float,
        *,
        ring: RingOptions | None = None,
        stop: StopOptions | None = None,
        trailer: Callable[[], bytes] = bytes,
        on_file: Callable[[Path, list[Path]], None] | None = None,
    ) -> None:
        self.ring = ring or RingOptions()
        self.stop = stop or StopOptions()
        self.stopped: str | None = None
        self.files_begun = 1
        self._path = path
        self._trailer = trailer
        self._on_file = on_file
        self._head = b""
        self._done_size = self._done_packets = 0
        self._began = self._file_began = now
        self._old: deque[Path] = deque()
        self._unremoved: list[Path] = []
        self._file = SpoolFile(self._name(), buffer=_BUFFER)

    @property
    def path(self) -> Path:
        """The file that is being written."""
        return self._file.path

    @property
    def files(self) -> list[Path]:
        """The files that are kept, the oldest first."""
        return [*self._old, self._file.path]

    @property
    def size(self) -> int:
        """Octets written in all, those of removed files included."""
        return self._done_size + self._file.size

    @property
    def packets(self) -> int:
        """Packets in all files, those removed included."""
        return self._done_packets + self._file.packets

    def write(self, chunk: Chunk, now: float) -> None:
        """Take a chunk, over as many files as it needs, as far as the stop options let it."""
        if chunk.head is not None:
            if not self.stopped:
                self._file.put(chunk.blocks)
            self._head = chunk.head
            return
        blocks = memoryview(chunk.blocks)
        start = count = 0
        while count < len(chunk.ends) and not self.stopped:
            stop = count if self._is_due(now) else self._fitting(chunk, count, start)
            if stop > count:
                if not self._file.packets:
                    self._file_began = now
                end = chunk.ends[stop - 1]
                self._file.put(blocks[start:end], stop - count)
                start, count = end, stop
                if self.stop.packets and self.packets >= self.stop.packets:
                    self.stopped = "packets"
            elif not self.stopped:
                self._next()
        if not self.stopped and start < len(blocks):
            self._file.put(blocks[start:])

    def is_over(self, now: float) -> bool:
        """True when the time of the whole is over."""
        return bool(self.stop.seconds) and now - self._began >= self.stop.seconds

    def tick(self, now: float) -> None:
        """See to what depends on time, and hand what was taken to the operating system.

        A file whose time is over is followed by a new one when a packet comes: hours without traffic leave no
        empty files.
        """
        if self.stop.files and self.files_begun >= self.stop.files and self._is_due(now):
            self.stopped = self.stopped or "files"
        self._file.flush()

    def close(self) -> None:
        """End the file with its trailer; the file is let go also when that write fails."""
        if self._file.closed:
            return
        try:
            self._file.put(self._trailer())
        finally:
            self._file.close()

    def _is_due(self, now: float) -> bool:
        """True when the time of this file, which is counted from its first packet, is over."""
        return bool(self.ring.seconds and self._file.packets and now - self._file_began >= self.ring.seconds)

    def _fitting(self, chunk: Chunk, count: int, start: int) -> int:
        """Number of packets of `chunk` that this file takes when those up to `count` are written."""
        stop = len(chunk.ends)
        if self.stop.packets:
            stop = min(stop, count + self.stop.packets - self.packets)
        if self.stop.size:
            room = start + self.stop.size - self.size
            fitting = bisect_right(chunk.ends, room)
            if fitting <= count:
                self.stopped = "size"
                return count
            stop = min(stop, fitting)
        if self.ring.size:
            room = start + self.ring.size - self._file.size
            # A packet longer than a file is to be is in a file of its own.
            stop = min(stop, max(bisect_right(chunk.ends, room), count + (not self._file.packets)))
        return stop

    def _next(self) -> None:
        """Go on in a new file, unless that would be one too many; remove the oldest."""
        if self.stop.files and self.files_begun >= self.stop.files:
            self.stopped = "files"
            return
        self._file.put(self._trailer())
        self._done_size += self._file.size
        self._done_packets += self._file.packets
        self._file.close()
        self._old.append(self._file.path)
        self.files_begun += 1
        removed = self._remove_old()
        self._file = SpoolFile(self._name(), buffer=_BUFFER)
        if self._head:
            self._file.put(self._head)
        if self._on_file is not None:
            self._on_file(self._file.path, removed)

    def _remove_old(self) -> list[Path]:
        """Remove what is beyond the number to keep; what a reader has open on Windows is tried again."""
        while self.ring.files and len(self._old) >= self.ring.files:
            self._unremoved.append(self._old.popleft())
        removed = []
        for path in list(self._unremoved):
            with suppress(PermissionError):
                path.unlink(missing_ok=True)
                self._unremoved.remove(path)
                removed.append(path)
        return removed

    def _name(self) -> Path:
        if not self.ring.is_ring:
            return self._path
        moment = datetime.now().strftime("%Y%m%d%H%M%S")
        suffix = self._path.suffix or ".pcapng"
        return self._path.with_name(f"{self._path.stem}_{self.files_begun:05d}_{moment}{suffix}")
