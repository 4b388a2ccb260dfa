"""Finding goes from hit to hit among the WPDUs shown, both ways, and says when it goes round the end."""

import pytest

from cosemscope.gui.document.selection import Selection
from cosemscope.gui.panes.filter.find_bar import FindBar, Sought
from cosemscope.gui.panes.pane import Wishes
from tests.helpers.polled import polled_traffic


@pytest.fixture
def selection(qapp) -> Selection:
    selection = Selection()
    selection.set_traffic(polled_traffic(40))
    return selection


@pytest.fixture
def bar(qtbot, look, selection) -> FindBar:
    bar = FindBar(selection, Wishes())
    qtbot.addWidget(bar)
    bar.resize(700, 40)
    return bar


def find(qtbot, bar: FindBar, by: int) -> str:
    with qtbot.waitSignal(bar.search.ended):
        bar.go(by)
    return bar.note.text()


def test_hits_come_in_turn_and_go_on_from_the_other_end(bar, selection, qtbot):
    """Two WPDUs fit; whichever way, the search goes round, and says so."""
    bar.begin("wpdu.number in {5, 30}", Sought.FILTER)
    assert bar.isVisible()
    rows, notes = [], []
    for by in (1, 1, 1, -1, -1):
        notes.append(find(qtbot, bar, by))
        rows.append(selection.row)
    assert rows == [4, 29, 4, 29, 4]
    assert notes == ["", "", "went on from the beginning", "went on from the end", ""]


def test_only_what_is_shown_is_searched(bar, selection, qtbot):
    """A filter that hides a hit hides it from the search, too."""
    selection.restrict("x", "wpdu.number > 10")
    bar.begin("wpdu.number in {5, 30}", Sought.FILTER)
    for _ in range(2):
        find(qtbot, bar, 1)
        assert selection.row == 29
    assert selection.filters


@pytest.mark.parametrize(
    ("sought", "typed", "row"),
    [
        (Sought.TEXT, "1234", 1),
        (Sought.OCTETS, "09 AA BB", -1),
        (Sought.OCTETS, "06:00 00-04d2", 1),
        (Sought.PATTERN, "get-resp.*normal", 1),
        (Sought.TEXT, 'no "such\\ text', -1),
    ],
)
def test_text_octets_and_patterns(bar, selection, qtbot, sought, typed, row):
    """All of them from the selected WPDU on; what is not there is said."""
    bar.begin(typed, sought)
    assert find(qtbot, bar, 1) == ("" if row >= 0 else "not found")
    assert selection.row == row


@pytest.mark.parametrize(
    ("sought", "typed"), [(Sought.FILTER, "obis == 3"), (Sought.OCTETS, "0"), (Sought.PATTERN, "(")]
)
def test_what_cannot_be_looked_for_is_said(bar, selection, sought, typed):
    """In words, at once, and nothing is selected."""
    bar.begin(typed, sought)
    bar.go(1)
    assert bar.note.text()
    assert not bar.search.running
    assert selection.row == -1
