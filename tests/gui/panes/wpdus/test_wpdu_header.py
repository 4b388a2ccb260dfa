"""Any field can be a column: added, removed, moved and sorted by from the header, and remembered."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import Cost
from cosemscope.analysis.fields.value_types import Integer
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.panes.pane import Wishes
from cosemscope.gui.panes.wpdus.column_looks import USUAL_FIELDS, gives_way, look_of
from cosemscope.gui.panes.wpdus.wpdu_view import WpduView
from tests.helpers.polled import polled_traffic

TIP = int(Qt.ItemDataRole.ToolTipRole)


@pytest.fixture
def table(qtbot, look) -> WpduView:
    selection = Selection()
    table = WpduView(selection, Wishes())
    qtbot.addWidget(table)
    table.resize(1200, 500)
    traffic = polled_traffic(12, 3)
    selection.set_traffic(traffic)
    table.set_traffic(traffic)
    table.take_rows(12)
    table.show()
    return table


@pytest.fixture
def doubled() -> Iterator[str]:
    """One more field, as somebody would declare it."""

    @FIELDS.declared("test.doubled", Integer(), "Doubled", "Twice the length")
    def _doubled(asked):
        return asked.wpdus("length") * 2

    yield "test.doubled"
    del FIELDS["test.doubled"]


def names(table: WpduView) -> list[str]:
    """The columns from left to right."""
    return [field.name for field in table.header.shown]


def cells(table: WpduView, name: str) -> list[str]:
    model = table.wpdus
    number = model.fields.index(FIELDS[name])
    return [model.data(model.index(row, number)) for row in range(model.rowCount())]


def actions(menu: QMenu) -> Iterator[QAction]:
    """All entries of a menu, those of its submenus, too."""
    for action in menu.actions():
        yield action
        if action.menu() is not None:
            yield from actions(action.menu())


def choose(table: WpduView, section: int, words: str) -> None:
    """Choose the entry of the header's menu over a column whose text has these words."""
    menu = QMenu(table)
    table.header.fill_menu(menu, section)
    next(action for action in actions(menu) if words in action.text()).trigger()


def test_the_menu_has_every_field_and_marks_those_that_are_columns(table):
    """With its title and its name; the tip has its meaning."""
    menu = QMenu(table)
    table.header.fill_menu(menu, 0)
    chosen = {action.text().partition("\t")[2]: action for action in actions(menu) if action.isCheckable()}
    assert chosen.keys() == FIELDS.keys()
    assert {name for name, action in chosen.items() if action.isChecked()} == set(USUAL_FIELDS)
    assert chosen["obis"].toolTip() == FIELDS["obis"].meaning


def test_a_column_comes_behind_the_one_that_was_clicked_and_goes_again(table):
    """The others stay in their order."""
    before = names(table)
    choose(table, before.index("source"), "\tframe.number")
    place = before.index("source") + 1
    assert names(table) == [*before[:place], "frame.number", *before[place:]]
    choose(table, place, "Remove “Packet”")
    assert names(table) == before
    choose(table, 0, "\tip.src")
    choose(table, 0, "\tip.src")
    assert names(table) == before


def test_a_new_field_is_a_column(table, doubled):
    """With text, title, tip, an order by number, and its place in what is copied."""
    choose(table, 0, f"\t{doubled}")
    assert cells(table, doubled)[:2] == ["26", "18"]
    number = names(table).index(doubled)
    assert table.wpdus.headerData(number, Qt.Orientation.Horizontal) == "Doubled"
    assert "Twice the length" in table.wpdus.headerData(number, Qt.Orientation.Horizontal, TIP)
    table.sortByColumn(number, Qt.SortOrder.AscendingOrder)
    assert cells(table, doubled) == ["18"] * 6 + ["26"] * 6
    table.selectAll()
    table.copy()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0].split("\t")[number] == "Doubled"
    assert {line.split("\t")[number] for line in lines[1:]} == {"18", "26"}


def test_every_field_can_be_a_column(table, qtbot):
    """All at once: each has a look, a text for each row, and an order unless it costs a tree."""
    table.header.show_fields(FIELDS.values())
    model = table.wpdus
    for number, field in enumerate(model.fields):
        assert look_of(field).sample(model.traffic, "relative", 6)
        assert gives_way(field) >= -1
        assert all(
            isinstance(model.data(model.index(row, number), role), str | None)
            for row in range(12)
            for role in (int(Qt.ItemDataRole.DisplayRole), TIP)
        )
    qtbot.waitUntil(lambda: model.cells.settled)
    asked = model.traffic.asked(model.order.part(0, 12))
    for field in model.fields:
        if field.name not in ("wpdu.time", "apdu"):
            assert cells(table, field.name) == field.texts(asked), field.name
        model.sort(model.fields.index(field), Qt.SortOrder.DescendingOrder)
        assert model.order.sorted == (field.cost is not Cost.TREE)
        model.sort(-1)


def test_what_costs_a_look_is_completed_in_a_moment(table, qtbot):
    """A response gets the object that its request asked for."""
    table.header.show_fields([FIELDS["wpdu.number"], FIELDS["obis"]])
    assert cells(table, "obis")[1] == ""
    qtbot.waitUntil(lambda: cells(table, "obis")[1] == "0.0.1.0.0.255")


