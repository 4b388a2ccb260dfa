"""The whole window on real captures: what it shows, what links its panes, how files come and go."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QComboBox, QMenu, QTabBar, QWidget

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.capture.spool.spool_writer import SpoolWriter
from cosemscope.capture.spool.synthetic_frames import SyntheticUdp
from cosemscope.gui.base import settings as options
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.frame.return_place import ReturnPlace
from cosemscope.gui.frame.window import SAMPLE, Window
from cosemscope.gui.look import theme
from cosemscope.gui.look.apdu_kinds import Kind
from cosemscope.gui.panes.asked_filter import AskedFilter
from cosemscope.gui.panes.filter.filter_bar import TYPED
from cosemscope.gui.panes.sessions.session_view import filter_of
from cosemscope.gui.panes.timing.timing_graph import TimingGraph, span_filter
from cosemscope.gui.panes.wpdus.column_looks import USUAL_FIELDS
from cosemscope.resources import resource
from cosemscope.window_words import WindowWords
from tests.helpers.annotated import write_annotated
from tests.helpers.packets import B4
from tests.helpers.shared import shared

NUMBER = {name: number for number, name in enumerate(USUAL_FIELDS)}


def column(window: Window, name: str) -> list[str]:
    model = window.workspace.table.wpdus
    return [model.data(model.index(row, NUMBER[name])) for row in range(model.rowCount())]


def seconds(window: Window, row: int) -> float:
    """When a WPDU was complete, since the first one."""
    traffic = window.workspace.traffic
    return (traffic.wpdus["time"].item(row) - traffic.first_time) / 1e9


def drop(window: Window, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    enter = QDragEnterEvent(
        window.rect().center(),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    event = QDropEvent(
        QPointF(window.rect().center()),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(window, event)


def test_a_real_capture_is_shown_whole(open_in):
    """Eight WPDUs of a with-list read: table, tree, status and graph agree."""
    window = open_in(shared("captures/DLMS_list.pcap"))
    assert column(window, "wpdu.number") == [str(number) for number in range(1, 9)]
    assert column(window, "apdu") == [
        *("AARQ", "AARE", "get-request", "get-response", "get-request", "get-response", "RLRQ", "RLRE")
    ]
    assert set(column(window, "wport.src")) == {"16", "1"}
    assert "15 packets" in window.status.counts.text()
    assert "8 WPDUs" in window.status.counts.text()
    assert len(window.workspace.timing.lanes) == 8
    tree = window.workspace.sessions.sessions
    stream = tree.index(0, 0, tree.index(1, 0))
    assert tree.data(stream) == "TCP 46092 → 4059"
    assert tree.data(tree.index(0, 0, stream)).startswith("16 ↔ 1  Public Client ↔ Management Logical Device")
    assert window.windowTitle() == "DLMS_list.pcap – Cosemscope"


def test_truncated_wpdus_are_counted_apart(open_in):
    """The status bar and the session tree count the same whole WPDUs; of another capture anew."""
    for _ in range(2):
        window = open_in(resource("samples/faults.pcapng"))
        tree = window.workspace.sessions.sessions
        assert tree.data(tree.index(0, 1)) == "97"
        assert "  ·  97 WPDUs, 2 truncated " in window.status.counts.text()
        assert "displayed" not in window.status.counts.text()
    open_in(shared("captures/DLMS_list.pcap"))
    assert "8 WPDUs " in window.status.counts.text()
    open_in(resource(SAMPLE))
    told = window.document.analysis.statistics()
    assert f"{told['wpdus']} WPDUs, {told['other_apdus']} other APDUs " in window.status.counts.text()
    assert window.messages.messages == ()


def test_the_first_wpdu_is_selected_and_decoded_at_once(open_in):
    """There is something to look at from the first moment."""
    window = open_in(shared("captures/DLMS_list.pcap"))
    workspace = window.workspace
    assert workspace.table.current_row == 0
    assert workspace.details.view.octets[:2] == b"\x00\x01"
    assert workspace.details.view.octets[8] == 0x60
    assert workspace.timing.marked_time == 0.0


def test_neighbours_of_dlms_are_named(open_in):
    """TLS beside the meter is not taken for DLMS, and says what it is."""
    window = open_in(shared("captures/XmlDemo.pcap"))
    tree = window.workspace.sessions.sessions
    labels = [
        tree.data(tree.index(row, 0, tree.index(peers, 0)))
        for peers in range(1, tree.rowCount())
        for row in range(tree.rowCount(tree.index(peers, 0)))
    ]
    assert "TCP 57389 → 55793  TLS" in labels
    assert sum(text == "TCP 55804 → 4063" for text in labels) == 1


def test_a_capture_without_dlms_says_so(open_in, tmp_path):
    """A capture without WPDUs is explained, not just empty."""
    path = tmp_path / "names.pcapng"
    spool = SpoolWriter(path)
    spool.add_interface("en0")
    for frame in SyntheticUdp(("192.0.2.1", 5353), ("192.0.2.2", 53)).data(True, b"\x12\x34" + bytes(30)):
        spool.write(0, frame)
    spool.close()
    window = open_in(path)
    assert window.workspace.table.wpdus.rowCount() == 0
    assert "No WPDU was found" in window.messages.messages[0].text


def test_hdlc_without_wrapper_is_shown(open_in):
    """Frames over UDP and over TCP are rows as WPDUs are."""
    window = open_in(shared("captures/udp-hdlc.pcap"))
    assert window.workspace.table.wpdus.rowCount() > 20
    assert window.messages.messages == ()


def test_the_panes_are_linked(open_in, qtbot):
    """Graph to table, table to octets, octet to field, tree to table, span to table; and the way back."""
    window = open_in(shared("captures/Output.pcap"))
    workspace, model = window.workspace, window.workspace.table.wpdus
    timing = workspace.timing
    timing.draw()
    x, lane, direction = timing.lanes.place_of(100)
    box = timing.plot.getPlotItem().getViewBox()
    box.setXRange(x - 0.001, x + 0.001, padding=0)
    spot = timing.plot.mapFromScene(box.mapViewToScene(QPointF(x, lane + (-0.2, 0.2)[direction])))
    qtbot.mouseClick(timing.plot.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert workspace.table.current_row == 100
    octets = workspace.traffic.octets(100)
    view = workspace.details.view
    assert view.octets == octets
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.octet_rect(3).center())
    assert workspace.details.fields.current_item().name == "source-wport"
    timing.choose_span(0.0, seconds(window, 9))
    assert model.rowCount() == 10
    assert window.actions_by_name["show-all"].isEnabled()
    assert "10 displayed" in window.status.counts.text()
    workspace.selection.go_to(200)  # hidden by the span: the span gives way
    assert workspace.table.current_row == 200
    window.selection.show_all()
    assert model.rowCount() == 264
    assert not window.actions_by_name["show-all"].isEnabled()


def test_tree_and_span_combine(open_in):
    """A session within a span of time; the graph follows the session, not the span."""
    window = open_in(shared("captures/XmlDemo.pcap"))
    workspace = window.workspace
    tree = workspace.sessions
    tree.setCurrentIndex(tree.sessions.index(1, 0))  # IPv6 peers without any WPDU
    assert workspace.table.wpdus.rowCount() == 0
    assert len(workspace.timing.lanes) == 0
    assert workspace.table.current_row == -1
    tree.setCurrentIndex(tree.sessions.index(2, 0))
    assert workspace.table.wpdus.rowCount() == 14
    workspace.timing.choose_span(seconds(window, 2), seconds(window, 5))
    assert workspace.table.wpdus.rowCount() == 4
    assert len(workspace.timing.lanes) == 14
    window.selection.show_all()
    assert workspace.table.wpdus.rowCount() == 14


def test_keys_as_in_wireshark(open_in, qtbot):
    """Next, previous, last, back, forward, and within the session."""
    window = open_in(shared("captures/Output.pcap"))
    table = window.workspace.table
    control, alt = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
    table.setFocus()
    steps = [
        (Qt.Key.Key_Down, control, 1),
        (Qt.Key.Key_F8, Qt.KeyboardModifier.NoModifier, 2),
        (Qt.Key.Key_Up, control, 1),
        (Qt.Key.Key_End, control, 263),
        (Qt.Key.Key_Left, alt, 1),
        (Qt.Key.Key_Right, alt, 263),
        (Qt.Key.Key_Home, control, 0),
        (Qt.Key.Key_Period, control, 1),
        (Qt.Key.Key_Comma, control, 0),
    ]
    for key, modifier, row in steps:
        qtbot.keyClick(window, key, modifier)
        assert table.current_row == row, key


def test_from_a_request_to_its_answer_and_back(open_in, qtbot):
    """By key and by double click; where there is none, that is said and nothing moves."""
    window = open_in(resource("samples/faults.pcapng"))
    table, analysis = window.workspace.table, window.document.analysis
    qtbot.waitUntil(lambda: 0 < analysis.expert_items.completed == len(analysis.wpdus))
    exchanges, facts = analysis.exchanges, capture_facts(analysis)
    answered = int(np.flatnonzero(facts.statuses == ExchangeStatus.ANSWERED)[5])
    request, answer = (exchanges[name].item(answered) for name in ("request", "response"))
    control, alt = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
    window.selection.go_to(request)
    qtbot.keyClick(window, Qt.Key.Key_J, control | alt)
    assert window.selection.row == answer
    spot = table.visualRect(table.currentIndex()).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert window.selection.row == request
    silent = int(np.flatnonzero(facts.statuses == ExchangeStatus.UNANSWERED)[0])
    window.selection.go_to(exchanges["request"].item(silent))
    here = window.selection.row
    qtbot.keyClick(window, Qt.Key.Key_J, control | alt)
    assert window.selection.row == here
    assert f"WPDU {here + 1} has neither" in window.status.currentMessage()


def test_a_dropped_file_opens(window, qtbot):
    """Drag and drop; of several files the first, and it says so."""
    paths = shared("captures/DLMS_list.pcap"), shared("captures/Output.pcap")
    drop(window, *paths)
    qtbot.waitUntil(lambda: window.document is not None and not window.document.reading)
    assert window.document.path.name == "DLMS_list.pcap"
    assert window.workspace.table.wpdus.rowCount() == 8
    assert "first of the dropped files" in window.messages.messages[-1].text


def test_the_start_page_comes_first(window):
    """Nothing that needs a capture can be done without one."""
    assert window.pages.currentWidget() is window.start_page
    enabled = {name for name, action in window.actions_by_name.items() if action.isEnabled()}
    assert enabled >= {"open", "sample", "quit", "about"}
    assert not enabled & {"reload", "close", "goto", "next", "copy-hex", "decode-as", "show-all", "cancel"}


def test_the_sample_opens_from_the_start_page(window, qtbot):
    """One click to something to look at; the sample is no recent file."""
    qtbot.mouseClick(window.start_page.ways["sample"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.document.reading)
    assert window.pages.currentWidget() is window.workspace
    assert window.workspace.table.wpdus.rowCount() > 100
    assert window.settings.get(options.RECENT) == ()


def test_recent_files_open_and_missing_ones_are_greyed(window, qtbot, tmp_path):
    """The list survives in the settings; what is gone cannot be clicked."""
    there, gone = shared("captures/DLMS_list.pcap"), tmp_path / "gone.pcap"
    window.settings.set(options.RECENT, (str(there), str(gone)))
    buttons = window.start_page.recent_buttons
    assert [button.isEnabled() for button in buttons] == [True, False]
    actions = [action for action in window.recent_menu.actions() if action.text().endswith(".pcap")]
    assert [action.isEnabled() for action in actions] == [True, False]
    qtbot.mouseClick(buttons[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.document.reading)
    assert window.workspace.table.wpdus.rowCount() == 8
    window.close_capture()
    window.recent_menu.actions()[0].trigger()
    qtbot.waitUntil(lambda: window.document is not None and not window.document.reading)
    assert window.workspace.table.wpdus.rowCount() == 8
    window.close_capture()
    assert window.pages.currentWidget() is window.start_page
    window.clear_recent()
    assert window.start_page.recent_buttons == ()


@pytest.mark.parametrize("content", [b"", b"not a capture at all, but text"])
def test_a_file_that_is_no_capture_is_a_sentence(window, qtbot, tmp_path, content):
    """The window stays on the start page and says what is the matter with which file."""
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    window.open_path(str(path))
    qtbot.waitUntil(lambda: bool(window.messages.messages))
    assert "notes.txt" in window.messages.messages[0].text
    assert window.pages.currentWidget() is window.start_page
    assert window.document is None
    assert window.settings.get(options.RECENT) == ()


def test_reading_again_keeps_the_place(open_in, qtbot):
    """The same WPDU, at the same height in the table; another one that is chosen meanwhile stays."""
    window = open_in(shared("captures/Output.pcap"))
    table = window.workspace.table
    window.selection.go_to(200)
    table.verticalScrollBar().setValue(195)
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not window.document.reading)
    assert window.selection.row == table.current_row == 200
    assert table.verticalScrollBar().value() == 195
    assert not window.selection.history.can_move(-1)
    place = ReturnPlace(window.workspace)
    window.selection.go_to(3)
    assert place.take_back(window.workspace, is_whole=True)
    assert window.selection.row == 3


def test_a_missing_file_is_a_sentence(window, qtbot, tmp_path):
    """As from the command line: cosemscope no-such-file.pcap."""
    window.open_path(str(tmp_path / "no-such-file.pcap"))
    qtbot.waitUntil(lambda: bool(window.messages.messages))
    assert "no-such-file.pcap" in window.messages.messages[0].text
    assert window.start_page.recent_buttons == ()


def test_a_truncated_capture_shows_what_it_has(window, qtbot, tmp_path):
    """Half a capture is half a table and a message with the place."""
    octets = shared("captures/Output.pcap").read_bytes()
    path = tmp_path / "half.pcap"
    path.write_bytes(octets[: len(octets) // 2])
    window.open_path(str(path))
    qtbot.waitUntil(lambda: window.document is not None and not window.document.reading)
    assert 50 < window.workspace.table.wpdus.rowCount() < 264
    assert len(window.messages.messages) == 1
    assert window.status.problems.isVisible()


@pytest.fixture
def slow_steps(monkeypatch):
    """Reading in steps of three packets that wait for the test."""
    import threading

    go = threading.Semaphore(0)
    step = Analysis.step

    def waiting(self, max_records=3):
        go.acquire(timeout=10)
        return step(self, 3)

    monkeypatch.setattr(Analysis, "step", waiting)
    return go


def test_rows_appear_while_reading_and_cancel_keeps_them(window, qtbot, slow_steps):
    """The table is there before the file is read, and stays when reading is cancelled."""
    window.open_path(str(shared("captures/Output.pcap")))
    for _ in range(10):
        slow_steps.release()
    model = window.workspace.table.wpdus
    qtbot.waitUntil(lambda: model.rowCount() > 0)
    assert window.document.reading
    assert window.status.progress.isVisible()
    assert window.actions_by_name["cancel"].isEnabled()
    qtbot.mouseClick(window.status.cancel, Qt.MouseButton.LeftButton)
    slow_steps.release(1000)
    qtbot.waitUntil(lambda: not window.document.reading)
    assert 0 < model.rowCount() < 264
    assert "cancelled" in window.status.file.text()
    assert "cancelled" in window.messages.messages[-1].text
    assert not window.status.progress.isVisible()
    window.reload()
    qtbot.waitUntil(lambda: not window.document.reading)
    assert model.rowCount() == 264


def test_another_file_may_be_opened_while_one_is_read(window, qtbot, slow_steps):
    """The first one's thread ends by itself, its late news goes nowhere."""
    window.open_path(str(shared("captures/Output.pcap")))
    slow_steps.release(5)
    first = window.document
    qtbot.waitUntil(lambda: first.analysis is not None)
    window.open_path(str(shared("captures/DLMS_list.pcap")))
    slow_steps.release(1000)
    qtbot.waitUntil(lambda: not window.document.reading and not window.documents.retiring)
    assert column(window, "wpdu.number") == [str(number) for number in range(1, 9)]


