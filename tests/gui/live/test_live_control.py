"""Captures in the window: rows that grow, the tail, counters, start and stop, save, and what goes wrong."""

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog

from cosemscope.analysis.associations.row_trees import GONE
from cosemscope.analysis.engine import Analysis
from cosemscope.capture.capturing.capture_job import CaptureJob
from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.job_options import words_of
from cosemscope.gui.base import settings as options
from cosemscope.gui.document.unsaved_spool import UnsavedSpool
from cosemscope.gui.frame.window import Window
from cosemscope.live.commands.link_job import ConnectJob
from tests.helpers.live_window import FAKE_CAPTURE, environment, is_running, listener
from tests.helpers.shared import shared

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier

WRITER = """
import sys, time
from cosemscope.capture.spool.spool_writer import SpoolWriter
from cosemscope.capture.spool.synthetic_frames import SyntheticTcp
from cosemscope.transport.wpdu import Wpdu

frames = SyntheticTcp(("127.0.0.1", 40000), ("127.0.0.1", 4059))
with SpoolWriter(sys.argv[1]) as spool:
    spool.add_interface("test")
    for frame in frames.handshake():
        spool.write(time.time_ns(), frame)
    print("ready", flush=True)
    for line in sys.stdin:
        for _ in range(int(line)):
            for frame in frames.data(True, Wpdu(16, 1, bytes.fromhex("c001c100080000010000ff0200")).encode()):
                spool.write(time.time_ns(), frame)
        print("written", flush=True)
"""


class Writer:
    """A process that writes as many WPDUs into a spool as it is told to."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        assert self.process.stdout.readline() == "ready\n"

    def write(self, number: int) -> None:
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "written\n"

    def close(self) -> None:
        self.process.communicate(timeout=10)


@pytest.fixture
def growing(window: Window, tmp_path: Path, qtbot):
    """A spool that another process writes, followed in the window."""
    path = tmp_path / "growing.pcapng"
    writer = Writer(path)
    window.open_spool(UnsavedSpool(path, "A test's"), follow=True)
    qtbot.waitUntil(lambda: window.document.analysis is not None)
    yield writer
    if writer.process.poll() is None:
        writer.close()


@pytest.fixture
def capture(window: Window, monkeypatch, tmp_path: Path, qtbot):
    """Starts a capture by a process of the test's own, and waits until it is shown or has failed."""
    script = tmp_path / "capture.py"
    script.write_text(FAKE_CAPTURE)

    def begin(trouble: str = "", rate: float = 100, files: int = 1) -> Window:
        words = [sys.executable, str(script), trouble, str(rate), str(files)]
        monkeypatch.setattr("cosemscope.gui.live.live_process.program_words", lambda: words)
        window.settings.set(options.CAPTURE, tuple(words_of(CaptureJob(interfaces=("lo",)))))
        window.live.capture()
        qtbot.waitUntil(lambda: shown(window) or not window.live.running, timeout=10_000)
        return window

    return begin


def shown(window: Window) -> bool:
    return window.document is not None and window.document.wpdus > 0


def test_rows_tree_and_graph_grow_with_the_file(window, growing, qtbot):
    """What another process writes is there a moment later, until the file is complete."""
    model = window.workspace.table.wpdus
    assert window.document.following
    assert not window.status.progress.isVisible()
    growing.write(5)
    qtbot.waitUntil(lambda: model.rowCount() == 5)
    growing.write(200)
    qtbot.waitUntil(lambda: model.rowCount() == 205)
    qtbot.waitUntil(lambda: len(window.workspace.timing.lanes) == 205)
    tree = window.workspace.sessions.sessions
    qtbot.waitUntil(lambda: tree.data(tree.index(0, 1)) == "205")
    assert "205 WPDUs" in window.status.counts.text()
    growing.close()
    window.document.stop_following()
    qtbot.waitUntil(lambda: not window.document.reading)
    assert model.rowCount() == 205
    assert window.messages.messages == ()


def test_before_the_first_wpdu_it_is_said_what_to_do(window, growing, qtbot):
    """The table says that it waits, and no more once there is a row."""
    table, fields = window.workspace.table, window.workspace.details.fields
    assert "No WPDU yet" in table.hint
    for view in (table, fields):
        image = view.viewport().grab().toImage()
        colours = {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}
        assert len(colours) > 2
    growing.write(1)
    qtbot.waitUntil(lambda: table.wpdus.rowCount() == 1)
    assert table.hint == ""


