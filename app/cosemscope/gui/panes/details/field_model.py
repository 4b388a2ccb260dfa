"""The rows of a decoded APDU or WPDU: its fields, and above them what the decoder found wrong.

Nodes are made as branches are opened, so that a load profile of ten thousand
entries costs no more than a get-response of one number.
"""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QBrush, QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QWidget

from cosemscope.apdu.fields import Decoded, Field, Problem
from cosemscope.apdu.opening import Opening
from cosemscope.apdu.plain import number_text, plain_value
from cosemscope.gui.document.protection import VERDICT_LOOKS, VerdictLook
from cosemscope.gui.look import theme
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.look.icons import icon

_Index = QModelIndex | QPersistentModelIndex

#: The columns.
NAME, VALUE, OCTETS = range(3)
_TITLES = ("Field", "Value", "Octets")
_DISPLAY = int(Qt.ItemDataRole.DisplayRole)
DECORATION = int(Qt.ItemDataRole.DecorationRole)
_FOREGROUND = int(Qt.ItemDataRole.ForegroundRole)
_TOOLTIP = int(Qt.ItemDataRole.ToolTipRole)
_SERVED = (_DISPLAY, DECORATION, _FOREGROUND, _TOOLTIP)
_LONG_VALUE = 200

#: Where a row is: the name and the row of each field down to it.
Place = tuple[tuple[str, int], ...]


def value_text(field: Field) -> str:
    """Returns a field's value for people: its text, and the number behind it where that says more."""
    value, text = field.value, field.text
    if isinstance(value, bytes) and not text:
        return value.hex(" ")
    if isinstance(value, int) and not isinstance(value, bool):
        number = number_text(field)
        if not text:
            return number
        return text if number in text or str(value) in text else f"{text} ({number})"
    return text or ("" if value is None else str(value))


def octets_text(item: Field | Problem) -> str:
    """Returns the octets of an item as text: `8`, `8–11`, or "" for none."""
    if item.stop <= item.start:
        return ""
    return str(item.start) if item.stop == item.start + 1 else f"{item.start}–{item.stop - 1}"


def machine_text(field: Field) -> str:
    """A field's value as a machine has it: numbers in decimal, octets in hex, elements with commas."""
    value = plain_value(field.value)
    if isinstance(value, dict):
        return ", ".join(map(str, value.values()))
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


class _Node:
    """One row: a field or a problem, its place, and its children once they are asked for."""

    __slots__ = ("children", "item", "parent", "row")

    def __init__(self, item: Field | Problem, parent: "_Node | None", row: int) -> None:
        self.item = item
        self.parent = parent
        self.row = row
        self.children: list[_Node] | None = None

    def branches(self) -> "list[_Node]":
        if self.children is None:
            fields = self.item.children if isinstance(self.item, Field) else ()
            self.children = [_Node(field, self, row) for row, field in enumerate(fields)]
        return self.children


