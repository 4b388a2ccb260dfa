"""The table of exchanges on real captures: what it says, sorting, both ways of selecting, filters."""

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QMenu

from cosemscope import cli
from cosemscope.gui.frame.window import SAMPLE, Window
from cosemscope.gui.look import theme
from cosemscope.gui.look.apdu_kinds import Kind
from cosemscope.gui.panes.exchanges.exchange_model import COLUMNS
from cosemscope.gui.panes.exchanges.exchange_pane import ExchangePane
from cosemscope.resources import resource

COLUMN = {name: number for number, (name, _, _) in enumerate(COLUMNS)}


@pytest.fixture
def shown(open_in, qtbot):
    """The window on a sample with its exchanges."""

    def show(name: str) -> tuple[Window, ExchangePane]:
        window = open_in(resource(name))
        window.workspace.show_exchanges()
        pane = window.workspace.panes["exchanges"]
        qtbot.waitUntil(lambda: pane.exchanges.rowCount() > 0)
        return window, pane

    return show


def cells(pane: ExchangePane, name: str) -> list[str]:
    model = pane.exchanges
    return [model.index(row, COLUMN[name]).data() for row in range(model.rowCount())]


@pytest.mark.parametrize("name", [SAMPLE, "samples/faults.pcapng"])
def test_it_says_what_the_command_says(shown, capsys, name):
    """Number, status, result and times of every exchange."""
    _, pane = shown(name)
    cli.main(["exchanges", str(resource(name)), "--json"])
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert cells(pane, "exchange") == [str(one["number"]) for one in told]
    assert cells(pane, "exchange.status") == [one["status"] for one in told]
    assert cells(pane, "exchange.result") == [one["result"] or "" for one in told]
    assert cells(pane, "exchange.service") == [one["service"] for one in told]


def test_errors_are_red_and_unanswered_ones_amber(shown):
    _, pane = shown("samples/faults.pcapng")
    scheme = theme.colours(pane.palette())
    statuses = cells(pane, "exchange.status")

    def ground(row: int) -> str:
        return pane.exchanges.index(row, 0).data(Qt.ItemDataRole.BackgroundRole).color().name()

    assert ground(statuses.index("unanswered")) == scheme.message_warning
    assert ground(statuses.index("answered")) == scheme.base
    _, pane = shown(SAMPLE)
    assert ground(cells(pane, "exchange.status").index("error")) == scheme.tints[Kind.ERROR]


def test_the_slowest_answer_in_two_actions(shown, qtbot):
    """A click on the title, then the first row: its request is current, Enter goes to the answer and back."""
    window, pane = shown(SAMPLE)
    pane.sortByColumn(COLUMN["exchange.response_time"], Qt.SortOrder.DescendingOrder)
    times = [float(cell) for cell in cells(pane, "exchange.response_time") if cell]
    assert times == sorted(times, reverse=True)
    index = pane.exchanges.index(0, 0)
    qtbot.mouseClick(pane.viewport(), Qt.MouseButton.LeftButton, pos=pane.visualRect(index).center())
    assert window.selection.row == 79
    answer = int(window.document.analysis.exchanges["response"][int(index.data()) - 1])
    qtbot.keyClick(pane, Qt.Key.Key_Return)
    assert window.selection.row == answer
    qtbot.keyClick(pane, Qt.Key.Key_Return)
    assert window.selection.row == 79
    assert pane.currentIndex().row() == 0


def test_the_exchange_of_the_current_wpdu_is_marked(shown):
    """Of a request and of its answer; of the same one in another order."""
    window, pane = shown(SAMPLE)
    for row in (76, 79, 105):
        window.selection.go_to(row)
        exchange = int(window.document.analysis.exchanges.of["exchange"][row])
        assert pane.exchanges.index(pane.currentIndex().row(), 0).data() == str(exchange + 1)
        pane.sortByColumn(COLUMN["exchange.status"], Qt.SortOrder.AscendingOrder)
        assert pane.exchanges.index(pane.currentIndex().row(), 0).data() == str(exchange + 1)
        assert window.selection.row == row


def test_only_exchanges_of_displayed_wpdus_are_shown(shown, qtbot):
    """With the display filter and without; the menu filters to one exchange."""
    window, pane = shown(SAMPLE)
    whole = pane.exchanges.rowCount()
    window.workspace.filter.show_filter("exchange.status == error")
    qtbot.waitUntil(lambda: set(cells(pane, "exchange.status")) == {"error"})
    assert pane.exchanges.rowCount() == 4
    menu = QMenu(pane)
    pane.menu_actions(menu, 0)
    assert any("filter" in action.text() for action in menu.actions())
    window.selection.show_all()
    qtbot.waitUntil(lambda: pane.exchanges.rowCount() == whole)
    window.close_capture()
    assert pane.exchanges.rowCount() == 0
    assert pane.hint


def test_the_model_keeps_qts_rules_and_rows_are_copied(shown, qtbot):
    _, pane = shown(SAMPLE)
    tester = QAbstractItemModelTester(pane.exchanges, QAbstractItemModelTester.FailureReportingMode.Warning)
    pane.sortByColumn(COLUMN["exchange.obis"], Qt.SortOrder.DescendingOrder)
    pane.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    assert tester.model() is pane.exchanges
    pane.setCurrentIndex(pane.exchanges.index(3, 0))
    qtbot.keyClick(pane, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().split("\t")[0] == "4"
