"""A file that is written whole or not at all: under another name first, which becomes its own at the end.

    with WholeFile(path, sources) as file:
        file.write(octets)

What was there before stays until then. What is exported is never written over what it is read from.
"""

import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO


class ExportError(Exception):
    """Why something cannot be exported; the message is a sentence for people, with the file's name."""


class WholeFile:
    """Writes the file at `path`.

    A file that is replaced keeps its mode; a pipe or device is written to as it is. Raises ExportError where
    it cannot be written, and for a path that is one of the `sources`, the files that are read.
    """

    def __init__(self, path: str | Path, sources: Iterable[str | Path] = ()) -> None:
        self.path = Path(path)
        self._part: Path | None = None
        self._file: IO[bytes] | None = None
        for source in sources:
            with suppress(OSError):
                if os.path.samefile(self.path, source):
                    raise ExportError(f"{self.path} is what is read: it is not written over.")

    def __enter__(self) -> IO[bytes]:
        try:
            self._file = self._open()
        except OSError as error:
            raise self._error(error) from None
        return self._file

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._file is not None
        try:
            self._file.close()
            if self._part is not None and error is None:
                self._part.replace(self._target)
                self._part = None
        except OSError as problem:
            if error is None:
                raise self._error(problem) from None
        finally:
            if self._part is not None:
                with suppress(OSError):
                    self._part.unlink()
        if isinstance(error, OSError):
            raise self._error(error) from None

    @property
    def _target(self) -> Path:
        """Where the file lies: a link stays, and what it leads to is replaced."""
        return Path(os.path.realpath(self.path))

    def _open(self) -> IO[bytes]:
        target = self._target
        mode = target.stat().st_mode if target.exists() else None
        if mode is not None and stat.S_ISDIR(mode):
            raise IsADirectoryError(0, "that is a folder")
        if mode is not None and not stat.S_ISREG(mode):
            return target.open("wb")
        part = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.part")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        file = os.fdopen(os.open(part, flags, 0o666), "wb", 1 << 20)
        self._part = part
        if mode is not None:
            with suppress(OSError):
                part.chmod(stat.S_IMODE(mode))
        return file

    def _error(self, error: OSError) -> ExportError:
        return ExportError(f"{self.path} cannot be written: {error.strerror or error}.")
