"""Marks, ignored WPDUs, time references and comments, by the keys that hands know; undone, saved."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.notes import NoteKind
from cosemscope.capture.files.reader import open_capture
from cosemscope.gui.dialogs.comment_dialog import CommentDialog
from cosemscope.gui.frame.window import SAMPLE
from cosemscope.resources import resource

_CTRL, _SHIFT, _ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


@pytest.fixture
def shown(open_in):
    """The window on the sample, its table with the focus."""
    window = open_in(resource(SAMPLE))
    window.workspace.table.setFocus()
    return window


def _press(qtbot, window, key, modifiers=_CTRL):
    qtbot.keyClick(window.workspace.table, key, modifiers)


def _cell(window, row: int, name: str) -> str:
    wpdus = window.workspace.table.wpdus
    column = [field.name for field in wpdus.fields].index(name)
    return wpdus.index(wpdus.position(row), column).data()


def test_marks_by_key_with_next_previous_and_undo(shown, qtbot):
    """Ctrl+M gives and takes; Ctrl+Shift+N and B go round; Ctrl+Z takes back; the status bar counts them."""
    table, notes = shown.workspace.table, shown.workspace.traffic.analysis.notes
    for row in (3, 9, 20):
        table.select_row(row)
        _press(qtbot, shown, Qt.Key.Key_M)
    assert notes.rows(NoteKind.MARKED).tolist() == [3, 9, 20]
    assert "3 marked" in shown.status.counts.text()
    seen = []
    for _ in range(3):
        _press(qtbot, shown, Qt.Key.Key_N, _CTRL | _SHIFT)
        seen.append(shown.selection.row)
    _press(qtbot, shown, Qt.Key.Key_B, _CTRL | _SHIFT)
    assert [*seen, shown.selection.row] == [3, 9, 20, 9]
    _press(qtbot, shown, Qt.Key.Key_M)
    assert notes.rows(NoteKind.MARKED).tolist() == [3, 20]
    for _ in range(2):
        _press(qtbot, shown, Qt.Key.Key_Z)
    assert notes.rows(NoteKind.MARKED).tolist() == [3, 9]


def test_marked_rows_look_so_and_can_be_filtered(shown, qtbot):
    """Another background and ink; `frame.marked` follows what is marked, while it is in force."""
    workspace = shown.workspace
    table = workspace.table
    plain = table.wpdus.index(3, 0).data(Qt.ItemDataRole.BackgroundRole).color()
    table.select_row(3)
    _press(qtbot, shown, Qt.Key.Key_M)
    assert table.wpdus.index(3, 0).data(Qt.ItemDataRole.BackgroundRole).color() != plain
    assert table.wpdus.ink(3) is not None
    assert table.wpdus.ink(4) is None
    shown.selection.restrict("typed", "frame.marked")
    qtbot.waitUntil(lambda: table.wpdus.rowCount() == 1)
    workspace.traffic.analysis.notes.put(NoteKind.MARKED, np.array([7]), give=True)
    shown.selection.tell_noted()
    qtbot.waitUntil(lambda: table.wpdus.rowCount() == 2)


def test_all_that_are_displayed_are_marked_at_once(shown, qtbot):
    """Ctrl+Shift+M marks what a filter leaves; the export offers what is marked."""
    shown.selection.restrict("typed", "apdu == get-request")
    qtbot.waitUntil(lambda: 0 < shown.workspace.table.wpdus.rowCount() < 142)
    count = shown.workspace.table.wpdus.rowCount()
    _press(qtbot, shown, Qt.Key.Key_M, _CTRL | _SHIFT)
    shown.selection.show_all()
    assert len(shown.exporting.rows_of("marked")) == count
    _press(qtbot, shown, Qt.Key.Key_M, _CTRL | _ALT)
    assert len(shown.exporting.rows_of("marked")) == 0


def test_ignored_wpdus_are_left_out_of_counts_and_exports(shown, qtbot):
    """Ctrl+D: greyed where it stands, in no count and no export but that of what is selected."""
    table = shown.workspace.table
    table.select_row(5)
    _press(qtbot, shown, Qt.Key.Key_D)
    assert table.wpdus.ink(5) is not None
    assert table.wpdus.rowCount() == shown.workspace.traffic.total
    assert 5 not in shown.exporting.rows_of("all").tolist()
    assert 5 not in shown.exporting.rows_of("displayed").tolist()
    assert 5 in shown.exporting.rows_of("selected").tolist()
    assert not shown.selection.counted()[5]
    _press(qtbot, shown, Qt.Key.Key_D, _CTRL | _ALT)
    assert shown.exporting.rows_of("all") is None


def test_relative_times_count_from_a_reference(shown, qtbot):
    """Ctrl+T: *REF* there, smaller times behind it, the old ones before it; copies say the same."""
    table, wpdus = shown.workspace.table, shown.workspace.table.wpdus
    times = shown.workspace.traffic.wpdus["time"]
    before = _cell(shown, 4, "wpdu.time")
    table.select_row(10)
    _press(qtbot, shown, Qt.Key.Key_T)
    assert _cell(shown, 10, "wpdu.time") == "*REF*"
    assert _cell(shown, 4, "wpdu.time") == before
    assert float(_cell(shown, 30, "wpdu.time")) == pytest.approx((times[30] - times[10]) / 1e9, abs=1e-6)
    texts = wpdus.cells.row_texts(table.header.shown, [range(4, 31)])
    column = texts.column(next(field for field in wpdus.fields if field.name == "wpdu.time"))
    assert (column[0], column[6], column[26]) == (before, "*REF*", _cell(shown, 30, "wpdu.time"))
    table.select_row(40)
    _press(qtbot, shown, Qt.Key.Key_T)
    _press(qtbot, shown, Qt.Key.Key_B, _CTRL | _ALT)
    assert shown.selection.row == 10
    _press(qtbot, shown, Qt.Key.Key_N, _CTRL | _ALT)
    assert shown.selection.row == 40
    _press(qtbot, shown, Qt.Key.Key_T, _CTRL | _ALT)
    assert _cell(shown, 10, "wpdu.time") not in ("*REF*", "0.000000")


def _write_comment(qtbot, window, text: str) -> None:
    _press(qtbot, window, Qt.Key.Key_C, _CTRL | _ALT)
    dialog = window.findChild(CommentDialog)
    dialog.text.setPlainText(text)
    dialog.accept()
    QGuiApplication.processEvents()


def test_comments_are_kept_in_the_pcapng_that_is_saved(shown, qtbot, tmp_path, monkeypatch):
    """Ctrl+Alt+C; the title says that they are in no file; saved, they are there when the file is opened."""
    table, analysis = shown.workspace.table, shown.workspace.traffic.analysis
    table.select_row(12)
    packet = int(analysis.packets_of(12)[0])
    _write_comment(qtbot, shown, "The meter is late\n\nsee ticket 7")
    assert analysis.notes.comments[packet] == ("The meter is late", "see ticket 7")
    assert "The meter is late" in shown.workspace.details.comments.text()
    assert shown.isWindowModified()
    target = tmp_path / "commented.pcapng"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *words: (str(target), ""))
    shown.live.saver.save()
    qtbot.waitUntil(target.exists)
    qtbot.waitUntil(lambda: not shown.isWindowModified())
    with open_capture(target) as reader:
        again = Analysis(reader).run()
        assert reader.comments[packet] == ("The meter is late", "see ticket 7")
        assert len(again.packets) == len(analysis.packets)
        assert again.wpdus["time"].tolist() == analysis.wpdus["time"].tolist()


def test_unsaved_comments_are_asked_about_before_they_are_lost(shown, qtbot, monkeypatch):
    """Closing asks; whoever cancels keeps capture and comment; undoing leaves nothing to ask about."""
    asked = []
    monkeypatch.setattr(
        "cosemscope.gui.live.saver.ask_unsaved_comments", lambda *_: asked.append(1) or "cancel"
    )
    shown.workspace.table.select_row(12)
    _write_comment(qtbot, shown, "late")
    shown.close_capture()
    assert asked == [1]
    assert shown.document is not None
    shown.noting.undo()
    assert not shown.isWindowModified()
    shown.close_capture()
    assert asked == [1]
    assert shown.document is None


def test_the_samples_own_comments_can_be_changed(open_in, qtbot):
    """A comment that the file has is what the dialog shows; without a text it is gone."""
    window = open_in(Path(resource("samples/faults.pcapng")))
    window.workspace.table.setFocus()
    analysis = window.workspace.traffic.analysis
    row = next(
        row
        for row in range(len(analysis.wpdus))
        if int(analysis.packets_of(row)[0]) in analysis.reader.comments
    )
    packet = int(analysis.packets_of(row)[0])
    window.workspace.table.select_row(row)
    _press(qtbot, window, Qt.Key.Key_C, _CTRL | _ALT)
    dialog = window.findChild(CommentDialog)
    assert dialog.text.toPlainText() == "\n\n".join(analysis.reader.comments[packet])
    dialog.text.setPlainText(" ")
    dialog.accept()
    assert analysis.notes.comments[packet] == ()
