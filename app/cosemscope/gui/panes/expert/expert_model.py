"""The tree of expert items: a row a kind, below it a row an item; cells become text when they are painted.

The rows are those of `ItemGroups`: arrays of row numbers over the columns of the table of items. A tree asks
for every row below one that is open: of many items the first are there, and a row that brings more.
"""

from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QGuiApplication, QPalette

from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.look.severity_looks import SEVERITY_LOOKS, severity_icon
from cosemscope.gui.panes.expert.item_groups import ItemGroups, sentence_of
from cosemscope.streams.tables.expert_items import ExpertItems, ItemKind
from cosemscope.wording import printable

_Index = QModelIndex | QPersistentModelIndex

_DISPLAY = int(Qt.ItemDataRole.DisplayRole)
_DECORATION = int(Qt.ItemDataRole.DecorationRole)
_FOREGROUND = int(Qt.ItemDataRole.ForegroundRole)
_TOOLTIP = int(Qt.ItemDataRole.ToolTipRole)
_ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)
_SERVED = (_DISPLAY, _DECORATION, _FOREGROUND, _TOOLTIP, _ALIGNMENT)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

TITLES = ("Item", "About", "Clause", "Count", "WPDU", "Packet")
_TITLE_TIPS = (
    "What is wrong or remarkable: the worst first, and below each kind its items by packet",
    "What the items are about",
    "Where the standard says how it should be",
    "How many items of this kind there are",
    "Number of the WPDU",
    "Number of the packet",
)
ITEM, ABOUT, CLAUSE, COUNT, WPDU, PACKET = range(len(TITLES))
_NUMBERS = (COUNT, WPDU, PACKET)
#: Columns of an item that stand in a column of its table, as numbers from 1.
_PLACES = {WPDU: "wpdu", PACKET: "packet"}
_AT_ONCE = 10_000


