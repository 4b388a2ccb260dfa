"""`cosemscope capture` in a process of its own, and what it takes to have something to capture."""

import contextlib
import functools
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from cosemscope import cli
from cosemscope.capture.capturing import libpcap
from cosemscope.capture.capturing.libpcap import LibpcapError, OpenOptions

APP = Path(__file__).resolve().parents[2] / "app"
Event = dict[str, Any]


@functools.cache
def _loopback_trouble() -> str:
    if not sys.platform.startswith("linux"):
        return "these tests know Linux only"
    try:
        libpcap.open_live("lo", OpenOptions()).close()
    except LibpcapError as error:
        return str(error)
    return ""


def needs_rights() -> None:
    """Skip, loudly, where packets on the loopback interface may not be captured."""
    trouble = _loopback_trouble()
    if trouble:
        pytest.skip(f"NO RIGHTS TO CAPTURE: {trouble} (run as root where that is allowed)")


def needs(program: str) -> str:
    """The path of a program; skips, loudly, where it is not installed."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"PROGRAM MISSING: {program} is not installed")
    return found


def command(*words: object, prefix: Sequence[str] = ()) -> list[str]:
    """The command line for a command of Cosemscope's."""
    return [*prefix, sys.executable, "-m", "cosemscope", *map(str, words)]


def environment(spools: Path | None = None) -> dict[str, str]:
    """The environment for it; spools that are not named go to `spools`."""
    found = {**os.environ, "PYTHONPATH": str(APP)}
    if spools is not None:
        found["COSEMSCOPE_SPOOL"] = str(spools)
    return found


def run(*words: object, spools: Path | None = None, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run a command of Cosemscope's to its end."""
    prefix = options.pop("prefix", ())
    return subprocess.run(
        command(*words, prefix=prefix),
        env=environment(spools),
        capture_output=True,
        text=True,
        timeout=60,
        **{"stdin": subprocess.DEVNULL, **options},
    )


class Capture:
    """A running `cosemscope capture --control`; `begun` is its first event."""

    def __init__(self, *words: object, spools: Path | None = None, prefix: Sequence[str] = ()) -> None:
        self.process = subprocess.Popen(
            command("capture", "--control", *words, prefix=prefix),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(spools),
        )
        self.events: list[Event] = []
        self.begun = self.event("capturing")

    @property
    def file(self) -> Path:
        """Its first file."""
        return Path(self.begun["file"])

    def event(self, *kinds: str) -> Event:
        """The next event of one of these kinds; those before it are passed over."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event: Event = json.loads(line)
            self.events.append(event)
            if event["event"] in kinds:
                return event
        assert self.process.stderr is not None
        errors = self.process.stderr.read()
        pytest.fail(f"it ended without {kinds}: {self.events} {errors}", pytrace=False)

    def packets(self, count: int) -> None:
        """Wait until it has taken so many packets."""
        while self.event("counts")["packets"] < count:
            pass

    def tell(self, **words: Any) -> None:
        """Give it a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()

    def stop(self) -> Event:
        """Ask it to stop; its last event."""
        self.tell(stop=True)
        return self.rest()

    def rest(self) -> Event:
        """Let its input end, which stops it, and wait for its end; its last event."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.events += map(json.loads, self.process.stdout)  # not communicate: lines may wait in its buffer
        assert self.process.stderr.read() == ""
        self.process.wait(30)
        return self.events[-1]


@contextlib.contextmanager
def capturing(*words: object, spools: Path | None = None, prefix: Sequence[str] = ()) -> Iterator[Capture]:
    """A capture that is ended in any case."""
    capture = Capture(*words, spools=spools, prefix=prefix)
    try:
        yield capture
    finally:
        if capture.process.poll() is None:
            capture.process.kill()
        with contextlib.suppress(ValueError, OSError):
            capture.process.communicate()


def wpdus(path: Path) -> list[Event]:
    """What `cosemscope list --json` says of a capture; it must have nothing to complain of."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        status = cli.main(["list", str(path), "--json"])
    assert (status, errors.getvalue()) == (0, "")
    return [json.loads(line) for line in out.getvalue().splitlines()]


@contextlib.contextmanager
def spare_link(name: str) -> Iterator[str]:
    """A network interface that nobody else knows; removed in any case."""
    ip = needs("ip")
    peer = name + "p"
    made = subprocess.run(
        [ip, "link", "add", name, "type", "veth", "peer", "name", peer], capture_output=True
    )
    if made.returncode:
        pytest.skip(f"NO RIGHTS for network interfaces: {made.stderr.decode().strip()}")
    try:
        subprocess.run([ip, "addr", "add", "192.0.2.77/32", "dev", name], check=True)
        for each in (name, peer):
            subprocess.run([ip, "link", "set", each, "up"], check=True)
        yield name
    finally:
        subprocess.run([ip, "link", "del", name], capture_output=True)


@contextlib.contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A disk of 256 KiB at `place`."""
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], capture_output=True)
    if made.returncode:
        pytest.skip(f"NO RIGHTS to make a small disk: {made.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)
