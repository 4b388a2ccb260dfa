"""The WPDU table: a million rows stay light, filter and order keep the selection, rows copy as text."""

import numpy as np
import pytest
from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester

from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.gui.base import settings as options
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.frame.window import SAMPLE
from cosemscope.gui.look.cells import CELL_PADDING
from cosemscope.gui.panes.pane import Wishes
from cosemscope.gui.panes.wpdus.column_looks import USUAL_FIELDS
from cosemscope.gui.panes.wpdus.wpdu_view import WpduView
from cosemscope.resources import resource
from cosemscope.streams.tables.wpdu_table import Mark
from tests.helpers.polled import polled_traffic

NUMBER = {name: number for number, name in enumerate(USUAL_FIELDS)}


def shown(table: WpduView, name: str) -> list[str]:
    model = table.wpdus
    return [model.data(model.index(row, NUMBER[name])) for row in range(model.rowCount())]


#: A filter: what servers sent.
ANSWERS = "role == server"


@pytest.fixture
def selection(qapp) -> Selection:
    return Selection()


@pytest.fixture
def table(qtbot, look, selection):
    def make(wpdus: int, streams: int = 2, *, taken: int | None = None) -> WpduView:
        table = WpduView(selection, Wishes())
        qtbot.addWidget(table)
        table.resize(1200, 500)
        traffic = polled_traffic(wpdus, streams)
        selection.set_traffic(traffic)
        table.set_traffic(traffic)
        table.take_rows(wpdus if taken is None else taken)
        table.fit_columns()
        table.show()
        return table

    return make


def test_cells_say_what_the_columns_hold(table):
    """One request and its response, cell by cell."""
    table = table(4)
    model = table.wpdus
    columns = range(len(USUAL_FIELDS))
    request, response = ([model.data(model.index(row, column)) for column in columns] for row in (0, 1))
    assert request[: NUMBER["info"]] == [
        *("1", "0.000000", "10.0.0.1:50000", "10.0.1.1:4059", "16", "1", "13", "1", "get-request"),
    ]
    assert response[: NUMBER["info"]] == [
        *("2", "0.001000", "10.0.1.1:4059", "10.0.0.1:50000", "1", "16", "9", "1", "get-response"),
    ]
    assert request[NUMBER["info"]].startswith("GET 0.0.1.0.0.255")
    assert "1234" in response[NUMBER["info"]]


def test_wports_are_named_on_the_right_side(table):
    """16 is the public client at the client, an ordinary number at the server."""
    table = table(2)
    model = table.wpdus
    tip = Qt.ItemDataRole.ToolTipRole
    texts = [model.data(model.index(row, NUMBER["wport.src"]), int(tip)) for row in (0, 1)]
    assert texts == [
        "16 (0x0010): Public Client, client side",
        "1 (0x0001): Management Logical Device, server side",
    ]


def test_qt_finds_nothing_wrong_with_the_model(table, selection):
    """Qt's own checks, over growth, filter and order."""
    table = table(40)
    model = table.wpdus
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    selection.restrict("x", ANSWERS)
    model.sort(NUMBER["wpdu.length"], Qt.SortOrder.DescendingOrder)
    selection.restrict("x", "")
    assert model.rowCount() == 40
    assert tester.model() is model


def test_a_million_rows_are_selected_as_one_range(table):
    """The header must not ask every cell of a column whether it is selected."""
    table = table(1_000_000)
    table.selectAll()
    assert table.selected_rows() == [range(1_000_000)]
    header = table.horizontalHeader()
    assert header.selectionModel() is not table.selectionModel()
    assert not header.selectionModel().hasSelection()


