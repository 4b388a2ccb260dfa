"""Ways to write times in the table, and texts of a capture in tool tips. Nothing here knows Qt."""

from collections.abc import Callable
from html import escape
from typing import NamedTuple

from cosemscope.wording import clock, printable, seconds

#: Characters of a tool tip; a comment in a capture may have many more than a screen has room for.
_LONGEST_TIP = 4_000


class TimeFormat(NamedTuple):
    """One way to write a WPDU's time: `text(time, first, before)`, all in nanoseconds.

    `first` is the capture's first WPDU, `before` the one before (or this one itself for the first).
    `relative` says that it counts from `first`, `gaps` that it is the time since `before`, and that rows are
    sorted by that; `displayed` that `before` is the last one displayed rather than the last of the capture.
    """

    title: str
    text: Callable[[int, int, int], str]
    sample: str
    gaps: bool = False
    displayed: bool = False
    relative: bool = False


#: What stands in the place of a relative time where times count from that WPDU.
REFERENCE_TEXT = "*REF*"


TIME_FORMATS: dict[str, TimeFormat] = {
    "relative": TimeFormat(
        "Seconds since first WPDU, or time reference",
        lambda time, first, before: seconds(time - first),
        "00000.000000",
        relative=True,
    ),
    "clock": TimeFormat(
        "Date and time of day", lambda time, first, before: clock(time), "2026-00-00 00:00:00.000000"
    ),
    "utc": TimeFormat(
        "Date and time of day, UTC",
        lambda time, first, before: clock(time, utc=True),
        "2026-00-00 00:00:00.000000",
    ),
    "delta": TimeFormat(
        "Seconds since previous WPDU",
        lambda time, first, before: seconds(time - before),
        "00000.000000",
        gaps=True,
    ),
    "delta-displayed": TimeFormat(
        "Seconds since previous displayed WPDU",
        lambda time, first, before: seconds(time - before),
        "00000.000000",
        gaps=True,
        displayed=True,
    ),
}


def plain_tip(text: str) -> str:
    """A text as a tool tip shows it as it stands: what looks like mark-up would be taken for it.

    Of a very long one it is the beginning. What cannot be printed is escaped, but for line breaks.
    """
    shown = text if len(text) <= _LONGEST_TIP else text[:_LONGEST_TIP] + "…"
    shown = "\n".join(map(printable, shown.splitlines()))
    return f"<p style='white-space: pre-wrap'>{escape(shown)}</p>" if "<" in shown or "&" in shown else shown
