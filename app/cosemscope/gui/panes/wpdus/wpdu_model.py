"""The model of the WPDU table: fields as columns, and an array of row numbers.

Cells become text when they are painted, never before; filter and order are an array of row numbers
(`row_order.RowOrder`), never a proxy model. What a column is called, says and sorts by stands in the registry
of fields, how it looks in `column_looks`.
"""

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QBrush,
    QColor,
    QGuiApplication,
)

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import Cost, RowField
from cosemscope.analysis.notes import NoteKind
from cosemscope.gui.document.conditions import Filters
from cosemscope.gui.document.protection import VERDICT_LOOKS
from cosemscope.gui.document.traffic import Line, Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.apdu_kinds import Kind
from cosemscope.gui.look.formats import TIME_FORMATS, TimeBase, plain_tip
from cosemscope.gui.look.icons import icon
from cosemscope.gui.panes.row_order import Key, RowOrder, Rows
from cosemscope.gui.panes.wpdus.column_looks import USUAL_FIELDS, look_of
from cosemscope.gui.panes.wpdus.wpdu_cells import WpduCells

_Index = QModelIndex | QPersistentModelIndex

_DISPLAY = int(Qt.ItemDataRole.DisplayRole)
_DECORATION = int(Qt.ItemDataRole.DecorationRole)
_TOOLTIP = int(Qt.ItemDataRole.ToolTipRole)
_ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)
_BACKGROUND = int(Qt.ItemDataRole.BackgroundRole)
_SERVED = (_DISPLAY, _ALIGNMENT, _BACKGROUND, _DECORATION, _TOOLTIP)

#: Times that rows are sorted by as they are shown.
_GAPS = (TimeBase.PREVIOUS, TimeBase.DISPLAYED, TimeBase.REQUEST)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


def usual_fields() -> tuple[RowField, ...]:
    """The columns where nobody has chosen others."""
    return tuple(FIELDS[name] for name in USUAL_FIELDS)


