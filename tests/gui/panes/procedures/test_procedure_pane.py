"""The table of procedures on real captures: what it says, sorting, going to WPDUs, filters, colours."""

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
from cosemscope.gui.panes.procedures.procedure_model import (
    BEGIN,
    DURATION,
    KIND,
    KIND_WORDS,
    METER,
    PROGRESS,
    PROGRESS_ROLE,
    TEXT,
    VERDICT,
    exchanges_filter,
)
from cosemscope.gui.panes.procedures.procedure_pane import PROCEDURE, ProcedurePane
from cosemscope.resources import resource
from tests.helpers import traffic_apdus as a
from tests.helpers.wire import CLIENT, Tcp, Wire, wpdu

FAULTS = "samples/faults.pcapng"


@pytest.fixture
def shown(open_in, qtbot):
    """The window on a sample with its procedures."""

    def show(name: str) -> tuple[Window, ProcedurePane]:
        window = open_in(resource(name))
        window.actions_by_name["procedures"].trigger()
        pane = window.workspace.panes["procedures"]
        qtbot.waitUntil(lambda: pane.procedures.rowCount() > 0)
        return window, pane

    return show


def cells(pane: ProcedurePane, column: int) -> list[str]:
    return [pane.procedures.text(row, column) for row in range(pane.procedures.rowCount())]


@pytest.mark.parametrize("name", [SAMPLE, FAULTS, "samples/push.pcapng"])
def test_it_says_what_the_command_says(shown, capsys, name):
    """Kind, verdict, text, progress and meter of every procedure, and the WPDU that it began with."""
    _, pane = shown(name)
    cli.main(["procedures", str(resource(name)), "--json"])
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    words = {kind.value: word for kind, word in KIND_WORDS.items()}
    assert cells(pane, KIND) == [words[one["kind"]] for one in told]
    assert cells(pane, VERDICT) == [one["verdict"] for one in told]
    assert cells(pane, TEXT) == [one["text"] for one in told]
    assert [str(one["server"]).rpartition(":")[0].strip("[]") for one in told] == cells(pane, METER)
    progress = [pane.procedures.index(row, PROGRESS).data(PROGRESS_ROLE) for row in range(len(told))]
    assert progress == [(one["done"], one["total"]) for one in told]
    assert [int(row) + 1 for row in pane.procedures.table.first] == [one["wpdu"] for one in told]


@pytest.fixture
def refused(window, qtbot, tmp_path):
    """The window on a capture whose second meter refuses an association, with its procedures."""
    talk = Wire()
    for number, (result, diagnostic) in enumerate(((0, 0), (1, 13))):
        meter = Tcp(talk, (CLIENT[0], CLIENT[1] + number)).handshake()
        meter.say(0, wpdu(a.aarq(), 16, 1))
        meter.say(1, wpdu(a.aare(result=result, diagnostic=diagnostic), 1, 16))
    window.open_path(str(talk.capture(tmp_path / "refused.pcap")))
    window.workspace.show_procedures()
    pane = window.workspace.panes["procedures"]
    qtbot.waitUntil(lambda: pane.procedures.rowCount() == 2)
    return window, pane


def ground(pane: ProcedurePane, verdict: str) -> str:
    index = pane.procedures.index(cells(pane, VERDICT).index(verdict), VERDICT)
    return index.data(Qt.ItemDataRole.BackgroundRole).color().name()


def test_failed_ones_are_red(refused):
    _, pane = refused
    scheme = theme.colours(pane.palette())
    assert ground(pane, "refused") == scheme.tints[Kind.ERROR]
    assert ground(pane, "complete") == scheme.base


def test_open_ones_are_amber(shown):
    _, pane = shown(FAULTS)
    assert ground(pane, "unfinished") == theme.colours(pane.palette()).message_warning