@pytest.mark.parametrize("way", ["relative", "delta", "delta-displayed"])
def test_all_rows_are_copied_as_they_are_shown(table, qtbot, selection, way):
    """More than a page in the background, in their order; what is sorted meanwhile does not matter."""
    table = table(600)
    while table.wpdus.traffic.associations.go_on(1000):
        pass
    table.wpdus.set_time_format(way)
    selection.restrict("x", ANSWERS)
    table.wpdus.sort(NUMBER["wpdu.length"], Qt.SortOrder.DescendingOrder)
    texts = [shown(table, name) for name in ("wpdu.number", "wpdu.time", "source")]
    table.selectAll()
    QGuiApplication.clipboard().setText("")
    table.copy()
    table.wpdus.sort(-1)
    qtbot.waitUntil(lambda: QGuiApplication.clipboard().text() != "")
    head, *lines = QGuiApplication.clipboard().text().splitlines()
    assert head.split("\t")[:3] == ["No.", "Time", "Source"]
    assert [
        list(column) for column in list(zip(*(line.split("\t") for line in lines), strict=True))[:3]
    ] == texts


def test_copying_can_be_stopped_and_the_clipboard_is_as_it_was(qtbot, look, selection):
    """Progress is told meanwhile; so is the end."""
    wishes = Wishes()
    table = WpduView(selection, wishes)
    qtbot.addWidget(table)
    traffic = polled_traffic(400_000, 2)
    selection.set_traffic(traffic)
    table.set_traffic(traffic)
    table.take_rows(400_000)
    QGuiApplication.clipboard().setText("before")
    table.selectAll()
    tasks = []
    wishes.taskBegun.connect(lambda words, task: tasks.append(task))
    table.copy()
    with qtbot.waitSignal(tasks[0].progressed):
        pass
    with qtbot.waitSignal(wishes.said) as said:
        tasks[0].cancel()
    assert "stopped" in said.args[0]
    assert QGuiApplication.clipboard().text() == "before"


def test_more_than_a_clipboard_holds_is_said(table):
    """What is not copied is told, with the numbers."""
    table = table(600)
    found = table.wpdus.cells.row_texts(table.header.shown, [range(600)]).lines(lambda *_: None, 50_000)
    assert 0 < found.rows < 600 == found.asked
    assert len(found.text.splitlines()) == found.rows + 1
    assert "do not go onto the clipboard" in found.trouble


def test_times_since_the_wpdu_before_are_what_is_sorted_by(open_in):
    """The largest gap comes first, of those displayed too; in another format the rows are sorted anew."""
    window = open_in(resource(SAMPLE))
    table = window.workspace.table
    for way, session in (("delta", False), ("delta-displayed", False), ("delta-displayed", True)):
        window.settings.set(options.TIME_FORMAT, way)
        if session:
            window.selection.go_to(90)
            window.workspace.show_session()
        table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        as_they_came = sorted(map(float, shown(table, "wpdu.time")), reverse=True)
        table.sortByColumn(NUMBER["wpdu.time"], Qt.SortOrder.DescendingOrder)
        assert list(map(float, shown(table, "wpdu.time"))) == as_they_came
        assert as_they_came[0] > as_they_came[-1]
    window.settings.set(options.TIME_FORMAT, "relative")
    times = list(map(float, shown(table, "wpdu.time")))
    assert times == sorted(times, reverse=True)


def test_times_since_the_own_request(open_in):
    """An answer's time counts from its request; requests have none, and come last in either order."""
    window = open_in(resource(SAMPLE))
    table, traffic = window.workspace.table, window.workspace.traffic
    window.settings.set(options.TIME_FORMAT, "delta-request")
    window.settings.set(options.TIME_PLACES, "9")
    texts = shown(table, "wpdu.time")
    requests = traffic.requests(np.arange(traffic.total))
    times = traffic.wpdus["time"]
    for row in range(traffic.total):
        if requests[row] < 0:
            assert texts[row] == ""
        else:
            assert round(float(texts[row]) * 1e9) == times[row] - times[requests[row]]
    assert 40 < sum(map(bool, texts)) < traffic.total
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        table.sortByColumn(NUMBER["wpdu.time"], order)
        column = shown(table, "wpdu.time")
        there = list(filter(None, column))
        down = order == Qt.SortOrder.DescendingOrder
        assert column[: len(there)] == there == sorted(there, key=float, reverse=down)


