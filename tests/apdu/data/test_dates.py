"""Dates and times: what is out of its range is named, whatever is wrong with it, and UTC has its day."""

import pytest

from cosemscope.apdu.data.dates import (
    date_text,
    date_time_text,
    generalized_time_text,
    plausible_date,
    plausible_date_time,
    plausible_time,
    status_text,
    time_text,
)
from cosemscope.apdu.decoder import decode_apdu
from tests.helpers.apdu_checks import at, check_tree, tree


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ("1a07e80d0103", "month at offset 7: expected 1 to 12, or FD to FF, found 13"),
        ("1a07e80620ff", "day-of-month at offset 8: expected 1 to 31, or FD to FF, found 32"),
        ("1a07e8061fff", "day-of-month at offset 8: expected at most 30 in 2024-06, found 31"),
        ("1a07e7021dff", "day-of-month at offset 8: expected at most 28 in 2023-02, found 29"),
        ("1a07e8060108", "day-of-week at offset 9: expected 1 to 7, or FF, found 8"),
        ("1b183b3b63", "hour at offset 5: expected 0 to 23, or FF, found 24"),
        ("1b173b3b64", "hundredths at offset 8: expected 0 to 99, or FF, found 100"),
        ("1907e8060103173b3b0003e800", "deviation at offset 14: expected -840 to 840, or 8000, found 1000"),
    ],
)
def test_parts_out_of_range(octets: str, words: str) -> None:
    """A date that no calendar has is read all the same, with a warning that names the part."""
    data = bytes.fromhex("c401c100" + octets)
    decoded = decode_apdu(data)
    check_tree(decoded, data)
    assert [problem.severity for problem in decoded.problems] == ["warning"]
    assert decoded.problems[0].message == words
    assert decoded.problems[0].clause


@pytest.mark.parametrize(
    "octets", ["1affffffffff", "1a07e8fdfdff", "1a07e8fefe07", "1a07e8021dff", "1bffffffff", "1affff021dff"]
)
def test_wildcards_and_leap_days_are_in_range(octets: str) -> None:
    """What is not specified, the days of daylight saving, the last days of a month: no warning."""
    assert not decode_apdu(bytes.fromhex("c401c100" + octets)).problems


def test_utc_has_its_day_where_it_is_another() -> None:
    """Half past midnight in summer time is the day before in UTC; a day that is not given stays so."""
    midnight = bytes.fromhex("07e8060106001e0000ff8880")
    assert "(2024-05-31 22:30:00 UTC)" in date_time_text(midnight)
    assert "(08:30:00 UTC)" in date_time_text(bytes.fromhex("07e80601060a1e0000ff8880"))
    assert "(22:30:00 UTC, the day before)" in date_time_text(bytes.fromhex("ffff060106001e0000ff8880"))


def test_generalized_time_is_read() -> None:
    """The time of an information report is text: shown as a time, with what is wrong in it."""
    octets = bytes.fromhex("18010f" + b"20240101120000Z".hex() + "0102fa10010f01")
    decoded = decode_apdu(octets)
    check_tree(decoded, octets)
    assert not decoded.problems
    assert at(decoded.root, "current-time").text == "2024-01-01 12:00:00 UTC"
    octets = bytes.fromhex("180103" + b"now".hex() + "0102fa10010f01")
    assert decode_apdu(octets).problems


