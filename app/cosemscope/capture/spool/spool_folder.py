"""The folder of spools that nobody gave a name, and what is left in it by a process that died.

A spool is in use while a process holds it: its writer does from the first octet on, the window while it
shows it (`hold_spool`). The operating system lets go of a hold when the process ends, however it ends, so
what nobody holds was left over: it is offered when Cosemscope starts, and removed when the user says so.
The files of one ring are one spool.
"""

import errno
import os
import re
import secrets
import sys
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import platformdirs

from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.files.ring_names import RING_NAME
from cosemscope.capture.records import CaptureError

SUFFIX = ".pcapng"
_PROCESS = re.compile(r"(?P<command>[a-z]+)-\d{8}-\d{6}-(?P<process>\d+)(-[0-9a-f]{8})?")


class SpoolFolderError(OSError):
    """The folder of spools cannot be used; its text is a sentence with the folder and what to do."""

    def __str__(self) -> str:
        return (
            f"{self.filename} cannot be used for captures without a name: {self.strerror}. "
            "COSEMSCOPE_SPOOL names another folder."
        )


def spool_folder() -> Path:
    """The folder for spools that nobody gave a name, for its owner alone; made when it is missing.

    It is the operating system's place for a user's application state; `COSEMSCOPE_SPOOL` names another.
    Raises SpoolFolderError, also where it is another user's: what others put into it would be written to.
    """
    folder = Path("The home folder")
    try:
        folder = spool_place()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.name == "posix":
            _close_to_others(folder)
    except RuntimeError as error:  # nobody knows where the home is
        raise SpoolFolderError(errno.ENOENT, str(error), str(folder)) from None
    except OSError as error:
        raise SpoolFolderError(error.errno, (error.strerror or "").lower(), str(folder)) from None
    return folder


def spool_place() -> Path:
    """Where that folder is, or would be. Raises RuntimeError where nobody knows the home folder."""
    given = os.environ.get("COSEMSCOPE_SPOOL")
    return Path(given) if given else platformdirs.user_state_path("cosemscope", appauthor=False) / "spool"


def _close_to_others(folder: Path) -> None:
    """Take the rights of others away from the folder. Raises OSError where another user owns it."""
    status = folder.stat()
    trusted = {os.geteuid()}
    if os.geteuid() == 0 and os.environ.get("SUDO_UID", "").isdecimal():
        trusted.add(int(os.environ["SUDO_UID"]))
    if status.st_uid not in trusted:
        raise OSError(errno.EPERM, "it belongs to another user")
    if status.st_mode & 0o077:
        folder.chmod(0o700)


def spool_path(command: str) -> Path:
    """A new spool's name that nobody can foresee: command, local time, process, eight random digits.

    Raises OSError without a folder.
    """
    moment = datetime.now().strftime("%Y%m%d-%H%M%S")
    return spool_folder() / f"{command}-{moment}-{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"


def is_private(path: Path) -> bool:
    """True when a file lies in the folder of spools: then it is its owner's alone, and begun anew."""
    with suppress(OSError, RuntimeError):
        return path.parent.resolve() == spool_place().resolve()
    return False


@dataclass(frozen=True)
class Spool:
    """A spool in the folder: its files in order, octets in all, seconds since the epoch of the last write.

    `command` made it in the process numbered `process` ("" and 0 when the name does not tell). `in_use`: some
    process holds it. `empty`: it has no packet, so there is nothing to offer.
    """

    files: tuple[Path, ...]
    size: int
    modified: float
    command: str
    process: int
    in_use: bool
    empty: bool

    @property
    def path(self) -> Path:
        """Its first file, which is the one to open."""
        return self.files[0]


def spools(folder: Path | None = None) -> list[Spool]:
    """All spools in the folder, the youngest first. Raises OSError when it cannot be read."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted((folder or spool_folder()).glob("*" + SUFFIX)):
        ring = RING_NAME.fullmatch(path.name)
        found[ring["stem"] if ring else path.stem].append(path)
    described = (_describe(stem, files) for stem, files in found.items())
    return sorted((spool for spool in described if spool), key=lambda spool: -spool.modified)


def left_spools(folder: Path | None = None) -> list[Spool]:
    """The spools that nobody holds and that have packets: those to offer at the start."""
    return [spool for spool in spools(folder) if not spool.in_use and not spool.empty]


def remove_spool(spool: Spool) -> None:
    """Remove its files for good. Raises OSError, BlockingIOError when it is in use by now."""
    if any(_is_held(path) for path in spool.files):
        raise BlockingIOError(f"{spool.path} is in use by another process.")
    for path in spool.files:
        path.unlink(missing_ok=True)


class SpoolHold:
    """Says that this process uses a spool, until `close`, or the end of the process."""

    def __init__(self, path: Path) -> None:
        """Hold the file; raises OSError when it cannot be opened."""
        self._descriptor: int | None = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        mark_held(self._descriptor)

    def close(self) -> None:
        """Let go of it; doing so twice is no error."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def hold_spool(path: Path) -> SpoolHold:
    """Hold a spool as its reader: the window does, for what it shows. Raises OSError."""
    return SpoolHold(path)


if sys.platform == "win32":
    # An open file cannot be renamed there, not even to its own name: to have it open is to hold it.
    def mark_held(descriptor: int) -> None:
        """Hold the open file until it is closed."""

    def _is_held(path: Path) -> bool:
        try:
            path.rename(path)
        except PermissionError:
            return True
        except OSError:
            return False
        return False

else:
    import fcntl

    def mark_held(descriptor: int) -> None:
        """Hold the open file until it is closed; on file systems without locks nothing is held."""
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)

    def _is_held(path: Path) -> bool:
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return False


def _describe(stem: str, files: list[Path]) -> Spool | None:
    """The spool of these files; None when they have just gone."""
    states = []
    there = []
    for path in files:
        with suppress(OSError):
            states.append(path.stat())
            there.append(path)
    if not there:
        return None
    made = _PROCESS.fullmatch(stem)
    return Spool(
        files=tuple(there),
        size=sum(state.st_size for state in states),
        modified=max(state.st_mtime for state in states),
        command=made["command"] if made else "",
        process=int(made["process"]) if made else 0,
        in_use=any(_is_held(path) for path in there),
        empty=not any(_has_packets(path) for path in there),
    )


def _has_packets(path: Path) -> bool:
    try:
        with open_capture(path) as reader:
            return reader.read(1) is not None
    except CaptureError:
        return False
