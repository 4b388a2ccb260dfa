"""Dates and times of the Blue Book: 12, 5 and 4 octets, with wildcards, deviation and clock status.

The deviation is the minutes to add to local time for UTC, daylight saving included: CET is -60, CEST -120.
"""

import struct
from collections.abc import Callable

from cosemscope.apdu.cursor import Cursor
from cosemscope.apdu.fields import Field
from cosemscope.apdu.naming import octets_text

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
_DATE_TIME = struct.Struct(">HBBBBBBBhB")
_new = tuple.__new__


def status_text(status: int) -> str:
    """The clock status octet in words: which bits are set."""
    if status == 0xFF:
        return "not specified"
    words = [name for bit, name in _STATUS if status & bit]
    if status & 0x70:
        words.append(f"reserved bits 0x{status & 0x70:02X}")
    return ", ".join(words)


_STATUS_TEXTS = {status: status_text(status) for status in range(256)}


def _deviation_text(deviation: int) -> str:
    return f"deviation {deviation:+d} min" if deviation else "deviation 0 min"


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
    *_, hour, minute, second, _, deviation, status = _DATE_TIME.unpack(octets)
    words = f"{date_text(octets[:5])} {time_text(octets[5:9])}"
    if deviation != -0x8000:
        words += f", {_deviation_text(deviation)}"
        if deviation and hour < 24 and minute < 60 and second < 60:
            minutes = (60 * hour + minute + deviation) % 1440
            words += f" ({minutes // 60:02d}:{minutes % 60:02d}:{second:02d} UTC)"
    return f"{words}, {_STATUS_TEXTS[status]}" if status not in (0, 0xFF) else words


def valid_date(octets: bytes) -> bool:
    """Whether the parts of a date are in their ranges; the year may be any."""
    _, month, day, weekday = struct.unpack(">HBBB", octets)
    return (
        (1 <= month <= 12 or month >= 0xFD)
        and (1 <= day <= 31 or day >= 0xFD)
        and bool(weekday <= 7 or weekday == 0xFF)
    )


def plausible_date(octets: bytes) -> bool:
    """Whether five octets can be a date that a meter would send."""
    year = octets[0] << 8 | octets[1]
    return (1970 <= year <= 2199 or year == 0xFFFF) and valid_date(octets)


def valid_time(octets: bytes) -> bool:
    """Whether four octets are a time of day."""
    hour, minute, second, hundredths = octets
    return (
        (hour <= 23 or hour == 0xFF)
        and (minute <= 59 or minute == 0xFF)
        and (second <= 59 or second == 0xFF)
        and (hundredths <= 99 or hundredths == 0xFF)
    )


def plausible_date_time(octets: bytes) -> bool:
    """Whether twelve octets can be a date-time that a meter would send."""
    return plausible_date(octets[:5]) and valid_date_time(octets)


def valid_date_time(octets: bytes) -> bool:
    """Whether the parts of a date-time are in their ranges; the year may be any."""
    if not valid_date(octets[:5]) or not valid_time(octets[5:9]):
        return False
    deviation = int.from_bytes(octets[9:11], "big", signed=True)
    return -840 <= deviation <= 840 or deviation == -0x8000


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
    read_date(c)
    read_time(c)
    start = c.position
    deviation = int.from_bytes(c.data[start : start + 2], "big", signed=True)
    text = "not specified" if deviation == -0x8000 else f"{deviation:+d} min to UTC"
    c.children.append(_new(Field, ("deviation", deviation, start, start + 2, (), text, c.source)))
    c.position = start + 2
    c.u8("clock-status", _STATUS_TEXTS)


class Form:
    """One of the three forms: its name and size, its text, whether octets can be it, and its fields."""

    __slots__ = ("name", "plausible", "read", "size", "text")

    def __init__(
        self,
        name: str,
        size: int,
        text: Callable[[bytes], str],
        plausible: Callable[[bytes], bool],
        read: Callable[[Cursor], None],
    ) -> None:
        self.name = name
        self.size = size
        self.text = text
        self.plausible = plausible
        self.read = read


DATE_TIME = Form("date-time", 12, date_time_text, plausible_date_time, read_date_time)
DATE = Form("date", 5, date_text, plausible_date, read_date)
TIME = Form("time", 4, time_text, valid_time, read_time)


def read_form(c: Cursor, form: Form, name: str, mark: str = "") -> bytes:
    """One field `name` of the form's size with the form's fields in it; `mark` is added to its text."""
    start = c.position
    if start + form.size > c.end:
        raise c.missing(form.name, form.size)
    octets = c.data[start : start + form.size]
    c.open(name)
    form.read(c)
    c.close(octets, form.text(octets) + mark)
    return octets


def read_optional_date_time(c: Cursor, name: str) -> bytes:
    """The OCTET STRING of a date-time in a service: empty, twelve octets, or something odd that is shown."""
    c.open(name)
    size = c.length()
    if size == 12:
        octets = read_form(c, DATE_TIME, "value")
        c.close(octets, c.children[-1].text)
        if not valid_date_time(octets):
            field = c.children[-1]
            c.warn(field.start, field.stop, f"{name} is no date-time: {octets.hex()}")
        return octets
    start = c.position
    octets = c.leaf("value", size)
    if size:
        if not octets[:8].isdigit():  # GeneralizedTime as text is what the older services carry
            c.warn(start, c.position, f"{name}: expected 0 or 12 octets at offset {start}, found {size}")
        c.close(octets, octets_text(octets))
    else:
        c.close(octets, "not given")
    return octets
