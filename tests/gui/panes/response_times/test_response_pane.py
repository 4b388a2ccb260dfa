"""The pane of response times in the real window: both ways of selecting, ranges, groups, filters."""

import json

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QMenu

from cosemscope import cli
from cosemscope.gui.frame.window import SAMPLE, Window
from cosemscope.gui.panes.response_times.percentile_model import COLUMNS, SHARE_ROLE
from cosemscope.gui.panes.response_times.response_chart import LogTimeAxis
from cosemscope.gui.panes.response_times.response_pane import RANGE, ResponsePane, range_filter
from cosemscope.resources import resource

FAULTS = "samples/faults.pcapng"
COLUMN = {title: number for number, (title, _, _) in enumerate(COLUMNS)}


@pytest.fixture
def shown(open_in, qtbot):
    """The window on a sample with its response times."""

    def show(name: str) -> tuple[Window, ResponsePane]:
        window = open_in(resource(name))
        window.workspace.show_response_times()
        pane = window.workspace.panes["response-times"]
        qtbot.waitUntil(lambda: pane.timed is not None)
        return window, pane

    return show


def cells(pane: ResponsePane, title: str) -> list[str]:
    model = pane.percentiles
    return [model.index(row, COLUMN[title]).data() for row in range(model.rowCount())]


def place(pane: ResponsePane, number: int) -> QPointF:
    return QPointF(pane.timed.points.x.item(number), pane.chart._y.item(number))


def test_it_has_what_the_command_has(shown, capsys):
    """A point an answered or unanswered exchange; the slowest answer is that of the command."""
    _, pane = shown(FAULTS)
    cli.main(["exchanges", str(resource(FAULTS)), "--json"])
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    unanswered = [one for one in told if one["status"] == "unanswered"]
    assert unanswered
    assert int(pane.timed.silent.sum()) == len(unanswered)
    assert f"{len(unanswered)} unanswered" in pane.summary.text()
    assert "unanswered" in [name for _, name in pane.legend.entries]


def test_a_click_goes_to_the_answer_and_the_current_wpdu_is_marked(shown):
    window, pane = shown(SAMPLE)
    slowest = int(np.argmax(pane.timed.points.time))
    pane.chart.box.pointClicked.emit(place(pane, slowest))
    row = window.workspace.selection.row
    assert row == pane.timed.points.row.item(slowest)
    assert window.workspace.traffic.said(row, "exchange.response_time") != [""]
    assert pane.chart._line.isVisible()
    assert pane.chart._line.value() == pane.timed.points.x.item(slowest)
    assert "answered after" in pane.chart.tip(slowest)
    window.workspace.selection.select(-1)
    assert not pane.chart._line.isVisible()


def test_a_range_shows_its_answers_alone(shown, qtbot):
    """Their requests too, without the points going; Escape takes it away."""
    window, pane = shown(SAMPLE)
    selection, before = window.workspace.selection, len(pane.timed.points.x)
    (left, right), _ = pane.chart.box.viewRange()
    rect = QRectF(QPointF(left, np.log10(0.4)), QPointF(right, np.log10(5.0)))
    pane.chart.box.rangeDragged.emit(rect, True)
    qtbot.waitUntil(lambda: RANGE in selection.filters)
    passing = np.flatnonzero(selection.filters.matching(0, selection.traffic.total))
    points = pane.timed.points
    slow = points.exchange[(points.time >= 400_000_000) & (points.time <= 5_000_000_000)]
    assert sorted(slow.tolist()) == pane.timed.facts.exchanges_of(passing).tolist()
    assert 0 < len(slow) < before
    assert len(pane.timed.points.x) == before
    qtbot.keyClick(pane, Qt.Key.Key_Escape)
    assert RANGE not in selection.filters
    assert pane.clear_button.isHidden()


def test_other_filters_are_followed(shown, qtbot):
    window, pane = shown(SAMPLE)
    before = len(pane.timed.points.x)
    window.workspace.selection.restrict("typed", "exchange.service == get-request")
    qtbot.waitUntil(lambda: pane.timed is not None and len(pane.timed.points.x) < before)
    assert cells(pane, "Group") == ["get-request"]
    window.workspace.selection.restrict("typed", "wport == 4711")
    qtbot.waitUntil(lambda: pane.timed is not None and not len(pane.timed.points.x))
    assert "Ctrl+Shift+X" in pane.table.hint
    assert not pane.chart.isVisible()


