"""The line says at each key whether a filter is typed, and offers what would fit."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette

from cosemscope.gui.document.selection import Selection
from cosemscope.gui.panes.filter.filter_line import FilterLine
from tests.helpers.polled import polled_traffic


@pytest.fixture
def line(qtbot, look) -> FilterLine:
    selection = Selection()
    selection.set_traffic(polled_traffic(40))
    line = FilterLine(selection)
    qtbot.addWidget(line)
    line.resize(700, 30)
    with qtbot.waitActive(line):
        line.show()
        line.activateWindow()
    line.setFocus()
    return line


def tint(line: FilterLine) -> str:
    return line.palette().color(QPalette.ColorRole.Base).name()


def test_the_colour_and_the_place_of_an_error_are_told(line, qtbot):
    """Nothing typed, a filter, and none: three colours; the error names its columns."""
    tints = [tint(line)]
    for text in ("wport == 16", "obis == 3"):
        line.clear()
        qtbot.keyClicks(line, text)
        tints.append(tint(line))
    assert len(set(tints)) == 3
    assert (line.error.start, line.error.stop) == (8, 9)
    line.clear()
    assert line.error is None
    assert tint(line) == tints[0]


def test_names_are_completed_and_then_values(line, qtbot):
    """A field's name by its beginning; behind a relation what the capture has, with the counts."""
    qtbot.keyClicks(line, "wport.s")
    qtbot.waitUntil(line.list.isVisible)
    assert "wport.src" in [offer.text.strip() for offer in line.list.offers]
    qtbot.keyClick(line, Qt.Key.Key_Down)
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert line.text().startswith("wport.s")
    assert not line.list.isVisible()
    line.clear()
    qtbot.keyClicks(line, "apdu == ")
    qtbot.waitUntil(line.list.isVisible)
    found = {offer.text: offer.count for offer in line.list.offers}
    assert (found["get-request"], found["get-response"]) == (20, 20)
    qtbot.keyClick(line, Qt.Key.Key_Tab)
    assert line.text().strip().startswith("apdu == get-re")
    assert line.error is None


def test_keys_apply_and_leave(line, qtbot):
    """Escape first closes what is offered, then leaves; Enter applies what is typed."""
    told: list[str] = []
    line.asked.connect(lambda: told.append("asked"))
    line.left.connect(lambda: told.append("left"))
    qtbot.keyClicks(line, "wport")
    qtbot.waitUntil(line.list.isVisible)
    qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert not line.list.isVisible()
    qtbot.keyClick(line, Qt.Key.Key_Return)
    qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert told == ["asked", "left"]


def test_text_beyond_all_bounds_is_an_error_and_no_fault(line):
    """What somebody pastes by mistake."""
    for text in ("(" * 20_000, "\u202e\x00\x1b", "wport == " + "9" * 5000, "a" * 30_000):
        line.setText(text)
        assert line.error is not None
