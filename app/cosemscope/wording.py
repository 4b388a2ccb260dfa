"""How times, durations, amounts and sentences are written for people, by commands and the window alike.

Times are integers in nanoseconds, of moments since the epoch.
"""

from datetime import UTC, datetime
from functools import lru_cache

_SECOND = 1_000_000_000
_UNITS = ("octets", "KiB", "MiB", "GiB", "TiB")


def seconds(nanoseconds: int, places: int = 6) -> str:
    """Seconds with so many places, cut and not rounded, for example `12.000250`."""
    sign = "-" if nanoseconds < 0 else ""
    whole, rest = divmod(abs(nanoseconds), 1_000_000_000)
    return f"{sign}{whole}{_fraction(rest, places)}"


def _fraction(rest: int, places: int) -> str:
    return f".{rest // 10 ** (9 - places):0{places}d}" if places else ""


@lru_cache(1024)
def calendar(second: int, *, utc: bool = False) -> str:
    """Date and time of day of a second since the epoch, local or in UTC; empty where no calendar has it."""
    try:
        return datetime.fromtimestamp(second, UTC if utc else None).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, OSError, ValueError):
        return ""


def zone_text(second: int) -> str:
    """The distance of local time from UTC at a second since the epoch: "UTC+02:00", "UTC"."""
    try:
        zone = datetime.fromtimestamp(second).astimezone().strftime("%z")
    except (OverflowError, OSError, ValueError):
        return "local time"
    return "UTC" if zone == "+0000" else f"UTC{zone[:3]}:{zone[3:5]}"


def clock(time: int, *, utc: bool = False, places: int = 6) -> str:
    """Date and time of day with so many places, local or in UTC; the seconds where no calendar has them."""
    whole, rest = divmod(time, _SECOND)
    text = calendar(whole, utc=utc)
    return f"{text}{_fraction(rest, places)}" if text else seconds(time, places)


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
        figures = f"{nanoseconds / divisor:.3g}"
        if nanoseconds < limit and "e" not in figures:  # 999.7 ms are 1 s in three figures
            return f"{figures} {unit}"
    return f"{nanoseconds / (86400 * 10**9):.1f} d"


def short_size(octets: int) -> str:
    """An amount of octets in three figures, for narrow columns: `812`, `1.4 KiB`."""
    return str(octets) if octets < 1024 else size(octets)


def size(octets: int) -> str:
    """An amount of octets for people: `812 octets`, `1.4 MiB`."""
    if octets < 1024:
        return count(octets, "octet")
    amount = float(octets)
    for unit in _UNITS:
        if amount < 1024 or unit == _UNITS[-1]:
            return f"{amount:.1f} {unit}"
        amount /= 1024
    raise AssertionError("unreachable")


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 WPDU`, `12,345 WPDUs`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def sentence(text: str) -> str:
    """A message as a sentence: a capital at its beginning, a stop at its end."""
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else ""


def printable(text: str) -> str:
    """A text of a capture as it stands on one line: what cannot be printed, as a line break, is escaped."""
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)