def test_groups_by_choice_sort_and_filter(shown, qtbot):
    """By meter; the slowest of a group is one action away; Enter shows a group alone."""
    window, pane = shown(SAMPLE)
    tester = QAbstractItemModelTester(pane.percentiles)
    pane.by.setCurrentIndex(2)
    pane.by.activated.emit(2)
    qtbot.waitUntil(lambda: pane.timed is not None and pane.timed.by == "meter")
    pane.table.sortByColumn(COLUMN["Max"], Qt.SortOrder.DescendingOrder)
    most = pane.timed.spread.most
    assert pane.percentiles.group(0) == int(np.argmax(most))
    pane.go_to_slowest(0)
    assert window.workspace.traffic.total > window.workspace.selection.row >= 0
    assert pane.timed.points.row[np.argmax(pane.timed.points.time)] == window.workspace.selection.row
    shares = [pane.percentiles.index(row, 0).data(SHARE_ROLE) for row in range(pane.percentiles.rowCount())]
    assert any(share is not None and 0 <= share <= 1 for share in shares)
    menu = QMenu()
    pane.menu_actions(menu, 0)
    assert [action.text() for action in menu.actions()][:2] == ["Go to slowest", "Copy row"]
    pane.table.activated.emit(pane.percentiles.index(0, 0))
    wanted = pane.filter_of(0)
    qtbot.waitUntil(lambda: "meter ==" in window.workspace.filter.line.text())
    assert window.workspace.filter.line.text() == wanted
    del tester


def test_many_points_are_an_image_with_the_same_colours(shown, monkeypatch):
    _, pane = shown(FAULTS)
    pane.chart.draw()
    assert not pane.chart.is_dense
    monkeypatch.setattr("cosemscope.gui.panes.response_times.response_chart.POINTS_DRAWN", 3)
    pane.chart.draw()
    assert pane.chart.is_dense
    image = pane.chart.image(slice(0, len(pane.timed.points.x)))
    assert len(np.unique(image)) > 2


def test_a_range_is_a_filter_of_what_it_restricts():
    seen = ((0.0, 10.0), (-3.0, 1.0))
    assert range_filter(QRectF(1.0, -3.0, 2.0, 4.0), seen) == "wpdu.time_relative in {1s..3s}"
    assert range_filter(QRectF(0.0, -2.0, 10.0, 1.0), seen) == "exchange.response_time in {10000us..100000us}"
    assert " && " in range_filter(QRectF(1.0, -2.0, 2.0, 1.0), seen)
    assert range_filter(QRectF(0.0, -3.0, 10.0, 4.0), seen) == ""


def test_the_axis_says_times_people_read(qapp):
    axis = LogTimeAxis("left")
    ((_, ticks),) = axis.tickValues(-3.2, 0.4, 400)
    assert axis.tickStrings(ticks, 1.0, 1.0) == [
        *("1 ms", "2 ms", "5 ms", "10 ms", "20 ms", "50 ms", "100 ms", "200 ms", "500 ms", "1 s", "2 s")
    ]
    axis.silent_at = 0.35
    ((_, ticks),) = axis.tickValues(-3.2, 0.4, 400)
    assert axis.tickStrings(ticks, 1.0, 1.0)[-1] == "none"


def test_it_is_saved_as_picture_and_as_numbers(shown, tmp_path, qtbot):
    window, pane = shown(FAULTS)
    warned = []
    window.workspace.wishes.warned.connect(warned.append)
    qtbot.waitUntil(lambda: pane.chart.width() > 100)
    for name in ("times.png", "times.svg", "times.csv"):
        pane.write(tmp_path / name)
    assert (tmp_path / "times.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "times.svg").read_text("utf-8")
    lines = (tmp_path / "times.csv").read_text("utf-8").splitlines()
    assert lines[0] == "Exchange,WPDU,Seconds,Response time,Own time,Status,Service"
    assert len(lines) == 1 + len(pane.timed.points.x)
    assert sum(",,,unanswered," in line for line in lines) == int(pane.timed.silent.sum())
    assert warned == []
    pane.write(tmp_path / "none" / "times.csv")
    assert len(warned) == 1
