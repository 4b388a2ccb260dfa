"""The checkout's virtual environment: where it is, what is set up in it, who may change it just now.

A mark, `.venv/ready.json`, written last by whoever sets up, says what is whole:
the foundation (kind of Python, place) and the fingerprint of each set of pins.
Standard library only, and no syntax that Python 3.8 does not know.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys

TYPE_CHECKING = False  # as in typing, whose import would cost each start 5 ms
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Raised by one when what a set-up makes changes, so that older ones are made anew.
LAYOUT = 1
#: What can be set up: name -> file of pins, in the order in which they are installed.
SETS = {
    "app": "requirements.txt",
    "tests": "requirements-test.txt",
    "lint": "requirements-lint.txt",
    "mutants": "requirements-mutants.txt",
    "fuzz": "requirements-fuzz.txt",
    "fleet": "requirements-fleet.txt",
    "freeze": "requirements-freeze.txt",
    "release": "requirements-release.txt",
}


class SetupError(Exception):
    """Set-up cannot go on; the text is a sentence for people: what happened and what to do."""


class Place:
    """Where things are in a checkout whose virtual environment is, or will be, in the folder `venv`.

    The environment is made from the Python `base`, or from the running one.
    """

    def __init__(self, checkout: str, venv: str = ".venv", base: str | None = None) -> None:
        self.checkout = checkout
        self.venv = os.path.join(checkout, venv)
        self.base = base or getattr(sys, "_base_executable", None) or sys.executable
        self.scripts = os.path.join(self.venv, "Scripts" if sys.platform == "win32" else "bin")
        self.python = os.path.join(self.scripts, "python.exe" if sys.platform == "win32" else "python")
        self.mark = os.path.join(self.venv, "ready.json")
        self.lock = self.venv + "-lock"
        #: Descriptors of the lock while it is held. pip inherits it: where this process is killed and pip
        #: goes on, the next start waits until pip has ended.
        self.held: tuple[int, ...] = ()

    def pins(self, name: str) -> str:
        """The file of pins of the set `name`."""
        return os.path.join(self.checkout, "packaging", SETS[name])

    def say(self, text: str) -> None:
        """Tell the user how it goes; on standard error, so that a command's output stays its own."""
        print(text, file=sys.stderr, flush=True)


def foundation(place: Place) -> str:
    """What the virtual environment as a whole was made for: layout, system, kind of Python, place."""
    machine = os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "")
    python = sys.implementation.cache_tag
    if place.base not in (getattr(sys, "_base_executable", None), sys.executable):
        python = place.base
    return f"{LAYOUT} {sys.platform} {machine} {python} {place.checkout}"


def fingerprint(path: str) -> str:
    """SHA-256 of a file of pins, in hexadecimal digits; line ends do not count."""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read().replace(b"\r\n", b"\n")).hexdigest()


def read_mark(place: Place) -> dict[str, str]:
    """What the mark says is set up; empty when there is no whole mark."""
    try:
        with open(place.mark, encoding="utf-8") as file:
            mark = json.load(file)
    except (OSError, ValueError):
        return {}
    return mark if isinstance(mark, dict) else {}


def write_mark(place: Place, mark: dict[str, str]) -> None:
    """Write the mark in one step, so that it is never half there."""
    with open(place.mark + ".new", "w", encoding="utf-8") as file:
        json.dump(mark, file, indent=1)
    os.replace(place.mark + ".new", place.mark)


def is_sound(place: Place, mark: dict[str, str]) -> bool:
    """Whether the virtual environment that `mark` tells of can be built on."""
    return mark.get("foundation") == foundation(place) and os.path.exists(place.python)


def missing_sets(place: Place, mark: dict[str, str], names: list[str]) -> list[str]:
    """Those of `names` that are not set up as the pins say now."""
    if not is_sound(place, mark):
        return list(names)
    return [name for name in names if mark.get(name) != fingerprint(place.pins(name))]


@contextlib.contextmanager
def alone(place: Place) -> Iterator[None]:
    """Hold the checkout's lock: of two starts at once one sets up and the other waits."""
    with open(place.lock, "a+b") as file:
        if sys.platform == "win32":  # where descriptors are not handed on like this
            import msvcrt
            import time

            told = False
            while True:
                try:
                    file.seek(0)
                    msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                    break
                except OSError:
                    if not told:
                        place.say("Another start is setting Cosemscope up: waiting for it ...")
                    told = True
                    time.sleep(0.2)
        else:
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                place.say("Another start is setting Cosemscope up: waiting for it ...")
                fcntl.flock(file, fcntl.LOCK_EX)
            place.held = (file.fileno(),)
        try:
            yield
        finally:
            place.held = ()
