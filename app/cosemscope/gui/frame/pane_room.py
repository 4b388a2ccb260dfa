"""Room for the table: below a height the panes under it share one place as tabs, and part again above it.

The table keeps eight rows whatever is open: panes become lower before it does. Where that leaves them next to
nothing they stand in one place; the arrangement that a person knows is kept meanwhile, and comes back.
"""

from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

#: Rows of the table that are always seen, and its most of the height where rows are very high.
LEAST_ROWS, _MOST_SHARE = 8, 0.6

#: Heights, in lines of text, below which panes that stand one below another share a place; each.
_LEAST_LINES = 9

_BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea


class PaneRoom(QObject):
    """Watches the height of `workspace`, whose centre is `table`.

    `stacks` are the docks of each place below the table, from top to bottom; `height_of(rows)` is the height
    of the table with so many rows, `level()` gives the panes their usual heights.
    """

    def __init__(
        self,
        workspace: QMainWindow,
        table: QWidget,
        height_of: Callable[[int], int],
        stacks: Callable[[], Sequence[Sequence[QDockWidget]]],
        level: Callable[[], None],
    ) -> None:
        super().__init__(workspace)
        self._workspace, self._table = workspace, table
        self._height_of, self._stacks = height_of, stacks
        self._parted = b""  # the arrangement while the panes share a place
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.timeout.connect(self.settle)
        self._leveling = QTimer(self)
        self._leveling.setSingleShot(True)
        self._leveling.timeout.connect(level)
        workspace.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Another height: settle when the layout has come to rest."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            self.keep_rows()
            self._due.start(0)
        return False

    @property
    def shared(self) -> bool:
        """Whether the panes below the table share one place because there is little room."""
        return bool(self._parted)

    def state(self) -> bytes:
        """The arrangement to be remembered: that of a window with room."""
        return self._parted or bytes(self._workspace.saveState().data())

    def forget(self) -> None:
        """Another arrangement has been taken over."""
        self._parted = b""

    def keep_rows(self) -> None:
        """Give the table its least height."""
        most = round(self._workspace.height() * _MOST_SHARE)
        self._table.setMinimumHeight(min(self._height_of(LEAST_ROWS), most))

    def settle(self) -> None:
        """Put the panes into one place, or apart again, as the height wants it."""
        if not self._workspace.isVisible():
            return
        self.keep_rows()
        stacks = [stack for stack in self._stacks() if stack]
        line = self._table.fontMetrics().lineSpacing() + 5
        needed = self._height_of(LEAST_ROWS) + len(stacks) * _LEAST_LINES * line
        tight = self._workspace.height() < needed
        if tight and not self._parted and len(stacks) > 1:
            self._share(stacks)
        elif not tight and self._parted:
            self._part(_in_front(dock for stack in stacks for dock in stack))

    def _share(self, stacks: Sequence[Sequence[QDockWidget]]) -> None:
        self._parted = bytes(self._workspace.saveState().data())
        first = stacks[0][0]
        front = _in_front(dock for stack in stacks for dock in stack)
        for stack in stacks:
            for dock in stack:
                if dock is not first:
                    self._workspace.tabifyDockWidget(first, dock)
        bring_to_front(self._workspace, front or first)

    def _part(self, front: QDockWidget | None) -> None:
        docks = [dock for dock in self._workspace.findChildren(QDockWidget) if not dock.isFloating()]
        shown = {dock: not dock.isHidden() for dock in docks}
        state, self._parted = self._parted, b""
        self._workspace.restoreState(QByteArray(state))
        for dock, wanted in shown.items():
            dock.setVisible(wanted)
        if front is not None:
            bring_to_front(self._workspace, front)
        # The state knows the heights of the moment in which there was too little room, and Qt takes some of
        # them over when it lays the panes out.
        self._leveling.start(0)


def bring_to_front(workspace: QMainWindow, dock: QDockWidget) -> None:
    """Show a dock before those that share its place.

    Qt does nothing for one that is the uppermost child already, as after an arrangement was taken back,
    though the tab in front may be another one's.
    """
    for other in workspace.tabifiedDockWidgets(dock)[:1]:
        other.raise_()
    dock.raise_()


def _in_front(docks: Iterable[QDockWidget]) -> QDockWidget | None:
    """The first of some docks that is seen."""
    return next((dock for dock in docks if not dock.visibleRegion().isEmpty()), None)


def below_the_table(workspace: QMainWindow, docks: Iterable[QDockWidget]) -> list[QDockWidget]:
    """Those of some docks that stand below the table now: a person may have put them elsewhere."""
    return [dock for dock in docks if not dock.isFloating() and workspace.dockWidgetArea(dock) == _BOTTOM]
