"""Times and amounts are written exactly and in words that people read."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope import wording


@given(st.integers(-(10**18), 10**18))
def test_seconds_are_cut_never_rounded_through_floats(time):
    """Integer nanoseconds keep every one of their microseconds."""
    text = wording.seconds(time)
    whole, _, places = text.lstrip("-").partition(".")
    assert int(whole) * 10**6 + int(places) == abs(time) // 1000
    assert text.startswith("-") == (time < 0)


@pytest.mark.parametrize(
    ("nanoseconds", "long", "short"),
    [
        (0, "0 µs", "0"),
        (250_000, "250 µs", "250 µs"),
        (193_000_000, "193.0 ms", "193 ms"),
        (999_700, "1000 µs", "1 ms"),
        (999_700_000, "999.7 ms", "1 s"),
        (1_250_000_000, "1.250 s", "1.25 s"),
        (1_497_000_000_000, "24 min 57 s", "24.9 min"),
        (11_100_000_000_000, "3 h 05 min", "3.08 h"),
        (187_200_000_000_000, "2 d 4 h", "2.2 d"),
    ],
)
def test_durations(nanoseconds, long, short):
    """The unit fits the amount."""
    assert wording.duration(nanoseconds) == long
    assert wording.short_duration(nanoseconds) == short


@pytest.mark.parametrize(
    ("octets", "text"), [(1, "1 octet"), (812, "812 octets"), (1434, "1.4 KiB"), (5 << 40, "5.0 TiB")]
)
def test_sizes(octets, text):
    """Octets up to a KiB, then binary units."""
    assert wording.size(octets) == text


def test_clock_in_utc_keeps_microseconds():
    """The time of day of a known moment."""
    assert wording.clock(1_700_000_000_123_456_789, utc=True) == "2023-11-14 22:13:20.123456"


def test_a_time_that_no_calendar_has_is_still_shown():
    """Beyond the year 9999 the seconds stand for themselves."""
    assert wording.clock(10**21) == "1000000000000.000000"
    for extreme in (-(2**63), 2**63 - 1):
        assert wording.clock(extreme).count(".") == 1


def test_a_second_of_the_calendar():
    """Local time is the computer's; the same second in UTC."""
    local = datetime.fromtimestamp(1_700_000_000).strftime("%Y-%m-%d %H:%M:%S")
    assert wording.calendar(1_700_000_000) == local
    assert wording.calendar(1_700_000_000, utc=True) == "2023-11-14 22:13:20"
    assert wording.calendar(10**12) == ""


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((1, "WPDU"), "1 WPDU"),
        ((0, "WPDU"), "0 WPDUs"),
        ((12_345, "WPDU"), "12,345 WPDUs"),
        ((1, "reply", "replies"), "1 reply"),
        ((2, "reply", "replies"), "2 replies"),
    ],
)
def test_numbers_with_their_nouns(words, text):
    """One of a thing is not many; thousands are marked."""
    assert wording.count(*words) == text


@pytest.mark.parametrize(
    ("message", "text"),
    [("", ""), ("no answer", "No answer."), ("It is gone.", "It is gone."), ("é...", "É.")],
)
def test_sentences(message, text):
    """A capital at the beginning, one stop at the end."""
    assert wording.sentence(message) == text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Zähler: 3 µs – “計”", "Zähler: 3 µs – “計”"),
        ("two\nlines\r", r"two\nlines\r"),
        ("\x1b[31m\u202e", r"\x1b[31m\u202e"),
    ],
)
def test_what_cannot_be_printed_is_escaped(text, line):
    """Whatever stands in a capture is one line, and controls neither terminal nor direction."""
    assert wording.printable(text) == line
