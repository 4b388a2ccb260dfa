"""Times as the table writes them, and tool tips that show texts as they stand."""

import pytest

from cosemscope.gui.look import formats


@pytest.mark.parametrize("name", formats.TIME_FORMATS)
@pytest.mark.parametrize("places", [0, 3, 6, 9])
def test_times_have_the_digits_that_are_wanted(name, places):
    """Cut, never rounded, so that no time is told that has not come yet; samples are as wide."""
    way = formats.TIME_FORMATS[name]
    text = way.text(1_760_000_400_123_456_789, 1_760_000_399_000_000_001, places)
    fraction = text.partition(".")[2]
    counted = way.since is not formats.TimeBase.NOTHING
    assert fraction == ("123456788" if counted else "123456789")[:places]
    assert text.partition(".")[0].startswith("1" if counted or name == "epoch" else "2025-10-09")
    assert len(formats.time_sample(way, places)) >= len(text)


def test_tips_show_what_looks_like_mark_up_as_it_stands():
    """A text of a capture cannot write in bold, nor name a picture; others stay as they are."""
    assert formats.plain_tip("Packet 2: a comment\nof two lines") == "Packet 2: a comment\nof two lines"
    assert "&lt;img src=&quot;x&quot;&gt;" in formats.plain_tip('Packet 2: <img src="x">')
    assert "&amp;lt;" in formats.plain_tip("Packet 2: &lt;")
    assert len(formats.plain_tip("y" * 70_000)) < 5_000
