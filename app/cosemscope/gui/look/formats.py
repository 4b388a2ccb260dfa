"""How times, durations and amounts are written in the window.

Times are integers in nanoseconds until they come here. Nothing here knows Qt.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from typing import NamedTuple

#: Characters of a tool tip; a comment in a capture may have many more than a screen has room for.
_LONGEST_TIP = 4_000

_UNITS = ("octets", "KiB", "MiB", "GiB", "TiB")


class TimeFormat(NamedTuple):
    """One way to write a WPDU's time: `text(time, first, before)`, all in nanoseconds.

    `first` is the capture's first WPDU, `before` the one before (or this one itself for the first).
    `displayed` says that `before` is the one shown above rather than the one before in the capture.
    """

    title: str
    text: Callable[[int, int, int], str]
    sample: str
    displayed: bool = False


def seconds(nanoseconds: int) -> str:
    """Seconds with six places, exact, for example `12.000250`."""
    sign = "-" if nanoseconds < 0 else ""
    whole, rest = divmod(abs(nanoseconds), 1_000_000_000)
    return f"{sign}{whole}.{rest // 1000:06d}"


def clock(time: int, *, utc: bool = False) -> str:
    """Date and time of day with six places, in local time or in UTC."""
    whole, rest = divmod(time, 1_000_000_000)
    try:
        moment = datetime.fromtimestamp(whole, UTC)
    except (OverflowError, OSError, ValueError):
        return seconds(time)
    if not utc:
        moment = moment.astimezone()
    return f"{moment:%Y-%m-%d %H:%M:%S}.{rest // 1000:06d}"


TIME_FORMATS: dict[str, TimeFormat] = {
    "relative": TimeFormat(
        "Seconds since first WPDU", lambda time, first, before: seconds(time - first), "00000.000000"
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
        "Seconds since previous WPDU", lambda time, first, before: seconds(time - before), "00000.000000"
    ),
    "delta-displayed": TimeFormat(
        "Seconds since previous displayed WPDU",
        lambda time, first, before: seconds(time - before),
        "00000.000000",
        displayed=True,
    ),
}


def duration(nanoseconds: int) -> str:
    """A duration for people: `250 µs`, `1.250 s`, `24 min 57 s`, `3 h 05 min`, `2 d 4 h`."""
    if nanoseconds < 1_000_000:
        return f"{nanoseconds / 1000:.0f} µs"
    if nanoseconds < 1_000_000_000:
        return f"{nanoseconds / 1e6:.1f} ms"
    if nanoseconds < 60_000_000_000:
        return f"{nanoseconds / 1e9:.3f} s"
    whole = round(nanoseconds / 1e9)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def short_duration(nanoseconds: int) -> str:
    """A duration in three figures, for narrow columns: `193 ms`, `1.25 s`, `24.9 min`, `3.1 h`."""
    if not nanoseconds:
        return "0"
    for limit, divisor, unit in (
        (10**6, 10**3, "µs"),
        (10**9, 10**6, "ms"),
        (60 * 10**9, 10**9, "s"),
        (3600 * 10**9, 60 * 10**9, "min"),
        (48 * 3600 * 10**9, 3600 * 10**9, "h"),
    ):
        if nanoseconds < limit:
            return f"{nanoseconds / divisor:.3g} {unit}"
    return f"{nanoseconds / (86400 * 10**9):.1f} d"


def short_size(octets: int) -> str:
    """An amount of octets in three figures, for narrow columns: `812`, `1.4 KiB`."""
    return str(octets) if octets < 1024 else size(octets)


def size(octets: int) -> str:
    """An amount of octets for people: `812 octets`, `1.4 MiB`."""
    if octets < 1024:
        return f"{octets} octet{'' if octets == 1 else 's'}"
    amount = float(octets)
    for unit in _UNITS:
        if amount < 1024 or unit == _UNITS[-1]:
            return f"{amount:.1f} {unit}"
        amount /= 1024
    raise AssertionError("unreachable")


def plain_tip(text: str) -> str:
    """A text as a tool tip shows it as it stands: what looks like mark-up would be taken for it.

    Of a very long one it is the beginning.
    """
    shown = text if len(text) <= _LONGEST_TIP else text[:_LONGEST_TIP] + "…"
    return f"<p style='white-space: pre-wrap'>{escape(shown)}</p>" if "<" in shown or "&" in shown else shown


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 WPDU`, `12,345 WPDUs`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def sentence(text: str) -> str:
    """A message as a sentence: a capital at its beginning, a stop at its end."""
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else ""
