"""A small dialog to write comments on a packet; nothing waits for it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from cosemscope.gui.look.plain_label import PlainLabel


class CommentDialog(QDialog):
    """`written` gives the text when a person has accepted it; an empty line stands between two comments."""

    written = Signal(str)

    def __init__(self, parent: QWidget, packet: int, text: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Comment on packet {packet:,}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.text = QPlainTextEdit(text, self)
        self.text.setAccessibleName(f"Comment on packet {packet:,}")
        self.text.setTabChangesFocus(True)
        self.text.setPlaceholderText("What is to be known of this packet")
        note = PlainLabel(self)
        note.setText("An empty line begins another comment. Comments go into the pcapng that you save.")
        note.setWordWrap(True)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self
        )
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        QShortcut(QKeySequence("Ctrl+Return"), self, self.accept)
        column = QVBoxLayout(self)
        for widget in (self.text, note, self.buttons):
            column.addWidget(widget)
        self.resize(460, 200)

    def accept(self) -> None:
        """Give the text."""
        self.written.emit(self.text.toPlainText())
        super().accept()