def test_the_largest_come_first_and_rows_without_a_value_last(open_in, qtbot):
    """In either order: who sorts by response time wants to see the slowest answer, not blanks."""
    window = open_in(resource(SAMPLE))
    table, analysis = window.workspace.table, window.document.analysis
    qtbot.waitUntil(lambda: 0 < analysis.expert_items.completed == len(analysis.wpdus))
    table.header.add("response_time", 0)
    number = table.wpdus.fields.index(FIELDS["response_time"])
    model = table.wpdus

    def column() -> list[str]:
        return [model.data(model.index(row, number)) for row in range(model.rowCount())]

    for order in (Qt.SortOrder.DescendingOrder, Qt.SortOrder.AscendingOrder):
        table.sortByColumn(number, order)
        column()
        qtbot.waitUntil(lambda: model.cells.settled)
        cells = column()
        told = [float(cell) for cell in cells if cell]
        assert told == sorted(told, reverse=order == Qt.SortOrder.DescendingOrder)
        assert len(told) > 50
        assert cells[: len(told)] == [cell for cell in cells if cell]


@pytest.mark.parametrize("arranged", [False, True])
def test_the_title_of_the_sorted_column_is_whole(table, arranged):
    """There is room for the arrow beside it, also where a person has arranged the columns."""
    table = table(40)
    number = NUMBER["wpdu.length"]
    if arranged:
        table.setColumnWidth(number, 45)
    table.sortByColumn(number, Qt.SortOrder.AscendingOrder)
    title = table.fontMetrics().horizontalAdvance("Length")
    assert table.columnWidth(number) >= title + 2 * CELL_PADDING + 12


def test_rows_that_grow_come_at_the_end_and_leave_the_view_where_it_is(table, qtbot):
    """While a capture is read a person may already look around."""
    table = table(2000, taken=1000)
    table.wpdus.take_rows(500)  # an older number changes nothing
    assert table.wpdus.rowCount() == 1000
    table.select_row(700)
    top = table.verticalScrollBar().value()
    with qtbot.waitSignal(table.wpdus.rowsInserted) as inserted:
        table.wpdus.take_rows(2000)
    assert inserted.args[1:] == [1000, 1999]
    assert table.current_row == 700
    assert table.verticalScrollBar().value() == top


def test_sorted_rows_take_in_what_grows(table, qtbot):
    """New rows find their places in an order that was chosen before they came."""
    table = table(200, taken=100)
    table.sortByColumn(NUMBER["wpdu.time"], Qt.SortOrder.DescendingOrder)
    table.wpdus.take_rows(200)
    qtbot.waitUntil(lambda: table.wpdus.rowCount() == 200)
    assert shown(table, "wpdu.number") == [str(number) for number in range(200, 0, -1)]


def test_order_is_stable_and_the_current_wpdu_stays_current(table):
    """Sorting by length keeps requests and responses in time order, and does not lose the place."""
    table = table(10)
    table.select_row(3)
    table.sortByColumn(NUMBER["wpdu.length"], Qt.SortOrder.AscendingOrder)
    assert shown(table, "wpdu.number") == ["2", "4", "6", "8", "10", "1", "3", "5", "7", "9"]
    assert table.current_row == 3
    assert table.currentIndex().row() == 1
    table.sortByColumn(NUMBER["wpdu.length"], Qt.SortOrder.DescendingOrder)
    assert shown(table, "wpdu.number") == ["1", "3", "5", "7", "9", "2", "4", "6", "8", "10"]
    table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    assert shown(table, "wpdu.number") == [str(number) for number in range(1, 11)]


def test_endpoints_sort_as_addresses_and_not_as_text(table):
    """10.0.1.10 comes after 10.0.1.9."""
    table = table(24, streams=12)
    table.sortByColumn(NUMBER["destination"], Qt.SortOrder.AscendingOrder)
    servers = [text for text in shown(table, "destination") if text.endswith(":4059")]
    assert servers == [f"10.0.1.{number}:4059" for number in range(1, 13)]
    clients = [text for text in shown(table, "destination") if not text.endswith(":4059")]
    assert clients == [f"10.0.0.1:{port}" for port in range(49989, 50001)]


