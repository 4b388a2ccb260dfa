"""The table of messages that a pasted text holds: number, time, sender, octets, what each is about."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from cosemscope.analysis.pasted.pasted_trees import PastedTree
from cosemscope.apdu.summary import summarise
from cosemscope.gui.look.formats import plain_tip
from cosemscope.wording import printable

_TITLES = ("No.", "Time", "From", "Octets", "Message")
_TIME, _MESSAGE = 1, 4
_WIDTHS = (50, 210, 70, 60)


class MessageList(QTreeWidget):
    """The table; one message is current. `rowChosen` gives its place, from 0."""

    rowChosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Messages")
        self.setHeaderLabels(list(_TITLES))
        self.setRootIsDecorated(False)
        self.setAllColumnsShowFocus(True)
        self.setUniformRowHeights(True)
        header = self.header()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(_MESSAGE, QHeaderView.ResizeMode.Stretch)
        for column, width in enumerate(_WIDTHS):
            header.resizeSection(column, width)
        self.currentItemChanged.connect(lambda item: self.rowChosen.emit(self.indexOfTopLevelItem(item)))

    @property
    def row(self) -> int:
        """The place of the current message, from 0; -1 for none."""
        return self.indexOfTopLevelItem(self.currentItem()) if self.currentItem() is not None else -1

    def show_messages(self, trees: Sequence[PastedTree], current: int) -> None:
        """List the messages, without a word to whoever listens; times have a column where any is told."""
        self.blockSignals(True)
        self.clear()
        self.addTopLevelItems([_item(number, tree) for number, tree in enumerate(trees, 1)])
        self.setColumnHidden(_TIME, not any(tree.stamp for tree in trees))
        self.choose(current)
        self.blockSignals(False)

    def choose(self, row: int) -> None:
        """Make this message the current one, where it is there."""
        if 0 <= row < self.topLevelItemCount():
            self.setCurrentItem(self.topLevelItem(row))

    def line(self, row: int) -> list[str]:
        """The cells of a message."""
        item = self.topLevelItem(row)
        return [item.text(column) for column in range(len(_TITLES))]


def _item(number: int, tree: PastedTree) -> QTreeWidgetItem:
    words = printable(summarise(tree.decoded, tree.look.context))
    size = len(tree.decoded.sources[0].data)
    item = QTreeWidgetItem([str(number), tree.time, tree.sender.value, str(size), words])
    item.setToolTip(_MESSAGE, plain_tip(words))
    return item
