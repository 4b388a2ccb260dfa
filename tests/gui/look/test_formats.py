"""Times as the table writes them, and tool tips that show texts as they stand."""

from cosemscope.gui.look import formats


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