def test_a_filter_that_hides_the_current_wpdu_moves_on(table, selection, qtbot):
    """The panes below must not show what the table does not; the first row shown takes its place."""
    table = table(10)
    table.select_row(4)
    with qtbot.waitSignal(selection.rowChanged) as told:
        selection.restrict("x", ANSWERS)
    assert told.args == [1]
    assert table.current_row == 1
    assert shown(table, "wpdu.number") == ["2", "4", "6", "8", "10"]
    with qtbot.waitSignal(selection.rowChanged) as told:
        selection.restrict("none", "wpdu.number == 0")
    assert told.args == [-1]
    assert table.current_row == -1


def test_keys_move_and_copy(table, qtbot):
    """Arrow keys go from row to row, Ctrl+C takes the selected rows as text."""
    table = table(6)
    table.select_row(0)
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert table.current_row == 1
    qtbot.keyClick(table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert table.selected_rows() == [range(1, 3)]
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0].split("\t")[:2] == ["No.", "Time"]
    assert [line.split("\t")[0] for line in lines[1:]] == ["2", "3"]


def test_a_click_selects(table, selection, qtbot):
    """The row under the mouse becomes current, and is told once."""
    table = table(50)
    place = table.visualRect(table.wpdus.index(5, 2)).center()
    told = []
    selection.rowChanged.connect(told.append)
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert told == [5]


def test_time_formats_change_the_column_only(table, selection):
    """Delta to the row shown before follows filter and order."""
    table = table(6)
    table.wpdus.set_time_format("delta-displayed")
    assert shown(table, "wpdu.time") == ["0.000000", *["0.001000"] * 5]
    selection.restrict("x", ANSWERS)
    assert shown(table, "wpdu.time") == ["0.000000", "0.002000", "0.002000"]
    table.wpdus.set_time_format("delta")
    assert shown(table, "wpdu.time") == ["0.001000"] * 3
    table.wpdus.set_time_format("no such format")
    assert shown(table, "wpdu.time")[0] == "0.001000"


def test_marks_show_a_sign_and_their_sentences(table):
    """What is remarkable is seen at a glance and explained where the mouse rests."""
    table = table(4)
    table.wpdus.traffic.wpdus["marks"][1] = Mark.TRUNCATED | Mark.SHARED
    table.wpdus.traffic.wpdus["marks"][2] = Mark.SHARED
    model = table.wpdus
    decorations = [model.data(model.index(row, 0), int(Qt.ItemDataRole.DecorationRole)) for row in range(4)]
    assert [picture is not None for picture in decorations] == [False, True, False, False]
    assert "Truncated" in model.data(model.index(1, 0), int(Qt.ItemDataRole.ToolTipRole))


def test_steps_end_at_the_first_and_last_row(table):
    """Ctrl+Down at the end stays there."""
    table = table(5)
    for by, row in ((1, 0), (1, 1), (100, 4), (1, 4), (-100, 0), (-1, 0)):
        table.step(by)
        assert table.current_row == row


def test_painting_asks_for_what_is_visible_only(table, qtbot):
    """A page of a million rows decodes a page of info lines."""
    table = table(1_000_000)
    table.scrollToBottom()
    qtbot.waitUntil(lambda: table.wpdus.cells.kept > 0)
    assert 0 < table.wpdus.cells.kept < 200
    assert table.indexAt(QPoint(5, 5)).row() > 999_000
    assert not table.wpdus.rowCount(table.wpdus.index(0, 0))
    assert table.wpdus.rowCount(QModelIndex()) == 1_000_000


def test_several_ranges_are_told_in_order(table):
    """Picked rows copy from top to bottom."""
    table = table(20)
    flags = QItemSelectionModel.SelectionFlag
    for row in (9, 3, 4):
        table.selectionModel().select(table.wpdus.index(row, 0), flags.Select | flags.Rows)
    assert [row for part in table.selected_rows() for row in part] == [3, 4, 9]


