"""The list of network interfaces: names, addresses, state, and the rate of packets as a small curve."""

from collections import deque
from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import (
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from cosemscope.capture.capturing.interfaces import CaptureInterface
from cosemscope.gui.look import theme
from cosemscope.gui.look.formats import plain_tip

_TITLES = ("Interface", "Addresses", "State", "Packets a second")
_RATE = len(_TITLES) - 1
_NAME_ROLE = int(Qt.ItemDataRole.UserRole)
_RATES_ROLE = _NAME_ROLE + 1

#: Rates in a curve.
KEPT_RATES = 40
_FIGURE_WIDTH = 74
_ROW_MARGIN = 9


class RateDelegate(QStyledItemDelegate):
    """Paints the last rates of an interface as a curve, and the present one as a figure."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """High enough for a curve; it is the height of all rows."""
        return QSize(super().sizeHint(option, index).width(), option.fontMetrics.height() + _ROW_MARGIN)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """The background as usual, then the curve, then the figure at the right."""
        rates = index.data(_RATES_ROLE)
        self.initStyleOption(option, index)
        option.text = f"{rates[-1]:,.0f}" if rates else "–"
        option.displayAlignment = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        option.widget.style().drawControl(
            QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget
        )
        if not rates or len(rates) < 2 or not max(rates):
            return
        room = QRectF(option.rect).adjusted(6, 4, -_FIGURE_WIDTH, -4)
        step, top = room.width() / (KEPT_RATES - 1), max(rates)
        start = room.right() - step * (len(rates) - 1)
        points = [
            QPointF(start + step * place, room.bottom() - room.height() * rate / top)
            for place, rate in enumerate(rates)
        ]
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        scheme = theme.colours(option.palette)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(scheme.accent_text if selected else scheme.accent), 1.4))
        painter.drawPolyline(QPolygonF(points))
        painter.restore()


class InterfaceList(QTreeWidget):
    """The list; several interfaces may be selected. Those that may not be used are grey, and last."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Interfaces")
        self.setHeaderLabels(list(_TITLES))
        self.setRootIsDecorated(False)
        self.setAllColumnsShowFocus(True)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QTreeWidget.SelectionMode.ExtendedSelection)
        self.setItemDelegateForColumn(_RATE, RateDelegate(self))
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        for column, width in ((0, 250), (2, 100), (_RATE, 200)):
            header.resizeSection(column, width)
        self._rates: dict[str, deque[float]] = {}
        self._found: dict[str, CaptureInterface] = {}

    def show_interfaces(self, found: Sequence[CaptureInterface], wanted: Sequence[str]) -> None:
        """List `found`, with those named in `wanted` selected, or else the first that may be used."""
        self.clear()
        self._found = {interface.name: interface for interface in found}
        for interface in sorted(found, key=lambda one: (not one.may_capture, one.state != "up")):
            name = interface.name
            title, words = interface.title, interface.description
            label = f"{title}  ({words})" if words else title
            item = QTreeWidgetItem([label, ", ".join(interface.addresses), interface.state, ""])
            item.setData(0, _NAME_ROLE, name)
            tip = interface.reason or f"{label}: may be captured from, by {interface.way}"
            for column in range(len(_TITLES)):
                item.setToolTip(column, plain_tip(tip))
                if not interface.may_capture:
                    item.setForeground(column, self.palette().brush(QPalette.ColorRole.PlaceholderText))
            self.addTopLevelItem(item)
        items = [self.topLevelItem(row) for row in range(self.topLevelItemCount())]
        chosen = [item for item in items if item.data(0, _NAME_ROLE) in wanted] or items[:1]
        if chosen:
            self.setCurrentItem(chosen[0])
        for item in chosen:
            item.setSelected(True)

    def show_rates(self, rates: dict[str, float]) -> None:
        """Add a rate (packets a second) to the curves."""
        for row in range(self.topLevelItemCount()):
            item = self.topLevelItem(row)
            name = item.data(0, _NAME_ROLE)
            if name in rates:
                kept = self._rates.setdefault(name, deque(maxlen=KEPT_RATES))
                kept.append(rates[name])
                item.setData(_RATE, _RATES_ROLE, list(kept))

    @property
    def chosen(self) -> list[CaptureInterface]:
        """The selected interfaces, from above."""
        rows = sorted(self.indexOfTopLevelItem(item) for item in self.selectedItems())
        return [self._found[self.topLevelItem(row).data(0, _NAME_ROLE)] for row in rows]
