"""The events that a capture tells, and the commands that it takes (see `capture.events` for their JSON).

The end of a capture's standard input ends it as `StopCapture` does.
"""

from dataclasses import dataclass
from pathlib import Path

from cosemscope.capture.events import Command, Event, Trouble, Vocabulary


@dataclass(frozen=True, kw_only=True)
class CaptureBegun(Event):
    """The capture into `file` has begun.

    `by` is the way in with its version, `filter` the text that it is for Ethernet, `mode` "immediate",
    "buffered" or "pipe"; a pipe has no `interfaces`. `hold` is for how many milliseconds the system may hold
    packets back, None where that is not known. `rights` is a sentence about what became of root's rights;
    empty where there were none.
    """

    word = "capturing"
    file: Path
    by: str
    interfaces: tuple[str, ...]
    filter: str
    mode: str
    hold: int | None
    rights: str = ""


@dataclass(frozen=True, kw_only=True)
class RingTurned(Event):
    """A ring goes on in `file`; the oldest files, `removed`, are gone."""

    word = "file"
    file: Path
    removed: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class CaptureCounts(Event):
    """Counts of all files, twice a second when they have changed; `dropped` is None until it is known."""

    word = "counts"
    packets: int
    octets: int
    dropped: int | None


@dataclass(frozen=True, kw_only=True)
class CaptureStopped(Event):
    """The end: `reason` is "asked", "packets", "size", "seconds", "files", "ended" or "error"."""

    word = "stopped"
    reason: str


@dataclass(frozen=True, kw_only=True)
class CaptureKept(Event):
    """The capture is kept in these `files`, of which `file` is the first.

    The last event, unless nothing is.
    """

    word = "kept"
    file: Path
    files: tuple[Path, ...]
    packets: int
    dropped: int | None


@dataclass(frozen=True, kw_only=True)
class StopCapture(Command):
    """`{"stop": true}` ends the capture in order."""

    word = "stop"
    stop: bool = True


@dataclass(frozen=True, kw_only=True)
class AskCounts(Command):
    """`{"counts": true}` asks for counts at once."""

    word = "counts"
    counts: bool = True


CAPTURE_EVENTS: Vocabulary[Event] = Vocabulary(
    "event", CaptureBegun, RingTurned, CaptureCounts, CaptureStopped, CaptureKept, Trouble
)
CAPTURE_COMMANDS: Vocabulary[Command] = Vocabulary("command", StopCapture, AskCounts)