def test_why_refused_in_three_actions(refused, qtbot):
    """The pane, a click on the title of verdicts, a click on the row: its text says why."""
    window, pane = refused
    pane.sortByColumn(VERDICT, Qt.SortOrder.DescendingOrder)
    assert cells(pane, VERDICT) == ["refused", "complete"]
    index = pane.procedures.index(0, KIND)
    qtbot.mouseClick(pane.viewport(), Qt.MouseButton.LeftButton, pos=pane.visualRect(index).center())
    assert window.selection.row == 2
    assert "authentication-failure" in pane.procedures.text(0, TEXT)


def test_enter_shows_the_wpdus_of_its_exchanges_alone_and_all_again(shown, qtbot):
    window, pane = shown(SAMPLE)
    row = cells(pane, KIND).index("Profile read")
    whole = window.workspace.table.wpdus.rowCount()
    procedures = pane.procedures.rowCount()
    pane.setCurrentIndex(pane.procedures.index(row, 0))
    qtbot.keyClick(pane, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.workspace.table.wpdus.rowCount() < whole)
    exchanges = pane.procedures.procedure(row).exchanges
    of = window.document.analysis.exchanges.of["exchange"]
    left = {
        int(of[window.workspace.table.wpdus.row(at)]) for at in range(window.workspace.table.wpdus.rowCount())
    }
    assert left == set(exchanges)
    assert pane.procedures.rowCount() == procedures  # its own filter hides no procedure
    qtbot.keyClick(pane, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.workspace.table.wpdus.rowCount() == whole)
    assert PROCEDURE not in window.selection.filters


def test_the_procedure_of_the_current_wpdu_is_marked(shown):
    window, pane = shown(SAMPLE)
    row = cells(pane, KIND).index("Clock set")
    window.selection.go_to(pane.procedures.table.first.item(row))
    assert pane.currentIndex().row() == row
    pane.sortByColumn(DURATION, Qt.SortOrder.DescendingOrder)
    assert pane.procedures.text(pane.currentIndex().row(), KIND) == "Clock set"
    durations = pane.procedures.table.duration[pane.procedures._rows]
    assert (durations[:-1] >= durations[1:]).all()
    pane.sortByColumn(BEGIN, Qt.SortOrder.AscendingOrder)
    assert cells(pane, BEGIN) == sorted(cells(pane, BEGIN))


def test_only_procedures_of_displayed_wpdus_are_shown(shown, qtbot):
    window, pane = shown(SAMPLE)
    whole = pane.procedures.rowCount()
    window.workspace.filter.show_filter("apdu == data-notification")
    qtbot.waitUntil(lambda: 0 < pane.procedures.rowCount() < whole)
    assert set(cells(pane, KIND)) == {"Push"}
    menu = QMenu(pane)
    pane.menu_actions(menu, 0)
    assert any("filter" in action.text() for action in menu.actions())
    window.workspace.filter.show_filter("wpdu.length > 60000")
    qtbot.waitUntil(lambda: pane.procedures.rowCount() == 0)
    assert "Ctrl+Shift+X" in pane.hint
    window.selection.show_all()
    qtbot.waitUntil(lambda: pane.procedures.rowCount() == whole)
    window.close_capture()
    assert pane.procedures.rowCount() == 0
    assert pane.hint


def test_the_model_keeps_qts_rules_and_rows_are_copied(shown, qtbot):
    _, pane = shown(SAMPLE)
    tester = QAbstractItemModelTester(pane.procedures, QAbstractItemModelTester.FailureReportingMode.Warning)
    for column in range(pane.procedures.columnCount()):
        pane.sortByColumn(column, Qt.SortOrder.DescendingOrder)
    pane.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    assert tester.model() is pane.procedures
    pane.setCurrentIndex(pane.procedures.index(0, 0))
    qtbot.keyClick(pane, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().split("\t")[KIND] == "Association"


@pytest.mark.parametrize(
    ("exchanges", "text"),
    [
        ((4,), "exchange == 5"),
        ((0, 1, 2), "exchange in {1..3}"),
        ((9, 0, 1, 5), "exchange in {1..2, 6, 10}"),
    ],
)
def test_exchanges_are_filtered_by_ranges(exchanges, text):
    assert exchanges_filter(exchanges) == text
