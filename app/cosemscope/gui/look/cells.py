"""Drawing of cells of tables and trees: the table's by hand, in less time than the style takes.

A page of the WPDU table is some four hundred cells; filling and writing them
directly takes three quarters of the time, and gives each cell air at its sides.
"""

from collections.abc import Callable, Collection
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QIcon, QPainter, QPalette
from PySide6.QtWidgets import QProxyStyle, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

_Index = QModelIndex | QPersistentModelIndex

#: Pixels between a cell's edge and its text.
CELL_PADDING = 6

#: Characters that are shown at least of each half of a text that loses its middles.
_LEAST_HALF = 9

#: Pixels that a row of a tree is taller than its text.
_TREE_AIR = 5

_DISPLAY = int(Qt.ItemDataRole.DisplayRole)
_DECORATION = int(Qt.ItemDataRole.DecorationRole)
_BACKGROUND = int(Qt.ItemDataRole.BackgroundRole)
_ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)
_LEFT = int(Qt.AlignmentFlag.AlignLeft)
_MIDDLE = Qt.AlignmentFlag.AlignCenter
_ON_BASE, _ON_SELECTED = QIcon.Mode.Normal, QIcon.Mode.Selected
_HINT = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
_SELECTED = QStyle.StateFlag.State_Selected
_ELIDE, _ELIDE_WITHIN = Qt.TextElideMode.ElideRight, Qt.TextElideMode.ElideMiddle


class CellDelegate(QStyledItemDelegate):
    """Background, an icon if there is one, and one line of text.

    What does not fit is left out at its end; in the columns of `middle`, such as addresses, within it.
    """

    def __init__(self, parent: QObject | None = None, middle: Collection[int] = ()) -> None:
        super().__init__(parent)
        self.middle = frozenset(middle)
        #: the colour of the text of a row at a position, None for the usual one
        self.ink: Callable[[int], QColor | None] | None = None
        #: draws something at the left of the first cell of the row at a position, in this colour
        self.margin: Callable[[QPainter, QRect, int, QColor], None] | None = None
        self.margin_width = 0

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one cell."""
        rect: QRect = option.rect
        palette: QPalette = option.palette
        if option.state & _SELECTED:
            painter.fillRect(rect, palette.brush(QPalette.ColorRole.Highlight))
            painter.setPen(palette.color(QPalette.ColorRole.HighlightedText))
        else:
            painter.fillRect(rect, index.data(_BACKGROUND))
            ink = self.ink(index.row()) if self.ink is not None else None
            painter.setPen(palette.color(QPalette.ColorRole.Text) if ink is None else ink)
        left, width = rect.left() + CELL_PADDING, rect.width() - 2 * CELL_PADDING
        if self.margin is not None and index.column() == 0:
            self.margin(painter, rect, index.row(), painter.pen().color())
            left, width = left + self.margin_width, width - self.margin_width
        icon: Any = index.data(_DECORATION)
        alignment: int = index.data(_ALIGNMENT)
        if icon is not None:
            side = rect.height() - 4
            mode = _ON_SELECTED if option.state & _SELECTED else _ON_BASE
            icon.paint(painter, left - CELL_PADDING + 3, rect.top() + 2, side, side, _MIDDLE, mode)
            if alignment & _LEFT:
                left, width = left + side, width - side
        painter.setFont(option.font)
        text: str = index.data(_DISPLAY)
        metrics = option.fontMetrics
        if metrics.horizontalAdvance(text) > width:
            within = index.column() in self.middle
            text = metrics.elidedText(text, _ELIDE_WITHIN if within else _ELIDE, width)
        painter.drawText(left, rect.top(), width, rect.height(), alignment, text)


class HeaderStyle(QProxyStyle):
    """Fusion with titles that stand above the text of `CellDelegate`'s cells."""

    def __init__(self) -> None:
        super().__init__("Fusion")

    def pixelMetric(self, metric: QStyle.PixelMetric, option: Any = None, widget: Any = None) -> int:
        """The margin of titles is that of cells; everything else as Fusion has it."""
        if metric == QStyle.PixelMetric.PM_HeaderMargin:
            return CELL_PADDING
        return super().pixelMetric(metric, option, widget)


def elided_halves(text: str, joint: str, metrics: QFontMetrics, width: int) -> str:
    """`text` within `width` pixels: what stands on each side of `joint` loses its middle.

    So both ends of two long addresses are seen, and not the whole of the first alone. Where that would leave
    next to nothing of either, the end is left out.
    """
    if metrics.horizontalAdvance(text) <= width:
        return text
    halves = text.split(joint)
    room = (width - metrics.horizontalAdvance(joint)) // 2
    if room < metrics.averageCharWidth() * _LEAST_HALF:
        return metrics.elidedText(text, _ELIDE, width)
    widths = [metrics.horizontalAdvance(half) for half in halves]
    spare = max(0, room - min(widths))  # what the shorter one leaves is the longer one's
    return joint.join(metrics.elidedText(half, _ELIDE_WITHIN, room + spare) for half in halves)


def paint_hint(port: QWidget, text: str) -> None:
    """Write into the middle of an empty pane why it is empty."""
    painter = QPainter(port)
    try:
        painter.setPen(port.palette().color(QPalette.ColorRole.PlaceholderText))
        painter.drawText(port.rect().adjusted(12, 8, -12, -8), _HINT, text)
    finally:
        painter.end()


class TreeDelegate(QStyledItemDelegate):
    """The style's own drawing, in rows with some air."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """As the style says, and at least the text's height and some air."""
        size = super().sizeHint(option, index)
        size.setHeight(max(size.height(), option.fontMetrics.height() + _TREE_AIR))
        return size
