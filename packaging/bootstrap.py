"""Makes what Cosemscope needs on a machine that has only Python and pip, then starts it.

`app/__main__.py` and `tests/__main__.py` call `start_application` and
`start_tests`; `python packaging/bootstrap.py app tests lint` only sets up.
Everything goes into `.venv` in the checkout: pinned packages, the package
itself by a `.pth` file, the `cosemscope` command. A set-up that was interrupted
is made anew; one that is whole costs the reading of two small files.
Standard library only, and no syntax that Python 3.8 does not know, so that an
old Python can be told which one is needed.
"""

from __future__ import annotations

import contextlib
import os
import sys

import qt_libraries
from workspace import SETS, Place, SetupError, alone, missing_sets, read_mark, write_mark

TYPE_CHECKING = False  # as in typing, whose import would cost each start 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OLDEST = (3, 11)
NEWEST = (3, 14)
CHECKOUT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def ensure(place: Place, names: list[str]) -> None:
    """Set up the sets `names` where they are missing; raises SetupError."""
    if not missing_sets(place, read_mark(place), names):
        return
    try:
        with alone(place):
            mark = read_mark(place)
            missing = missing_sets(place, mark, names)
            if missing:
                import installer

                installer.set_up(place, mark, missing)
    except PermissionError as error:
        raise SetupError(
            f"{error.filename or place.checkout} cannot be written by this user: start Cosemscope once as "
            "the user whose checkout this is, or clone it to a folder of your own."
        ) from error
    except OSError as error:
        raise SetupError(
            f"{error.filename or place.venv}: {error.strerror or error}. "
            "Set right what this names, then start again."
        ) from error


def refuse_python(version: Sequence[int]) -> str | None:
    """Why Cosemscope cannot run on a Python of this `version`; None when it can."""
    if OLDEST <= tuple(version[:2]) <= NEWEST:
        return None
    import shutil

    text = (
        f"Cosemscope needs Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}; this is "
        f"{version[0]}.{version[1]} ({sys.executable})."
    )
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            return f"{text} Start it with {found}."
    return f"{text} Install one of these and start Cosemscope with it."


def _guarded(work: Callable[[list[str]], int], words: list[str]) -> int:
    """The exit status of `work` with `words`; 1, after a sentence, where it cannot go on."""
    refusal = refuse_python(sys.version_info[:3])
    if refusal:
        print(refusal, file=sys.stderr)
        return 1
    try:
        return work(words)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. What is missing will be set up at the next start.", file=sys.stderr)
        return 130


def start_application(words: list[str]) -> int:
    """Set up what is missing and run Cosemscope with `words`; return the exit status."""
    return _guarded(_start_application, words)


def _start_application(words: list[str]) -> int:
    place = Place(CHECKOUT)
    ensure(place, ["app"])
    if lacks_libraries(place) and not _is_command(words):
        ensure_libraries(place)
    return _become([place.python, "-P", "-m", "cosemscope", *words])


def _is_command(words: list[str]) -> bool:
    """Whether `words` are for the command line, which does without Qt."""
    sys.path.insert(0, os.path.join(CHECKOUT, "app"))
    try:
        from cosemscope import cli
    finally:
        del sys.path[0]
    return cli.is_command(words)


def lacks_libraries(place: Place) -> bool:
    """Whether a library that Qt needs here is not yet marked as found."""
    return not set(qt_libraries.needed()) <= set(read_mark(place).get("libraries", "").split())


def ensure_libraries(place: Place) -> None:
    """See that the libraries Qt needs here are there, and mark them as found; raises SetupError."""
    needed = qt_libraries.needed()
    absent = qt_libraries.missing(needed)
    if absent:
        qt_libraries.install(absent)
    # Where the mark cannot be written (another user's checkout), the next start looks again: 20 ms.
    with contextlib.suppress(OSError), alone(place):
        mark = read_mark(place)
        found = {*mark.get("libraries", "").split(), *needed}
        write_mark(place, {**mark, "libraries": " ".join(sorted(found))})


def start_tests(words: list[str]) -> int:
    """Set up what is missing and run the suite with pytest's arguments `words`; return the exit status."""
    return _guarded(_start_tests, words)


def _start_tests(words: list[str]) -> int:
    place = Place(CHECKOUT)
    ensure(place, ["app", "tests"])
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if lacks_libraries(place):
        ensure_libraries(place)
    words = [absolute(word) for word in words]
    os.chdir(place.checkout)
    return _become([place.python, "-P", "-m", "pytest", *words])


def absolute(word: str) -> str:
    """A pytest argument with its path, if it is one (`tests/test_x.py::test_y`), made absolute."""
    path, separator, test = word.partition("::")
    return os.path.abspath(path) + separator + test if path and os.path.exists(path) else word


def _become(command: list[str]) -> int:
    """Run `command` in this process's stead or, on Windows, run it; return its exit status."""
    if sys.platform != "win32":
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(command[0], command)
    import signal
    import subprocess

    # Ctrl+C goes to both; the child decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return subprocess.call(command)


def main(names: list[str]) -> int:
    """Set up the sets `names` (all of SETS when empty) and start nothing; return the exit status."""
    unknown = [name for name in names if name not in SETS]
    if unknown:
        print(f"Unknown: {' '.join(unknown)}. Known are {' '.join(SETS)}.", file=sys.stderr)
        return 2
    return _guarded(_only_set_up, names or list(SETS))


def _only_set_up(names: list[str]) -> int:
    ensure(Place(CHECKOUT), names)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
