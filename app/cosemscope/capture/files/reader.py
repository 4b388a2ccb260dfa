"""Reading a capture file of any format, whole or while it grows, a batch of records at a time.

The reader loads the file window by window, and the format's walk (`pcap`, `pcapng`) makes batches of it. A
compressed file is unpacked into a temporary one as far as the walk needs it. What is damaged ends
up in `problems`, with its offset, and never stops the reading of what is behind it, where that can be found.
"""

import os
from contextlib import ExitStack
from pathlib import Path

from cosemscope.capture.files import not_a_capture, pcap
from cosemscope.capture.files.compression import Unpacked, is_compressed
from cosemscope.capture.files.growing_copy import MAX_COPIED, GrowingCopy, Piped
from cosemscope.capture.files.pcap import PcapWalk
from cosemscope.capture.files.pcapng import PcapngWalk
from cosemscope.capture.files.record_walk import RecordWalk
from cosemscope.capture.octets import SIDE, OctetFile
from cosemscope.capture.pcapng_layout import MAGIC
from cosemscope.capture.records import CaptureError, CaptureProblem, OctetWindow, RecordBatch
from cosemscope.capture.source import RecordSource

MAX_RECORDS = 65_536
# Octets of the file that are worked on at a time; the first window is small, so that first rows come soon.
WINDOW = 8 << 20
FIRST_WINDOW = 1 << 20
# Octets that tell the format.
_MAGIC = 4
# Octets by which a file that was cut and has grown again is told from one that has only grown.
_COMPARED = 64
_MAGICS = (*pcap.MAGICS, MAGIC)