def test_live_rows_do_not_wait_for_each_other(window, growing, qtbot):
    """However soon after the last ones: whoever looks at a meter that answers waits for its answer."""
    growing.write(1)
    qtbot.waitUntil(lambda: window.document.wpdus == 1)
    shown_rows = []
    window.document.rowsAdded.connect(
        lambda _, wpdus: shown_rows.append((wpdus, window.workspace.table.wpdus.rowCount()))
    )
    for total in range(2, 8):
        growing.write(1)
        qtbot.waitUntil(lambda total=total: window.document.wpdus == total)
    assert all(wpdus == rows for wpdus, rows in shown_rows)


def test_the_tail_is_followed_until_somebody_scrolls_up(window, growing, qtbot):
    """At the end it goes on with the traffic; scrolled away it stays; back at the end it goes on again."""
    table = window.workspace.table
    bar = table.verticalScrollBar()
    growing.write(500)
    qtbot.waitUntil(lambda: table.wpdus.rowCount() == 500)
    qtbot.waitUntil(lambda: bar.maximum() > 100 and bar.value() == bar.maximum())
    assert table.current_row == 0  # the selection stays where it was
    bar.setValue(100)
    growing.write(100)
    qtbot.waitUntil(lambda: table.wpdus.rowCount() == 600)
    QApplication.processEvents()
    assert bar.value() == 100
    qtbot.keyClick(window, Qt.Key.Key_End, CONTROL)
    assert table.current_row == 599
    growing.write(100)
    qtbot.waitUntil(lambda: table.wpdus.rowCount() == 700)
    qtbot.waitUntil(lambda: bar.value() == bar.maximum())


def test_a_filter_holds_for_what_comes(window, growing, qtbot):
    """A session that is selected in the tree stays so, and its rows come in."""
    growing.write(3)
    tree = window.workspace.sessions
    qtbot.waitUntil(lambda: tree.sessions.rowCount() == 2)
    tree.setCurrentIndex(tree.sessions.index(1, 0))
    assert window.selection.filters
    growing.write(3)
    qtbot.waitUntil(lambda: window.workspace.table.wpdus.rowCount() == 6)
    assert window.selection.filters


def test_decode_as_while_it_grows(window, growing, qtbot, monkeypatch):
    """The growing file is read anew by the new rules, and followed on."""
    growing.write(3)
    qtbot.waitUntil(lambda: window.document.wpdus == 3)
    rules = window.document.decode_as
    monkeypatch.setattr("cosemscope.gui.frame.window.ask_decode_as", lambda *_: rules)
    window.ask_decode_as(0)
    growing.write(3)
    qtbot.waitUntil(lambda: window.document.wpdus == 6)
    assert window.document.following
    assert window.document.spool is not None


def test_start_and_stop_by_key(window, capture, qtbot, spools):
    """Ctrl+E starts with the options used last, and stops; counters stand in the status bar."""
    capture()
    assert not window.actions_by_name["capture"].isEnabled()
    assert not window.actions_by_name["save"].isEnabled()
    qtbot.waitUntil(lambda: "7 dropped" in window.status.counts.text())
    assert "Capture on lo" in window.windowTitle()
    number = window.live.process.number
    qtbot.keyClick(window, Qt.Key.Key_E, CONTROL)
    qtbot.waitUntil(lambda: not window.live.running)
    qtbot.waitUntil(lambda: not window.document.reading)
    assert not is_running(number)
    rows = window.workspace.table.wpdus.rowCount()
    spool = next(spools.iterdir())
    assert rows == len(Analysis(open_capture(spool)).run().wpdus)
    assert window.actions_by_name["save"].isEnabled()
    qtbot.keyClick(window, Qt.Key.Key_E, CONTROL)
    qtbot.waitUntil(lambda: window.live.capturing)


def test_restart_while_capturing(window, capture, qtbot, spools):
    """Ctrl+R while capturing begins anew, in a spool of its own; the old one was given up."""
    capture()
    number, path = window.live.process.number, window.document.path
    assert not window.actions_by_name["reload"].isEnabled()
    qtbot.keyClick(window, Qt.Key.Key_R, CONTROL)
    qtbot.waitUntil(lambda: window.live.running and window.live.process.number not in (0, number))
    qtbot.waitUntil(lambda: window.document is not None and window.document.path != path)
    qtbot.waitUntil(lambda: shown(window))
    assert not is_running(number)
    qtbot.waitUntil(lambda: not path.exists())


