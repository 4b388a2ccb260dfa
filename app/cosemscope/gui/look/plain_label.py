"""A label shows a text as it stands: a name from a file or a packet is never taken for mark-up."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget


class PlainLabel(QLabel):
    """A label without rich text, of `text` or of what is set later."""

    def __init__(self, text: str | QWidget | None = None, parent: QWidget | None = None) -> None:
        words, above = (text, parent) if isinstance(text, str) else ("", text)
        super().__init__(words, above)
        self.setTextFormat(Qt.TextFormat.PlainText)