def test_a_fault_while_reading_keeps_what_there_is(window, qtbot, monkeypatch):
    """An error of ours is a message with the file's name, and the window lives."""
    step = Analysis.step
    calls = []

    def failing(self, max_records=20):
        calls.append(1)
        if len(calls) > 3:
            raise ZeroDivisionError("a test's")
        return step(self, 20)

    monkeypatch.setattr(Analysis, "step", failing)
    window.open_path(str(shared("captures/Output.pcap")))
    qtbot.waitUntil(lambda: not window.document.reading)
    assert "Output.pcap" in window.messages.messages[0].text
    assert "not read to its end" in window.status.file.text()


def test_the_window_remembers_its_places(qtbot, look, settings: Settings):
    """Time format, colours, zoom and columns come back with the next window."""
    first = Window(settings)
    qtbot.addWidget(first)
    first.show()
    first.open_sample()
    qtbot.waitUntil(lambda: not first.document.reading)
    settings.set(options.TIME_FORMAT, "utc")
    first.zoom_in()
    first.workspace.table.setColumnWidth(2, 222)
    first.workspace.pane_actions()[2].trigger()  # hide the timing graph
    first.close()
    second = Window(settings)
    qtbot.addWidget(second)
    second.show()
    second.open_sample()
    qtbot.waitUntil(lambda: not second.document.reading)
    assert second.workspace.table.wpdus.cells.time_format == "utc"
    assert second.workspace.table.columnWidth(2) == 222
    assert not second.workspace.timing.isVisibleTo(second.workspace)
    assert settings.get(options.ZOOM) == 1
    second.close()


