"""Rows of the table of procedures: what is known of all of them as arrays, and Qt's side of those shown."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QGuiApplication

from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.outcomes.capture_facts import CaptureFacts
from cosemscope.analysis.procedures.procedure import Procedure, ProcedureKind, ProcedureVerdict
from cosemscope.analysis.procedures.procedure_times import procedure_times
from cosemscope.apdu.names.blue_book import obis_name
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.apdu_kinds import Kind
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.panes.row_order import stable_order
from cosemscope.wording import clock, duration, printable

_Index = QModelIndex | QPersistentModelIndex
Numbers = npt.NDArray[np.int64]

_DISPLAY = int(Qt.ItemDataRole.DisplayRole)
_TOOLTIP = int(Qt.ItemDataRole.ToolTipRole)
_ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)
_BACKGROUND = int(Qt.ItemDataRole.BackgroundRole)
#: How far a procedure came: `done` and `total`, for the bar.
PROGRESS_ROLE = int(Qt.ItemDataRole.UserRole)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)

#: What procedures are called.
KIND_WORDS = {
    ProcedureKind.ASSOCIATION: "Association",
    ProcedureKind.HLS: "HLS authentication",
    ProcedureKind.PROFILE_READ: "Profile read",
    ProcedureKind.OBJECT_LIST_READ: "Object list read",
    ProcedureKind.IMAGE_TRANSFER: "Image transfer",
    ProcedureKind.KEY_CHANGE: "Key change",
    ProcedureKind.CLOCK_SET: "Clock set",
    ProcedureKind.PUSH: "Push",
    ProcedureKind.GENERAL_BLOCK_TRANSFER: "Block transfer",
}
#: What each verdict means.
_VERDICT_TIPS = {
    ProcedureVerdict.COMPLETE: "All that was asked for came, or was done.",
    ProcedureVerdict.PARTIAL: "It was answered, but not all that was asked for came.",
    ProcedureVerdict.WRONG: "What came is not what was asked for, or proves nothing.",
    ProcedureVerdict.UNPROVEN: "Nobody can tell: a key is not known.",
    ProcedureVerdict.REFUSED: "The other side refused it.",
    ProcedureVerdict.UNANSWERED: "Nobody answered.",
    ProcedureVerdict.UNFINISHED: "The capture or the connection ends before it does.",
    ProcedureVerdict.SENT: "It was sent; nobody answers pushes.",
}
_FAILED = frozenset((ProcedureVerdict.REFUSED, ProcedureVerdict.WRONG, ProcedureVerdict.UNANSWERED))
_OPEN = frozenset((ProcedureVerdict.UNFINISHED, ProcedureVerdict.PARTIAL, ProcedureVerdict.UNPROVEN))

#: Titles of the columns, what they mean, and a text as wide as each should be.
COLUMNS = (
    ("Procedure", "What several exchanges did together", "HLS authentication"),
    ("Meter", "IP address of the DLMS server", "198.51.100.255"),
    ("Progress", "Steps, rows or blocks that were done, of how many", "0,000 of 0,000"),
    ("Verdict", "What it came to", "unanswered"),
    ("Begin", "When it began", "00:00:00.000"),
    ("Duration", "From its first octet to its last one", "00 min 00 s"),
    ("Object", "Logical name of its object", "1.0.99.128.0.255"),
    ("Text", "What is to be said of it", ""),
)
KIND, METER, PROGRESS, VERDICT, BEGIN, DURATION, OBJECT, TEXT = range(8)


class ProcedureTable(NamedTuple):
    """All procedures of a capture: `first` WPDU rows, times in ns, meters in words.

    `orders`: of each column an array by which it is sorted. `exchanges`: those of all, one behind another,
    those of the procedure at i from `borders[i]` up to `borders[i + 1]`.
    """

    procedures: Sequence[Procedure]
    first: Numbers
    begin: Numbers
    duration: Numbers
    meters: Sequence[str]
    orders: Sequence[npt.NDArray[Any]]
    exchanges: Numbers
    borders: Numbers

    def of_exchanges(self, wanted: npt.NDArray[np.bool_]) -> Numbers:
        """The procedures with an exchange that is `wanted`, bool[exchanges of the capture]."""
        sums = np.concatenate([[0], np.cumsum(wanted[self.exchanges])])
        return np.flatnonzero(sums[self.borders[1:]] > sums[self.borders[:-1]])


def procedure_table(traffic: Traffic, facts: CaptureFacts, found: Sequence[Procedure]) -> ProcedureTable:
    """What is known of procedures. For the background."""
    firsts = np.array([one.exchanges[0] for one in found], np.int64)
    rows = facts.table.first_rows()[firsts]
    times, asked = procedure_times(facts.table, found), traffic.asked(rows)
    lengths = np.array([0, *(len(one.exchanges) for one in found)], np.int64)
    exchanges = [exchange for one in found for exchange in one.exchanges]
    orders: dict[int, npt.NDArray[Any]] = {
        BEGIN: times.begin,
        METER: FIELDS["meter"].order(asked),
        PROGRESS: np.array([_share(one) for one in found]),
        DURATION: times.duration,
    }
    for column in (KIND, OBJECT, VERDICT, TEXT):
        orders[column] = _ranks([_text(one, column) for one in found])
    return ProcedureTable(
        found,
        rows,
        times.begin,
        times.duration,
        [traffic.named(text) if text else "" for text in FIELDS["meter"].texts(asked)],
        [orders[column] for column in range(len(COLUMNS))],
        np.array(exchanges, np.int64),
        np.cumsum(lengths),
    )


def _ranks(texts: Sequence[str]) -> Numbers:
    """The place of each text in their order, the same for equal ones."""
    rank = {text: place for place, text in enumerate(sorted(set(texts)))}
    return np.array([rank[text] for text in texts], np.int64)


def exchanges_filter(exchanges: Sequence[int]) -> str:
    """The display filter of exchanges, by rows of their table: those one behind another as ranges."""
    numbers = np.unique(np.array(exchanges, np.int64)) + 1
    begins = np.flatnonzero(np.diff(numbers, prepend=numbers[:1] - 2) != 1)
    ends = np.append(begins[1:], len(numbers)) - 1
    runs = zip(numbers[begins].tolist(), numbers[ends].tolist(), strict=True)
    parts = [f"{first}..{last}" if last > first else f"{first}" for first, last in runs]
    return f"exchange == {parts[0]}" if len(numbers) == 1 else f"exchange in {{{', '.join(parts)}}}"


class ProcedureModel(QAbstractTableModel):
    """The procedures `shown`, in the order of a column or as they began. `turned`: the order is another."""

    turned = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.table: ProcedureTable | None = None
        self._shown: Numbers = np.zeros(0, np.int64)
        self._rows: Numbers = self._shown
        self._sorted_by = (-1, Qt.SortOrder.AscendingOrder)
        self._are_dated = False

    def show_procedures(self, table: ProcedureTable | None, shown: Numbers) -> None:
        """Show these procedures, by their places in a table."""
        self.beginResetModel()
        self.table, self._shown = table, shown
        if table is not None and len(table.begin):
            ends = table.begin.min(), table.begin.max()
            self._are_dated = clock(int(ends[0]))[:10] != clock(int(ends[1]))[:10]
        self._arrange()
        self.endResetModel()

    @property
    def sample_time(self) -> str:
        """A text as wide as a time of this capture."""
        return "2026-00-00 00:00:00.000" if self._are_dated else "00:00:00.000"

    def _arrange(self) -> None:
        column, order = self._sorted_by
        table = self.table
        self._rows = self._shown
        if table is None or column < 0 or not len(self._shown):
            return
        key = table.orders[column][self._shown]
        self._rows = self._shown[stable_order(key, order == Qt.SortOrder.DescendingOrder)]

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; by -1 the procedures stand as they began."""
        self.beginResetModel()
        self._sorted_by = column, order
        self._arrange()
        self.endResetModel()
        self.turned.emit()

    def place(self, row: int) -> int:
        """The place in the table of the procedure that a row shows."""
        return self._rows.item(row)

    def procedure(self, row: int) -> Procedure:
        """The procedure that a row shows."""
        assert self.table is not None
        return self.table.procedures[self.place(row)]

    def row_of(self, places: Numbers) -> int:
        """The first row that shows one of these procedures, -1 for none."""
        found = np.flatnonzero(np.isin(self._rows, places))
        return int(found[0]) if len(found) else -1

    def text(self, row: int, column: int) -> str:
        """The text of a cell."""
        table, place = self.table, self.place(row)
        assert table is not None
        if column == BEGIN:
            text = clock(table.begin.item(place))[:-3]
            return text if self._are_dated else text.rpartition(" ")[2]
        if column == METER:
            return printable(table.meters[place])
        if column == DURATION:
            taken = table.duration.item(place)
            return duration(taken) if taken else ""  # nobody knows of one that did not end
        return printable(_text(table.procedures[place], column))

    # Qt's side

    def rowCount(self, parent: _Index = QModelIndex()) -> int:
        """Procedures shown."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:
        """Columns shown."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """Titles and what they mean."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(COLUMNS):
            return None
        title, meaning, _ = COLUMNS[section]
        return {_DISPLAY: title, _TOOLTIP: meaning, _ALIGNMENT: _alignment(section)}.get(role)

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        """Text, alignment, background and progress of a cell, and its whole text as a tip."""
        row, column = index.row(), index.column()
        if role == _ALIGNMENT:
            return _alignment(column)
        if role == _BACKGROUND:
            return _ground(self.procedure(row).verdict)
        if role == PROGRESS_ROLE and column == PROGRESS:
            one = self.procedure(row)
            return one.done, one.total
        if role == _TOOLTIP:
            return plain_tip(self._tip(row, column)) or None
        return self.text(row, column) if role == _DISPLAY else None

    def _tip(self, row: int, column: int) -> str:
        one = self.procedure(row)
        if column == VERDICT:
            return _VERDICT_TIPS[one.verdict]
        if column == OBJECT and one.obis:
            return f"{one.obis} {obis_name(bytes(map(int, one.obis.split('.'))))}".rstrip()
        return self.text(row, column)


def _text(one: Procedure, column: int) -> str:
    if column == KIND:
        return KIND_WORDS[one.kind]
    if column == OBJECT:
        return one.obis
    if column == VERDICT:
        return one.verdict.value
    if column == TEXT:
        return one.text
    if one.done is None:
        return ""
    return f"{one.done:,}" if one.total is None else f"{one.done:,} of {one.total:,}"


def _share(one: Procedure) -> float:
    """How far a procedure came, of 1; what nobody knows is before all."""
    return -1.0 if one.done is None or not one.total else one.done / one.total


def _alignment(column: int) -> int:
    return _RIGHT if column == DURATION else _CENTRE if column == PROGRESS else _LEFT


def _ground(verdict: ProcedureVerdict) -> QBrush:
    scheme = theme.colours(QGuiApplication.palette())
    if verdict in _FAILED:
        return QBrush(QColor(scheme.tints[Kind.ERROR]))
    return QBrush(QColor(scheme.message_warning if verdict in _OPEN else scheme.base))