def test_a_ring_is_one_capture(window, capture, qtbot, monkeypatch, tmp_path):
    """Streams go on from file to file; saving gives one file with all of it."""
    capture(files=3)
    qtbot.waitUntil(lambda: len(window.document.files) == 3, timeout=10_000)
    window.live.stop()
    qtbot.waitUntil(lambda: not window.live.running and not window.document.reading)
    rows = window.document.wpdus
    assert window.workspace.sessions.sessions.rowCount() == 2
    target = tmp_path / "ring"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    qtbot.keyClick(window, Qt.Key.Key_S, CONTROL)
    saved = tmp_path / "ring.pcapng"
    qtbot.waitUntil(lambda: not window.live.saver.is_needed)
    with open_capture(saved) as reader:
        assert len(Analysis(reader).run().wpdus) == rows


def test_what_a_ring_has_removed_is_said(window, capture, qtbot, monkeypatch, tmp_path):
    """Its rows stay, without octets; reading anew begins with what is left; a copy is said to be cut."""
    capture(files=3)
    qtbot.waitUntil(lambda: len(window.document.files) == 3, timeout=10_000)
    qtbot.waitUntil(lambda: window.document.analysis.reader.path == window.document.files[-1])
    traffic = window.workspace.traffic
    window.document.files[0].unlink()
    for row in range(window.document.wpdus):  # one file that is done may be open
        traffic.octets(row)
    assert traffic.outline(0) == traffic.info(0).text == GONE
    tree, protections = traffic.decode(0)
    assert [problem.message for problem in tree.problems] == [GONE]
    assert protections == []
    window.workspace.table.select_row(0)
    window.reload()
    qtbot.waitUntil(lambda: window.document.wpdus and window.document.analysis is not None)
    assert window.document.following
    assert window.live.capturing
    assert "removed before it was read" in window.messages.messages[-1].text
    window.live.stop()
    qtbot.waitUntil(lambda: not window.live.running and not window.document.reading)
    assert window.workspace.traffic.outline(0) != GONE
    target = tmp_path / "ring.pcapng"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    qtbot.keyClick(window, Qt.Key.Key_S, CONTROL)
    qtbot.waitUntil(lambda: not window.live.saver.is_needed)
    assert window.messages.messages[-1].text.endswith("the ring has removed their files.")
    with open_capture(target) as reader:
        assert len(Analysis(reader).run().wpdus) == window.document.wpdus


def test_save_then_close_removes_the_spool(
    window, capture, qtbot, monkeypatch, tmp_path, spools, unsaved_answer
):
    """What is saved has a name, is a recent file, is asked about no more, and its spool goes."""
    capture()
    window.live.stop()
    qtbot.waitUntil(lambda: not window.live.running and not window.document.reading)
    target = tmp_path / "mine.pcapng"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    assert window.isWindowModified()
    assert window.windowTitle().startswith("Capture on lo[*]")
    qtbot.keyClick(window, Qt.Key.Key_S, CONTROL)
    qtbot.waitUntil(lambda: window.windowTitle() == "mine.pcapng – Cosemscope")
    assert not window.isWindowModified()
    assert str(target) in window.settings.get(options.RECENT)
    assert not window.actions_by_name["save"].isEnabled()
    unsaved_answer.append("cancel")  # nobody is asked
    rows = window.document.wpdus
    window.close_capture()
    assert window.document is None
    qtbot.waitUntil(lambda: not list(spools.iterdir()))
    with open_capture(target) as reader:
        assert len(Analysis(reader).run().wpdus) == rows


@pytest.mark.parametrize("answer", ["cancel", "discard", "save"])
def test_an_unsaved_capture_is_asked_about(
    window, capture, qtbot, monkeypatch, tmp_path, spools, unsaved_answer, answer
):
    """Opening another file while capturing: go on, stop and give up, or stop and save."""
    capture()
    target = tmp_path / "saved.pcapng"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    unsaved_answer.append(answer)
    window.open_path(str(shared("captures/DLMS_list.pcap")))
    if answer == "cancel":
        assert window.live.running
        assert window.document.following
        return
    qtbot.waitUntil(lambda: window.document is not None and window.document.path.name == "DLMS_list.pcap")
    assert not window.live.running
    qtbot.waitUntil(lambda: not list(spools.iterdir()))
    assert target.exists() == (answer == "save")


