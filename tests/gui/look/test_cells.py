"""Cells are drawn within their room: what does not fit is left out where it says least."""

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QTableView, QWidget

from cosemscope.gui.look.cells import CellDelegate, elided_halves, paint_hint


def test_of_two_long_addresses_both_ends_are_shown(look):
    """The end of an IPv6 address tells meters apart."""
    metrics = QFontMetrics(look.font())
    one, other = "2001:db8:85a3:8d3:1319:8a2e:370:7340", "fd12:3456:789a:bcde:f012:3456:789a:bcde"
    text = elided_halves(f"{one} ↔ {other}", " ↔ ", metrics, 260)
    assert metrics.horizontalAdvance(text) <= 262
    left, right = text.split(" ↔ ")
    assert left.startswith("2001:")
    assert left.endswith("7340")
    assert right.startswith("fd12")
    assert right.endswith("bcde")
    assert elided_halves("10.0.0.1 ↔ 10.0.0.2", " ↔ ", metrics, 260) == "10.0.0.1 ↔ 10.0.0.2"
    assert "↔" in elided_halves(f"10.0.0.1 ↔ {other}", " ↔ ", metrics, 260)
    assert elided_halves(f"{one} ↔ {other}", " ↔ ", metrics, 60).startswith("2001")


@given(one=st.text("0123456789abcdef:.", max_size=40), other=st.text("0123456789abcdef:.", max_size=40))
def test_halves_never_take_more_than_their_room(qapp, one, other):
    """Whatever the addresses are; what fits is left as it is."""
    metrics = QFontMetrics(qapp.font())
    text = f"{one} ↔ {other}"
    for width in (80, 200, 400):
        shown = elided_halves(text, " ↔ ", metrics, width)
        assert metrics.horizontalAdvance(shown) <= width + 2
        assert shown == text or metrics.horizontalAdvance(text) > width


def test_a_cell_is_drawn_within_its_column(look, qtbot):
    """A text too long for its cell does not reach into the next one, whichever of its parts is left out."""
    model = QStandardItemModel(1, 2)
    for column in range(2):
        item = QStandardItem("a text that has no room " * 4 if column == 0 else "")
        item.setData(look.palette().base(), int(Qt.ItemDataRole.BackgroundRole))
        item.setData(int(Qt.AlignmentFlag.AlignLeft), int(Qt.ItemDataRole.TextAlignmentRole))
        model.setItem(0, column, item)
    view = QTableView()
    qtbot.addWidget(view)
    view.setModel(model)
    view.setShowGrid(False)
    view.resize(420, 80)
    view.show()
    for middle in ((), (0,)):
        view.setItemDelegate(CellDelegate(view, middle))
        image = view.viewport().grab(view.visualRect(model.index(0, 1))).toImage()
        inks = {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}
        assert len(inks) == 1
        written = view.viewport().grab(view.visualRect(model.index(0, 0))).toImage()
        assert len({written.pixel(x, y) for x in range(written.width()) for y in range(written.height())}) > 1


def test_a_hint_is_written_into_an_empty_pane(look, qtbot):
    """An empty pane is not merely white."""
    pane = QWidget()
    qtbot.addWidget(pane)
    pane.resize(300, 200)
    pictures = []
    for text in ("", "No WPDUs here."):
        pane.paintEvent = lambda event, text=text: paint_hint(pane, text)
        pictures.append(pane.grab().toImage())
    assert pictures[0] != pictures[1]
