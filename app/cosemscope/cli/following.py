"""Captures that grow while they are listed: a file, a ring of files, standard input or a named pipe.

A pipe is copied into a file without a name, which the reader follows: payload has to stay within reach.
"""

import os
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cosemscope.capture.files.compression import is_compressed
from cosemscope.capture.files.growing_copy import Piped
from cosemscope.capture.files.reader import CaptureReader, open_capture, open_source
from cosemscope.capture.files.ring_names import ring_number
from cosemscope.capture.files.sequence import CaptureSequence
from cosemscope.capture.records import CaptureError, CaptureProblem
from cosemscope.capture.source import RecordSource

_WINDOWS_PIPES = "\\\\.\\pipe\\"
_EVERY = 0.02
_MAGIC = 4


def more_comes(reader: RecordSource) -> bool:
    """Wait a moment after everything was read; whether to look again. Ctrl+C says that this was all."""
    if reader.finished:
        return False
    try:
        sys.stdout.flush()
        time.sleep(_EVERY)
    except KeyboardInterrupt:
        reader.stop_following()
    return True


@contextmanager
def followed(name: str) -> Iterator[RecordSource]:
    """A reader of the capture `name` (`-`: standard input) that goes on as it grows. Raises CaptureError."""
    path = Path(name)
    if name == "-" or is_pipe(name):
        with _Copy(name).open() as reader:
            yield reader
        return
    is_ring = ring_number(path) is not None
    with CaptureSequence(path, follow=True) if is_ring else open_capture(path, follow=True) as reader:
        yield reader


def is_pipe(name: str) -> bool:
    """True when the file of that name is a named pipe."""
    if name.startswith(_WINDOWS_PIPES):
        return True  # to look at it closer would be to connect to it
    try:
        return stat.S_ISFIFO(os.stat(name).st_mode)
    except OSError:
        return False


def piped(name: str, read: Callable[[int], bytes]) -> Piped:
    """The copy of a pipe of this name, empty so far. Raises CaptureError when there is no place for it."""
    try:
        return Piped(read)
    except OSError as error:
        raise CaptureError(f"There is no place for a copy of {name}: {error.strerror}.") from error


class _Copy:
    """A pipe that a thread copies into a file without a name, which its reader follows."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._shown = "Standard input" if name == "-" else name
        self._piped = piped(self._shown, self._read)
        self._source = -1
        self._begun = threading.Event()
        self._ended = threading.Event()
        self._error: OSError | None = None
        self._reader: CaptureReader | None = None
        threading.Thread(target=self._copy, name="pipe", daemon=True).start()

    def open(self) -> CaptureReader:
        """A reader of what comes, once enough has come to tell what it is. Raises CaptureError."""
        while not self._begun.wait(_EVERY):
            pass  # so that Ctrl+C is heard
        file = self._piped.file
        magic = file.read(0, _MAGIC)
        problem = ""
        if self._error is not None:
            problem = f"{self._shown} cannot be read: {self._error.strerror}."
        elif is_compressed(magic):
            problem = f"{self._shown} is compressed, and cannot be followed: unpack it on the way."
        elif not magic:
            problem = f"{self._shown} ended without a capture."
        if problem:
            file.close()
            raise CaptureError(problem)
        self._reader = reader = open_source(Path(self._shown), file, follow=True)
        if self._ended.is_set():
            self._end(reader)
        return reader

    def _read(self, most: int) -> bytes:
        if self._source < 0:
            flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
            self._source = sys.stdin.fileno() if self._name == "-" else os.open(self._name, flags)
        return os.read(self._source, most)

    def _copy(self) -> None:
        copy = self._piped
        try:
            while not copy.complete:
                copy.reach(copy.size + 1)
                if copy.size >= _MAGIC:
                    self._begun.set()
        except OSError as error:
            self._error = error
        except ValueError:
            pass  # the reader has closed the file
        self._ended.set()
        self._begun.set()
        if self._reader is not None:
            self._end(self._reader)

    def _end(self, reader: CaptureReader) -> None:
        """Nothing more comes; what was left out of the copy is told once."""
        problem, self._piped.problem = self._piped.problem, None
        if problem:
            reader.problems.append(CaptureProblem(self._piped.size, problem))
        reader.stop_following()