def test_save_as_copies_any_capture(open_in, qtbot, monkeypatch, tmp_path):
    """The open file's octets, under another name; onto itself is refused in words."""
    path = shared("captures/DLMS_list.pcap")
    window = open_in(path)
    target = tmp_path / "copy.pcap"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    qtbot.keyClick(window, Qt.Key.Key_S, CONTROL | SHIFT)
    qtbot.waitUntil(target.exists)
    qtbot.waitUntil(lambda: "Saved" in (window.messages.messages or ((0, ""),))[-1][1])
    assert target.read_bytes() == path.read_bytes()
    window.open_path(str(target))
    qtbot.waitUntil(lambda: not window.document.reading)
    window.live.saver.save_as()
    assert "is the file that is open" in window.messages.messages[-1].text


@pytest.mark.parametrize("files", [1, 3])
def test_save_as_while_it_runs_keeps_asking(
    window, capture, qtbot, monkeypatch, tmp_path, unsaved_answer, files
):
    """A copy of what came so far, and said to be that; what comes later is unsaved, and asked about."""
    capture(files=files)
    qtbot.waitUntil(lambda: len(window.document.files) == files, timeout=10_000)
    target = tmp_path / "so far.pcapng"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    title = window.windowTitle()
    qtbot.keyClick(window, Qt.Key.Key_S, CONTROL | SHIFT)
    qtbot.waitUntil(lambda: bool(window.messages.messages))
    assert window.messages.messages[-1].text.startswith(f"What came so far is saved as {target}.")
    with open_capture(target) as reader:
        saved = len(Analysis(reader).run().wpdus)
        assert saved
        assert reader.problems == []
    assert window.live.saver.is_needed
    assert window.windowTitle() == title
    assert window.isWindowModified()
    assert window.status.file.text().endswith("· live · not saved")
    qtbot.waitUntil(lambda: window.document.wpdus > saved)
    unsaved_answer.append("cancel")
    document = window.document
    qtbot.keyClick(window, Qt.Key.Key_R, CONTROL)
    assert window.document is document
    assert window.live.running


def test_a_copy_that_fails_is_said(window, capture, qtbot, monkeypatch, tmp_path):
    """A folder that is not there: a sentence, and the capture is still unsaved."""
    capture()
    window.live.stop()
    qtbot.waitUntil(lambda: not window.live.running and not window.document.reading)
    target = tmp_path / "nowhere" / "x.pcapng"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    window.live.saver.save()
    qtbot.waitUntil(lambda: bool(window.messages.messages))
    assert "x.pcapng could not be written" in window.messages.messages[-1].text
    assert window.live.saver.is_needed


def test_without_rights_the_command_can_be_copied(window, capture, qtbot):
    """The process's own sentence, and a button that copies the exact command."""
    capture("rights")
    qtbot.waitUntil(lambda: not window.live.running)
    message = window.messages.messages[-1]
    assert message.text.startswith("You may not capture on lo.")
    label, act = message.buttons[0]
    assert label == "Copy the command"
    act()
    command = "sudo setcap cap_net_raw,cap_net_admin=eip /usr/bin/dumpcap"
    assert QApplication.clipboard().text() == command
    assert window.document is None


def test_a_process_that_breaks_is_said(window, capture, qtbot):
    """What it said last is the message."""
    capture("broken")
    qtbot.waitUntil(lambda: not window.live.running)
    assert window.messages.messages[-1].text == "The library is not what it should be."


def test_a_process_that_does_not_listen_is_ended(window, capture, qtbot, monkeypatch):
    """After its time it is ended by force, and what came is kept."""
    monkeypatch.setattr("cosemscope.gui.live.live_process.GRACE", 200)
    capture("deaf")
    number = window.live.process.number
    window.live.stop()
    qtbot.waitUntil(lambda: not window.live.running, timeout=10_000)
    assert not is_running(number)
    qtbot.waitUntil(lambda: not window.document.reading)
    assert window.document.wpdus


def test_a_link_is_no_capture(window, qtbot):
    """Ctrl+R restarts captures only."""
    with listener() as server:
        window.live.begin(ConnectJob(server.address))
        qtbot.waitUntil(lambda: window.document is not None)
        assert not window.actions_by_name["restart"].isEnabled()
        assert window.actions_by_name["stop"].isEnabled()