class FieldModel(QAbstractItemModel):
    """Fields and problems of a `Decoded` as rows of name, value and octets."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._top: list[_Node] = []
        self._troubled: tuple[Problem, ...] = ()
        self._openings: Sequence[Opening] = ()
        self.decoded: Decoded | None = None

    def show(self, decoded: Decoded | None, openings: Sequence[Opening] = ()) -> None:
        """Show `decoded`, or nothing; `openings` tell what came of opening its ciphered parts."""
        self.beginResetModel()
        items: list[Field | Problem] = []
        if decoded is not None:
            items.extend(decoded.problems)
            # A root that only wraps its parts would cost a level of indentation.
            items.extend(decoded.root.children or (decoded.root,))
        self._top = [_Node(item, None, row) for row, item in enumerate(items)]
        self._troubled = decoded.problems if decoded is not None else ()
        self._openings = openings
        self.decoded = decoded
        self.endResetModel()

    def item(self, index: _Index) -> Field | Problem | None:
        """The field or problem at `index`."""
        return self._node(index).item if index.isValid() else None

    def _node(self, index: _Index) -> _Node:
        node: _Node = index.internalPointer()
        return node

    def _children(self, parent: _Index) -> list[_Node]:
        return self._node(parent).branches() if parent.isValid() else self._top

    def innermost(self, source: int, offset: int) -> QModelIndex:
        """The innermost field of byte source `source` that holds octet `offset`."""
        found = QModelIndex()
        best = -1
        stack = [(node, 0) for node in self._top if isinstance(node.item, Field)]
        while stack:
            node, depth = stack.pop()
            field = node.item
            holds = field.source == source and field.start <= offset < field.stop
            if holds and depth > best:
                best, found = depth, self.createIndex(node.row, 0, node)
            # Children may lie in another source (what was decrypted), so look there too.
            if holds or field.source != source:
                stack.extend((child, depth + 1) for child in node.branches())
        return found

    def place(self, index: _Index) -> Place:
        """Names and rows of the fields down to `index`; that of the root is not told."""
        place: list[tuple[str, int]] = []
        node = self._node(index) if index.isValid() else None
        while node is not None:
            place.append((node.item.name if isinstance(node.item, Field) else "", node.row))
            node = node.parent
        return tuple(reversed(place))

    def find_place(self, place: Place) -> QModelIndex:
        """The field at `place`, whatever the row of its outermost one; invalid when there is none."""
        node, nodes = None, self._top
        for depth, (name, row) in enumerate(place):
            named = [one for one in nodes if isinstance(one.item, Field) and one.item.name == name]
            same = [one for one in named if one.row == row]
            if not named or (depth and not same):
                return QModelIndex()
            node = (same or named)[0]
            nodes = node.branches()
        return QModelIndex() if node is None else self.createIndex(node.row, 0, node)

    def octets(self, item: Field | Problem) -> bytes:
        """The octets that an item stands in."""
        return self.decoded.sources[item.source].data[item.start : item.stop]

    # Qt's side

    def index(self, row: int, column: int, parent: _Index = QModelIndex()) -> QModelIndex:
        """The index of a child."""
        nodes = self._children(parent)
        if not (0 <= row < len(nodes) and 0 <= column < len(_TITLES)):
            return QModelIndex()
        return self.createIndex(row, column, nodes[row])

    # QObject has a `parent` without arguments, too: one of them only can be overridden here.
    def parent(self, index: _Index = QModelIndex()) -> QModelIndex:  # type: ignore[override]
        """The index of the field around."""
        node = self._node(index).parent if index.isValid() else None
        return QModelIndex() if node is None else self.createIndex(node.row, 0, node)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:
        """Returns the number of a field's parts."""
        return 0 if parent.column() > 0 else len(self._children(parent))

    def columnCount(self, parent: _Index = QModelIndex()) -> int:
        """Name, value, octets."""
        return len(_TITLES)

    def hasChildren(self, parent: _Index = QModelIndex()) -> bool:
        """Whether a field has parts, without making their nodes."""
        if not parent.isValid():
            return bool(self._top)
        item = self._node(parent).item
        return parent.column() == 0 and isinstance(item, Field) and bool(item.children)

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Everything can be selected."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags if self.hasChildren(index) else flags | Qt.ItemFlag.ItemNeverHasChildren

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """Column titles."""
        return _TITLES[section] if role == _DISPLAY and orientation == Qt.Orientation.Horizontal else None

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        """Text, colour and severity of a row."""
        if role not in _SERVED or not index.isValid():
            return None
        item = self._node(index).item
        if isinstance(item, Problem):
            return self._problem_data(item, index.column(), role)
        look = self._verdict_look(item)
        if role == _FOREGROUND:
            return self._field_ink(item, index.column(), look)
        if role == DECORATION and look is not None and index.column() == NAME:
            return icon(look.icon, getattr(theme.colours(QGuiApplication.palette()), look.ink))
        if role in (_DISPLAY, _TOOLTIP):
            text = (item.name, value_text(item), octets_text(item))[index.column()]
            if role == _TOOLTIP:
                return plain_tip(text) if 30 < len(text) < 4000 else None
            return text if len(text) <= _LONG_VALUE else text[:_LONG_VALUE] + "…"
        return None

    def _problem_data(self, problem: Problem, column: int, role: int) -> Any:
        scheme = theme.colours(QGuiApplication.palette())
        name = {"error": "error", "warning": "warning"}.get(problem.severity, "note")
        ink = getattr(scheme, name)
        if role == _FOREGROUND:
            return QBrush(QColor(ink))
        if role == DECORATION:
            return icon("info" if name == "note" else name, ink) if column == NAME else None
        clause = f" (clause {problem.clause})" if problem.clause else ""
        if role == _TOOLTIP:
            return plain_tip(problem.message + clause)
        return (name.capitalize(), problem.message + clause, octets_text(problem))[column]

    def _verdict_look(self, field: Field) -> VerdictLook | None:
        """Returns the look of a ciphered text's verdict; None for any other field."""
        if field.name != "ciphered-text":
            return None
        fitting = (one for one in self._openings if one.content == field.value)
        opening = next(fitting, None)
        return VERDICT_LOOKS.get(opening.verdict) if opening is not None else None

    def _field_ink(self, field: Field, column: int, look: VerdictLook | None) -> Any:
        palette = QGuiApplication.palette()
        scheme = theme.colours(palette)
        for problem in self._troubled:
            inside = field.start <= problem.start < max(field.stop, field.start + 1)
            if inside and problem.source == field.source and problem.severity == "error":
                return QBrush(QColor(scheme.error))
        if look is not None and column == VALUE:
            return QBrush(QColor(getattr(scheme, look.ink)))
        if column == OCTETS:
            return palette.brush(QPalette.ColorRole.PlaceholderText)
        return None