class WpduModel(QAbstractTableModel):
    """WPDU rows, as many as `order` shows. `rowsChanged` follows every change of which rows are shown."""

    rowsChanged = Signal()

    traffic: Traffic

    def __init__(self, filters: Filters, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.traffic = Traffic.empty()
        self.order = RowOrder(filters)
        self.cells = WpduCells(self.order)
        self.cells.changed.connect(self._tell_changed)
        self.fields: tuple[RowField, ...] = ()
        self.set_fields(usual_fields())
        self._known = 0  # rows of the capture; sorted rows may be shown with some delay
        self._sorted_by = (-1, Qt.SortOrder.AscendingOrder)
        self._brushes: dict[Kind, QBrush] = {}
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._catch_up)

    # What is shown

    def set_traffic(self, traffic: Traffic) -> None:
        """Show another capture, from its beginning."""
        self.beginResetModel()
        self.traffic = traffic
        self.order.clear()
        self.cells.set_traffic(traffic)
        self._known = 0
        self.endResetModel()
        self.rowsChanged.emit()

    def take_rows(self, total: int) -> None:
        """The capture has `total` WPDUs now: show those that are new and wanted."""
        self._known = max(total, self._known)
        self.cells.forget_pages()
        if self.order.sorted:
            self._catch_up()
            return
        answered = self.order.filters.answered(self._known)
        count, fresh = self.order.grow(answered)
        if count:
            shown = len(self.order)
            self.beginInsertRows(QModelIndex(), shown, shown + count - 1)
            self.order.commit(answered, fresh)
            self.endInsertRows()
            self.rowsChanged.emit()
        else:
            self.order.commit(answered, fresh)

    def _catch_up(self) -> None:
        """Sort what has grown, now or when it is due."""
        answered = self.order.filters.answered(self._known)
        if self.order.total == answered:
            return
        if self.order.due(time.monotonic()):
            self._reset(lambda: self.order.rebuild(answered))
        elif not self._later.isActive():
            self._later.start(250)

    def _reset(self, change: Callable[[], None]) -> None:
        self.beginResetModel()
        change()
        self.cells.forget_pages()
        self.endResetModel()
        self.rowsChanged.emit()

    def filter_anew(self) -> None:
        """Show the rows that pass the filters now."""
        self._reset(lambda: self.order.rebuild(self.order.filters.answered(self._known)))

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; by -1 the rows stand as they came. One that is read row by row needs its key."""
        if self.is_read(column):
            return
        field = self.fields[column] if column >= 0 else None
        down = order == Qt.SortOrder.DescendingOrder
        key = None if field is None or field.name == "wpdu.number" else self._key(field, descending=down)
        self.sort_by_key(key, column, order)

    def sort_by_key(self, key: Key | None, column: int, order: Qt.SortOrder) -> None:
        """Sort by the key of a column."""
        self._sorted_by = column, order
        down = column >= 0 and order == Qt.SortOrder.DescendingOrder
        self._reset(lambda: self.order.set_order(key, down))

    def is_read(self, column: int) -> bool:
        """Whether a column is read out of each APDU by itself: its sort key takes a while."""
        return column >= 0 and self.fields[column].cost is Cost.TREE

    def _key(self, field: RowField, *, descending: bool) -> Callable[[int], npt.NDArray[np.generic]]:
        if field.name == "wpdu.time" and TIME_FORMATS[self.cells.time_format].since in _GAPS:
            return partial(self._gaps, np.iinfo(np.int64).min if descending else np.iinfo(np.int64).max)

        def key(stop: int) -> npt.NDArray[np.generic]:
            return field.order(AskedRows(self.traffic.analysis, slice(0, stop)), descending=descending)

        return key

    def _gaps(self, nothing: int, stop: int) -> npt.NDArray[np.int64]:
        """Nanoseconds since what the time format counts from; `nothing` where there is none."""
        times = self.traffic.wpdus["time"][:stop]
        since = TIME_FORMATS[self.cells.time_format].since
        if since is TimeBase.REQUEST:
            requests = self.traffic.requests(np.arange(stop))
            return np.where(requests >= 0, times - times[np.maximum(requests, 0)], nothing)
        gaps = np.zeros(stop, np.int64)
        rows: slice | npt.NDArray[np.intp] = slice(None)
        if since is TimeBase.DISPLAYED and self.order.filters:
            rows = np.flatnonzero(self.order.filters.matching(0, stop))
        chosen = times[rows]
        gaps[rows] = np.diff(chosen, prepend=chosen[:1])
        return gaps

    def set_fields(self, fields: Iterable[RowField]) -> None:
        """Make these the columns."""
        self.beginResetModel()
        self.fields = tuple(fields)
        self.cells.set_fields(self.fields)
        self.endResetModel()

    def set_time_format(self, name: str, places: int = 6) -> None:
        """Write times in another way (a key of `TIME_FORMATS`), with so many digits behind the point."""
        self.cells.time_format = name if name in TIME_FORMATS else "relative"
        self.cells.places = places
        column, order = self._sorted_by
        if self.order.sorted and column >= 0 and self.fields[column].name == "wpdu.time":
            self.sort(column, order)  # what stands there now is what it is sorted by
        self._tell_changed()

    def forget_colours(self) -> None:
        """The colour scheme has changed."""
        self._brushes.clear()

    # Rows and values

    @property
    def known(self) -> int:
        """WPDUs of the capture, shown or not."""
        return self._known

    def row(self, position: int) -> int:
        """The WPDU row shown at `position`."""
        return self.order.row(position)

    def position(self, row: int) -> int:
        """Where a WPDU row is shown, -1 when it is filtered out."""
        return self.order.position(row)

    def info(self, row: int) -> Line:
        """What a row is about."""
        return self.cells.line(row)

    def forget_infos(self) -> None:
        """What APDUs say may have changed, as with other keys: make their cells anew."""
        self.cells.forget()
        self._tell_changed()

    def forget_pages(self) -> None:
        """What is told of all rows at once may have changed, as expert items have: make their cells anew."""
        self.cells.forget_pages()
        self._tell_changed()

    def _tell_changed(self) -> None:
        """Cells that cost a look say more now, or something else."""
        if len(self.order):
            last = self.index(len(self.order) - 1, len(self.fields) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def kinds(self, rows: Rows) -> npt.NDArray[np.uint8]:
        """The kinds of some rows."""
        return self.traffic.kinds(rows)

    # Qt's side

    def rowCount(self, parent: _Index = QModelIndex()) -> int:
        """Rows shown."""
        return 0 if parent.isValid() else len(self.order)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:
        """Columns shown."""
        return 0 if parent.isValid() else len(self.fields)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """Titles, aligned as their columns, and what they mean."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        field = self.fields[section]
        if role == _DISPLAY:
            return field.title
        if role == _ALIGNMENT:
            return _alignment(field)
        if role != _TOOLTIP:
            return None
        lines = [field.meaning, field.name]
        return plain_tip("\n".join(lines))

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        """Text, alignment, background, mark and explanation of a cell."""
        if role not in _SERVED:
            return None
        field, position = self.fields[index.column()], index.row()
        if role == _DISPLAY:
            return self.cells.text(field, position) or look_of(field).nothing
        if role == _ALIGNMENT:
            return _alignment(field)
        row = self.order.row(position)
        if role == _BACKGROUND:
            return self._background(row)
        if role == _TOOLTIP:
            return self._tip(field, position, row)
        return self._decoration(field, row)

    def _tip(self, field: RowField, position: int, row: int) -> str | None:
        if field.name == "info":
            line = self.info(row)
            return plain_tip(f"{line.text}\n{line.sentence}".rstrip()) or None
        tip = look_of(field).tip
        return plain_tip(tip(self.traffic, row) if tip else self.cells.text(field, position)) or None

    def _decoration(self, field: RowField, row: int) -> Any:
        """The signs for marks and comments at the number, and for protection at the info line."""
        scheme = theme.colours(QGuiApplication.palette())
        if field.name == "wpdu.number":
            if self.traffic.marks(row):
                return icon("warning", scheme.warning)
            return icon("info") if self.traffic.comments(row) else None
        look = VERDICT_LOOKS.get(self.info(row).verdict) if field.name == "info" else None
        return icon(look.icon, getattr(scheme, look.ink)) if look is not None else None

    def ink(self, position: int) -> QColor | None:
        """The colour of the text of the row shown at `position`; None for the usual one."""
        notes = self.traffic.analysis.notes
        if not notes.version:
            return None
        bits = notes.bits(self.order.row(position))
        if not bits & (NoteKind.MARKED | NoteKind.IGNORED):
            return None
        scheme = theme.colours(QGuiApplication.palette())
        return QColor(scheme.muted if bits & NoteKind.IGNORED else scheme.mark_text)

    def _background(self, row: int) -> QBrush:
        notes = self.traffic.analysis.notes
        if notes.version and notes.bits(row) & (NoteKind.MARKED | NoteKind.IGNORED) == NoteKind.MARKED:
            return QBrush(QColor(theme.colours(QGuiApplication.palette()).mark))
        if self.traffic.is_unanswered(row):
            return QBrush(QColor(theme.colours(QGuiApplication.palette()).unanswered))
        kind = self.traffic.kind(row)
        brush = self._brushes.get(kind)
        if brush is None:
            brush = QBrush(QColor(theme.colours(QGuiApplication.palette()).tints[kind]))
            self._brushes[kind] = brush
        return brush


def _alignment(field: RowField) -> int:
    return _RIGHT if field.type.numeric else _LEFT
