"""Work of a widget that is done at once where somebody sees the widget, and else as soon as somebody does."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget


class WhenSeen(QObject):
    """Does `work` for `widget`: however often it was asked for meanwhile, once."""

    def __init__(self, widget: QWidget, work: Callable[[], None]) -> None:
        super().__init__(widget)
        self._widget, self._work = widget, work
        self._due = False
        widget.installEventFilter(self)

    def ask(self) -> None:
        """The work is to be done."""
        self._due = True
        self._do()

    def forget(self) -> None:
        """The work is not wanted any more."""
        self._due = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Somebody sees the widget: catch up."""
        if event.type() == QEvent.Type.Show:
            self._do()
        return False

    def _do(self) -> None:
        if self._due and self._widget.isVisible():
            self._due = False
            self._work()
