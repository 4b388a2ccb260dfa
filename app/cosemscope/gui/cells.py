"""How cells of tables and trees are drawn: the table's by hand, which is quicker than the style does it.

A page of the WPDU table is some four hundred cells; filling and writing them
directly takes three quarters of the time, and gives each cell air at its sides.
"""

from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

_Index = QModelIndex | QPersistentModelIndex

#: Pixels between a cell's edge and its text.
CELL_PADDING = 7

#: Pixels that a row of a tree is taller than its text.
_TREE_AIR = 5

_DISPLAY = int(Qt.ItemDataRole.DisplayRole)
_DECORATION = int(Qt.ItemDataRole.DecorationRole)
_BACKGROUND = int(Qt.ItemDataRole.BackgroundRole)
_ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)
_LEFT = int(Qt.AlignmentFlag.AlignLeft)
_MIDDLE = Qt.AlignmentFlag.AlignCenter
_ON_BASE, _ON_SELECTED = QIcon.Mode.Normal, QIcon.Mode.Selected
_SELECTED = QStyle.StateFlag.State_Selected
_ELIDE = Qt.TextElideMode.ElideRight


class CellDelegate(QStyledItemDelegate):
    """Background, an icon if there is one, and one line of text."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one cell."""
        rect: QRect = option.rect
        palette: QPalette = option.palette
        if option.state & _SELECTED:
            painter.fillRect(rect, palette.brush(QPalette.ColorRole.Highlight))
            painter.setPen(palette.color(QPalette.ColorRole.HighlightedText))
        else:
            painter.fillRect(rect, index.data(_BACKGROUND))
            painter.setPen(palette.color(QPalette.ColorRole.Text))
        left, width = rect.left() + CELL_PADDING, rect.width() - 2 * CELL_PADDING
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
            text = metrics.elidedText(text, _ELIDE, width)
        painter.drawText(left, rect.top(), width, rect.height(), alignment, text)


class TreeDelegate(QStyledItemDelegate):
    """The style's own drawing, in rows with some air."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """As the style says, and at least the text's height and some air."""
        size = super().sizeHint(option, index)
        size.setHeight(max(size.height(), option.fontMetrics.height() + _TREE_AIR))
        return size
