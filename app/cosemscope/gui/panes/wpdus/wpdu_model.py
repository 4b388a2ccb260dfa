"""The model of the WPDU table: columns, and an array of row numbers.

Cells become text when they are painted, never before; filter and order are an
array of row numbers (`rows.RowOrder`), never a proxy model. What a column is
called, shows, sorts by and explains stands in one table, `COLUMNS`.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

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

from cosemscope.apdu.names.tags import apdu_name
from cosemscope.gui.document.protection import VERDICT_LOOKS
from cosemscope.gui.document.selection import Filters
from cosemscope.gui.document.traffic import Line, Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.apdu_kinds import Kind, kind_of, kinds_of
from cosemscope.gui.look.formats import TIME_FORMATS, plain_tip
from cosemscope.gui.look.icons import icon
from cosemscope.gui.panes.row_order import RowOrder, Rows
from cosemscope.transport.wports import wport_name
from cosemscope.wording import clock

_Index = QModelIndex | QPersistentModelIndex

_DISPLAY = int(Qt.ItemDataRole.DisplayRole)
_DECORATION = int(Qt.ItemDataRole.DecorationRole)
_TOOLTIP = int(Qt.ItemDataRole.ToolTipRole)
_ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)
_BACKGROUND = int(Qt.ItemDataRole.BackgroundRole)
_SERVED = (_DISPLAY, _ALIGNMENT, _BACKGROUND, _DECORATION, _TOOLTIP)

_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

#: Info lines kept, and how many of those asked for last are completed.
KEPT_INFOS = 20_000
SETTLED_ROWS = 200

#: Streams whose addresses tell how wide those columns are to be.
_STREAMS_MEASURED = 200

#: How long the window may be kept from other work to complete them.
SETTLE_SECONDS = 0.008


class Column(NamedTuple):
    """One column: `text` and `tip` of a row, and `key` to sort rows 0 to `stop` by.

    `sample` is what it has room for, `least` what it has room for where there is little, and where there is
    very little; `middle`: what does not fit is left out in the middle.
    """

    name: str
    title: str
    text: Callable[["WpduModel", int], str]
    key: Callable[["WpduModel", int], npt.NDArray[np.generic]] | None
    sample: Callable[["WpduModel"], str]
    right: bool = False
    tip: Callable[["WpduModel", int], str] | None = None
    least: tuple[str, str] | None = None
    middle: bool = False


def _field_key(name: str) -> Callable[["WpduModel", int], npt.NDArray[np.generic]]:
    return lambda model, stop: model.traffic.wpdus[name][:stop]


def _field_text(name: str) -> Callable[["WpduModel", int], str]:
    return lambda model, row: str(model.value(name, row))


def _apdu_text(model: "WpduModel", row: int) -> str:
    tag = model.value("apdu_tag", row)
    return apdu_name(tag) if tag >= 0 else "no APDU"


def _apdu_ranks(model: "WpduModel", stop: int) -> npt.NDArray[np.generic]:
    names = sorted(range(256), key=lambda tag: apdu_name(tag).lower())
    ranks = np.zeros(257, np.int16)
    ranks[names] = np.arange(1, 257)
    return ranks[model.traffic.wpdus["apdu_tag"][:stop]]  # -1, no APDU, is the last entry: first of all


def _wport_tip(name: str) -> Callable[["WpduModel", int], str]:
    def tip(model: "WpduModel", row: int) -> str:
        sender = model.traffic.sender(row)
        side = sender if name == "source_wport" else sender.other
        number = model.value(name, row)
        return f"{number} (0x{number:04X}): {wport_name(number, side)}, {side.value} side"

    return tip


def _segments_tip(model: "WpduModel", row: int) -> str:
    first, last = model.value("first_packet", row) + 1, model.value("last_packet", row) + 1
    return f"packet {first}" if first == last else f"packets {first} to {last}"


def _number_tip(model: "WpduModel", row: int) -> str:
    return "\n".join([*model.traffic.mark_names(row), *model.traffic.comments(row)])


def _info_tip(model: "WpduModel", row: int) -> str:
    line = model.info(row)
    return f"{line.text}\n{line.sentence}".rstrip()


def _number_sample(model: "WpduModel") -> str:
    return "⚠ " + "0" * max(3, len(str(model.known)))


def _fixed(sample: str) -> Callable[["WpduModel"], str]:
    return lambda model: sample


_ADDRESS = "198.51.100.57:4059"
_LEAST_ADDRESS = (_ADDRESS, "198.51.1…7:4059")

COLUMNS = (
    Column("number", "No.", lambda model, row: str(row + 1), None, _number_sample, True, _number_tip),
    Column(
        "time",
        "Time",
        lambda model, row: model.time_text(row),
        _field_key("time"),
        lambda model: model.longest_time(),
        True,
        lambda model, row: clock(model.value("time", row)),
    ),
    Column(
        "source",
        "Source",
        lambda model, row: model.traffic.source(row),
        lambda model, stop: model.traffic.source_ranks(stop),
        lambda model: model.longest_address(),
        tip=lambda model, row: model.traffic.source(row),
        least=_LEAST_ADDRESS,
        middle=True,
    ),
    Column(
        "destination",
        "Destination",
        lambda model, row: model.traffic.destination(row),
        lambda model, stop: model.traffic.destination_ranks(stop),
        lambda model: model.longest_address(),
        tip=lambda model, row: model.traffic.destination(row),
        least=_LEAST_ADDRESS,
        middle=True,
    ),
    Column(
        "source_wport",
        "Src wPort",
        _field_text("source_wport"),
        _field_key("source_wport"),
        _fixed("00000"),
        True,
        _wport_tip("source_wport"),
    ),
    Column(
        "destination_wport",
        "Dst wPort",
        _field_text("destination_wport"),
        _field_key("destination_wport"),
        _fixed("00000"),
        True,
        _wport_tip("destination_wport"),
    ),
    Column("length", "Length", _field_text("length"), _field_key("length"), _fixed("00000"), True),
    Column(
        "segments",
        "Seg.",
        _field_text("segments"),
        _field_key("segments"),
        _fixed("00"),
        True,
        _segments_tip,
    ),
    Column(
        "apdu",
        "APDU",
        _apdu_text,
        _apdu_ranks,
        _fixed("glo-action-response"),
        tip=lambda model, row: (
            f"{_apdu_text(model, row)}, tag 0x{model.value('apdu_tag', row):02X}"
            if model.value("apdu_tag", row) >= 0
            else "no octets after the header"
        ),
        least=("data-notification", "get-reque…"),
    ),
    Column(
        "info",
        "Info",
        lambda model, row: model.info(row).text,
        None,
        _fixed("GET response 0.0.1.0.0.255 Clock, value = 2026"),
        tip=_info_tip,
        least=("GET response 0.0.1.0.0.255", "GET response"),
    ),
)
_COLUMN_NUMBER = {column.name: number for number, column in enumerate(COLUMNS)}


class WpduModel(QAbstractTableModel):
    """WPDU rows, as many as `order` shows. `rowsChanged` follows every change of which rows are shown."""

    rowsChanged = Signal()

    traffic: Traffic

    def __init__(self, filters: Filters, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.traffic = Traffic.empty()
        self.order = RowOrder(filters)
        self.time_format = "relative"
        self._known = 0  # rows of the capture; sorted rows may be shown with some delay
        self._brushes: dict[Kind, QBrush] = {}
        self._infos: dict[int, Line] = {}
        self._unsettled: list[int] = []
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(10)
        self._settling.timeout.connect(self._settle)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._catch_up)

    # What is shown

    def set_traffic(self, traffic: Traffic) -> None:
        """Show another capture, from its beginning."""
        self.beginResetModel()
        self.traffic = traffic
        self.order.clear()
        self._infos.clear()
        self._unsettled.clear()
        self._known = 0
        self.endResetModel()
        self.rowsChanged.emit()

    def take_rows(self, total: int) -> None:
        """The capture has `total` WPDUs now: show those that are new and wanted."""
        self._known = max(total, self._known)
        if self.order.sorted:
            self._catch_up()
            return
        count, fresh = self.order.grow(self._known)
        if count:
            shown = len(self.order)
            self.beginInsertRows(QModelIndex(), shown, shown + count - 1)
            self.order.commit(self._known, fresh)
            self.endInsertRows()
            self.rowsChanged.emit()
        else:
            self.order.commit(self._known, fresh)

    def _catch_up(self) -> None:
        """Sort what has grown, now or when it is due."""
        if self.order.total == self._known:
            return
        if self.order.due(time.monotonic()):
            self._reset(lambda: self.order.rebuild(self._known))
        elif not self._later.isActive():
            self._later.start(250)

    def _reset(self, change: Callable[[], None]) -> None:
        self.beginResetModel()
        change()
        self.endResetModel()
        self.rowsChanged.emit()

    def filter_anew(self) -> None:
        """Show the rows that pass the filters now."""
        self._reset(self.order.rebuild)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; by a column without a key, or by -1, the rows stand as they came."""
        key = COLUMNS[column].key if column >= 0 else None
        down = order == Qt.SortOrder.DescendingOrder
        bound = None if key is None else (lambda stop: key(self, stop))
        self._reset(lambda: self.order.set_order(bound, down))

    def set_time_format(self, name: str) -> None:
        """Write times in another way (a key of `TIME_FORMATS`)."""
        self.time_format = name if name in TIME_FORMATS else "relative"
        if len(self.order):
            column = _COLUMN_NUMBER["time"]
            self.dataChanged.emit(self.index(0, column), self.index(len(self.order) - 1, column))

    def forget_colours(self) -> None:
        """The colour scheme has changed."""
        self._brushes.clear()

    # Rows and values

    @property
    def known(self) -> int:
        """WPDUs of the capture, shown or not."""
        return self._known

    def longest_time(self) -> str:
        """A text as long as the longest of the times, as far as that is known."""
        sample = TIME_FORMATS[self.time_format].sample
        if self.time_format != "relative" or not self._known:
            return sample
        last = self.time_text(self._known - 1)
        return max(last, "00.000000", key=len)

    def longest_address(self) -> str:
        """The longest `address:port` of the first streams."""
        streams = range(min(len(self.traffic.streams), _STREAMS_MEASURED))
        names = (name for stream in streams for name in self.traffic.stream_names(stream))
        return max(names, key=len, default=_ADDRESS)

    def row(self, position: int) -> int:
        """The WPDU row shown at `position`."""
        return self.order.row(position)

    def position(self, row: int) -> int:
        """Where a WPDU row is shown, -1 when it is filtered out."""
        return self.order.position(row)

    def value(self, name: str, row: int) -> int:
        """One field of a WPDU row."""
        return self.traffic.wpdus[name].item(row)

    def time_text(self, row: int) -> str:
        """The row's time in the present format."""
        way = TIME_FORMATS[self.time_format]
        before = row - 1
        if way.displayed:
            place = self.order.position(row)
            before = self.order.row(place - 1) if place > 0 else -1
        now = self.value("time", row)
        return way.text(now, self.traffic.first_time, self.value("time", before) if before >= 0 else now)

    def info(self, row: int) -> Line:
        """What a row is about: at first from its own octets, a moment later with its association."""
        line = self._infos.get(row)
        if line is None:
            if len(self._infos) >= KEPT_INFOS:
                self._infos.clear()
            line = self._infos[row] = Line(self.traffic.outline(row))
            self._unsettled.append(row)
            self._settling.start()
        return line

    def _settle(self) -> None:
        """Complete info lines for some milliseconds, those asked for last first; then let the window work."""
        end = time.monotonic() + SETTLE_SECONDS
        changed = False
        for row in self._unsettled[:-SETTLED_ROWS]:
            self._infos.pop(row, None)  # scrolled past: begins anew when it is seen again
        del self._unsettled[:-SETTLED_ROWS]
        while self._unsettled and time.monotonic() < end:
            row = self._unsettled.pop()
            line = self.traffic.info(row)
            changed |= self._infos.get(row) != line
            self._infos[row] = line
        if changed:
            self._tell_infos()
        if self._unsettled:
            self._settling.start()

    @property
    def kept_infos(self) -> int:
        """How many info lines are kept: those of rows that were seen."""
        return len(self._infos)

    @property
    def settled(self) -> bool:
        """Whether the info lines asked for are complete."""
        return not self._unsettled

    def settle_again(self, rows: set[int]) -> None:
        """More is known of these rows than when their info lines were completed."""
        again = [row for row in rows.difference(self._unsettled) if row in self._infos]
        if len(again) > SETTLED_ROWS:
            self.forget_infos()
        elif again:
            self._unsettled += again
            self._settling.start()

    def forget_infos(self) -> None:
        """What APDUs say may have changed, as with other keys: make the info lines anew."""
        self._infos.clear()
        self._unsettled.clear()
        self._tell_infos()

    def _tell_infos(self) -> None:
        if len(self.order):
            column = _COLUMN_NUMBER["info"]
            self.dataChanged.emit(self.index(0, column), self.index(len(self.order) - 1, column))

    def line(self, row: int) -> str:
        """A row as text: its cells, separated by tabs."""
        cells = [column.text(self, row) for column in COLUMNS[:-1]]
        return "\t".join([*cells, self.traffic.info(row).text])

    def kinds(self, rows: Rows) -> npt.NDArray[np.uint8]:
        """The kinds of some rows."""
        return kinds_of(self.traffic.wpdus["apdu_tag"][rows])

    # Qt's side

    def rowCount(self, parent: _Index = QModelIndex()) -> int:
        """Rows shown."""
        return 0 if parent.isValid() else len(self.order)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:
        """Columns of `COLUMNS`."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """Titles, aligned as their columns."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == _DISPLAY:
            return COLUMNS[section].title
        if role == _ALIGNMENT:
            return _RIGHT if COLUMNS[section].right else _LEFT
        return None

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        """Text, alignment, background, mark and explanation of a cell."""
        if role not in _SERVED:
            return None
        column = COLUMNS[index.column()]
        if role == _ALIGNMENT:
            return _RIGHT if column.right else _LEFT
        row = self.order.row(index.row())
        if role == _DISPLAY:
            return column.text(self, row)
        if role == _BACKGROUND:
            return self._background(row)
        if role == _TOOLTIP:
            return (plain_tip(column.tip(self, row)) or None) if column.tip else None
        scheme = theme.colours(QGuiApplication.palette())
        if column.name == "number" and self.traffic.marks(row):
            return icon("warning", scheme.warning)
        if column.name == "number" and self.traffic.comments(row):
            return icon("info")
        if column.name == "info":
            look = VERDICT_LOOKS.get(self.info(row).verdict)
            return icon(look.icon, getattr(scheme, look.ink)) if look is not None else None
        return None

    def _background(self, row: int) -> QBrush:
        kind = kind_of(self.value("apdu_tag", row))
        brush = self._brushes.get(kind)
        if brush is None:
            brush = QBrush(QColor(theme.colours(QGuiApplication.palette()).tints[kind]))
            self._brushes[kind] = brush
        return brush
