"""The tree of fields of one decoded APDU or WPDU, and what is wrong in it.

Nodes are made as branches are opened, so that a load profile of ten thousand
entries costs no more than a get-response of one number. What the decoder found
wrong stands above the fields, and each problem leads to its octets as a field does.
"""

from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QGuiApplication, QIcon, QKeySequence, QPalette
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTreeView, QWidget

from cosemscope.apdu.fields import Decoded, Field, Problem

from . import theme
from .cells import TreeDelegate
from .icons import icon

_Index = QModelIndex | QPersistentModelIndex

_NAME, _VALUE, _OCTETS = range(3)
_TITLES = ("Field", "Value", "Octets")
_DISPLAY = int(Qt.ItemDataRole.DisplayRole)
_DECORATION = int(Qt.ItemDataRole.DecorationRole)
_FOREGROUND = int(Qt.ItemDataRole.ForegroundRole)
_TOOLTIP = int(Qt.ItemDataRole.ToolTipRole)
_SERVED = (_DISPLAY, _DECORATION, _FOREGROUND, _TOOLTIP)
_LONG_VALUE = 200


def value_text(field: Field) -> str:
    """What to show for a field's value: its text for people, with the number behind it if that says more."""
    value, text = field.value, field.text
    if isinstance(value, bytes) and not text:
        return value.hex(" ")
    if text and isinstance(value, int) and not isinstance(value, bool) and str(value) not in text:
        return f"{text} ({value})"
    return text or ("" if value is None else str(value))


def octets_text(item: Field | Problem) -> str:
    """Which octets an item stands in: `8`, `8–11`, or nothing for none."""
    if item.stop <= item.start:
        return ""
    return str(item.start) if item.stop == item.start + 1 else f"{item.start}–{item.stop - 1}"


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

    def show(self, decoded: Decoded | None) -> None:
        """Show `decoded`, or nothing."""
        self.beginResetModel()
        items: list[Field | Problem] = []
        if decoded is not None:
            items.extend(decoded.problems)
            # A root that only wraps its parts would cost a level of indentation.
            items.extend(decoded.root.children or (decoded.root,))
        self._top = [_Node(item, None, row) for row, item in enumerate(items)]
        self._troubled = decoded.problems if decoded is not None else ()
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

    # Qt's side

    def index(self, row: int, column: int, parent: _Index = QModelIndex()) -> QModelIndex:  # noqa: B008
        """The index of a child."""
        nodes = self._children(parent)
        if not (0 <= row < len(nodes) and 0 <= column < len(_TITLES)):
            return QModelIndex()
        return self.createIndex(row, column, nodes[row])

    def parent(self, index: _Index = QModelIndex()) -> QModelIndex:  # type: ignore[override]  # noqa: B008
        """The index of the field around."""
        node = self._node(index).parent if index.isValid() else None
        return QModelIndex() if node is None else self.createIndex(node.row, 0, node)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008, N802
        """How many parts a field has."""
        return 0 if parent.column() > 0 else len(self._children(parent))

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008, N802
        """Name, value, octets."""
        return len(_TITLES)

    def hasChildren(self, parent: _Index = QModelIndex()) -> bool:  # noqa: B008, N802
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

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:  # noqa: N802
        """Column titles."""
        return _TITLES[section] if role == _DISPLAY and orientation == Qt.Orientation.Horizontal else None

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        """Text, colour and severity of a row."""
        if role not in _SERVED or not index.isValid():
            return None
        item = self._node(index).item
        if isinstance(item, Problem):
            return self._problem_data(item, index.column(), role)
        if role == _FOREGROUND:
            return self._field_ink(item, index.column())
        if role in (_DISPLAY, _TOOLTIP):
            text = (item.name, value_text(item), octets_text(item))[index.column()]
            if role == _TOOLTIP:
                return text if len(text) > 30 and len(text) < 4000 else None
            return text if len(text) <= _LONG_VALUE else text[:_LONG_VALUE] + "…"
        return None

    def _problem_data(self, problem: Problem, column: int, role: int) -> Any:
        scheme = theme.colours(QGuiApplication.palette())
        name = {"error": "error", "warning": "warning"}.get(problem.severity, "note")
        ink = getattr(scheme, name)
        if role == _FOREGROUND:
            return QBrush(QColor(ink))
        if role == _DECORATION:
            return icon("info" if name == "note" else name, ink) if column == _NAME else None
        clause = f" (clause {problem.clause})" if problem.clause else ""
        if role == _TOOLTIP:
            return problem.message + clause
        return (name.capitalize(), problem.message + clause, octets_text(problem))[column]

    def _field_ink(self, field: Field, column: int) -> Any:
        palette = QGuiApplication.palette()
        scheme = theme.colours(palette)
        for problem in self._troubled:
            inside = field.start <= problem.start < max(field.stop, field.start + 1)
            if inside and problem.source == field.source and problem.severity == "error":
                return QBrush(QColor(scheme.error))
        if column == _OCTETS:
            return palette.brush(QPalette.ColorRole.PlaceholderText)
        return None


