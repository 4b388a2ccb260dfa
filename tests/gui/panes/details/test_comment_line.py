"""The comments of a capture stand above the fields of the WPDU that they are on."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication

from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.gui.base import settings as options
from cosemscope.gui.look import theme
from tests.helpers.annotated import write_annotated


def test_the_comment_of_the_selected_wpdu_stands_above_its_fields(open_in, qtbot, tmp_path: Path) -> None:
    """It goes with the selection; a long one is elided, told whole by the tool tip, and can be copied."""
    long = "<b>no mark-up</b>\nsecond line " + "and on " * 100
    window = open_in(write_annotated(tmp_path / "commented.pcapng", b"why twice?", long.encode()))
    table, line = window.workspace.table, window.workspace.details.comments
    table.select_row(0)
    assert not line.isVisible()
    table.select_row(1)
    assert line.isVisible()
    assert line.text() == "Packet 2: why twice?"
    assert line.toolTip() == ""
    table.select_row(2)
    assert line.text().startswith("Packet 3: <b>no mark-up</b> second line and on")
    tip = table.wpdus.data(table.wpdus.index(2, 0), int(Qt.ItemDataRole.ToolTipRole))
    assert "&lt;b&gt;no mark-up&lt;/b&gt;\nsecond line" in tip
    assert line.text().endswith("…")
    assert "&lt;b&gt;no mark-up&lt;/b&gt;\nsecond line" in line.toolTip()
    line.setFocus(Qt.FocusReason.TabFocusReason)
    assert line.selectedText() == f"Packet 3: {' '.join(long.split())}"
    table.setFocus()
    assert line.text().endswith("…")
    for appearance, scheme in (("light", theme.LIGHT), ("dark", theme.DARK), ("light", theme.LIGHT)):
        window.settings.set(options.APPEARANCE, appearance)
        back = QColor(scheme.message_note)
        qtbot.waitUntil(lambda back=back: line.palette().base().color() == back)
        assert line.palette().text().color() == QColor(scheme.text)
    window.close_capture()
    assert not line.isVisible()


def test_what_cannot_be_printed_is_escaped_in_line_tip_and_cells(open_in, qtbot, tmp_path: Path) -> None:
    """Line breaks are blanks in the line, and escaped in cells, which have one line, too."""
    comment = "one\ntwo \x1b[31mred \u202eback"
    window = open_in(write_annotated(tmp_path / "commented.pcapng", comment.encode()))
    table, line = window.workspace.table, window.workspace.details.comments
    table.header.show_fields([FIELDS["frame.comment"]])
    table.select_row(1)
    assert line.text() == r"Packet 2: one two \x1b[31mred \u202eback"
    assert line.toolTip() == "Packet 2: one\ntwo \\x1b[31mred \\u202eback"
    assert table.wpdus.data(table.wpdus.index(1, 0)) == r"one\ntwo \x1b[31mred \u202eback"
    table.selectAll()
    table.copy()
    assert QGuiApplication.clipboard().text().splitlines()[-1] == r"one\ntwo \x1b[31mred \u202eback"