# Texts.


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("07e8060101", "2024-06-01 Mon"),
        ("07e80c1f07", "2024-12-31 Sun"),
        ("07e80c1f06", "2024-12-31 Sat"),
        ("07e80c1f00", "2024-12-31 weekday 0"),
        ("07e80c1f08", "2024-12-31 weekday 8"),
        ("07e80c1fff", "2024-12-31"),
        ("ffff060103", "*-06-01 Wed"),
        ("07e8fd0103", "2024-DST end-01 Wed"),
        ("07e8fe0103", "2024-DST begin-01 Wed"),
        ("07e8ff0103", "2024-*-01 Wed"),
        ("07e806fd03", "2024-06-second last Wed"),
        ("07e806fe03", "2024-06-last Wed"),
        ("07e806ff03", "2024-06-* Wed"),
        ("0001fcfc04", "0001-252-252 Thu"),
    ],
)
def test_dates(octets: str, text: str) -> None:
    """Year, month, day and day of the week, and what each says that is no number."""
    assert date_text(bytes.fromhex(octets)) == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("00000000", "00:00:00"),
        ("173b3b63", "23:59:59.99"),
        ("0102030a", "01:02:03.10"),
        ("01020301", "01:02:03.01"),
        ("010203ff", "01:02:03"),
        ("ff020300", "*:02:03"),
        ("01ff0300", "01:*:03"),
        ("0102ff00", "01:02:*"),
        ("fe000064", "254:00:00.100"),
    ],
)
def test_times(octets: str, text: str) -> None:
    """Hour, minute, second and hundredths; hundredths of 0 and not specified ones are left out."""
    assert time_text(bytes.fromhex(octets)) == text


@pytest.mark.parametrize(
    ("hour", "deviation", "status", "text"),
    [
        ("0a1e00", "0000", "00", "10:30:00, deviation 0 min"),
        ("0a1e00", "8000", "00", "10:30:00"),
        ("0a1e00", "8000", "ff", "10:30:00"),
        ("0a1e00", "8000", "01", "10:30:00, invalid value"),
        ("0a1e05", "ffc4", "00", "10:30:05, deviation -60 min (09:30:05 UTC)"),
        ("0a1e00", "0078", "80", "10:30:00, deviation +120 min (12:30:00 UTC), daylight saving"),
        ("173b3b", "0001", "00", "23:59:59, deviation +1 min (2024-06-02 00:00:59 UTC)"),
        ("000000", "ffff", "00", "00:00:00, deviation -1 min (2024-05-31 23:59:00 UTC)"),
        ("001e00", "fc4a", "00", "00:30:00, deviation -950 min (2024-05-31 08:40:00 UTC)"),
        ("180000", "ffc4", "00", "24:00:00, deviation -60 min"),
        ("003c00", "ffc4", "00", "00:60:00, deviation -60 min"),
        ("00003c", "ffc4", "00", "00:00:60, deviation -60 min"),
        ("ff0000", "ffc4", "00", "*:00:00, deviation -60 min"),
    ],
)
def test_deviation_and_status(hour: str, deviation: str, status: str, text: str) -> None:
    """The deviation is added to local time for UTC, where the time is one; then the bits of the status."""
    octets = bytes.fromhex(f"07e8060106{hour}00{deviation}{status}")
    assert date_time_text(octets) == f"2024-06-01 Sat {text}"


@pytest.mark.parametrize(
    ("date", "hour", "deviation", "moment"),
    [
        ("07e80c1f02", "17", "003c", "2025-01-01 00:30:00 UTC"),
        ("07e8ff0106", "17", "003c", "00:30:00 UTC, the day after"),
        ("270f0c1fff", "17", "003c", "00:30:00 UTC, the day after"),
        ("00010101ff", "00", "ffc4", "23:30:00 UTC, the day before"),
    ],
)
def test_the_day_of_utc(date: str, hour: str, deviation: str, moment: str) -> None:
    """Over the end of a year, from a day that is not given, and where the calendar ends."""
    octets = bytes.fromhex(f"{date}{hour}1e0000{deviation}00")
    assert date_time_text(octets).endswith(f" min ({moment})")


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0x00, ""),
        (0x01, "invalid value"),
        (0x02, "doubtful value"),
        (0x04, "different clock base"),
        (0x08, "invalid clock status"),
        (0x10, "reserved bits 0x10"),
        (0x20, "reserved bits 0x20"),
        (0x40, "reserved bits 0x40"),
        (0x80, "daylight saving"),
        (0x82, "doubtful value, daylight saving"),
        (
            0x7F,
            "invalid value, doubtful value, different clock base, invalid clock status, reserved bits 0x70",
        ),
        (0xFF, "not specified"),
    ],
)
def test_clock_status(status: int, text: str) -> None:
    """Each bit has its words; all bits set mean that the status is not given."""
    assert status_text(status) == text


