"""The tree of expert items: kinds with counts, items below them, of many the first and a row for more."""

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester

from cosemscope.gui.panes.expert.expert_model import TITLES, ExpertModel
from cosemscope.gui.panes.expert.item_groups import ItemGroups
from cosemscope.streams.tables.expert_items import KINDS, ExpertItems, Words
from cosemscope.streams.tables.stream_kinds import HOLE, RETRANSMISSION

AT_ONCE = 7


@pytest.fixture
def model(look) -> ExpertModel:
    model = ExpertModel(at_once=AT_ONCE)
    model.tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    return model


def row(model: ExpertModel, *places: int) -> list[str]:
    index = QModelIndex()
    for place in places:
        index = model.index(place, 0, index)
    return [model.data(index.siblingAtColumn(column)) for column in range(len(TITLES))]


def test_kinds_have_counts_and_items_have_places(model: ExpertModel) -> None:
    """Numbers count from 1; words of an item's own stand in the place of the kind's."""
    items = ExpertItems()
    items.add(2, kind=HOLE.number, wpdu=[4, -1], packet=[1233, 6], amount=[12, 1])
    own = items.number(Words("expected \x07 this", "IEC 1, 2"))
    items.add(1, kind=KINDS["ill-formed-apdu"].number, wpdu=0, packet=0, words=own)
    model.show_groups(ItemGroups(items))
    assert row(model, 0)[:4] == ["The APDU cannot be read to its end", "data", "", "1"]
    assert row(model, 0, 0) == ["Expected \\x07 this", "", "IEC 1, 2", "", "1", "1"]
    assert row(model, 1)[3:] == ["2", "", ""]
    assert row(model, 1, 0) == ["1 octet missing in the capture", "", "", "", "", "7"]
    assert row(model, 1, 1) == ["12 octets missing in the capture", "", "", "", "5", "1,234"]
    assert "Warning, tcp: hole" in model.data(model.index(1, 0), Qt.ItemDataRole.ToolTipRole)


@pytest.mark.parametrize("count", [AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE + 5])
def test_of_many_items_none_is_out_of_reach(model: ExpertModel, count: int) -> None:
    """A tree would ask for a million rows; the last one shown brings the next ones, until all are there."""
    items = ExpertItems()
    items.add(count, kind=RETRANSMISSION.number, packet=range(count))
    model.show_groups(ItemGroups(items))
    parent = model.index(0, 0)
    clicks = 0
    while model.item(model.index(model.rowCount(parent) - 1, 0, parent)) < 0:
        last = model.index(model.rowCount(parent) - 1, 0, parent)
        left = count - (model.rowCount(parent) - 1)
        assert model.data(last) == f"{left:,} more: click for the next"
        assert model.place(last) == (-1, -1, -1)
        model.show_more(last)
        clicks += 1
    assert clicks == (count - 1) // AT_ONCE
    assert model.rowCount(parent) == count
    assert model.item(model.index(count - 1, 0, parent)) == count - 1
    model.show_more(model.index(count - 1, 0, parent))
    model.show_more(parent)
    assert model.rowCount(parent) == count