def test_dark_and_light_can_be_chosen(window, look):
    """The palette follows the setting at once."""
    window.settings.set(options.APPEARANCE, "dark")
    assert look.palette().base().color().lightness() < 128
    window.settings.set(options.APPEARANCE, "light")
    assert look.palette().base().color().lightness() > 128


def test_info_lines_are_completed_in_a_moment(open_in, qtbot):
    """A response is told at once by its own octets, and soon by what it answers, without a click."""
    window = open_in(resource(SAMPLE))
    model = window.workspace.table.wpdus
    row = column(window, "apdu").index("get-response")
    model.set_traffic(model.traffic)
    model.take_rows(model.traffic.total)
    assert "0.255" not in model.info(row).text
    with qtbot.waitSignal(model.dataChanged):
        pass
    qtbot.waitUntil(lambda: "0.255" in model.info(row).text)
    assert "0.255" in model.cells.row_texts([FIELDS["info"]], [range(row, row + 1)]).column(FIELDS["info"])[0]


def test_select_all_means_the_pane_that_has_the_focus(open_in, qtbot):
    """Ctrl+A among the octets selects octets, elsewhere the rows."""
    window = open_in(shared("captures/DLMS_list.pcap"))
    view, table = window.workspace.details.view, window.workspace.table
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert view.selection == (0, len(view.octets))
    assert table.selected_rows() == [range(1)]
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert table.selected_rows() == [range(8)]
    assert "8 selected" in window.status.counts.text()


