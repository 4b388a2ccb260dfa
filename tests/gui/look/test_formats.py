"""Times and amounts are written exactly and in words that people read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.gui.look import formats


@given(st.integers(-(10**18), 10**18))
def test_seconds_are_cut_never_rounded_through_floats(time):
    """Integer nanoseconds keep every one of their microseconds."""
    text = formats.seconds(time)
    whole, _, places = text.lstrip("-").partition(".")
    assert int(whole) * 10**6 + int(places) == abs(time) // 1000
    assert text.startswith("-") == (time < 0)


@pytest.mark.parametrize(
    ("nanoseconds", "long", "short"),
    [
        (0, "0 µs", "0"),
        (250_000, "250 µs", "250 µs"),
        (193_000_000, "193.0 ms", "193 ms"),
        (1_250_000_000, "1.250 s", "1.25 s"),
        (1_497_000_000_000, "24 min 57 s", "24.9 min"),
        (11_100_000_000_000, "3 h 05 min", "3.08 h"),
        (187_200_000_000_000, "2 d 4 h", "2.2 d"),
    ],
)
def test_durations(nanoseconds, long, short):
    """The unit fits the amount."""
    assert formats.duration(nanoseconds) == long
    assert formats.short_duration(nanoseconds) == short


@pytest.mark.parametrize(
    ("octets", "text"), [(1, "1 octet"), (812, "812 octets"), (1434, "1.4 KiB"), (5 << 40, "5.0 TiB")]
)
def test_sizes(octets, text):
    """Octets up to a KiB, then binary units."""
    assert formats.size(octets) == text


def test_clock_in_utc_keeps_microseconds():
    """The time of day of a known moment."""
    assert formats.clock(1_700_000_000_123_456_789, utc=True) == "2023-11-14 22:13:20.123456"


def test_a_time_that_no_calendar_has_is_still_shown():
    """Beyond the year 9999 the seconds stand for themselves."""
    assert formats.clock(10**21) == "1000000000000.000000"
    for extreme in (-(2**63), 2**63 - 1):
        assert formats.clock(extreme).count(".") == 1


def test_time_formats_use_what_they_name():
    """Relative counts from the first WPDU, delta from the one before."""
    ways = formats.TIME_FORMATS
    assert ways["relative"].text(5_000_000_000, 1_000_000_000, 4_500_000_000) == "4.000000"
    assert ways["delta"].text(5_000_000_000, 1_000_000_000, 4_500_000_000) == "0.500000"


def test_tips_show_what_looks_like_mark_up_as_it_stands():
    """A text of a capture cannot write in bold, nor name a picture; others stay as they are."""
    assert formats.plain_tip("Packet 2: a comment\nof two lines") == "Packet 2: a comment\nof two lines"
    assert "&lt;img src=&quot;x&quot;&gt;" in formats.plain_tip('Packet 2: <img src="x">')
    assert "&amp;lt;" in formats.plain_tip("Packet 2: &lt;")
    assert len(formats.plain_tip("y" * 70_000)) < 5_000
