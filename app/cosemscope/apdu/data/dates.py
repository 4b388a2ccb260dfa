"""Dates and times of the Blue Book: 12, 5 and 4 octets, with wildcards, deviation and clock status.

The deviation is the minutes to add to local time for UTC, daylight saving included: CET is -60, CEST -120.
"""

import re
import struct
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import NamedTuple

from cosemscope.apdu.cursor import Cursor
from cosemscope.apdu.fields import Field
from cosemscope.apdu.names.texts import octets_text

CLAUSE = "IEC 62056-6-2, date and time formats"

_DAYS = {1: "Mon", 2: "Tue", 3: "Wed", 4: "Thu", 5: "Fri", 6: "Sat", 7: "Sun", 0xFF: "not specified"}
_MONTHS = {0xFD: "end of daylight saving", 0xFE: "begin of daylight saving", 0xFF: "not specified"}
_MONTH_DAYS = {0xFD: "second last day of month", 0xFE: "last day of month", 0xFF: "not specified"}
_NOT_SPECIFIED = {0xFF: "not specified"}
_STATUS = (
    (0x01, "invalid value"),
    (0x02, "doubtful value"),
    (0x04, "different clock base"),
    (0x08, "invalid clock status"),
    (0x80, "daylight saving"),
)
_NO_DEVIATION = -0x8000
_new = tuple.__new__


# Texts.


def status_text(status: int) -> str:
    """The clock status octet in words: which bits are set."""
    if status == 0xFF:
        return "not specified"
    words = [name for bit, name in _STATUS if status & bit]
    if status & 0x70:
        words.append(f"reserved bits 0x{status & 0x70:02X}")
    return ", ".join(words)


_STATUS_TEXTS = {status: status_text(status) for status in range(256)}


def _deviation(octets: bytes) -> int:
    """The deviation in a date-time, in minutes."""
    return int.from_bytes(octets[9:11], "big", signed=True)


def date_text(octets: bytes) -> str:
    """Five octets of a date: "2021-06-03 Thu"; what is not specified is "*"."""
    year, month, day, weekday = struct.unpack(">HBBB", octets)
    words = ["*" if year == 0xFFFF else f"{year:04d}"]
    words.append({0xFD: "DST end", 0xFE: "DST begin", 0xFF: "*"}.get(month) or f"{month:02d}")
    words.append({0xFD: "second last", 0xFE: "last", 0xFF: "*"}.get(day) or f"{day:02d}")
    date = "-".join(words)
    if 1 <= weekday <= 7:
        return f"{date} {_DAYS[weekday]}"
    return date if weekday == 0xFF else f"{date} weekday {weekday}"


def time_text(octets: bytes) -> str:
    """Four octets of a time: "14:09:23.50"; what is not specified is "*", hundredths of 0 are left out."""
    hour, minute, second, hundredths = octets
    words = ":".join("*" if part == 0xFF else f"{part:02d}" for part in (hour, minute, second))
    return words if hundredths in (0, 0xFF) else f"{words}.{hundredths:02d}"


def date_time_text(octets: bytes) -> str:
    """Twelve octets of a date-time: deviation, UTC where the time is given, status where any bit is set."""
    hour, minute, second = octets[5:8]
    deviation, status = _deviation(octets), octets[11]
    words = f"{date_text(octets[:5])} {time_text(octets[5:9])}"
    if deviation != _NO_DEVIATION:
        words += f", deviation {deviation:+d} min" if deviation else ", deviation 0 min"
        if deviation and hour < 24 and minute < 60 and second < 60:
            days, minutes = divmod(60 * hour + minute + deviation, 1440)
            moment = f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d} UTC"
            words += f" ({_on_another_day(octets, days, moment) if days else moment})"
    return f"{words}, {_STATUS_TEXTS[status]}" if status not in (0, 0xFF) else words