def widths(table: WpduView) -> dict[str, int]:
    return {name: table.columnWidth(number) for name, number in NUMBER.items()}


def longest(table: WpduView, name: str) -> int:
    """Pixels of the longest cell of a column."""
    return max(map(table.fontMetrics().horizontalAdvance, shown(table, name)))


@pytest.mark.parametrize("width", [900, 1100, 1600])
def test_columns_fit_any_width(table, width):
    """The info line, which says most, is in view without scrolling, and numbers are never cut off."""
    table = table(40)
    table.resize(width, 400)
    assert sum(widths(table).values()) == table.viewport().width()
    assert widths(table)["info"] > 120
    for name in ("wpdu.number", "wpdu.time", "wport.src", "wport.dst", "wpdu.length", "wpdu.segments"):
        assert widths(table)[name] > longest(table, name), name


def test_in_a_narrow_table_what_says_least_goes(table):
    """Beside the usual panes in a window of 1000 pixels the info line is in view, without scrolling."""
    table = table(40)
    table.resize(725, 300)
    assert sum(widths(table).values()) == table.viewport().width()
    assert widths(table)["info"] > 80
    assert widths(table)["wpdu.segments"] == 0
    assert widths(table)["apdu"] > 60
    table.resize(1300, 300)
    assert all(width > 0 for width in widths(table).values())
    table.resize(725, 300)
    table.setColumnWidth(NUMBER["source"], 100)  # a person's hand
    assert widths(table)["wpdu.segments"] == 0
    table.resize(1300, 300)
    assert widths(table)["wpdu.segments"] > 0
    assert widths(table)["source"] == 100


def test_columns_that_a_person_arranged_stay(table):
    """Until Fit columns is asked for."""
    table = table(40)
    table.setColumnWidth(NUMBER["source"], 222)
    state = table.arrangement()
    assert state
    table.resize(900, 400)
    table.wpdus.take_rows(40)
    assert widths(table)["source"] == 222
    table.fit_columns()
    assert widths(table)["source"] < 222
    assert table.arrangement() == b""
    table.restore(state)
    table.resize(800, 400)
    assert widths(table)["source"] == 222


def test_times_that_need_more_room_get_it(table):
    """The date is not cut off, in arranged columns either; a capture of days has long seconds."""
    table = table(40)
    table.wpdus.traffic.wpdus["time"][-1] += 400_000 * 1_000_000_000
    table.fit_columns()
    assert widths(table)["wpdu.time"] > longest(table, "wpdu.time")
    table.setColumnWidth(NUMBER["source"], 222)
    table.wpdus.set_time_format("clock")
    table.header.fit_times()
    assert widths(table)["wpdu.time"] > longest(table, "wpdu.time")
    assert widths(table)["source"] == 222


def test_long_addresses_lose_their_middle(table):
    """Of an IPv6 address the port is seen as well as the net; the tool tip has it whole."""
    table = table(4)
    delegate = table.itemDelegate()
    assert {NUMBER["source"], NUMBER["destination"]} == delegate.middle
    tip = table.wpdus.data(table.wpdus.index(0, NUMBER["source"]), int(Qt.ItemDataRole.ToolTipRole))
    assert tip == "10.0.0.1:50000"


def test_zoom_changes_the_rows_at_once(table):
    """A least height of rows, set to more than they have, kept the window for minutes at a million rows."""
    table = table(1_000_000)
    before = table.rowHeight(0)
    table.set_zoom(4)
    assert table.rowHeight(0) == table.rowHeight(999_999) > before
    table.set_zoom(-4)
    assert table.rowHeight(0) == table.rowHeight(999_999) < before


def test_an_empty_table_says_why(table, qtbot):
    """Not a white pane."""
    table = table(0)
    blank = table.viewport().grab().toImage()
    table.set_hint("No WPDUs in this capture")
    assert table.viewport().grab().toImage() != blank
