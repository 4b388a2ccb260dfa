"""Counts by any fields: what the table says, what a click shows, what is saved; the same as `count` tells."""

import csv
from collections import Counter

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.panes.counts.count_pane import GROUP, CountPane
from cosemscope.gui.panes.pane import Wishes
from tests.helpers.polled import polled_traffic


@pytest.fixture
def selection(qapp) -> Selection:
    selection = Selection()
    selection.set_traffic(polled_traffic(60, 3))
    return selection


@pytest.fixture
def wishes(qapp) -> Wishes:
    return Wishes()


@pytest.fixture
def pane(qtbot, look, selection, wishes) -> CountPane:
    pane = CountPane(selection, wishes)
    qtbot.addWidget(pane)
    pane.resize(900, 400)
    pane.show()
    return pane


def counted(qtbot, pane: CountPane, by: str, of: str = "") -> list[list[str]]:
    with qtbot.waitSignal(pane.groups.modelReset):
        pane.count_by(by, of)
    return pane.groups.lines()


@pytest.mark.parametrize("by", ["apdu", "wport, role", "stream,apdu,wport.src"])
def test_groups_are_those_of_a_slow_count(pane, selection, qtbot, by):
    """Each WPDU counts once for each of its values, against a loop over all of them."""
    names = [name.strip() for name in by.split(",")]
    wanted: Counter[tuple[str, ...]] = Counter()
    for row in range(60):
        asked = AskedRows(selection.traffic.analysis, slice(row, row + 1))
        values: list[tuple[str, ...]] = [()]
        for name in names:
            texts = dict.fromkeys(FIELDS[name].texts(asked)[0].split(", "))
            values = [(*before, text) for before in values for text in texts]
        wanted.update(values)
    titles, *lines = counted(qtbot, pane, by)
    assert titles == [*(FIELDS[name].title for name in names), "Count", "Share"]
    assert {tuple(line[:-2]): int(line[-2]) for line in lines} == dict(wanted)
    assert [int(line[-2]) for line in lines] == sorted(wanted.values(), reverse=True)


def test_the_spread_of_a_number_and_sorting(pane, qtbot):
    """Response times of this traffic are a millisecond; columns sort by numbers, not by their texts."""
    titles, *lines = counted(qtbot, pane, "apdu", "response_time")
    assert titles[-5:] == ["min", "mean", "median", "p95", "max"]
    told = {line[0]: line[-5:] for line in lines}
    assert len(set(told["get-response"])) == 1
    assert told["get-request"] == [""] * 5
    counted(qtbot, pane, "wpdu.number")
    for order, first in ((Qt.SortOrder.AscendingOrder, "1"), (Qt.SortOrder.DescendingOrder, "60")):
        pane.view.sortByColumn(0, order)
        assert pane.groups.text(0, 0) == first


def test_a_click_shows_a_group_alone_and_another_all_again(pane, selection, qtbot):
    """The counts stay as they are; other filters narrow them."""
    counted(qtbot, pane, "apdu")
    index = pane.groups.index(0, 0)
    spot = pane.view.visualRect(index).center()
    qtbot.mouseClick(pane.view.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert selection.filters.text(GROUP) == f"apdu == {pane.groups.text(0, 0)}"
    assert selection.filters.matching(0, 60).sum() == 30
    assert pane.groups.rowCount() == 2
    qtbot.mouseClick(pane.view.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert not selection.filters
    with qtbot.waitSignal(pane.groups.modelReset):
        selection.restrict("typed", "role == server")
    assert [line[:2] for line in pane.groups.lines()[1:]] == [["get-response", "30"]]


@pytest.mark.parametrize(("by", "said"), [("obiss", "but obis"), ("no such", "there is no field")])
def test_what_cannot_be_counted_is_said(pane, by, said):
    """In words where the table would stand."""
    pane.count_by(by)
    assert said in pane.view.hint
    assert pane.groups.rowCount() == 0
    assert not pane.save.isEnabled()


def test_rows_are_copied_and_the_table_is_saved(pane, wishes, qtbot, tmp_path):
    """Tabs on the clipboard, CSV in a file; what cannot be written is told."""
    counted(qtbot, pane, "apdu,role")
    pane.view.selectRow(1)
    pane.view.copy()
    copied = [line.split("\t") for line in QGuiApplication.clipboard().text().split("\n")]
    assert copied == [pane.groups.lines()[0], pane.groups.lines([1])[1]]
    pane.write(tmp_path / "counts.csv")
    with (tmp_path / "counts.csv").open(newline="") as file:
        assert list(csv.reader(file)) == pane.groups.lines()
    told: list[str] = []
    wishes.warned.connect(told.append)
    pane.write(tmp_path)
    assert "cannot be written" in told[0]


def test_names_of_fields_are_completed_one_by_one(pane, qtbot):
    """Behind a comma the next one begins."""
    qtbot.keyClicks(pane.by, "obis, resu")
    popup = pane.by.completion
    assert "result" in [popup.index(row, 0).data() for row in range(popup.rowCount())]
    pane.by.take("result")
    assert pane.by.text() == "obis, result"


def test_qt_finds_nothing_wrong_with_the_model(pane, qtbot):
    """While it is filled, sorted and emptied."""
    tester = QAbstractItemModelTester(pane.groups, QAbstractItemModelTester.FailureReportingMode.Warning)
    counted(qtbot, pane, "wpdu.number", "wpdu.length")
    pane.view.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    pane.count_by("")
    assert tester.model() is pane.groups


def test_what_was_counted_comes_back(pane, qtbot, selection):
    """At the next start, as soon as the pane is seen on a capture."""
    counted(qtbot, pane, "apdu", "wpdu.length")
    other = CountPane(selection, Wishes())
    qtbot.addWidget(other)
    other.restore(pane.arrangement())
    assert (other.by.text(), other.of.currentData()) == ("apdu", "wpdu.length")
