"""A screen that nobody sees: starts Xvfb, waits for a program's window there, and photographs it."""

import contextlib
import os
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from release.steps import BuildError, build_environment, need, run

_SCREEN = "1440x940x24"


@contextlib.contextmanager
def screen() -> Iterator[str]:
    """Run an X server on a number that is free; gives its name for DISPLAY, ends it afterwards."""
    need("Xvfb", "xdotool", "import")
    reading, writing = os.pipe()
    # A server that resets with its last client refuses who comes just then, and xdotool comes and goes.
    words = ["Xvfb", "-displayfd", str(writing), "-screen", "0", _SCREEN, "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(words, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        ready, _, _ = select.select([reading], [], [], 30)
        number = os.read(reading, 16).decode().strip() if ready else ""
        if not number:
            raise BuildError("Xvfb did not start within 30 s")
        yield f":{number}"
    finally:
        os.close(reading)
        server.terminate()
        server.wait(30)


@contextlib.contextmanager
def window(
    words: Sequence[str | Path], display: str, environment: Mapping[str, str] = {}, seconds: float = 60
) -> Iterator[float]:
    """Run a program until its window is there; gives the seconds that took, ends the program afterwards.

    Raises BuildError, with what the program said, where it ends before or shows nothing within `seconds`.
    """
    began = time.monotonic()
    program = subprocess.Popen(
        [str(word) for word in words],
        env=build_environment({**environment, "DISPLAY": display}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    try:
        while not _visible(display):
            if program.poll() is not None or time.monotonic() - began > seconds:
                program.kill()
                said = program.stdout.read() if program.stdout is not None else ""
                raise BuildError(f"no window of {words[0]} within {seconds:.0f} s:\n{said}")
            time.sleep(0.02)
        yield time.monotonic() - began
    finally:
        program.terminate()
        program.communicate()


def _visible(display: str) -> bool:
    words = ["xdotool", "search", "--onlyvisible", "--name", "Cosemscope"]
    return bool(run(words, environment={"DISPLAY": display}, statuses=(0, 1)).strip())


def photograph(display: str, path: Path, settle: float = 2.0) -> Path:
    """Save the screen as a PNG once the window has had `settle` seconds to paint; return the path."""
    time.sleep(settle)
    path.parent.mkdir(parents=True, exist_ok=True)
    run(["import", "-window", "root", path], environment={"DISPLAY": display})
    return path