class FieldTree(QTreeView):
    """The view. `fieldSelected(source, start, stop)` tells which octets of which byte source are meant."""

    fieldSelected = Signal(int, int, int)  # noqa: N815 - Qt's manner

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = FieldModel(self)
        self.setModel(self._model)
        self.setUniformRowHeights(True)
        self.setAlternatingRowColors(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)
        self.setAccessibleName("Fields")
        self.setIndentation(16)
        self.setItemDelegate(TreeDelegate(self))
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(_VALUE, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(_OCTETS, QHeaderView.ResizeMode.Interactive)
        header.resizeSection(_NAME, 190)
        header.resizeSection(_OCTETS, 64)
        self.selectionModel().currentChanged.connect(self._tell)

    def show_decoded(self, decoded: Decoded | None) -> None:
        """Show a decoded APDU or WPDU, its first levels open."""
        self._model.show(decoded)
        root = QModelIndex()
        for row in range(self._model.rowCount(root)):
            self._open(self._model.index(row, 0, root), depth=2)

    def _open(self, index: QModelIndex, depth: int) -> None:
        if not depth or self._model.rowCount(index) > 64:  # long arrays are for whoever opens them
            return
        self.expand(index)
        for row in range(self._model.rowCount(index)):
            self._open(self._model.index(row, 0, index), depth - 1)

    def select_octet(self, source: int, offset: int) -> bool:
        """Select the innermost field that holds this octet; False when no field does."""
        index = self._model.innermost(source, offset)
        if index.isValid():
            self.setCurrentIndex(index)
            self.scrollTo(index)
        return index.isValid()

    def current_item(self) -> Field | Problem | None:
        """The selected field or problem."""
        return self._model.item(self.currentIndex())

    def _tell(self, current: QModelIndex) -> None:
        item = self._model.item(current)
        if item is not None:
            self.fieldSelected.emit(item.source, item.start, item.stop)

    def expand_all(self) -> None:
        """Open every branch."""
        self.expandAll()

    def collapse_all(self) -> None:
        """Close every branch."""
        self.collapseAll()

    def selected_text(self) -> str:
        """Name and value of the selected field as one line."""
        item = self.current_item()
        if isinstance(item, Problem):
            return item.message
        if item is None:
            return ""
        value = value_text(item)
        return f"{item.name}: {value}" if value else item.name

    def copy(self) -> None:
        """Put the selected field on the clipboard as text."""
        QGuiApplication.clipboard().setText(self.selected_text())

    def copy_value(self) -> None:
        """Put the selected field's value on the clipboard."""
        item = self.current_item()
        if isinstance(item, Field):
            QGuiApplication.clipboard().setText(value_text(item))

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802
        """Copy by key; everything else as trees do."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def _open_menu(self, point: Any) -> None:
        menu = QMenu(self)
        for text, image, slot in (
            ("Copy field", "copy", self.copy),
            ("Copy value", "", self.copy_value),
            ("Expand all", "expand", self.expand_all),
            ("Collapse all", "collapse", self.collapse_all),
        ):
            menu.addAction(icon(image) if image else QIcon(), text, slot)
        menu.exec(self.viewport().mapToGlobal(point))
        menu.deleteLater()