def test_the_window_may_be_closed_while_it_reads(window, qtbot, slow_steps):
    """Closing ends the thread; nothing crashes and nothing is waited for but the present batch."""
    window.open_path(str(shared("captures/Output.pcap")))
    slow_steps.release(4)
    qtbot.waitUntil(lambda: window.workspace.table.wpdus.rowCount() > 0)
    slow_steps.release(1000)
    window.close()
    assert window.document is None
    assert not window.isVisible()


START = """
import sys
from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QMainWindow
from cosemscope.gui.application import run
from cosemscope.gui.frame.window import Window
from cosemscope.window_words import WindowWords

def show(self):
    QMainWindow.show(self)
    timer = QTimer(self)
    timer.timeout.connect(lambda: self.document and not self.document.reading and self.close())
    timer.start(50)

Window.show = show
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, sys.argv.pop())
sys.exit(run(WindowWords(sys.argv[1])))
"""


def test_the_program_starts_on_a_file_and_ends_cleanly(tmp_path):
    """As `cosemscope FILE` does: exit status 0, not a word on standard error, settings where they belong."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    keys = str(resource("samples/first-look-keys.toml"))
    command = [sys.executable, "-c", START, str(resource(SAMPLE)), "--keys", keys, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    words = [line for line in done.stderr.splitlines() if "plugin does not support" not in line]
    assert (done.returncode, words, done.stdout) == (0, [], "")
    (place,) = tmp_path.rglob("Cosemscope.ini")
    assert "first-look.pcapng" in place.read_text()


def test_rows_come_some_times_a_second_and_all_at_the_end(open_in, qtbot):
    """Each growth paints a page: the first rows come at once, then some wait, and none is left out."""
    window = open_in(shared("captures/Output.pcap"))
    workspace = window.workspace
    workspace.set_traffic(Traffic(window.document.analysis))
    model = workspace.table.wpdus
    workspace.take_rows(10)
    assert model.rowCount() == 10
    workspace.take_rows(20)
    workspace.take_rows(30)
    assert model.rowCount() == 10
    qtbot.waitUntil(lambda: model.rowCount() == 30)
    workspace.take_rows(264)
    workspace.show_growth()
    assert model.rowCount() == len(workspace.timing.lanes) == 264


def test_a_file_that_goes_while_it_is_open_stays_shown(open_in, qtbot, tmp_path):
    """What was read is still there, octets too; reading it again says what is the matter."""
    path = tmp_path / "goes.pcap"
    path.write_bytes(shared("captures/Output.pcap").read_bytes())
    window = open_in(path)
    path.unlink()
    window.selection.go_to(200)
    assert window.workspace.details.view.octets == window.workspace.traffic.octets(200)
    window.reload()
    qtbot.waitUntil(lambda: bool(window.messages.messages))
    assert "goes.pcap" in window.messages.messages[0].text
    assert window.pages.currentWidget() is window.start_page


def test_the_same_file_twice_is_read_anew(open_in):
    """As any other; it stands once among the recent ones."""
    for _ in range(2):
        window = open_in(shared("captures/DLMS_list.pcap"))
        assert window.workspace.table.wpdus.rowCount() == 8
    assert len(window.settings.get(options.RECENT)) == 1


def test_the_window_closes_while_a_file_is_read(window, qtbot, slow_steps):
    """At once, without a question; the reading thread ends with it."""
    window.open_path(str(shared("captures/Output.pcap")))
    slow_steps.release(5)
    qtbot.waitUntil(lambda: window.workspace.table.wpdus.rowCount() > 0)
    slow_steps.release(1000)
    window.close()
    assert not window.isVisible()
    assert not window.documents.retiring or all(not one.reading for one in window.documents.retiring)


def test_tab_goes_through_the_panes(open_in, qtbot):
    """Sessions, table, fields, octets, graph: each is reached, and none keeps the key."""
    window = open_in(shared("captures/Output.pcap"))
    workspace = window.workspace
    panes = [workspace.sessions, workspace.table, workspace.details.fields, workspace.details.view]
    panes.append(workspace.timing)
    workspace.table.setFocus()
    seen = []
    for _ in range(12):
        focus = window.focusWidget()
        seen += [pane for pane in panes if focus is pane and pane not in seen]
        qtbot.keyClick(focus, Qt.Key.Key_Tab)
    assert sorted(map(panes.index, seen)) == [0, 1, 2, 3, 4]


def test_arrow_keys_move_all_panes(open_in, qtbot):
    """A row further: fields, octets and the graph's mark are those of that row."""
    window = open_in(shared("captures/Output.pcap"))
    workspace = window.workspace
    workspace.table.setFocus()
    for row in (1, 2, 3):
        qtbot.keyClick(workspace.table, Qt.Key.Key_Down)
        assert workspace.table.current_row == row
        assert workspace.details.view.octets == workspace.traffic.octets(row)
        x = workspace.timing.lanes.place_of(row)[0]
        assert workspace.timing.marked_time == pytest.approx(x)