# Ranges.

_MOMENT = bytes.fromhex("07e80601060a1e0f20ffc400")
_MONTHS = {*range(1, 13), 0xFD, 0xFE, 0xFF}
_DAYS = {*range(1, 32), 0xFD, 0xFE, 0xFF}
_WEEKDAYS = {*range(8), 0xFF}
_HOURS = {*range(24), 0xFF}
_SIXTY = {*range(60), 0xFF}
_HUNDREDTHS = {*range(100), 0xFF}


@pytest.mark.parametrize(
    ("place", "allowed"),
    [(2, _MONTHS), (3, _DAYS), (4, _WEEKDAYS), (5, _HOURS), (6, _SIXTY), (7, _SIXTY), (8, _HUNDREDTHS)],
)
def test_every_value_of_every_part(place: int, allowed: set[int]) -> None:
    """A part is in its range or is named, in a date-time and in the date or time alone: all 256 values."""
    for value in range(256):
        octets = bytearray(_MOMENT)
        octets[place] = value
        well = value in allowed
        assert plausible_date_time(octets) == well, value
        if place < 5:
            assert plausible_date(octets[:5]) == well, value
        else:
            assert plausible_time(octets[5:9]) == well, value
        typed = [b"\x19" + octets, b"\x1a" + octets[:5] if place < 5 else b"\x1b" + octets[5:9]]
        for data in typed:
            problems = decode_apdu(b"\xc4\x01\xc1\x00" + data).problems
            # June has 30 days.
            assert bool(problems) == (not well or (place == 3 and value == 31)), (value, problems)


@pytest.mark.parametrize(
    ("deviation", "well"),
    [
        (0, True),
        (840, True),
        (-840, True),
        (841, False),
        (-841, False),
        (-32768, True),
        (-32767, False),
        (32767, False),
    ],
)
def test_deviations(deviation: int, well: bool) -> None:
    """Up to 14 hours each way, or not specified."""
    octets = _MOMENT[:9] + deviation.to_bytes(2, "big", signed=True) + b"\0"
    assert plausible_date_time(octets) == well
    problems = decode_apdu(b"\xc4\x01\xc1\x00\x19" + octets).problems
    assert [(problem.start, problem.stop) for problem in problems] == ([] if well else [(14, 16)])


@pytest.mark.parametrize(
    ("year", "plausible"),
    [(1969, False), (1970, True), (2199, True), (2200, False), (0xFFFE, False), (0xFFFF, True)],
)
def test_years(year: int, plausible: bool) -> None:
    """Octets are taken for a date between 1970 and 2199, or without a year; a typed date may have any."""
    octets = year.to_bytes(2, "big") + _MOMENT[2:]
    assert plausible_date_time(octets) == plausible_date(octets[:5]) == plausible
    assert not decode_apdu(b"\xc4\x01\xc1\x00\x19" + octets).problems


@pytest.mark.parametrize(
    ("date", "most"),
    [
        ("07e801", 31),
        ("07e804", 30),
        ("07e802", 29),
        ("07e702", 28),
        ("076c02", 28),
        ("07d002", 29),
        ("270f0b", 30),
        ("00010b", 30),
        ("27100b", 31),
        ("00000b", 31),
    ],
)
def test_days_of_a_month(date: str, most: int) -> None:
    """By the calendar, leap years too; where the year is beyond a calendar, any day up to 31."""
    for day in (28, 29, 30, 31):
        problems = decode_apdu(bytes.fromhex(f"c401c1001a{date}{day:02x}ff")).problems
        assert bool(problems) == (day > most), day
        assert all((one.start, one.stop) == (8, 9) for one in problems)


