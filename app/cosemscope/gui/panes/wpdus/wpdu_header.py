"""The header of the WPDU table: which fields are columns, in which order, and how wide they are.

Columns fit themselves to the capture and to the window, until a person moves an edge or a column. Its menu
adds any field as a column and takes any away.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby

from PySide6.QtCore import QByteArray, QItemSelectionModel, QPoint, Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QHeaderView, QMenu, QStyle, QTableView

from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import RowField
from cosemscope.gui.look.cells import CELL_PADDING, HeaderStyle
from cosemscope.gui.panes.wpdus.column_looks import USUAL_FIELDS, gives_way, look_of
from cosemscope.gui.panes.wpdus.wpdu_model import WpduModel

#: Columns that go where others would be out of sight, in this order.
GOING = ("wpdu.segments", "wpdu.length")
#: Fields with the same first word that share a menu of their own.
_OWN_MENU = 3


class WpduHeaderView(QHeaderView):
    """The horizontal header of a WPDU table.

    `countAsked` gives fields to count by, and a number or "", `sortAsked` a column to sort by, -1 for none.
    """

    countAsked = Signal(str, str)
    sortAsked = Signal(int, Qt.SortOrder)

    def __init__(self, model: WpduModel, table: QTableView) -> None:
        super().__init__(Qt.Orientation.Horizontal, table)
        self._wpdus = model
        self._table = table
        self._fitting = self._arranged = False
        self._lengths: list[int] = []
        self._sorted_by = (-1, Qt.SortOrder.AscendingOrder)
        self._style = HeaderStyle()
        self.setStyle(self._style)
        self.setModel(model)
        self.setHighlightSections(False)
        self.setResizeContentsPrecision(50)  # fit to about a page, not to a thousand rows
        self.setMinimumSectionSize(30)
        self.setSectionsMovable(True)
        self.setStretchLastSection(True)
        self.setSectionsClickable(True)
        self.setSortIndicatorClearable(True)
        self.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)
        self.sortIndicatorChanged.connect(self._sort)
        self.sectionResized.connect(self._note_arrangement)
        self.sectionMoved.connect(self._note_arrangement)
        # Without a model of its own the header asks every cell of a column whether it is
        # selected: ten seconds for a million rows.
        self.setSelectionModel(QItemSelectionModel(model, self))

    # Which columns there are

    @property
    def shown(self) -> tuple[RowField, ...]:
        """The fields of the columns, from left to right."""
        return tuple(self._wpdus.fields[self.logicalIndex(place)] for place in range(self.count()))

    def show_fields(self, fields: Iterable[RowField]) -> None:
        """Make these the columns, from left to right; those that stay keep their widths."""
        widths = {field.name: self.sectionSize(number) for number, field in enumerate(self._wpdus.fields)}
        with self._apart():
            self.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
            for number in range(self.count()):
                self.moveSection(self.visualIndex(number), number)
            self._wpdus.set_fields(fields)
            for number, field in enumerate(self._wpdus.fields):
                self.resizeSection(number, widths.get(field.name) or self._sample_width(field))
        self.fit()

    def add(self, name: str, place: int) -> None:
        """Add a column at this place from the left."""
        shown = self.shown
        self.show_fields([*shown[:place], FIELDS[name], *shown[place:]])

    def remove(self, name: str) -> None:
        """Take a column away; the last one stays."""
        rest = [field for field in self.shown if field.name != name]
        if rest:
            self.show_fields(rest)

    def reset_columns(self) -> None:
        """The columns that the table has from the beginning, as they fit."""
        self._arranged = False
        self.show_fields(FIELDS[name] for name in USUAL_FIELDS)

    def fill_menu(self, menu: QMenu, section: int) -> None:
        """Fill the menu of the header over a column, -1 behind the last one."""
        place = self.visualIndex(section) + 1 if section >= 0 else self.count()
        if section >= 0 and self.count() > 1:
            field = self._wpdus.fields[section]
            menu.addAction(f"Remove “{field.title}”", lambda: self.remove(field.name))
        if section >= 0:
            field = self._wpdus.fields[section]
            menu.addAction(f"Count by “{field.title}”", lambda: self.countAsked.emit(field.name, ""))
            if field.type.numeric and not field.several:
                menu.addAction(
                    f"Spread of “{field.title}” by APDU", lambda: self.countAsked.emit("apdu", field.name)
                )
        columns = menu.addMenu("Columns")
        columns.setToolTipsVisible(True)
        names = sorted(FIELDS)
        for word, group in groupby(names, lambda name: name.partition(".")[0]):
            some = list(group)
            target = columns.addMenu(word) if len(some) >= _OWN_MENU else columns
            target.setToolTipsVisible(True)
            for name in some:
                self._add_choice(target, FIELDS[name], place)
        menu.addAction("Fit columns", self.fit_columns)
        menu.addAction("Reset columns", self.reset_columns)

    def _add_choice(self, menu: QMenu, field: RowField, place: int) -> None:
        shown = field in self._wpdus.fields
        action = menu.addAction(f"{field.title}\t{field.name}")
        action.setCheckable(True)
        action.setChecked(shown)
        action.setToolTip(field.meaning)
        action.triggered.connect(lambda: self.remove(field.name) if shown else self.add(field.name, place))

    def _open_menu(self, point: QPoint) -> None:
        menu = QMenu(self)
        self.fill_menu(menu, self.logicalIndexAt(point))
        menu.exec(self.mapToGlobal(point))
        menu.deleteLater()

    def _sort(self, section: int, order: Qt.SortOrder) -> None:
        """Ask for the rows in the order of a column."""
        if (section, order) == self._sorted_by:
            return
        self._sorted_by = section, order
        self._show_title(section)
        self.sortAsked.emit(section, order)

    # How wide they are

    def _show_title(self, section: int) -> None:
        """Beside the arrow of the sorted column its whole title has room."""
        if self._arranged and section >= 0:
            with self._apart():
                self.resizeSection(section, max(self.sectionSize(section), self._title_width(section)))
        self.fit()

    def _title_width(self, number: int) -> int:
        """Pixels of a column's title, with the arrow that may stand beside it."""
        width = self._metrics().horizontalAdvance(self._wpdus.fields[number].title) + 2 * CELL_PADDING
        if number != self._sorted_by[0]:
            return width
        return width + self.style().pixelMetric(QStyle.PixelMetric.PM_HeaderMarkSize) + CELL_PADDING

    def fit_columns(self) -> None:
        """Give each column what its contents need, and the last what is left.

        So they fit any width and any capture, until a person moves an edge or a column.
        """
        self._arranged = False
        self.fit()

    def fit_times(self) -> None:
        """Times are written in another way: give them the width that they need."""
        if self._arranged and FIELDS["wpdu.time"] in self._wpdus.fields:
            number = self._wpdus.fields.index(FIELDS["wpdu.time"])
            self.resizeSection(number, self._sample_width(FIELDS["wpdu.time"]))
        self.fit()

    def fit(self) -> None:
        """Fit the columns, unless a person has arranged them; where there is no room the least of them go."""
        if self._arranged:
            self._bring_back()
            return
        fields = self._wpdus.fields
        self._lengths = self._sample_lengths()
        metrics, air = self._metrics(), 2 * CELL_PADDING
        titles = [self._title_width(number) for number in range(len(fields))]
        widths = [max(title, self._sample_width(field)) for title, field in zip(titles, fields, strict=True)]
        lack = sum(widths) - self._table.viewport().width()
        giving = [number for number, field in enumerate(fields) if gives_way(field) >= 0]
        giving.sort(key=lambda number: gives_way(fields[number]))
        for stage in range(2):
            for number in giving:
                least = metrics.horizontalAdvance((look_of(fields[number]).least or ("", ""))[stage])
                given = max(0, min(lack, widths[number] - max(titles[number], least + air)))
                widths[number] -= given
                lack -= given
        gone: set[int] = set()
        for number in (number for name in GOING for number, field in enumerate(fields) if field.name == name):
            if lack > 0:
                gone.add(number)
                lack -= widths[number]
        with self._apart():
            for number, width in enumerate(widths):
                self.setSectionHidden(number, number in gone)
                if number not in gone:
                    self.resizeSection(number, width)

    def _bring_back(self) -> None:
        """A person has arranged columns while some had gone: they come back where there is room for all."""
        hidden = [number for number in range(self.count()) if self.isSectionHidden(number)]
        needed = sum(self._sample_width(self._wpdus.fields[number]) for number in hidden)
        last = self.logicalIndex(self.count() - 1)
        taken = self.length() - self.sectionSize(last) + self._sample_width(self._wpdus.fields[last])
        if hidden and taken + needed <= self._table.viewport().width():
            with self._apart():
                for number in hidden:
                    self.setSectionHidden(number, False)
                    self.resizeSection(number, self._sample_width(self._wpdus.fields[number]))

    def fit_growth(self) -> None:
        """The first rows tell how long addresses are; later ones need more digits now and then."""
        if not self._arranged and self._sample_lengths() != self._lengths:
            self.fit()

    def _metrics(self) -> QFontMetrics:
        return QFontMetrics(self._table.font())

    def _sample(self, field: RowField) -> str:
        cells = self._wpdus.cells
        return look_of(field).sample(self._wpdus.traffic, cells.time_format, cells.places)

    def _sample_width(self, field: RowField) -> int:
        return self._metrics().horizontalAdvance(self._sample(field)) + 2 * CELL_PADDING

    def _sample_lengths(self) -> list[int]:
        return [len(self._sample(FIELDS[name])) for name in ("wpdu.number", "wpdu.time")]

    @contextmanager
    def _apart(self) -> Iterator[None]:
        """What is moved meanwhile, no person has moved."""
        self._fitting = True
        try:
            yield
        finally:
            self._fitting = False

    def _note_arrangement(self, section: int) -> None:
        """A person has moved an edge or a column: that of the last column moves with the window's, too."""
        if not self._fitting and self.visualIndex(section) != self.count() - 1:
            self._arranged = True

    def arrangement(self) -> bytes:
        """The columns by name, their order and widths, to be remembered; nothing where all is as usual."""
        names = [field.name for field in self._wpdus.fields]
        usual = names == list(USUAL_FIELDS)
        if usual and not self._arranged:
            return b""
        state = bytes(self.saveState().data()) if self._arranged else b""
        return (b"" if usual else ",".join(names).encode()) + b"\0" + state

    def restore(self, arrangement: bytes) -> None:
        """Take back remembered columns; where none are, the usual ones, which fit themselves."""
        names, _, state = arrangement.partition(b"\0")
        listed = names.decode(errors="replace").split(",") if names else list(USUAL_FIELDS)
        known = [FIELDS[name] for name in dict.fromkeys(listed) if name in FIELDS]
        self._arranged = False
        self.show_fields(known or [FIELDS[name] for name in USUAL_FIELDS])
        with self._apart():
            self._arranged = (
                len(known) == len(listed) and bool(state) and self.restoreState(QByteArray(state))
            )
        self.fit()
        self.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortIndicatorShown(True)  # the state may tell that it was hidden