def test_the_session_of_a_wpdu_is_shown_alone(open_in, qtbot):
    """From the table to the tree: the row stays current, others of its stream and wPorts stay with it."""
    window = open_in(resource(SAMPLE))
    workspace, model = window.workspace, window.workspace.table.wpdus
    workspace.selection.go_to(75)
    pair = workspace.traffic.pair(75)
    menu = QMenu()
    qtbot.addWidget(menu)
    workspace.table.menu_actions(menu, 75)
    next(action for action in menu.actions() if action.text() == "Show this session only").trigger()
    assert workspace.table.current_row == 75
    shown = [model.row(place) for place in range(model.rowCount())]
    assert shown == [row for row in range(workspace.traffic.total) if workspace.traffic.pair(row) == pair]
    assert 0 < len(shown) < workspace.traffic.total
    assert workspace.sessions.current_stream == workspace.traffic.stream(75)
    window.selection.show_all()
    assert model.rowCount() == workspace.traffic.total
    assert workspace.table.current_row == 75


def test_every_pane_that_takes_keys_has_a_name(window):
    """A screen reader says where one is."""
    named = (QAbstractScrollArea, QTabBar, QComboBox, TimingGraph)
    nameless = [
        type(widget).__name__
        for widget in window.findChildren(QWidget)
        if isinstance(widget, named)
        and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        and not widget.accessibleName()
    ]
    assert nameless == []


