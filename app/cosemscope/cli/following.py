"""Captures that grow while they are listed: a file, a ring of files, standard input or a named pipe.

A pipe is copied into a temporary file, which is what the reader follows: payload has to stay within reach.
"""

import os
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cosemscope.capture.files.compression import is_compressed
from cosemscope.capture.files.reader import CaptureReader, open_capture
from cosemscope.capture.files.ring_names import ring_number
from cosemscope.capture.files.sequence import CaptureSequence
from cosemscope.capture.records import CaptureError
from cosemscope.capture.source import RecordSource

_WINDOWS_PIPES = "\\\\.\\pipe\\"
_EVERY = 0.02
_READ = 1 << 18
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
        with _Copy(name) as copy, copy.open() as reader:
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


class _Copy:
    """A pipe that a thread copies into a temporary file, which is removed at the end."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._target, path = tempfile.mkstemp(prefix="cosemscope-", suffix=".capture")
        self._path = Path(path)
        self._begun = threading.Event()
        self._ended = threading.Event()
        self._writing = threading.Lock()
        self._over = False
        self._error: OSError | None = None
        self._reader: CaptureReader | None = None
        threading.Thread(target=self._copy, name="pipe", daemon=True).start()

    def __enter__(self) -> "_Copy":
        return self

    def __exit__(self, *_: object) -> None:
        self._finish()  # Windows removes no file that is open; a pipe that has not ended holds the thread up
        with suppress(OSError):
            self._path.unlink()

    def _finish(self) -> None:
        with self._writing:
            if not self._over:
                self._over = True
                os.close(self._target)

    def open(self) -> CaptureReader:
        """A reader of what comes, once enough has come to tell what it is. Raises CaptureError."""
        while not self._begun.wait(_EVERY):
            pass  # so that Ctrl+C is heard
        shown = "Standard input" if self._name == "-" else self._name
        if self._error is not None:
            raise CaptureError(f"{shown} cannot be read: {self._error.strerror}.")
        with self._path.open("rb") as file:
            magic = file.read(_MAGIC)
        if is_compressed(magic):
            raise CaptureError(f"{shown} is compressed, and cannot be followed: unpack it on the way.")
        if not magic:
            raise CaptureError(f"{shown} ended without a capture.")
        self._reader = reader = open_capture(self._path, follow=True)
        if self._ended.is_set():
            reader.stop_following()
        return reader

    def _copy(self) -> None:
        copied = 0
        try:
            flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
            source = sys.stdin.fileno() if self._name == "-" else os.open(self._name, flags)
            while octets := os.read(source, _READ):
                with self._writing:
                    view = memoryview(b"" if self._over else octets)
                    while view:
                        view = view[os.write(self._target, view) :]
                copied += len(octets)
                if copied >= _MAGIC:
                    self._begun.set()
        except OSError as error:
            self._error = error
        self._finish()
        self._ended.set()
        self._begun.set()
        if self._reader is not None:
            self._reader.stop_following()
