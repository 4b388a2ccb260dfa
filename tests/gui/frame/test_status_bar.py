"""The status bar: file, progress and counts, each only while there is something to tell."""

import pytest

from cosemscope.analysis.sessions.counts import TableCounts
from cosemscope.gui.frame.status_bar import StatusBar
from cosemscope.streams.tables.expert_items import Severity


@pytest.fixture
def bar(qtbot, look) -> StatusBar:
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.show()
    return bar


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ((1, TableCounts(1), 1, 1), "1 packet  ·  1 WPDU "),
        ((286, TableCounts(132, 0, 10), 142, 1), "286 packets  ·  132 WPDUs, 10 other APDUs "),
        ((9, TableCounts(0, 0, 4), 4, 1), "9 packets  ·  4 other APDUs "),
        ((200, TableCounts(97, 2), 99, 0), "200 packets  ·  97 WPDUs, 2 truncated "),
        (
            (12_345, TableCounts(2_000), 32, 3),
            "12,345 packets  ·  2,000 WPDUs  ·  32 displayed  ·  3 selected ",
        ),
        ((5, TableCounts(2), 2, 1, 0), "5 packets  ·  2 WPDUs  ·  0 dropped "),
    ],
)
def test_counts_are_told_as_far_as_they_say_something(bar, counts, text):
    """Displayed only where rows are hidden, selected from two on, dropped where it is known."""
    bar.show_counts(*counts)
    assert bar.counts.text() == text


def test_progress_and_its_button_come_and_go_together(bar, qtbot):
    """The bar of a file with more octets than an integer of Qt has is exact to a part in a thousand."""
    assert not bar.progress.isVisible()
    bar.show_progress(0.25)
    assert bar.progress.isVisible()
    assert bar.cancel.isVisible()
    assert bar.progress.value() / bar.progress.maximum() == 0.25
    with qtbot.waitSignal(bar.cancelAsked):
        bar.cancel.click()
    bar.show_progress(None)
    assert not bar.cancel.isVisible()


def test_a_closed_capture_leaves_no_word_behind(bar):
    """Name, tip, counts, problems and progress."""
    bar.show_file("made.pcap", 2048, "live")
    assert bar.file.text() == "made.pcap (2.0 KiB) · live"
    bar.show_counts(1, TableCounts(1), 1, 1)
    bar.show_problems(3)
    assert bar.problems.text() == "3 problems"
    bar.show_progress(0.5)
    bar.clear_all()
    assert bar.file.text() == "No capture"
    assert bar.counts.text() == ""
    assert not bar.problems.isVisible()
    assert not bar.progress.isVisible()


def test_the_button_beside_progress_says_what_it_stops(bar):
    """Reading, or another work; none is there for what goes on by itself."""
    bar.show_progress(0.5, "Expert items", "Stop that")
    assert (bar.cancel.isVisible(), bar.cancel.toolTip()) == (True, "Stop that")
    bar.show_progress(0.5, "Associations", "")
    assert not bar.cancel.isVisible()
    bar.show_progress(0.5)
    assert "reading" in bar.cancel.toolTip()


def test_points_count_expert_items(bar, qtbot):
    """One for each severity that has any, with its words in tip and name; a click is told."""
    bar.show_items({Severity.WARNING: 1_200, Severity.NOTE: 0})
    shown = [button for button in bar.items.buttons.values() if button.isVisible()]
    assert [(button.text(), button.accessibleName()) for button in shown] == [("1,200", "1,200 warnings")]
    with qtbot.waitSignal(bar.itemsAsked):
        shown[0].click()
    bar.clear_all()
    assert not shown[0].isVisible()


def test_a_long_name_and_progress_do_not_widen_the_window(bar):
    """While a file is read the window may be as narrow as ever."""
    bar.show_file("a capture with a very long name " * 8 + ".pcapng", 1 << 40, "not read to its end")
    bar.show_progress(0.5, "Expert items")
    assert bar.minimumSizeHint().width() < 700