def test_comments_and_names_are_in_the_tool_tips(open_in, tmp_path: Path):
    """The row of a commented packet has a mark and its comment, others have none; peers have names."""
    window = open_in(write_annotated(tmp_path / "commented.pcapng", b"why twice?"))
    model, tree = window.workspace.table.wpdus, window.workspace.sessions.sessions
    tip, mark = Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.DecorationRole
    assert model.data(model.index(1, 0), int(tip)).endswith("Packet 2: why twice?")  # behind its expert items
    assert model.data(model.index(1, 0), int(mark)) is not None
    assert "Packet" not in (model.data(model.index(0, 0), int(tip)) or "")
    assert model.data(model.index(0, 0), int(mark)) is None
    assert f"meter-17 ({B4})" in tree.data(tree.index(1, 0), int(tip))


def test_what_failed_and_what_was_opened_have_their_colours(open_in, qtbot):
    """Results, refusals and exceptions are red in rows and graph; opened traffic is what it is."""
    window = open_in(resource(SAMPLE))
    traffic, table = window.workspace.traffic, window.workspace.table
    scheme = theme.colours(table.palette())

    def ground(number: int) -> str:
        index = table.wpdus.index(table.wpdus.position(number - 1), 0)
        return table.wpdus.data(index, Qt.ItemDataRole.BackgroundRole).color().name()

    def words(number: int) -> str:
        return traffic.info(number - 1).text

    assert "OBJECT-UNDEFINED" in words(69)
    assert "REJECTED" in words(139)
    failed = [ground(number) for number in (48, 69, 139)]
    assert failed == [scheme.tints[Kind.ERROR]] * 3
    assert ground(68) == scheme.tints[Kind.READ]
    assert ground(87) == scheme.tints[Kind.CIPHERED]
    before = window.workspace.timing.drawn
    window.opening.keeper.set_keys(KeyTable.load(resource("samples/first-look-keys.toml")))
    qtbot.waitUntil(lambda: ground(87) == scheme.tints[Kind.READ])
    qtbot.waitUntil(lambda: window.workspace.timing.drawn != before)
    assert window.workspace.timing.drawn.get(Kind.CIPHERED, 0) < before[Kind.CIPHERED]
    assert before[Kind.ERROR] == 4


