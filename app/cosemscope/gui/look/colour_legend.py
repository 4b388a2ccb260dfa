"""A legend of a graph: coloured points with names in one line, as many as have room, in plain text."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

_POINT, _GAP = 8, 14


class ColourLegend(QWidget):
    """The legend. `entries`: colour and name of each, the most important first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entries: tuple[tuple[str, str], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setAccessibleName("Legend")

    def show_entries(self, entries: tuple[tuple[str, str], ...]) -> None:
        """Show these."""
        self.entries = entries
        self.setAccessibleDescription(", ".join(name for _, name in entries))
        self.update()

    def sizeHint(self) -> QSize:
        """A line of text."""
        return QSize(1, self.fontMetrics().height())

    def fitting(self) -> list[tuple[str, str, int]]:
        """Those that have room: colour, name and place in pixels of each."""
        found, x, metrics = [], 0, self.fontMetrics()
        for colour, name in self.entries:
            width = _POINT + 4 + metrics.horizontalAdvance(name)
            if x + width > self.width():
                break
            found.append((colour, name, x))
            x += width + _GAP
        return found

    def paintEvent(self, event: QPaintEvent) -> None:
        """The points and names that have room."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.height() / 2
        for colour, name, x in self.fitting():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour))
            painter.drawEllipse(QRectF(x, middle - _POINT / 2, _POINT, _POINT))
            painter.setPen(self.palette().color(self.foregroundRole()))
            room = QRectF(x + _POINT + 4, 0, self.width(), self.height())
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, name)