def test_a_form_of_zeros_was_never_set() -> None:
    """Twelve zeros are no date, and nothing is said of it."""
    for data in ("19" + "00" * 12, "1a" + "00" * 5, "1b" + "00" * 4):
        assert not decode_apdu(bytes.fromhex("c401c100" + data)).problems
    assert decode_apdu(bytes.fromhex("c401c1001a0000000001")).problems


# Fields.


def test_the_fields_of_a_date_time() -> None:
    """Each part at its octets; special values in words."""
    root = decode_apdu(bytes.fromhex("c401c10019ffff fefd07 17ff0063 800084")).root
    assert tree(at(root, "result/data/value")) == (
        "5-17 value (*-DST begin-second last Sun 23:*:00.99, different clock base, daylight saving)\n"
        "  5-7 year 65535 (not specified)\n"
        "  7-8 month 254 (begin of daylight saving)\n"
        "  8-9 day-of-month 253 (second last day of month)\n"
        "  9-10 day-of-week 7 (Sun)\n"
        "  10-11 hour 23\n"
        "  11-12 minute 255 (not specified)\n"
        "  12-13 second 0\n"
        "  13-14 hundredths 99\n"
        "  14-16 deviation -32768 (not specified)\n"
        "  16-17 clock-status 132 (different clock base, daylight saving)"
    )
    root = decode_apdu(bytes.fromhex("c401c10019 07e8 fdfe ff 000000ff 0000ff")).root
    assert [field.text for field in at(root, "result/data/value").children] == [
        "",
        "end of daylight saving",
        "last day of month",
        "not specified",
        "",
        "",
        "",
        "not specified",
        "0 min to UTC",
        "not specified",
    ]
    for deviation, text in (("ffc4", "-60 min to UTC"), ("003c", "+60 min to UTC")):
        root = decode_apdu(bytes.fromhex(f"c401c1001907e8060106 0a1e0000 {deviation}00")).root
        assert at(root, "result/data/value/deviation").text == text


# Times in services.


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"20240101120000Z", "2024-01-01 12:00:00 UTC"),
        (b"2024010112", "2024-01-01 12:00:00"),
        (b"202401011234", "2024-01-01 12:34:00"),
        (b"20240101123456", "2024-01-01 12:34:56"),
        (b"20240101123456.789", "2024-01-01 12:34:56.789"),
        (b"20240101123456,5Z", "2024-01-01 12:34:56.5 UTC"),
        (b"20240101123456+0130", "2024-01-01 12:34:56 UTC+01:30"),
        (b"20240101123456-02", "2024-01-01 12:34:56 UTC-02:00"),
        (b"20240101", ""),
        (b"2024-01-01 12:00", ""),
        (b"20240101120000Z ", ""),
    ],
)
def test_generalized_times(text: bytes, words: str) -> None:
    """Every form of X.680: without minutes or seconds, with a fraction, local or with its zone."""
    assert generalized_time_text(text) == words


@pytest.mark.parametrize(
    ("octets", "text", "problem"),
    [
        ("00", "not given", None),
        ("0b" + "31" * 11, '"11111111111"', (6, 17)),
        ("0d" + "31" * 13, '"1111111111111"', (6, 19)),
        ("0a" + b"2024010112".hex(), "2024-01-01 12:00:00", None),
        ("0c07e80601060a1e0000800000", "2024-06-01 Sat 10:30:00", None),
        ("0c07e80601060a3c0000800000", "2024-06-01 Sat 10:60:00", (12, 13)),
    ],
)
def test_optional_date_times(octets: str, text: str, problem: tuple[int, int] | None) -> None:
    """Twelve octets are a date-time, none are none, others are text or a problem."""
    decoded = decode_apdu(bytes.fromhex(f"0f00000001{octets}00"))
    assert at(decoded.root, "date-time").text == text
    assert at(decoded.root, "date-time").value == bytes.fromhex(octets[2:])
    assert [(one.start, one.stop) for one in decoded.problems] == ([problem] if problem else [])
