"""Every value of every part of a date or a time: what is in range, what names a moment, how it is told."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from cosemscope.apdu.data.dates import (
    DATE,
    DATE_TIME,
    TIME,
    date_text,
    date_time_text,
    moment,
    plausible_date,
    plausible_date_time,
    plausible_time,
    status_text,
    time_text,
)
from cosemscope.apdu.decoder import decode_apdu
from tests.helpers.apdu_checks import at, check_tree

_SOUND = bytes.fromhex("07e8060106 0a1e0f32 ffc4 80")

#: Part -> its place in a date-time, and the values that it may have.
PARTS = {
    "month": (2, {*range(1, 13), 0xFD, 0xFE, 0xFF}),
    "day-of-month": (3, {*range(1, 31), 0xFD, 0xFE, 0xFF}),
    "day-of-week": (4, {*range(8), 0xFF}),
    "hour": (5, {*range(24), 0xFF}),
    "minute": (6, {*range(60), 0xFF}),
    "second": (7, {*range(60), 0xFF}),
    "hundredths": (8, {*range(100), 0xFF}),
}


def changed(place: int, octets: bytes) -> bytes:
    """The sound date-time with other octets at a place."""
    return _SOUND[:place] + octets + _SOUND[place + len(octets) :]


def warned(octets: bytes, tag: int) -> list[str]:
    """The first words of the warnings about a value."""
    apdu = bytes.fromhex("c401c100") + bytes([tag]) + octets
    decoded = decode_apdu(apdu)
    check_tree(decoded, apdu)
    return [problem.message.split(" at ")[0] for problem in decoded.problems]


@pytest.mark.parametrize("part", PARTS)
def test_the_range_of_each_part(part: str) -> None:
    """In a date, a time and a date-time alike: what is out of range is warned of, and not plausible."""
    place, values = PARTS[part]
    plausible, tag, cut = (plausible_date, 26, slice(5)) if place < 5 else (plausible_time, 27, slice(5, 9))
    for value in range(256):
        octets = changed(place, bytes([value]))
        well = value in values or (part == "day-of-month" and value == 31)
        assert plausible_date_time(octets) == plausible(octets[cut]) == well, value
        expected = [] if value in values else [part]
        assert warned(octets, 25) == expected, value
        assert warned(octets[cut], tag) == expected, value


@pytest.mark.parametrize(
    ("year", "well"),
    [(0, False), (1969, False), (1970, True), (2199, True), (2200, False), (0xFFFE, False), (0xFFFF, True)],
)
def test_years_that_meters_send(year: int, well: bool) -> None:
    """From the first of computers to the end of the next century, or none."""
    octets = changed(0, year.to_bytes(2, "big"))
    assert plausible_date_time(octets) == plausible_date(octets[:5]) == well
    assert not warned(octets, 25)


@pytest.mark.parametrize(
    ("deviation", "well"),
    [(-841, False), (-840, True), (0, True), (840, True), (841, False), (-0x8000, True), (-0x7FFF, False)],
)
def test_deviations(deviation: int, well: bool) -> None:
    """Fourteen hours either way, or none."""
    octets = changed(9, deviation.to_bytes(2, "big", signed=True))
    assert plausible_date_time(octets) == well
    assert warned(octets, 25) == ([] if well else ["deviation"])
    named = moment(octets)
    if deviation == -0x8000 or not well:
        assert named == datetime(2024, 6, 1, 10, 30, 15, 500_000)
    else:
        assert named == datetime(2024, 6, 1, 10, 30, 15, 500_000, timezone(timedelta(minutes=-deviation)))


@pytest.mark.parametrize(("month", "most"), [(1, 31), (2, 29), (4, 30), (12, 31), (0xFF, 31)])
@pytest.mark.parametrize("year", [2024, 1, 9999])
def test_the_last_day_of_a_month(year: int, month: int, most: int) -> None:
    """One more is warned of, where the month is given."""
    if month == 2 and year != 2024:
        most = 28
    for day, well in ((27, True), (28, True), (most, True), (most + 1, False)):
        octets = year.to_bytes(2, "big") + bytes([month, day, 0xFF])
        assert warned(octets, 26) == ([] if well else ["day-of-month"]), day


def test_a_year_that_no_calendar_has_says_nothing_about_days() -> None:
    """0, 10000 and none."""
    for year in (0, 10_000, 0xFFFF):
        assert not warned(year.to_bytes(2, "big") + bytes([2, 30, 0xFF]), 26)


def test_a_form_of_zeros_was_never_set() -> None:
    """No warning; a single one makes it a wrong date."""
    for form, tag in ((DATE_TIME, 25), (DATE, 26), (TIME, 27)):
        assert not warned(bytes(form.size), tag)
    assert warned(bytes(11) + b"\x01", 25) == ["month", "day-of-month"]


@pytest.mark.parametrize(
    ("octets", "named"),
    [
        ("07e8060106 0a1e0f00 0000 00", datetime(2024, 6, 1, 10, 30, 15, tzinfo=UTC)),
        ("07e8060106 0a1e0f63 0000 00", datetime(2024, 6, 1, 10, 30, 15, 990_000, tzinfo=UTC)),
        ("07e8060106 0a1e0f64 0000 00", datetime(2024, 6, 1, 10, 30, 15, tzinfo=UTC)),
        ("07e8060106 0a1e0fff 0000 00", datetime(2024, 6, 1, 10, 30, 15, tzinfo=UTC)),
        ("07e8060106 181e0f00 0000 00", None),
        ("07e806ff06 0a1e0f00 0000 00", None),
        ("ffff060106 0a1e0f00 0000 00", None),
        ("07e8060106 0a1e0f00 0000", None),
        ("07e8060106 0a1e0f00 0000 00 00", None),
    ],
)
def test_the_moment_of_a_date_time(octets: str, named: datetime | None) -> None:
    """Hundredths where there are any; none where a part is not given."""
    assert moment(bytes.fromhex(octets)) == named


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("07e8060106 0a1e0f00 0000 00", "2024-06-01 Sat 10:30:15, deviation 0 min"),
        ("07e8060106 0a1e0f32 ffc4 00", "2024-06-01 Sat 10:30:15.50, deviation -60 min (09:30:15 UTC)"),
        ("07e8060106 001e0f00 003c ff", "2024-06-01 Sat 00:30:15, deviation +60 min (01:30:15 UTC)"),
        (
            "07e8060106 171e0f00 003c 00",
            "2024-06-01 Sat 23:30:15, deviation +60 min (2024-06-02 00:30:15 UTC)",
        ),
        (
            "07e8060106 001e0f00 ffc4 00",
            "2024-06-01 Sat 00:30:15, deviation -60 min (2024-05-31 23:30:15 UTC)",
        ),
        (
            "07e806ff06 171e0f00 003c 00",
            "2024-06-* Sat 23:30:15, deviation +60 min (00:30:15 UTC, the day after)",
        ),
        ("07e8060106 171e0f00 8000 00", "2024-06-01 Sat 23:30:15"),
        ("07e8060106 ff1e0f00 003c 00", "2024-06-01 Sat *:30:15, deviation +60 min"),
        ("07e8060106 0aff0f00 003c 00", "2024-06-01 Sat 10:*:15, deviation +60 min"),
        ("07e8060106 0a1eff00 003c 00", "2024-06-01 Sat 10:30:*, deviation +60 min"),
        ("07e8060106 183c3c00 003c 00", "2024-06-01 Sat 24:60:60, deviation +60 min"),
        ("07e8060106 0a1e0f00 0000 01", "2024-06-01 Sat 10:30:15, deviation 0 min, invalid value"),
    ],
)
def test_a_date_time_in_words(octets: str, text: str) -> None:
    """UTC stands there where it can be told and is another time."""
    assert date_time_text(bytes.fromhex(octets)) == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("07e8fdfd07", "2024-DST end-second last Sun"),
        ("07e8fefe01", "2024-DST begin-last Mon"),
        ("fffefcfc00", "65534-252-252 weekday 0"),
        ("0001ffff08", "0001-*-* weekday 8"),
    ],
)
def test_a_date_in_words(octets: str, text: str) -> None:
    """Special days and months by their names, what is not given as a star."""
    assert date_text(bytes.fromhex(octets)) == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [("00000001", "00:00:00.01"), ("000000fe", "00:00:00.254"), ("fefefeff", "254:254:254")],
)
def test_a_time_in_words(octets: str, text: str) -> None:
    """Two digits each, hundredths only where there are any."""
    assert time_text(bytes.fromhex(octets)) == text


def test_each_bit_of_the_clock_status() -> None:
    """By its own name; those that the standard reserves by their number."""
    words = ["invalid value", "doubtful value", "different clock base", "invalid clock status"]
    assert [status_text(1 << bit) for bit in range(8)] == [
        *words,
        "reserved bits 0x10",
        "reserved bits 0x20",
        "reserved bits 0x40",
        "daylight saving",
    ]
    assert status_text(0xFE) == ", ".join([*words[1:], "daylight saving", "reserved bits 0x70"])
    assert (status_text(0), status_text(0xFF)) == ("", "not specified")


def test_the_fields_of_a_date_time() -> None:
    """Each octet in its field; what is not specified says so."""
    root = decode_apdu(bytes.fromhex("c401c10019 ffff fd fe ff ff ff ff ff 8000 ff")).root
    names = (
        "year",
        "month",
        "day-of-month",
        "day-of-week",
        "hour",
        "hundredths",
        "deviation",
        "clock-status",
    )
    told = [at(root, f"result/data/value/{name}") for name in names]
    assert [(field.start, field.stop) for field in told] == [
        (5, 7),
        (7, 8),
        (8, 9),
        (9, 10),
        (10, 11),
        (13, 14),
        (14, 16),
        (16, 17),
    ]
    words = ["not specified", "end of daylight saving", "last day of month"]
    assert [field.text for field in told] == [*words, *["not specified"] * 5]
    shown = decode_apdu(bytes.fromhex("c401c10019 07e8 fe fd 03 000000 00 ffc4 00")).root
    texts = [
        at(shown, f"result/data/value/{name}").text
        for name in ("month", "day-of-month", "day-of-week", "deviation")
    ]
    assert texts == ["begin of daylight saving", "second last day of month", "Wed", "-60 min to UTC"]
    none = decode_apdu(bytes.fromhex("c401c1001a ffff ff ff ff")).root
    texts = [at(none, f"result/data/value/{name}").text for name in ("year", *names[:3])]
    assert texts == ["not specified"] * 4