def moment(octets: bytes) -> datetime | None:
    """The moment that twelve octets name; None where a part of it is not specified, or is out of range.

    It has a zone where the deviation is given.
    """
    if len(octets) != DATE_TIME.size:
        return None
    year, month, day, _, hour, minute, second, hundredths, deviation, _ = struct.unpack(">HBBBBBBBhB", octets)
    zone = timezone(timedelta(minutes=-deviation)) if -840 <= deviation <= 840 else None
    try:
        told = datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None
    return told.replace(microsecond=hundredths * 10_000) if hundredths < 100 else told


def _on_another_day(octets: bytes, days: int, moment: str) -> str:
    """A time in UTC that is not of the local date: with its own date, or the number of days between."""
    year, month, day = struct.unpack_from(">HBB", octets)
    try:
        return f"{date(year, month, day) + timedelta(days)} {moment}"
    except (ValueError, OverflowError):  # the date is not given, or none
        return f"{moment}, the day {'before' if days < 0 else 'after'}"


# Fields.


def read_date(c: Cursor) -> None:
    """The fields of five octets of a date."""
    if c.uint("year", 2) == 0xFFFF:
        c.children[-1] = c.children[-1]._replace(text="not specified")
    c.u8("month", _MONTHS)
    c.u8("day-of-month", _MONTH_DAYS)
    c.u8("day-of-week", _DAYS)


def read_time(c: Cursor) -> None:
    """The fields of four octets of a time."""
    for name in ("hour", "minute", "second", "hundredths"):
        c.u8(name, _NOT_SPECIFIED)


def read_date_time(c: Cursor) -> None:
    """The fields of twelve octets of a date-time."""
    deviation = _deviation(c.data[c.position : c.position + 12])
    read_date(c)
    read_time(c)
    start = c.position
    text = f"{deviation:+d} min to UTC" if deviation else "0 min to UTC"
    if deviation == _NO_DEVIATION:
        text = "not specified"
    c.children.append(_new(Field, ("deviation", deviation, start, start + 2, (), text, c.source)))
    c.position = start + 2
    c.u8("clock-status", _STATUS_TEXTS)


# Ranges.


class _Part(NamedTuple):
    """One octet of a date or a time: where it stands, and what it may be."""

    name: str
    offset: int
    low: int
    high: int
    special: int  # from here to FF the values have meanings of their own
    expected: str


#: A day of the week of 0 is what many send for one that is not specified.
_DATE_PARTS = (
    _Part("month", 2, 1, 12, 0xFD, "1 to 12, or FD to FF"),
    _Part("day-of-month", 3, 1, 31, 0xFD, "1 to 31, or FD to FF"),
    _Part("day-of-week", 4, 0, 7, 0xFF, "1 to 7, or FF"),
)
_TIME_PARTS = (
    _Part("hour", 0, 0, 23, 0xFF, "0 to 23, or FF"),
    _Part("minute", 1, 0, 59, 0xFF, "0 to 59, or FF"),
    _Part("second", 2, 0, 59, 0xFF, "0 to 59, or FF"),
    _Part("hundredths", 3, 0, 99, 0xFF, "0 to 99, or FF"),
)
_DATE_TIME_PARTS = (*_DATE_PARTS, *(part._replace(offset=part.offset + 5) for part in _TIME_PARTS))


def _in_range(octets: bytes, parts: tuple[_Part, ...]) -> bool:
    """Whether all parts of a date or a time are in their ranges."""
    for _, offset, low, high, special, _ in parts:
        value = octets[offset]
        if not (low <= value <= high or value >= special):
            return False
    return True


def _is_deviation(minutes: int) -> bool:
    return -840 <= minutes <= 840 or minutes == _NO_DEVIATION


def _is_year(octets: bytes) -> bool:
    return 1970 <= octets[0] << 8 | octets[1] <= 2199 or octets[:2] == b"\xff\xff"


def plausible_date(octets: bytes) -> bool:
    """Whether five octets can be a date that a meter would send."""
    return _is_year(octets) and _in_range(octets, _DATE_PARTS)


def plausible_time(octets: bytes) -> bool:
    """Whether four octets are a time of day."""
    return _in_range(octets, _TIME_PARTS)