class ExpertModel(QAbstractItemModel):
    """The rows of `groups`. An index of a kind has the internal number 0, one of an item its group + 1.

    Of a kind with more than `at_once` items so many are shown at first, and come when more are asked for.
    """

    def __init__(self, parent: QObject | None = None, at_once: int = _AT_ONCE) -> None:
        super().__init__(parent)
        self._at_once = at_once
        self.groups = ItemGroups(ExpertItems())
        self._shown: dict[int, int] = {}  # by kind, where there are more than at first
        self._without_more = -1  # the group of which the row that brings more is taken away

    def show_groups(self, groups: ItemGroups) -> None:
        """Show these."""
        self.beginResetModel()
        self.groups = groups
        self.endResetModel()

    def kind(self, index: _Index) -> ItemKind:
        """The kind of a row."""
        return self.groups.kinds[int(index.internalId()) - 1 if index.internalId() else index.row()]

    def item(self, index: _Index) -> int:
        """The row in the table of items; -1 for the row of a kind, or the one that brings more."""
        group = int(index.internalId()) - 1 if index.isValid() else -1
        return self.groups.row(group, index.row()) if group >= 0 and index.row() < self.shown(group) else -1

    def shown(self, group: int) -> int:
        """How many items of a kind are shown where it is open."""
        return min(self.groups.count(group), self._shown.get(self.groups.kinds[group].number, self._at_once))

    def show_more(self, index: _Index) -> None:
        """Show more items of a kind, if this is the row that brings them."""
        group = int(index.internalId()) - 1 if index.isValid() else -1
        if group < 0 or self.item(index) >= 0:
            return
        shown = self.shown(group)
        parent, count = index.parent(), self.groups.count(group)
        new = min(shown + self._at_once, count)
        self.beginRemoveRows(parent, shown, shown)
        self._without_more = group
        self.endRemoveRows()
        self.beginInsertRows(parent, shown, new - (new == count))
        self._shown[self.groups.kinds[group].number] = new
        self._without_more = -1
        self.endInsertRows()

    def place(self, index: _Index) -> tuple[int, int, int]:
        """WPDU row, packet row and stream of the item at an index, -1 each for none."""
        row, items = self.item(index), self.groups.items
        if row < 0:
            return -1, -1, -1
        return items["wpdu"].item(row), items["packet"].item(row), items["stream"].item(row)

    # Qt's side

    def index(self, row: int, column: int, parent: _Index = QModelIndex()) -> QModelIndex:
        """The index of a kind, or of an item of the kind at `parent`."""
        if not (0 <= column < len(TITLES) and 0 <= row < self.rowCount(parent)):
            return QModelIndex()
        return self.createIndex(row, column, parent.row() + 1 if parent.isValid() else 0)

    # QObject has a `parent` without arguments, too: one of them only can be overridden here.
    def parent(self, index: _Index = QModelIndex()) -> QModelIndex:  # type: ignore[override]
        """The index of an item's kind."""
        group = int(index.internalId()) if index.isValid() else 0
        return self.createIndex(group - 1, 0, 0) if group else QModelIndex()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:
        """Kinds, or items of a kind."""
        if not parent.isValid():
            return len(self.groups)
        if parent.internalId() or parent.column() > 0:
            return 0
        shown = self.shown(parent.row())
        return shown + (shown < self.groups.count(parent.row()) and parent.row() != self._without_more)

    def hasChildren(self, parent: _Index = QModelIndex()) -> bool:
        """Kinds have items."""
        return not parent.isValid() or (not parent.internalId() and parent.column() == 0)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:
        """See `TITLES`."""
        return len(TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """Titles, aligned as their columns."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == _ALIGNMENT:
            return _RIGHT if section in _NUMBERS else None
        return {_DISPLAY: TITLES, _TOOLTIP: _TITLE_TIPS}.get(role, (None,) * len(TITLES))[section]

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        """Text, picture, colour and explanation of a row."""
        if role not in _SERVED or not index.isValid():
            return None
        column = index.column()
        if role == _DISPLAY:
            return self.text(index)
        if role == _ALIGNMENT:
            return _RIGHT if column in _NUMBERS else None
        if role == _TOOLTIP:
            return plain_tip(self._tip(index))
        if role == _DECORATION:
            is_kind = not index.internalId()
            return severity_icon(self.kind(index).severity) if is_kind and column == ITEM else None
        quiet = column in (ABOUT, CLAUSE)
        return QGuiApplication.palette().brush(QPalette.ColorRole.PlaceholderText) if quiet else None

    def text(self, index: _Index) -> str:
        """The text of a cell."""
        column, row, kind = index.column(), self.item(index), self.kind(index)
        if row < 0 and index.internalId():
            more = self.groups.count(int(index.internalId()) - 1) - index.row()
            return f"{more:,} more: click for the next" if column == ITEM else ""
        if row < 0:
            count = self.groups.count(index.row())
            return {
                ITEM: sentence_of(kind),
                ABOUT: kind.group.value,
                COUNT: f"{count:,}",
                CLAUSE: kind.clause,
            }.get(column, "")
        items = self.groups.items
        if column == ITEM:
            said = printable(items.message(row))
            return said[:1].upper() + said[1:]
        if column == CLAUSE:
            clause = items.clause(row)
            return printable(clause) if clause != kind.clause else ""
        number = items[_PLACES[column]].item(row) if column in _PLACES else -1
        return f"{number + 1:,}" if number >= 0 else ""

    def _tip(self, index: _Index) -> str:
        kind, row, items = self.kind(index), self.item(index), self.groups.items
        severity = SEVERITY_LOOKS[kind.severity].one.capitalize()
        said = sentence_of(kind) if row < 0 else items.message(row)
        lines = [said[:1].upper() + said[1:], f"{severity}, {kind.group.value}: {kind.word}"]
        clause = kind.clause if row < 0 else items.clause(row)
        return "\n".join([*lines, clause] if clause else lines)
