"""The folder of what a client keeps between runs, for its owner alone; files in it are replaced whole."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from cosemscope.live.client.client_refused import MeterError


def state_place() -> Path:
    """Where it is, or would be; `COSEMSCOPE_STATE` names another. Raises MeterError where nobody knows."""
    given = os.environ.get("COSEMSCOPE_STATE")
    try:
        return Path(given) if given else platformdirs.user_state_path("cosemscope", appauthor=False)
    except RuntimeError as error:
        raise MeterError(f"the home folder is not known ({error}): COSEMSCOPE_STATE names another") from None


def read_kept(path: Path, most: int) -> bytes:
    """What a file holds; nothing where there is none. Raises MeterError, also above `most` octets."""
    try:
        with path.open("rb") as file:
            octets = file.read(most + 1)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise _unusable(path, error) from None
    if len(octets) > most:
        raise MeterError(f"{path} is longer than {most:,} octets, which nothing kept there is: remove it")
    return octets


def keep(path: Path, octets: bytes) -> None:
    """Put octets in place of what a file held: whole, on the disk, for its owner alone. Raises MeterError."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise _unusable(path, error) from None


def _unusable(path: Path, error: OSError) -> MeterError:
    words = f"{path} cannot be used to keep what meters need: {error.strerror or error}"
    return MeterError(f"{words}. COSEMSCOPE_STATE names another folder")


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Be the only one, of all processes, who changes a file: waits for others. Raises MeterError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unusable(path, error) from None
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)  # which lets go of it


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        with suppress(OSError):  # after ten seconds it gives up
            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        with suppress(OSError):  # file systems without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