def test_the_command_line_opens_with_keys_and_a_filter(window, qtbot, tmp_path):
    """As `cosemscope FILE --filter F` does: the filter is typed and in force when the rows have come."""
    wanted = WindowWords(str(resource(SAMPLE)), str(resource("samples/first-look-keys.toml")), "apdu == AARQ")
    window.open_wanted(wanted)
    qtbot.waitUntil(lambda: not window.document.reading)
    table = window.workspace.table
    qtbot.waitUntil(lambda: table.wpdus.rowCount() == 6)
    assert window.workspace.filter.line.text() == "apdu == AARQ"
    assert window.workspace.keys


def test_typing_in_the_table_begins_a_filter(open_in, qtbot):
    """What is typed goes into the line, which has the focus from then on; Ctrl+/ goes there too."""
    window = open_in(resource(SAMPLE))
    table, line = window.workspace.table, window.workspace.filter.line
    window.activateWindow()
    table.setFocus()
    qtbot.keyClicks(table, "o")
    qtbot.waitUntil(line.hasFocus)
    qtbot.keyClicks(line, "bis == 0.0.42.0.0.255")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert {table.wpdus.data(table.wpdus.index(row, 9))[:4] for row in range(table.wpdus.rowCount())} == {
        "GET "
    }
    qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert table.hasFocus()
    window.actions_by_name["filter"].trigger()
    assert line.hasFocus()


