"""The files of a ring read as one capture, also while the ring turns: streams go on from file to file.

Offers what a `CaptureReader` offers. Addresses count on through the files in their order; the octets of a
file that the ring has removed meanwhile are gone. Of the files that are done none stays open, so a ring's
disk space comes free when it removes them.
"""

import threading
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from cosemscope.capture.files.reader import MAX_RECORDS, CaptureReader, open_capture
from cosemscope.capture.files.ring_names import ring_files, ring_number
from cosemscope.capture.octets import SIDE, OctetFile
from cosemscope.capture.records import CaptureError, CaptureProblem, Interface, RecordBatch, Section
from cosemscope.capture.source import RecordSource

#: What is said of so many files that are missing; 0 stands for all other numbers.
_GAPS = {
    0: "{} files of the ring were removed before they were read",
    1: "1 file of the ring was removed before it was read",
}


@dataclass(frozen=True)
class _Part:
    """A file that is done: it begins at address `base`."""

    path: Path
    base: int


class CaptureSequence(RecordSource):
    """Reads a ring from one of its files on to its end.

    `path` is the file that is being read. `size` and `position` count the octets of all files so far.
    """

    def __init__(self, path: Path, *, follow: bool = False, last: int | None = None) -> None:
        """Begin with the file at `path`, or with the oldest that its ring still has when that one is gone.

        `last`: the number of the file with which to end, where that is not the ring's last one.

        Raises CaptureError when it is no capture or cannot be read.
        """
        super().__init__()
        self._follow = follow
        self._number = ring_number(path)
        self._last = last
        self._listed: deque[tuple[int, Path]] = deque()  # files of the ring that may be next, in order
        self._interfaces: dict[Interface, int] = {}
        self._numbers: list[int] = []  # here, of the interfaces of the file that is being read
        self._moves = False  # whether some of them are not its own
        self._sections: set[Section] = set()
        self._names_told = 0
        path, self._reader = self._begin(path)
        self._parts = [_Part(path, 0)]
        self._lock = threading.Lock()
        self._kept: tuple[_Part, OctetFile] | None = None
        self._packets = 0  # those of the files that are done
        self._rows = 0
        self._told = self._told_comments = self._sections_told = 0

    @property
    def path(self) -> Path:
        """The file that is being read."""
        return self._parts[-1].path

    @property
    def size(self) -> int:
        """Octets of the files up to the one that is being read."""
        return self._parts[-1].base + self._reader.size

    @property
    def position(self) -> int:
        """Octets that are done."""
        return self._parts[-1].base + self._reader.position

    def extent(self) -> tuple[Path, int]:
        """The file that is being read, and how many octets of it are done. May be called from any thread."""
        with self._lock:
            return self.path, self._reader.position

    def read(self, max_records: int = MAX_RECORDS) -> RecordBatch | None:
        """The next records; None when there is nothing more now. Raises CaptureError."""
        while True:
            # Looked for before the last read of this file: once there is a next one, this one is complete.
            following = self._following()
            if following is not None or not self._follow:
                self._reader.stop_following()
            self._reader.look = self.look
            batch = self._reader.read(max_records)
            self._take_over()
            if batch is not None:
                return self._moved(batch)
            if following is None or not self._reader.finished:
                self.finished = self._reader.finished
                return None
            self._go_on(*following)

    def octets(self, address: int, length: int) -> bytes:
        """Up to `length` octets at `address`; fewer, or none, where the ring has removed them."""
        if address >= SIDE:
            return self.side.octets(address, length)
        with self._lock:
            part = self._parts[bisect_right(self._parts, address, key=lambda part: part.base) - 1]
            if part is self._parts[-1]:
                return self._reader.octets(address - part.base, length)
            if self._kept is None or self._kept[0] is not part:
                self._let_go()
                try:
                    self._kept = part, OctetFile.open(part.path)
                except OSError:
                    return b""
            try:
                return self._kept[1].read(address - part.base, length)
            except OSError as error:
                raise CaptureError(f"{part.path} cannot be read: {error.strerror}.") from error

    def stop_following(self) -> None:
        """Say that the ring grows no more: `read` then gives the rest of it, and ends."""
        self._follow = False

    def close(self) -> None:
        """Close the files; what was read stays valid, `octets` does not."""
        with self._lock:
            self._let_go()
            self._reader.close()
        self.side.close()

    def _begin(self, path: Path) -> tuple[Path, CaptureReader]:
        """The first file and its reader; what the ring removes while it is being opened is passed over."""
        first = self._number
        while True:
            try:
                reader = open_capture(path, follow=self._follow or first is not None)
            except CaptureError:
                self._listed.clear()
                following = None if path.exists() else self._next_to(path)
                if following is None:
                    raise
                self._number, path = following
                continue
            if first is not None and self._number is not None:
                self._note_gap(0, self._number - first)
            return path, reader

    def _note_gap(self, at: int, count: int) -> None:
        if count > 0:
            message = _GAPS.get(count, _GAPS[0]).format(count)
            self.problems.append(CaptureProblem(at, message, "files-removed"))

    def _following(self) -> tuple[int, Path] | None:
        """The next file of the ring, if it is there already."""
        return self._next_to(self.path)

    def _next_to(self, path: Path) -> tuple[int, Path] | None:
        if self._number is None:
            return None
        while self._listed and self._listed[0][0] <= self._number:
            self._listed.popleft()
        if not self._listed:  # looked for anew: one listing serves all files that it has
            later = {
                number: there
                for number, there in ring_files(path).items()
                if number > self._number and (self._last is None or number <= self._last)
            }
            self._listed.extend(sorted(later.items()))
        return self._listed[0] if self._listed else None

    def _go_on(self, number: int, path: Path) -> None:
        base = self.size
        try:
            reader = open_capture(path, follow=True)
        except CaptureError:
            if path.exists():
                raise
            self._listed.clear()
            return  # removed by now: the next look finds a later one
        assert self._number is not None
        self._note_gap(base, number - self._number - 1)
        with self._lock:
            self._let_go()
            old, self._reader = self._reader, reader
            self._parts.append(_Part(path, base))
        old.close()
        self._packets = self._rows
        self._number = number
        self._told = self._told_comments = self._sections_told = self._names_told = 0
        self._numbers, self._moves = [], False

    def _let_go(self) -> None:
        if self._kept is not None:
            self._kept[1].close()
            self._kept = None

    def _take_over(self) -> None:
        """Take over all that the reader of this file has learnt besides packets."""
        reader, base = self._reader, self._parts[-1].base
        for problem in reader.problems[self._told :]:
            self.problems.append(problem._replace(offset=base + problem.offset))
        self._told = len(reader.problems)
        if len(reader.names) != self._names_told:
            self.names.update(reader.names)
            self._names_told = len(reader.names)
        new = dict.fromkeys(reader.sections[self._sections_told :])
        self._sections_told = len(reader.sections)
        self.sections += [section for section in new if section not in self._sections]
        self._sections.update(new)
        for number, statistics in reader.statistics.items():
            self.statistics[self._interface(number)] = statistics
        for row, texts in islice(reader.comments.items(), self._told_comments, None):
            self.comments[self._packets + row] = texts
        self._told_comments = len(reader.comments)

    def _moved(self, batch: RecordBatch) -> RecordBatch:
        """The batch with addresses and interfaces of the whole sequence."""
        base = self._parts[-1].base
        numbers = self._numbers
        for number in range(len(numbers), len(batch.interfaces)):
            numbers.append(self._interface(number))
            self._moves |= numbers[number] != number
        interface = batch.interface
        if self._moves:
            interface = np.array(numbers, np.uint16)[interface]
        self._rows += len(batch)
        return replace(
            batch,
            offset=batch.offset + base,
            base=batch.base + base,
            interface=interface,
            interfaces=self.interfaces,
        )

    def _interface(self, number: int) -> int:
        """The number here of an interface of this file: the same interface has one number in all files."""
        interface = self._reader.interfaces[number]
        known = self._interfaces.setdefault(interface, len(self.interfaces))
        if known == len(self.interfaces):
            self.interfaces.append(interface)
        return known
