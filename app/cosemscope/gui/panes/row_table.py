"""A table of rows as panes show them: quiet, sortable, copied by key, with words where there is no row."""

from collections.abc import Sequence

from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtGui import QFontMetrics, QGuiApplication, QKeyEvent, QKeySequence, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QTableView, QWidget

from cosemscope.gui.look import theme
from cosemscope.gui.look.cells import CELL_PADDING, CellDelegate, HeaderStyle, paint_hint

#: Columns as wide as their contents need are no wider than this share of the table.
_WIDEST = 0.6
#: Rows that are looked at for that.
_LOOKED_AT = 60


class RowTable(QTableView):
    """A view on a model of rows, called `name`. `hint` is what is said where there is no row."""

    def __init__(self, model: QAbstractItemModel, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hint = ""
        self._samples: Sequence[str] = ()
        self.setModel(model)
        self.setAccessibleName(name)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setItemDelegate(CellDelegate(self))
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._style = HeaderStyle()
        header = self.horizontalHeader()
        header.setStyle(self._style)
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(1)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.set_zoom(0)

    def set_samples(self, samples: Sequence[str]) -> None:
        """Make each column as wide as a text, and its title."""
        self._samples = samples
        metrics = self.fontMetrics()
        for column, sample in enumerate(samples):
            title = f"{self.model().headerData(column, Qt.Orientation.Horizontal)} ▲"
            width = max(map(metrics.horizontalAdvance, (title, sample)))
            self.setColumnWidth(column, width + 2 * CELL_PADDING)

    def fit_contents(self) -> None:
        """Make each column as wide as its title and first cells need."""
        model, metrics = self.model(), self.fontMetrics()
        widest = max(80, round(self.viewport().width() * _WIDEST))
        for column in range(model.columnCount()):
            cells = (model.index(row, column).data() for row in range(min(_LOOKED_AT, model.rowCount())))
            texts = (f"{model.headerData(column, Qt.Orientation.Horizontal)} ▲", *cells)
            width = max(map(metrics.horizontalAdvance, texts)) + 2 * CELL_PADDING
            self.setColumnWidth(column, min(width, widest))

    def set_zoom(self, points: int) -> None:
        """Make the text `points` larger than the application's, and rows and columns to fit."""
        font = theme.zoomed(QGuiApplication.font(), points)
        self.setFont(font)
        self.verticalHeader().setDefaultSectionSize(QFontMetrics(font).height() + 5)
        self.set_samples(self._samples)

    def copy(self) -> None:
        """Put the current row on the clipboard, with tabs between its cells."""
        row, model = self.currentIndex().row(), self.model()
        if row >= 0:
            cells = (
                model.index(row, column).data()
                for column in range(model.columnCount())
                if not self.isColumnHidden(column)
            )
            QGuiApplication.clipboard().setText("\t".join(map(str, cells)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """The rows, or words where there are none."""
        super().paintEvent(event)
        if self.hint and not self.model().rowCount():
            paint_hint(self.viewport(), self.hint)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy by key; everything else as tables do."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)
