"""The bar puts filters in force, shows those of other panes, keeps what is saved."""

import pytest
from PySide6.QtCore import Qt

from cosemscope.gui.document.selection import Selection
from cosemscope.gui.panes.asked_filter import AskedFilter, Join
from cosemscope.gui.panes.filter.filter_bar import TYPED, FilterBar
from cosemscope.gui.panes.pane import Wishes
from tests.helpers.polled import polled_traffic


@pytest.fixture
def selection(qapp) -> Selection:
    selection = Selection()
    selection.set_traffic(polled_traffic(40))
    return selection


@pytest.fixture
def bar(qtbot, look, selection) -> FilterBar:
    bar = FilterBar(selection, Wishes())
    qtbot.addWidget(bar)
    bar.resize(900, 40)
    with qtbot.waitExposed(bar):
        bar.show()
    return bar


def displayed(selection: Selection) -> int:
    return int(selection.filters.matching(0, 40).sum())


def test_enter_applies_and_nothing_typed_takes_away(bar, selection, qtbot):
    """What is in force is what was typed; Escape brings it back."""
    qtbot.keyClicks(bar.line, "role == server")
    assert displayed(selection) == 40
    assert bar.apply_action.isVisible()
    qtbot.keyClick(bar.line, Qt.Key.Key_Return)
    assert displayed(selection) == 20
    assert not bar.apply_action.isVisible()
    bar.line.setText("role == ")
    qtbot.keyClick(bar.line, Qt.Key.Key_Return)
    assert displayed(selection) == 20
    assert bar.said.isVisible()
    qtbot.keyClick(bar.line, Qt.Key.Key_Escape)
    assert bar.line.text() == "role == server"
    assert not bar.said.isVisible()
    bar.line.clear()
    qtbot.keyClick(bar.line, Qt.Key.Key_Return)
    assert TYPED not in selection.filters
    assert bar.saved.used == ["role == server"]


def test_what_other_panes_put_in_force_is_seen_and_can_be_taken_away(bar, selection, qtbot):
    """A button each, with its filter; the typed one stays."""
    bar.show_filter("role == server")
    selection.restrict("session", "stream == 0")
    selection.restrict("span", "wpdu.time_relative <= 10ms")
    assert [button.filter for button in bar.condition_buttons] == [
        "stream == 0",
        "wpdu.time_relative <= 10ms",
    ]
    qtbot.mouseClick(bar.condition_buttons[0], Qt.MouseButton.LeftButton)
    assert [button.filter for button in bar.condition_buttons] == ["wpdu.time_relative <= 10ms"]
    assert displayed(selection) == 5
    selection.show_all()
    assert bar.condition_buttons == []
    assert bar.line.text() == ""


def test_offered_filters_are_applied_or_prepared(bar, selection):
    """Prepared means typed and not in force."""
    selection.filterAsked.emit(AskedFilter("role == server"))
    assert displayed(selection) == 20
    selection.filterAsked.emit(AskedFilter("stream == 0", Join.AND, applied=False))
    assert bar.line.text() == "role == server && stream == 0"
    assert displayed(selection) == 20
    bar.apply()
    assert displayed(selection) == 10


def test_saved_filters_have_buttons_and_come_back(bar, selection, monkeypatch, qtbot, look):
    """Under a name, in the bar and in the menu; at the next start too."""
    bar.line.setText("role == server")
    monkeypatch.setattr(
        "cosemscope.gui.panes.filter.filter_bar.QInputDialog.getText", lambda *_: ("Answers & more", True)
    )
    bar.ask_name()
    other = FilterBar(selection, Wishes())
    qtbot.addWidget(other)
    other.resize(900, 40)
    other.show()
    other.restore(bar.arrangement())
    assert other.saved.named == {"Answers & more": "role == server"}
    other.menu.aboutToShow.emit()
    title = "Answers && more:  role == server"
    (action,) = [one for one in other.menu.actions() if one.text() == title]
    action.trigger()
    assert displayed(selection) == 20
    (remove,) = [one.menu() for one in other.menu.actions() if one.menu() is not None]
    remove.actions()[0].trigger()
    assert other.saved.named == {}


def test_another_capture_begins_without_a_filter(bar, selection):
    """Nothing of the old one is in force or typed."""
    bar.show_filter("role == server")
    traffic = polled_traffic(10)
    selection.set_traffic(traffic)
    bar.set_traffic(traffic)
    assert bar.line.text() == ""
    assert not selection.filters
