"""The tree of fields as people see and use it: what is selected and copied, and whose key is wanted."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QGuiApplication, QIcon, QKeySequence, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTreeView, QWidget

from cosemscope.analysis.filter.offered_filters import filter_of_tree_field
from cosemscope.apdu.fields import Decoded, Field, Problem
from cosemscope.apdu.names.texts import TITLE_SIZE
from cosemscope.apdu.opening import Opening
from cosemscope.gui.document.protection import WantedKey
from cosemscope.gui.look import theme
from cosemscope.gui.look.cells import TreeDelegate, paint_hint
from cosemscope.gui.look.icons import icon
from cosemscope.gui.panes.details.field_model import (
    DECORATION,
    NAME,
    OCTETS,
    VALUE,
    FieldModel,
    Place,
    machine_text,
    value_text,
)

_INDENTATION = 13
#: What a name has at its sides, and the share of the tree that names may take.
_NAME_AIR, _NAME_SHARE = 14, 0.6

#: Fields whose value is the system title of somebody who may have keys.
_TITLE_FIELDS = frozenset(
    {"system-title", "originator-system-title", "recipient-system-title"}
    | {"calling-AP-title", "responding-AP-title"}
)


class Copied(NamedTuple):
    """One way to copy a field: what the menu calls it, and the text it makes of tree and item."""

    title: str
    text: Callable[["FieldTree", Any], str]
    of_problems: bool = False


class FieldTree(QTreeView):
    """The view. `fieldSelected(source, start, stop)` tells which octets of which byte source are meant.

    `addKeyAsked` gives the system title that a key is to be added for, None where none is known. `menuAsked`
    gives the context menu of the selected field, for others to add to it.
    """

    fieldSelected = Signal(int, int, int)
    addKeyAsked = Signal(object)
    menuAsked = Signal(QMenu)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = FieldModel(self)
        self._openings: Sequence[Opening] = ()
        self.setModel(self._model)
        self.setUniformRowHeights(True)
        self.setAlternatingRowColors(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)
        self.setAccessibleName("Fields")
        self.setIndentation(_INDENTATION)
        self.setItemDelegate(TreeDelegate(self))
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(VALUE, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(OCTETS, QHeaderView.ResizeMode.Interactive)
        header.resizeSection(NAME, 190)
        header.resizeSection(OCTETS, 64)
        self._usual_width = 0  # of the names, where they were given more
        self.selectionModel().currentChanged.connect(self._tell)
        self.selectionModel().currentChanged.connect(self._make_room)
        self.expanded.connect(lambda index: self._make_room(self._model.index(0, NAME, index)))

    def set_zoom(self, points: int) -> None:
        """Make the text `points` larger than the application's."""
        font = theme.zoomed(QGuiApplication.font(), points)
        self.setFont(font)

    def show_decoded(self, decoded: Decoded | None, openings: Sequence[Opening] = ()) -> None:
        """Show a decoded APDU or WPDU, its first levels open."""
        self._openings = openings
        if self._usual_width:
            self.header().resizeSection(NAME, self._usual_width)
            self._usual_width = 0
        self._model.show(decoded, openings)
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

    def _make_room(self, index: QModelIndex) -> None:
        """Widen the names where a field lies so deep that its own would not be seen."""
        if not index.isValid():
            return
        depth, above = 1, index.parent()
        while above.isValid():
            depth, above = depth + 1, above.parent()
        name = index.siblingAtColumn(NAME)
        needed = depth * _INDENTATION + self.fontMetrics().horizontalAdvance(str(name.data())) + _NAME_AIR
        if name.data(DECORATION) is not None:
            needed += self.iconSize().width() if self.iconSize().isValid() else 20
        width = min(needed, round(_NAME_SHARE * self.viewport().width()))
        if width > self.header().sectionSize(NAME):
            self._usual_width = self._usual_width or self.header().sectionSize(NAME)
            self.header().resizeSection(NAME, width)

    def _tell(self, current: QModelIndex) -> None:
        item = self._model.item(current)
        if item is not None:
            self.fieldSelected.emit(item.source, item.start, item.stop)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The fields, or words where there are none."""
        super().paintEvent(event)
        if not self.model().rowCount():
            paint_hint(self.viewport(), "Select a WPDU: its fields stand here.")

    def selected_text(self) -> str:
        """Name and value of the selected field as one line."""
        item = self.current_item()
        if isinstance(item, Problem):
            return item.message
        if item is None:
            return ""
        value = value_text(item)
        return f"{item.name}: {value}" if value else item.name

    def place(self) -> Place:
        """Returns the place of the selected field."""
        return self._model.place(self.currentIndex())

    def select_place(self, place: Place) -> bool:
        """Select the field at a place that `place` told; False when there is none."""
        index = self._model.find_place(place)
        if index.isValid():
            self.setCurrentIndex(index)
            self.scrollTo(index)
        return index.isValid()

    def path_text(self) -> str:
        """The names of the fields from the root down to the selected one, parted by /."""
        decoded, names = self._model.decoded, [name for name, _ in self.place()]
        if decoded is None or not names:
            return ""
        root = [decoded.root.name] if decoded.root.children else []
        return "/".join([*root, *names])

    def filter_offers(self) -> list[tuple[str, str]]:
        """Display filters of the selected field: with its value, and that it is there; none of a problem."""
        item, decoded = self.current_item(), self._model.decoded
        if not isinstance(item, Field) or decoded is None:
            return []
        path = [decoded.root.name, *(name for name, _ in self.place())]
        value = item.value if isinstance(item.value, int | bytes | str) else None
        offers = [("Its value", filter_of_tree_field(path, value))] if value is not None else []
        return [*offers, ("That it is there", filter_of_tree_field(path, None))]

    def octets(self, item: Field | Problem) -> bytes:
        """The octets that an item stands in."""
        return self._model.octets(item)

    def copied_text(self, way: Copied) -> str:
        """Returns the text that `way` makes of the selected field, "" for none."""
        item = self.current_item()
        fits = isinstance(item, Field) or (item is not None and way.of_problems)
        return way.text(self, item) if fits else ""

    def _copy(self, way: Copied) -> None:
        QGuiApplication.clipboard().setText(self.copied_text(way))

    def copy(self) -> None:
        """Put the selected field on the clipboard as text."""
        QGuiApplication.clipboard().setText(self.selected_text())

    def keyPressEvent(self, event: Any) -> None:
        """Copy by key; everything else as trees do."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def wanted_titles(self) -> list[bytes | None]:
        """The system titles that keys may be added for: of what is not opened, and of the selected field."""
        found = [one.title for one in self._openings if one.verdict.wants_key]
        item = self.current_item()
        if isinstance(item, Field) and item.name in _TITLE_FIELDS:
            value = item.value if isinstance(item.value, bytes) else self._model.octets(item)[-TITLE_SIZE:]
            found += [value] if len(value) == TITLE_SIZE else []
        return list(dict.fromkeys(found))

    def menu_actions(self, menu: QMenu) -> None:
        """Fill a context menu for the selected field."""
        item = self.current_item()
        for number, way in enumerate(COPIES):
            if isinstance(item, Field) or (item is not None and way.of_problems):
                picture = QIcon() if number else icon("copy")
                menu.addAction(picture, way.title, lambda way=way: self._copy(way))
        menu.addSeparator()
        for title in self.wanted_titles():
            menu.addAction(
                icon("key"), WantedKey(title).order, lambda title=title: self.addKeyAsked.emit(title)
            )
        menu.addSeparator()
        self.menuAsked.emit(menu)
        menu.addAction(icon("expand"), "Expand all", self.expandAll)
        menu.addAction(icon("collapse"), "Collapse all", self.collapseAll)

    def _open_menu(self, point: Any) -> None:
        menu = QMenu(self)
        self.menu_actions(menu)
        menu.exec(self.viewport().mapToGlobal(point))
        menu.deleteLater()


#: What can be copied of a field; Ctrl+C is the first.
COPIES = (
    Copied("Copy field", lambda tree, item: tree.selected_text(), True),
    Copied("Copy value", lambda tree, item: machine_text(item)),
    Copied("Copy text", lambda tree, item: item.text or machine_text(item)),
    Copied("Copy octets as hex", lambda tree, item: tree.octets(item).hex(), True),
    Copied("Copy field path", lambda tree, item: tree.path_text()),
)
