"""Reading a capture file of any format, whole or while it grows, a batch of records at a time.

The reader loads the file window by window, and the format's walk (`pcap`, `pcapng`) makes batches of it. A
compressed file is unpacked into a temporary one as far as the walk needs it. What is damaged ends
up in `problems`, with its offset, and never stops the reading of what is behind it, where that can be found.
"""

import os
from pathlib import Path
from types import TracebackType

from . import pcap
from .octets import SIDE, OctetFile, SideStore
from .pcap import PcapWalk
from .records import CaptureError, CaptureProblem, Interface, RecordBatch, Window

MAX_RECORDS = 65_536
# Octets of the file that are worked on at a time; the first window is small, so that first rows come soon.
WINDOW = 8 << 20
FIRST_WINDOW = 1 << 20


class CaptureReader:
    """Gives the records of a capture file; made by `open_capture`.

    `problems` lists what could not be read, `interfaces` where packets came from (both grow while reading),
    `names` maps addresses to the names that the file gives them, `comments` packet numbers (from 0) to their
    comments. `side` is the store for octets put together from several packets. `finished` is true once
    nothing more will come. One thread reads; `octets` may be called from any.
    """

    def __init__(self, path: Path, file: OctetFile, *, follow: bool) -> None:
        self.path = path
        self.problems: list[CaptureProblem] = []
        self.interfaces: list[Interface] = []
        self.names: dict[str, str] = {}
        self.comments: dict[int, str] = {}
        self.side = SideStore()
        self.finished = False
        self._file = file
        self._follow = follow
        self._walk: PcapWalk | None = None
        self._window = Window(0, 0)
        self._position = 0
        self._begin()

    def __enter__(self) -> "CaptureReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Octets of the file on disk, as of now."""
        return self._file.size

    @property
    def position(self) -> int:
        """Octets of the file on disk that are done."""
        return self._position

    def read(self, max_records: int = MAX_RECORDS) -> RecordBatch | None:
        """The next records, at most `max_records`; None when there is nothing more now.

        Raises CaptureError when the file can no longer be read.
        """
        try:
            return self._read(max_records)
        except OSError as error:
            raise CaptureError(f"{self.path} cannot be read any further: {error.strerror}.") from error

    def octets(self, address: int, length: int) -> bytes:
        """Up to `length` octets at `address` of the capture or, from `SIDE` on, of the side store."""
        if address >= SIDE:
            return self.side.octets(address, length)
        return self._file.read(address, length)

    def close(self) -> None:
        """Close the file; what was read stays valid, `octets` does not."""
        self._file.close()
        self.side.close()

    def _read(self, max_records: int) -> RecordBatch | None:
        if self._walk is None:
            self._begin()
        while self._walk is not None and not self.finished:
            final = not self._follow and self._window.base + self._window.size >= self.size
            at = self._position - self._window.base
            step = self._walk.take(self._window, at, max_records, final)
            self._position = self._window.base + step.at
            if step.batch is not None:
                return step.batch
            if step.need and not self._load(step.need):
                self.finished = not self._follow
                return None
        return None

    def _begin(self) -> None:
        """Read the file's header, which tells its format; one that is not there yet is waited for if following."""
        header = self._file.read(0, pcap.FILE_HEADER)
        if header[:4] in pcap.MAGICS:
            if len(header) == pcap.FILE_HEADER:
                self._walk = PcapWalk(header, self.problems)
                self._position = self._walk.start
                self.interfaces = self._walk.interfaces
            elif not self._follow:
                message = f"{self.path} ends in the middle of its pcap header, after {len(header)} octets."
                raise CaptureError(message)
        elif not self._follow:
            raise CaptureError(f"{self.path} is no pcap or pcapng file.")

    def _load(self, need: int) -> bool:
        """Get `need` octets from the position on into the window, or all there are; False when none are new."""
        known = self._window.base + self._window.size
        available = self.size
        if available <= known and self._window.size:
            return False
        room = min(max(need, WINDOW if self._window.size else FIRST_WINDOW), available - self._position)
        if room <= 0:
            return False
        window = Window(self._position, room)
        window.fill(self._file.read_into(self._position, window.buffer[:room]))
        self._window = window
        return window.base + window.size > known or window.size >= need


def open_capture(path: str | os.PathLike[str], *, follow: bool = False) -> CaptureReader:
    """A reader of the capture file at `path`; with `follow` it goes on when the file grows.

    Raises CaptureError when the file is no capture or cannot be read.
    """
    path = Path(path)
    try:
        file = OctetFile.open(path)
    except OSError as error:
        raise CaptureError(f"{path} cannot be opened: {error.strerror}.") from error
    try:
        return CaptureReader(path, file, follow=follow)
    except OSError as error:
        file.close()
        raise CaptureError(f"{path} cannot be read: {error.strerror}.") from error
    except CaptureError:
        file.close()
        raise
