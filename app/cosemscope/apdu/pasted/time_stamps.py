"""Time stamps of logs: the forms in which they stand before octets, and the instants that they tell.

A stamp without a zone is local time, as logs mostly are. One without a date, or that counts from a start,
tells only how far it lies from others.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple

_SECOND = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_MONTH = "|".join(_MONTHS)

_HOURS, _SECONDS = r"(?P<hour>\d{1,2}):(?P<minute>\d\d)", r":(?P<second>\d\d)"
_REST = (
    r"(?:[.,](?P<fraction>\d{1,9}))?(?:\s?(?P<half>[AP]M))?"
    r"(?:\s?(?P<zone>Z|UTC|GMT|CEST|CET|BST|[+-]\d\d:?\d\d))?(?![\w.]|:\w)"
)
_FULL = _HOURS + _SECONDS + _REST
_SHORT = f"{_HOURS}(?:{_SECONDS})?{_REST}"
_DATES = (
    r"(?P<year>\d{4})[-/.](?P<month>\d\d)[-/.](?P<day>\d\d)",
    r"(?P<day>\d{1,2})[-/.](?P<month>\d{1,2})[-/.](?P<year>\d{4}|\d\d)",
    rf"(?:[A-Z][a-z]{{2}},?\s+)?(?P<month>{_MONTH})\s+(?P<day>\d{{1,2}})(?:,?\s+(?P<year>\d{{4}}))?",
    rf"(?P<day>\d{{1,2}})[ -](?P<month>{_MONTH})[ -](?P<year>\d{{4}}|\d\d)",
)
#: Forms, the longest first; in brackets or not, a colon behind or not.
_FORMS = tuple(
    re.compile(rf"[\[(]?{form}[\])]?:?(?=[\s,;|]|$)")
    for form in (
        rf"(?:[A-Z][a-z]{{2}}\s+)?(?P<month>{_MONTH})\s+(?P<day>\d{{1,2}})\s+{_FULL}(?:\s+[A-Z]{{3,4}})?\s+(?P<year>\d{{4}})",
        *(rf"{date}[T ,_]+{_SHORT}" for date in _DATES),
        rf"(?P<month>\d\d)-(?P<day>\d\d)\s+{_FULL}",
        _FULL,
        _DATES[0],
        r"(?P<epoch>1\d{9}(?:\d{3}){0,3})(?:\.(?P<part>\d{1,9}))?",
        r"\+?(?P<since>\d{1,9})\.(?P<part>\d{3,9})",
    )
)
#: Minutes by which the clocks of named zones differ from UTC.
_ZONES = {"Z": 0, "UTC": 0, "GMT": 0, "CET": 60, "CEST": 120, "BST": 60}


class Stamp(NamedTuple):
    """An instant in ns since the epoch; `dated` is False where only differences to others count."""

    time: int
    dated: bool


def stamp_at(text: str, start: int = 0) -> tuple[Stamp | None, int]:
    """The stamp that begins at `start` of a text, and where it ends; (None, start) for no stamp."""
    for form in _FORMS:
        match = form.match(text, start)
        if match is None:
            continue
        stamp = _stamp(match.groupdict())
        if stamp is not None and not (match.groupdict().get("epoch") and _is_octets(text, match)):
            return stamp, match.end()
    return None, start


def _is_octets(text: str, match: re.Match[str]) -> bool:
    """Whether a number of seconds may be a word of octets: nothing, or a word of its width, follows."""
    follower = re.match(r"[\s,;|]*([0-9A-Fa-f]*)", text[match.end() :])
    width = len(follower[1]) if follower else 0
    return text[match.start()] not in "[(" and not match["part"] and width in (0, len(match["epoch"]))


def _stamp(parts: dict[str, str | None]) -> Stamp | None:
    """The instant that the named parts of a form tell; None where they are no date or no time of day."""
    part = int(f"{parts.get('part') or parts.get('fraction') or '':0<9}")
    epoch, since = parts.get("epoch"), parts.get("since")
    if epoch is not None:
        return Stamp(int(f"{epoch:0<19}") + part, True) if int(epoch[:10]) < 1 << 32 else None
    if since is not None:
        return Stamp(int(since) * _SECOND + part, False)
    hour = int(parts.get("hour") or 0)
    half = parts.get("half")
    if half is not None:
        hour = hour % 12 + 12 * (half == "PM")
    minute, second = int(parts.get("minute") or 0), int(parts.get("second") or 0)
    day, month, year = parts.get("day"), parts.get("month"), parts.get("year")
    if hour > 23 or minute > 59 or second > 60:
        return None
    if day is None or month is None:
        return Stamp((hour * 3600 + minute * 60 + second) * _SECOND + part, False)
    number = _MONTHS.index(month) + 1 if month in _MONTHS else int(month)
    days = int(day)
    if number > 12 >= days:  # month before day
        number, days = days, number
    try:
        moment = datetime(_year(year), number, days, hour, minute, min(second, 59))
    except ValueError:
        return None
    zone = _zone(parts.get("zone"))
    try:
        known = moment.replace(tzinfo=zone) if zone is not None else moment.astimezone()
    except (OSError, OverflowError):
        known = moment.replace(tzinfo=UTC)
    whole = (known - _EPOCH) // timedelta(seconds=1)
    return Stamp(whole * _SECOND + part, True)


def _year(text: str | None) -> int:
    if text is None:
        return datetime.now().year
    return int(text) + 2000 if len(text) == 2 else int(text)


def _zone(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    if text in _ZONES:
        return timezone(timedelta(minutes=_ZONES[text]))
    hours, minutes = int(text[1:3]), int(text[-2:])
    minutes = min(hours, 23) * 60 + min(minutes, 59)
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
