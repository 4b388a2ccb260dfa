"""The line above the fields with the comments that the capture has on a WPDU's packets."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QFocusEvent, QGuiApplication, QPalette, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from cosemscope.gui.look import theme
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.look.icons import icon
from cosemscope.wording import printable

#: Characters that are laid out at most; a comment may be as long as a block of its file.
_SHOWN = 4_000
_BETWEEN = "  ·  "


class CommentLine(QLineEdit):
    """One line that is hidden where there is no comment, and elided where it is too long.

    The tool tip has the whole then; with the focus on it the line can be gone through and copied.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = self._line = ""
        self.setReadOnly(True)
        self.setFrame(False)
        self.setTextMargins(0, 4, 4, 4)
        self.setAccessibleName("Comments on the packets")
        self.addAction(icon("info"), QLineEdit.ActionPosition.LeadingPosition)
        self._paint_as_meant()
        self.hide()

    def show_comments(self, comments: Sequence[str]) -> None:
        """Show these comments; nothing for none."""
        whole = "\n".join(comments)
        if whole != self._whole:
            self._whole = whole
            lines = (printable(" ".join(comment.split())[:_SHOWN]) for comment in comments)
            self._line = _BETWEEN.join(lines)[:_SHOWN]
            self._fit()
        self.setVisible(bool(comments))

    def _fit(self) -> None:
        """Write what there is room for: all of it while somebody goes through it."""
        margins = self.textMargins()
        room = self.width() - margins.left() - margins.right() - self.height() - 8  # the picture is a square
        text = self._line
        if not self.hasFocus():
            text = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, max(0, room))
        if text != self.text():
            self.setText(text)
            self.setCursorPosition(0)
        is_cut = text != self._whole
        self.setToolTip(plain_tip(self._whole) if is_cut else "")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Use the new width."""
        super().resizeEvent(event)
        self._fit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Have all of the line."""
        self._fit()  # before what Tab comes to is selected
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Be elided again, unless it is a menu that has the focus meanwhile."""
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the colour scheme and the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()
        elif event.type() == QEvent.Type.PaletteChange:
            self._paint_as_meant()

    def _paint_as_meant(self) -> None:
        back = QColor(theme.colours(QGuiApplication.palette()).message_note)
        if self.palette().color(QPalette.ColorRole.Base) != back:
            palette = QPalette()  # has all else from the application, also when that changes
            palette.setColor(QPalette.ColorRole.Base, back)
            self.setPalette(palette)
