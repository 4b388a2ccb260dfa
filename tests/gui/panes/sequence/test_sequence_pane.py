"""The sequence diagram in the real window, by keys alone: move, preview, compare, open blocks, save, copy."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QMenu

from cosemscope.gui.frame.window import SAMPLE, Window
from cosemscope.gui.panes.sequence.sequence_pane import SequencePane
from cosemscope.resources import resource


@pytest.fixture
def shown(open_in, qtbot):
    """The window on a sample with the diagram of its first session."""

    def show(name: str) -> tuple[Window, SequencePane]:
        window = open_in(resource(name))
        window.workspace.selection.go_to(0)
        window.workspace.show_sequence()
        pane = window.workspace.panes["sequence"]
        qtbot.waitUntil(lambda: pane.layout_shown is not None)
        return window, pane

    return show


def test_keys_move_through_the_session(shown, qtbot):
    """Each arrow makes its WPDU current; the cursor follows what is chosen elsewhere."""
    window, pane = shown(SAMPLE)
    selection, rows = window.workspace.selection, pane.layout_shown.row
    assert pane.view.cursor_arrow == 0
    qtbot.keyClick(pane.view, Qt.Key.Key_Down)
    assert selection.row == rows[1]
    qtbot.keyClick(pane.view, Qt.Key.Key_End)
    assert selection.row == rows[-1]
    qtbot.keyClick(pane.view, Qt.Key.Key_Home)
    assert selection.row == rows[0]
    selection.go_to(rows.item(2))
    assert pane.view.cursor_arrow == 2
    other = next(row for row in range(selection.traffic.total) if pane.layout_shown.session.place(row) < 0)
    selection.go_to(other)
    qtbot.waitUntil(lambda: pane.layout_shown.arrow_of(other) >= 0)
    assert pane.layout_shown.row[pane.view.cursor_arrow] == other


def test_space_previews_and_space_again_compares(shown, qtbot):
    _, pane = shown(SAMPLE)
    qtbot.keyClick(pane.view, Qt.Key.Key_Space)
    assert pane.preview.isVisible()
    first = pane.preview.toPlainText()
    assert first.startswith("WPDU 1;")
    assert "AARQ" in first
    qtbot.keyClick(pane.view, Qt.Key.Key_Down)
    qtbot.keyClick(pane.view, Qt.Key.Key_Space)
    told = pane.preview.toPlainText().splitlines()
    assert "(−)" in told[0]
    assert any(line.startswith("-") and "AARQ" in line for line in told)
    assert any(line.startswith("+") and "AARE" in line for line in told)
    assert any(line.startswith(" ") for line in told)
    qtbot.keyClick(pane.view, Qt.Key.Key_Escape)
    assert pane.preview.isHidden()
    assert pane.view.marked == ()


def test_blocks_are_folded_and_opened(shown, qtbot):
    window, pane = shown(SAMPLE)
    traffic = window.workspace.traffic
    for row in range(traffic.total):
        window.workspace.selection.go_to(row)
        qtbot.waitUntil(lambda row=row: pane.layout_shown.arrow_of(row) >= 0)
        if len(pane.layout_shown.session.blocks):
            break
    layout, session = pane.layout_shown, pane.layout_shown.session
    assert len(layout.row) < len(session.rows)
    folded = next(arrow for arrow in range(len(layout.row)) if session.fold[layout.place[arrow]] >= 0)
    assert "WPDUs in blocks" in pane.words([layout.row.item(folded)])[0]
    pane.view.set_cursor(folded)
    qtbot.keyClick(pane.view, Qt.Key.Key_Return)
    assert len(pane.layout_shown.row) > len(layout.row)
    assert "WPDUs in blocks" not in pane.words([layout.row.item(folded)])[0]
    pane.turn_fold(pane.layout_shown.arrow_of(layout.row.item(folded)))
    assert len(pane.layout_shown.row) == len(layout.row)


def test_filters_restrict_it_and_the_hint_says_what_to_do(shown, qtbot):
    window, pane = shown(SAMPLE)
    whole = len(pane.layout_shown.row)
    window.workspace.selection.restrict("typed", "apdu == get-request")
    qtbot.waitUntil(lambda: 0 < len(pane.layout_shown.row) < whole)
    window.workspace.selection.restrict("typed", "wport == 4711")
    qtbot.waitUntil(lambda: not len(pane.layout_shown.row))
    assert "Ctrl+Shift+X" in pane.view.hint


def test_it_is_saved_and_copied(shown, tmp_path):
    """As a picture that has colours, as a drawing with its words, and for Mermaid."""
    window, pane = shown("samples/faults.pcapng")
    said, warned = [], []
    window.workspace.wishes.said.connect(said.append)
    window.workspace.wishes.warned.connect(warned.append)
    pane.write(tmp_path / "one.svg")
    pane.write(tmp_path / "one.png")
    assert "AARQ" in (tmp_path / "one.svg").read_text("utf-8")
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    pane.copy_mermaid()
    assert QGuiApplication.clipboard().text().startswith("sequenceDiagram")
    assert len(said) == 3
    pane.write(tmp_path / "none" / "one.svg")
    assert len(warned) == 1
    menu = QMenu()
    pane.menu_actions(menu)
    assert [action.text() for action in menu.actions()] == ["Copy for Mermaid", "Save as picture…"]
    colours = {QColor(pane.view.grab().toImage().pixel(x, 40)).name() for x in range(pane.view.width())}
    assert len(colours) > 2


def test_words_that_take_long_come_later(shown, qtbot, monkeypatch):
    """The diagram stands at once with the names of APDUs; what they say follows."""
    _, pane = shown(SAMPLE)
    rows = pane.layout_shown.row.tolist()
    whole = pane.words(rows)
    pane.read_anew()
    monkeypatch.setattr("cosemscope.gui.panes.sequence.sequence_pane._WORDS_EACH", -1.0)
    assert pane.words(rows, hasty=True)[:2] == ["AARQ", "AARE"]
    monkeypatch.undo()
    qtbot.waitUntil(lambda: len(pane._texts) > 1)
    assert pane.words(rows) == whole
