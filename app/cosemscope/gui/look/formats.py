"""Ways to write times in the table, and texts of a capture in tool tips. Nothing here knows Qt."""

from collections.abc import Callable
from enum import Enum
from html import escape
from typing import NamedTuple

from cosemscope.wording import clock, printable, seconds

#: Characters of a tool tip; a comment in a capture may have many more than a screen has room for.
_LONGEST_TIP = 4_000


class TimeBase(Enum):
    """What a time is counted from."""

    NOTHING = 0  # it is told by itself
    FIRST = 1  # the capture's first WPDU, or a time reference before it
    PREVIOUS = 2
    DISPLAYED = 3  # the previous one displayed
    REQUEST = 4  # the request that the WPDU answers, or goes on with


class TimeFormat(NamedTuple):
    """One way to write a WPDU's time: `text(time, base, places)`, in ns and digits behind the point.

    `base` is the time that it is counted from, by `since`; rows are sorted by what is shown.
    """

    title: str
    text: Callable[[int, int, int], str]
    sample: str
    since: TimeBase = TimeBase.NOTHING


#: What stands in the place of a relative time where times count from that WPDU.
REFERENCE_TEXT = "*REF*"
#: Digits behind the point, by the name of the setting.
PRECISIONS = {"0": "Seconds", "3": "Milliseconds", "6": "Microseconds", "9": "Nanoseconds"}
_CLOCK_SAMPLE, _GAP_SAMPLE = "2026-00-00 00:00:00.000000", "00000.000000"


def _since(time: int, base: int, places: int) -> str:
    return seconds(time - base, places)


TIME_FORMATS: dict[str, TimeFormat] = {
    "relative": TimeFormat(
        "Seconds since first WPDU, or time reference", _since, _GAP_SAMPLE, TimeBase.FIRST
    ),
    "clock": TimeFormat(
        "Date and time of day", lambda time, base, places: clock(time, places=places), _CLOCK_SAMPLE
    ),
    "utc": TimeFormat(
        "Date and time of day, UTC",
        lambda time, base, places: clock(time, utc=True, places=places),
        _CLOCK_SAMPLE,
    ),
    "epoch": TimeFormat(
        "Seconds since 1970-01-01, UTC",
        lambda time, base, places: seconds(time, places),
        "1760000400.000000",
    ),
    "delta": TimeFormat("Seconds since previous WPDU", _since, _GAP_SAMPLE, TimeBase.PREVIOUS),
    "delta-displayed": TimeFormat(
        "Seconds since previous displayed WPDU", _since, _GAP_SAMPLE, TimeBase.DISPLAYED
    ),
    "delta-request": TimeFormat("Seconds since own request", _since, _GAP_SAMPLE, TimeBase.REQUEST),
}


def time_sample(way: TimeFormat, places: int) -> str:
    """A text as long as times are written that way, with so many digits behind the point."""
    whole = way.sample.partition(".")[0]
    return f"{whole}.{'0' * places}" if places else whole


def plain_tip(text: str) -> str:
    """A text as a tool tip shows it as it stands: what looks like mark-up would be taken for it.

    Of a very long one it is the beginning. What cannot be printed is escaped, but for line breaks.
    """
    shown = text if len(text) <= _LONGEST_TIP else text[:_LONGEST_TIP] + "…"
    shown = "\n".join(map(printable, shown.splitlines()))
    return f"<p style='white-space: pre-wrap'>{escape(shown)}</p>" if "<" in shown or "&" in shown else shown