def test_columns_that_were_moved_are_copied_as_they_stand(table):
    """From left to right, whatever was first in the beginning."""
    table.header.moveSection(0, 2)
    order = names(table)
    assert order[:3] == ["wpdu.time", "source", "wpdu.number"]
    table.select_row(0)
    table.copy()
    assert QGuiApplication.clipboard().text().splitlines()[0].split("\t")[:3] == ["Time", "Source", "No."]
    choose(table, 0, "\tframe.len")
    assert names(table) == [*order[:3], "frame.len", *order[3:]]


def test_the_last_column_stays(table):
    """A table without columns could not be clicked at any more."""
    for name in names(table):
        table.header.remove(name)
    assert len(names(table)) == 1


def test_columns_are_remembered(table):
    """Names, order and widths; what a newer version had and this one lacks is left out; and reset."""
    assert table.arrangement() == b""
    choose(table, 0, "\tframe.len")
    chosen = names(table)
    state = table.arrangement()
    table.header.reset_columns()
    assert (names(table), table.arrangement()) == (list(USUAL_FIELDS), b"")
    table.restore(state)
    assert names(table) == chosen
    table.header.moveSection(0, 3)
    table.setColumnWidth(1, 222)
    moved, state = names(table), table.arrangement()
    table.restore(b"")
    table.restore(state)
    assert names(table) == moved
    assert table.columnWidth(1) == 222
    table.restore(b"no.such,obis\0")
    assert names(table) == ["obis"]
    table.restore(b"\xff,\0nonsense")
    assert names(table) == list(USUAL_FIELDS)


def test_added_columns_fit_as_long_as_no_person_has_arranged_any(table):
    """All of them are seen at once; where somebody has set widths these stay."""
    choose(table, 0, "\tframe.len")
    assert sum(table.columnWidth(number) for number in range(len(names(table)))) == table.viewport().width()
    table.setColumnWidth(0, 99)
    choose(table, 0, "\tip.src")
    assert table.columnWidth(names(table).index("wpdu.number")) == 99


def click(table: WpduView, name: str) -> None:
    """Click into the middle of a column's title."""
    header, number = table.header, table.wpdus.fields.index(FIELDS[name])
    across = header.sectionViewportPosition(number) + header.sectionSize(number) // 2
    QTest.mouseClick(
        header.viewport(),
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
        QPoint(across, header.height() // 2),
    )


def arrow(table: WpduView) -> tuple[bool, int, Qt.SortOrder]:
    """Whether there is an arrow, over which column, and its direction."""
    header = table.header
    return header.isSortIndicatorShown(), header.sortIndicatorSection(), header.sortIndicatorOrder()


def test_an_arrow_tells_by_what_and_how_the_rows_are_sorted(table):
    """Also after remembered columns were taken back; a third click or another capture takes it away."""
    length = table.wpdus.fields.index(FIELDS["wpdu.length"])
    click(table, "wpdu.length")
    assert arrow(table) == (True, length, Qt.SortOrder.AscendingOrder)
    assert cells(table, "wpdu.length") == sorted(cells(table, "wpdu.length"), key=int)
    click(table, "wpdu.length")
    assert arrow(table) == (True, length, Qt.SortOrder.DescendingOrder)
    click(table, "wpdu.length")
    assert arrow(table)[:2] == (True, -1)
    table.header.setSortIndicatorShown(False)
    table.header.moveSection(0, 2)
    hidden = table.arrangement()
    table.restore(hidden)
    click(table, "wpdu.length")
    assert arrow(table)[:2] == (True, length)
    table.set_traffic(polled_traffic(4, 1))
    assert arrow(table)[:2] == (True, -1)
    assert not table.wpdus.order.sorted


@pytest.mark.parametrize("name", ["value", "info", "wpdu.octets"])
def test_what_is_read_out_of_each_apdu_sorts_in_the_background(table, qtbot, name):
    """Up and down, blank cells last."""
    table.header.show_fields(FIELDS[each] for each in ("wpdu.number", name))
    model = table.wpdus

    def sort() -> list[str]:
        with qtbot.waitSignal(model.modelReset):
            click(table, name)
        rows = [model.row(place) for place in range(model.rowCount())]
        return FIELDS[name].texts(model.traffic.asked(np.array(rows, np.int64)))

    up, down = sort(), sort()
    told = sorted(text for text in up if text)
    assert up == told + [""] * up.count("")
    assert down == told[::-1] + [""] * up.count("")
    assert arrow(table) == (True, 1, Qt.SortOrder.DescendingOrder)


@pytest.mark.parametrize(
    "name", ["obis", "obis.name", "class", "class.name", "attribute", "attribute.name", "response_time"]
)
def test_rows_sort_by_what_their_cells_show(table, qtbot, name):
    """An answer by the object of its request; blank cells stand last."""
    table.header.show_fields([FIELDS["wpdu.number"], FIELDS[name]])
    model = table.wpdus
    asked = model.traffic.asked(model.order.part(0, 12))
    texts = FIELDS[name].texts(asked)
    click(table, name)
    cells(table, name)
    qtbot.waitUntil(lambda: model.cells.settled)
    told = cells(table, name)
    assert sorted(told) == sorted(texts)
    assert "" not in told[: 12 - texts.count("")]
    click(table, name)
    assert "" not in cells(table, name)[: 12 - texts.count("")]