def test_tree_graph_and_counts_follow_the_filter(open_in):
    """What is displayed is told beside what there is, and only that is drawn."""
    window = open_in(resource(SAMPLE))
    workspace = window.workspace
    workspace.filter.show_filter("apdu == get-response")
    shown = workspace.table.wpdus.rowCount()
    assert 0 < shown < 142
    tree = workspace.sessions.sessions
    assert tree.data(tree.index(0, 1)) == f"{shown} / 142"
    assert len(workspace.timing.lanes) == shown
    assert f"{shown} displayed" in window.status.counts.text()
    window.actions_by_name["show-all"].trigger()
    assert tree.data(tree.index(0, 1)) == "142"
    assert workspace.filter.line.text() == ""


def test_counting_begins_at_a_columns_title(open_in, qtbot):
    """The pane comes with the counts by that column; a click there is a filter that is seen."""
    window = open_in(resource(SAMPLE))
    workspace = window.workspace
    menu = QMenu(window)
    workspace.table.header.fill_menu(menu, USUAL_FIELDS.index("apdu"))
    (by,) = [action for action in menu.actions() if action.text() == "Count by “APDU”"]
    by.trigger()
    counts = workspace.panes["counts"]
    qtbot.waitUntil(lambda: counts.groups.rowCount() > 0)
    assert counts.isVisible()
    counts.view.clicked.emit(counts.groups.index(0, 0))
    assert [button.filter for button in workspace.filter.condition_buttons] == ["apdu == get-request"]
    assert workspace.table.wpdus.rowCount() == int(counts.groups.text(0, 1))


def test_every_pane_offers_filters_that_leave_what_was_pointed_at(open_in, qtbot):
    """Cell, field, octets, session, span and expert item: applied, the current WPDU stays."""
    window = open_in(resource(SAMPLE))
    workspace, selection = window.workspace, window.selection
    selection.go_to(3)
    workspace.details.fields.select_octet(0, 12)
    view = workspace.details.view
    view.setFocus()
    view.select_all()
    table = workspace.table
    offers = [
        *table.filter_offers(),
        *workspace.details.fields.filter_offers(),
        *workspace.details.octet_offers(view),
        ("session", filter_of(workspace.sessions.sessions.item(workspace.sessions.sessions.index(1, 0)))),
        ("span", span_filter(0.1, 0.2)),
    ]
    assert len(offers) == 7
    for name, text in offers:
        selection.filterAsked.emit(AskedFilter(text))
        assert workspace.filter.line.error is None, (name, text)
        qtbot.waitUntil(lambda: TYPED not in selection.filtering)
        assert table.wpdus.position(3) >= 0, (name, text)
        assert table.wpdus.rowCount() < 142, (name, text)
