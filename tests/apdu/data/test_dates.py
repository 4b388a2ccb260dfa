"""Dates and times: what is out of its range is named, whatever is wrong with it, and UTC has its day."""

import pytest

from cosemscope.apdu.data.dates import date_time_text
from cosemscope.apdu.decoder import decode_apdu
from tests.helpers.apdu_checks import at, check_tree


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