def plausible_date_time(octets: bytes) -> bool:
    """Whether twelve octets can be a date-time that a meter would send."""
    return _is_year(octets) and _in_range(octets, _DATE_TIME_PARTS) and _is_deviation(_deviation(octets))


def _faults(octets: bytes, parts: tuple[_Part, ...]) -> Iterator[tuple[str, int, int, str]]:
    """The parts of a date or a time that are out of range, each as (name, offset, size, sentence)."""
    for name, offset, low, high, special, expected in parts:
        value = octets[offset]
        if not (low <= value <= high or value >= special):
            yield name, offset, 1, f"expected {expected}, found {value}"
    if parts is not _TIME_PARTS:
        year, month, day = struct.unpack_from(">HBB", octets)
        if 1 <= year <= 9999 and 1 <= month <= 12 and 28 < day <= 31 and day > monthrange(year, month)[1]:
            most = monthrange(year, month)[1]
            yield "day-of-month", 3, 1, f"expected at most {most} in {year:04d}-{month:02d}, found {day}"
    if parts is _DATE_TIME_PARTS and not _is_deviation(_deviation(octets)):
        yield "deviation", 9, 2, f"expected -840 to 840, or 8000, found {_deviation(octets)}"


# The three forms.


@dataclass(frozen=True, slots=True)
class Form:
    """One of the three forms: how its octets are told and read, and whether octets can be it."""

    name: str
    size: int
    text: Callable[[bytes], str]
    plausible: Callable[[bytes], bool]
    read: Callable[[Cursor], None]
    parts: tuple[_Part, ...]


DATE_TIME = Form("date-time", 12, date_time_text, plausible_date_time, read_date_time, _DATE_TIME_PARTS)
DATE = Form("date", 5, date_text, plausible_date, read_date, _DATE_PARTS)
TIME = Form("time", 4, time_text, plausible_time, read_time, _TIME_PARTS)


def read_form(c: Cursor, form: Form, name: str, mark: str = "") -> bytes:
    """One field `name` of the form's size with the form's fields in it; `mark` is added to its text.

    What is out of its range is a warning; a form of zeros is one that was never set, which is none.
    """
    start = c.position
    if start + form.size > c.end:
        raise c.missing(form.name, form.size)
    octets = c.data[start : start + form.size]
    c.open(name)
    form.read(c)
    c.close(octets, form.text(octets) + mark)
    if any(octets):
        for part, offset, size, words in _faults(octets, form.parts):
            at = start + offset
            c.warn(at, at + size, f"{part} at offset {at}: {words}", CLAUSE)
    return octets


# Times in services.

_GENERALIZED_TIME = re.compile(
    rb"(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(?:(\d\d)([.,]\d+)?)?)?(?:(Z)|([+-]\d\d)(\d\d)?)?"
)


def generalized_time_text(octets: bytes) -> str:
    """GeneralizedTime (X.680), the text that older services carry, as a time; "" for what is none."""
    match = _GENERALIZED_TIME.fullmatch(octets)
    if match is None:
        return ""
    year, month, day, hour, minute, second, fraction, utc, zone_hours, zone_minutes = (
        part.decode() if part is not None else "" for part in match.groups()
    )
    words = f"{year}-{month}-{day} {hour}:{minute or '00'}:{second or '00'}{fraction.replace(',', '.')}"
    if zone_hours:
        return f"{words} UTC{zone_hours}:{zone_minutes or '00'}"
    return f"{words} UTC" if utc else words


def read_optional_date_time(c: Cursor, name: str) -> bytes:
    """The OCTET STRING of a date-time in a service: empty, twelve octets, or something odd that is shown."""
    c.open(name)
    size = c.length()
    if size == 12:
        octets = read_form(c, DATE_TIME, "value")
        c.close(octets, c.children[-1].text)
        return octets
    start = c.position
    octets = c.leaf("value", size)
    if size:
        text = generalized_time_text(octets)
        if not text:
            c.warn(start, c.position, f"{name}: expected 0 or 12 octets at offset {start}, found {size}")
        c.close(octets, text or octets_text(octets))
    else:
        c.close(octets, "not given")
    return octets