class CaptureReader(RecordSource):
    """Gives the records of the file at `path`; made by `open_capture`. A compressed one is not followed.

    Nor is a pipe that is copied as far as it is read; `path` is what it is called.
    """

    def __init__(self, path: Path, source: OctetFile | Piped, *, follow: bool) -> None:
        """Read `source`, called `path`; raises OSError when that, or unpacking it, cannot be begun.

        Raises CaptureError for a compressed pipe with too much in it.
        """
        super().__init__()
        self.path = path
        self._copy: GrowingCopy | None = source if isinstance(source, Piped) else None
        self._on_disk = file = source.file if isinstance(source, Piped) else source
        if self._copy:
            self._copy.reach(_MAGIC)
        magic = file.read(0, _MAGIC)
        if is_compressed(magic):
            if self._copy:
                self._copy.reach(MAX_COPIED)  # unpacking asks for octets by their place
                if self._copy.problem:
                    raise CaptureError(f"{path} cannot be opened: {self._copy.problem}.")
            self._copy = Unpacked(file, magic)
        self._file = self._copy.file if self._copy else file
        self._follow = follow and not self._copy
        self._following = self._follow  # as it was when the present read began
        self._walk: RecordWalk | None = None
        self._window = OctetWindow(0, 0)
        self._position = 0

    @property
    def size(self) -> int:
        """Octets of the file on disk, as of now."""
        return self._on_disk.size

    @property
    def position(self) -> int:
        """Octets of the file on disk that are done."""
        return self._copy.consumed if self._copy else self._position

    def begin(self) -> None:
        """Read the file's header, which tells its format; if following, one that is not there is waited for.

        Raises CaptureError when it is no capture's, OSError when it cannot be read.
        """
        if self._copy:
            self._copy.reach(not_a_capture.LOOKED_AT)
        header = self._file.read(0, pcap.FILE_HEADER)
        magic = header[:_MAGIC]
        if magic in pcap.MAGICS and len(header) == pcap.FILE_HEADER:
            self._walk = PcapWalk(header, self.problems, self.interfaces)
        elif magic == MAGIC:
            walk = PcapngWalk(self.problems, self.interfaces)
            self.sections, self.names = walk.sections, walk.names
            self.statistics, self.comments = walk.statistics, walk.comments
            self._walk = walk
        elif not (self._follow and any(known.startswith(magic) for known in _MAGICS)):
            raise CaptureError(self._no_capture(header))
        if self._walk is not None:
            self._position = self._walk.start

    def read(self, max_records: int = MAX_RECORDS) -> RecordBatch | None:
        """The next records, at most `max_records` and at least one; None when there is nothing more now.

        Raises CaptureError when the file can no longer be read, and for a followed file whose first octets
        come only now and are no capture's.
        """
        try:
            return self._read(max_records)
        except OSError as error:
            raise CaptureError(f"{self.path} cannot be read any further: {error.strerror}.") from error

    def octets(self, address: int, length: int) -> bytes:
        """Up to `length` octets at `address` of the capture or, from `SIDE` on, of the side store.

        Fewer where the file ends. Raises CaptureError when it can no longer be read.
        """
        try:
            if address >= SIDE:
                return self.side.octets(address, length)
            return self._file.read(address, length)
        except (OSError, ValueError) as error:
            raise CaptureError(f"{self.path} cannot be read at octet {address}: {error}.") from error

    def stop_following(self) -> None:
        """Say that a followed file grows no more: `read` then gives the rest, notes what is cut, and ends.

        May be called from any thread. A read that is under way does not end the file: what it missed of the
        last octets is given by the next one.
        """
        self._follow = False

    def close(self) -> None:
        """Close the file; what was read stays valid, `octets` does not."""
        (self._copy or self._on_disk).close()
        self.side.close()

    def _read(self, max_records: int) -> RecordBatch | None:
        self._following = self._follow
        if self._walk is None:
            self.begin()
        while self._walk is not None and not self.finished:
            self._walk.look = self.look
            at = self._position - self._window.base
            step = self._walk.take(self._window, at, max_records, self._is_final())
            self._position = self._window.base + step.at
            if step.batch is not None:
                return step.batch
            if step.over or (step.need and not self._load(step.need)):
                self._finish(step.over)
                return None
        return None

    def _is_final(self) -> bool:
        """True when nothing will come behind the window."""
        end = self._window.base + self._window.size
        if self._copy:
            return self._copy.complete and end >= self._copy.size
        return not self._following and end >= self._file.size

    def _no_capture(self, header: bytes) -> str:
        """Why a file cannot be opened that begins with `header`."""
        if self._copy and self._copy.problem and len(header) < pcap.FILE_HEADER:
            return f"{self.path} cannot be opened: {self._copy.problem}."
        if header[:_MAGIC] in pcap.MAGICS:
            return f"{self.path} ends within its file header, after {len(header)} of 24 octets."
        if not header:
            return f"{self.path} is empty: there is nothing to open."
        octets = self._file.read(0, not_a_capture.LOOKED_AT)
        return f"{self.path} is neither pcap nor pcapng: {not_a_capture.sentence(octets)}"

    def _load(self, need: int) -> bool:
        """Have a window of `need` octets from the position on, or of all there are; False if none are new."""
        wanted = max(need, WINDOW if self._window.size else FIRST_WINDOW)
        if self._copy:
            self._copy.look = self.look
            self._copy.reach(self._position + wanted)
        available = self._copy.size if self._copy else self._file.size
        if available < self._position:
            return self._lose(available, "the file has become shorter while it was read")
        known = self._window.base + self._window.size - self._position
        room = min(wanted, available - self._position)
        if room <= known:
            return False
        if not self._stands():
            return self._lose(self._position, "the file was written anew while it was read")
        window = OctetWindow(self._position, room)
        window.fill(self._file.read_into(self._position, window.view[:room]))
        self._window = window
        return window.size > known

    def _lose(self, offset: int, message: str) -> bool:
        """The file is no longer what it was: note so, and follow it no longer."""
        self.problems.append(CaptureProblem(offset, message))
        self._follow = self._following = False
        return False

    def _stands(self) -> bool:
        """True if the last octets of the window are what the file still holds: new ones come behind them."""
        window = self._window
        first = max(window.size - _COMPARED, 0)
        octets = self._file.read(window.base + first, window.size - first)
        return octets == bytes(window.view[first : window.size])

    def _finish(self, over: bool) -> None:
        """Nothing more comes now: for ever, unless the file is followed."""
        self.finished = over or not self._following
        if self.finished and self._copy and self._copy.problem:
            self.problems.append(CaptureProblem(self._copy.size, self._copy.problem))


def open_capture(path: str | os.PathLike[str], *, follow: bool = False) -> CaptureReader:
    """A reader of the capture file at `path`; with `follow` it goes on when the file grows.

    Raises CaptureError when the file is no capture or cannot be read.
    """
    path = Path(path)
    try:
        if no_file := not_a_capture.place_sentence(path, path.stat().st_mode):
            raise CaptureError(no_file)
        file = OctetFile.open(path)
    except OSError as error:
        raise CaptureError(f"{path} cannot be opened: {error.strerror}.") from error
    return open_source(path, file, follow=follow)


def open_source(path: Path, source: OctetFile | Piped, *, follow: bool = False) -> CaptureReader:
    """A reader of octets called `path`, which it closes in the end; see `open_capture`."""
    with ExitStack() as undo:
        undo.callback(source.close)
        try:
            reader = CaptureReader(path, source, follow=follow)
            undo.callback(reader.close)
            reader.begin()
        except OSError as error:
            raise CaptureError(f"{path} cannot be opened: {error.strerror}.") from error
        undo.pop_all()
        return reader
