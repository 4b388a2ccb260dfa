"""Cells: a page at a time or row by row, the texts of their fields, whatever is filtered or grows."""

import numpy as np
import pytest

from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import RowField
from cosemscope.gui.document.conditions import Filters
from cosemscope.gui.panes.row_order import RowOrder
from cosemscope.gui.panes.wpdus.wpdu_cells import SETTLED_ROWS, WpduCells
from tests.helpers.conditions import every
from tests.helpers.polled import polled_traffic

COUNT = 300


@pytest.fixture
def filters() -> Filters:
    return Filters()


@pytest.fixture
def order(filters: Filters) -> RowOrder:
    order = RowOrder(filters)
    order.rebuild(COUNT)
    return order


@pytest.fixture
def cells(qapp, order: RowOrder) -> WpduCells:
    cells = WpduCells(order)
    cells.set_traffic(polled_traffic(COUNT, 3))
    cells.set_fields((FIELDS["wpdu.number"], FIELDS["obis"], FIELDS["info"]))
    return cells


def numbers(cells: WpduCells, count: int) -> list[str]:
    return [cells.text(FIELDS["wpdu.number"], position) for position in range(count)]


def test_pages_join_without_a_seam(cells: WpduCells) -> None:
    """Each position has the text of its own row, also where a page ends and where the rows do."""
    assert numbers(cells, COUNT) == [str(number) for number in range(1, COUNT + 1)]


def test_a_page_that_was_not_full_is_made_anew(cells: WpduCells, order: RowOrder) -> None:
    """Rows that come later stand in it, too."""
    order.rebuild(70)
    cells.forget_pages()
    assert numbers(cells, 70)[-1] == "70"
    order.rebuild(100)
    assert numbers(cells, 100)[-1] == "100"


def copied(cells: WpduCells, field: RowField, start: int, stop: int) -> list[str]:
    """The texts of a field as they are copied."""
    return cells.row_texts([field], [range(start, stop)]).column(field)


def test_rows_that_are_filtered_and_sorted(cells: WpduCells, order: RowOrder, filters: Filters) -> None:
    """What is shown are the rows of the order."""
    filters.put("even", every(2, COUNT))
    order.set_order(lambda stop: np.arange(stop), descending=True)
    cells.forget_pages()
    assert numbers(cells, COUNT // 2) == [str(number) for number in range(COUNT - 1, 0, -2)]
    assert copied(cells, FIELDS["wpdu.number"], 0, 2) == ["299", "297"]


def test_looked_at_cells_become_complete_and_are_complete_for_copying(cells: WpduCells, qtbot) -> None:
    """At first with the row's own octets, a moment later with what its request asked for."""
    obis, info = FIELDS["obis"], FIELDS["info"]
    assert (cells.text(obis, 1), "Clock" in cells.text(info, 1)) == ("", False)
    with qtbot.waitSignal(cells.changed):
        pass
    assert cells.settled
    assert cells.text(obis, 1) == "0.0.1.0.0.255"
    assert copied(cells, obis, 0, 3) == ["0.0.1.0.0.255"] * 3
    assert copied(cells, info, 1, 2) == [cells.text(info, 1)]


def test_rows_that_were_scrolled_past_are_let_go(cells: WpduCells, qtbot) -> None:
    """Those asked for last are completed; of the others nothing is kept."""
    for position in range(COUNT):
        cells.text(FIELDS["info"], position)
    assert cells.kept == COUNT
    qtbot.waitUntil(lambda: cells.settled)
    assert cells.kept == SETTLED_ROWS


def test_more_may_be_known_of_rows_later(cells: WpduCells, qtbot) -> None:
    """A few are completed again; where they are many, all is made when it is seen."""
    for start in (0, COUNT // 2):
        for position in range(start, start + COUNT // 2):
            cells.text(FIELDS["info"], position)
        qtbot.waitUntil(lambda: cells.settled)
    assert cells.kept == COUNT > SETTLED_ROWS
    cells.settle_again({0, 1, COUNT + 5})
    assert not cells.settled
    qtbot.waitUntil(lambda: cells.settled)
    assert cells.kept == COUNT
    with qtbot.waitSignal(cells.changed):
        cells.settle_again(set(range(COUNT)))
    assert cells.kept == 0
