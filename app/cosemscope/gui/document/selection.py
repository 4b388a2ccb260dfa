"""The view on a capture that panes watch: the current WPDU, the display filters in force, the history.

The panes do not know each other. One that lets a person choose a WPDU goes to it here, one that restricts the
rows puts a display filter in force here, under a name of its own, and all of them hear of either by a signal.
"""

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QTimer, Signal

from cosemscope.analysis.filter.display_filter import compile_filter
from cosemscope.analysis.notes import NoteKind
from cosemscope.gui.document.asking import Filtering, Question
from cosemscope.gui.document.conditions import FilterInForce, Filters
from cosemscope.gui.document.traffic import Traffic

#: Rows kept in the history.
_REMEMBERED = 500

#: Milliseconds between two questions about rows of a capture that grows, and how often the cost of the first
#: must have passed.
REST, PATIENCE = 400, 5

#: Fields that say what somebody has noted.
_OF_NOTES = ("frame.marked", "frame.ignored", "frame.ref_time", "frame.comment")
_NONE_KNOWN = np.zeros(0, np.bool_)


class History:
    """WPDU rows that were looked at, with a place in them, as in a web browser."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._at = -1

    def visit(self, row: int) -> None:
        """Remember `row` after the present place; what lay ahead is forgotten."""
        if self._at < 0 or self._rows[self._at] != row:
            self._rows[self._at + 1 :] = [row]
            del self._rows[:-_REMEMBERED]
            self._at = len(self._rows) - 1

    def move(self, by: int) -> int | None:
        """Go back (-1) or forward (1); the row there, or None at the end."""
        if not self.can_move(by):
            return None
        self._at += by
        return self._rows[self._at]

    def can_move(self, by: int) -> bool:
        """Whether there is something to go to."""
        return 0 <= self._at + by < len(self._rows)

    def clear(self) -> None:
        """Forget all."""
        self._rows, self._at = [], -1


class Selection(QObject):
    """The current WPDU row of a capture, the filters in force, and the rows looked at before.

    `rowChanged` gives the row that became current, -1 for none. `rowSought` gives a row that somebody went to
    and that is to be brought into view, perhaps the current one. `filtersChanged` gives the names of the
    filters that were set or taken away, frozenset[str], or whose rows are others now. `rowsAnswered` says
    that more rows have been asked for the filters in force. `filterAsked` gives what somebody wants of the
    filter that is typed, an `AskedFilter`. `noted` says that somebody has marked, ignored or commented. A new
    capture begins with `rowChanged(-1)` alone.
    """

    rowChanged = Signal(int)
    rowSought = Signal(int)
    filtersChanged = Signal(object)
    rowsAnswered = Signal()
    filterAsked = Signal(object)
    noted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.traffic = Traffic.empty()
        self.filters = Filters()
        self.filtering = Filtering(self)
        self.filtering.answered.connect(self._take_answer)
        self.history = History()
        self._row = -1
        self._rest = QTimer(self)  # between two questions about rows that come and come
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self.take_rows)

    def set_traffic(self, traffic: Traffic) -> None:
        """Begin with another capture: no row, no filter, no history."""
        self._begin(traffic)
        self.rowChanged.emit(-1)

    def _begin(self, traffic: Traffic) -> None:
        self.traffic = traffic
        self.filtering.cancel()
        self.filters.clear()
        self.history.clear()
        self._row = -1

    # The row

    @property
    def row(self) -> int:
        """The current WPDU row, -1 for none."""
        return self._row

    def select(self, row: int) -> None:
        """Make a row current that passes the filters, or none (-1)."""
        if row == self._row:
            return
        self._row = row
        if row >= 0:
            self.history.visit(row)
        self.rowChanged.emit(row)

    def go_to(self, row: int) -> bool:
        """Make a row current and bring it into view; filters that hide it give way. False: there is none."""
        if not 0 <= row < self.traffic.total:
            return False
        if not self.filters.matching(row, row + 1)[0]:
            self.show_all()
        self.select(row)
        self.rowSought.emit(row)
        return True

    def go_back(self) -> None:
        """Go to the WPDU looked at before."""
        self._go_in_history(-1)

    def go_forward(self) -> None:
        """Undo going back."""
        self._go_in_history(1)

    def _go_in_history(self, by: int) -> None:
        row = self.history.move(by)
        if row is not None:
            self.go_to(row)

    def go_previous_here(self) -> None:
        """Go to the WPDU before, of the same stream and wPort pair."""
        self.go_to(self.traffic.neighbour(self._row, -1))

    def go_next_here(self) -> None:
        """Go to the WPDU after, of the same stream and wPort pair."""
        self.go_to(self.traffic.neighbour(self._row, 1))

    # The filters

    def restrict(self, name: str, text: str) -> None:
        """Show only rows that pass the display filter `text`, among those that pass the others ("": no more).

        Many rows are asked in the background; until then those shown stay. Raises FilterError for what is no
        display filter, and nothing changes.
        """
        if not text.strip():
            self.filtering.cancel(name)
            if self.filters.put(name, None):
                self.filtersChanged.emit(frozenset((name,)))
            return
        display = compile_filter(text)
        self.filtering.ask(Question(name, display, _NONE_KNOWN, self.traffic.total), self.traffic)

    def show_all(self) -> None:
        """Take all filters away."""
        self.filtering.cancel()
        names = self.filters.clear()
        if names:
            self.filtersChanged.emit(names)

    def take_rows(self) -> None:
        """Ask rows that have come, as far as the filters in force have not been asked about them."""
        total = self.traffic.total
        for name, condition in list(self.filters):
            if name in self.filtering or len(condition.mask) >= total:
                continue
            known = condition.mask if condition.display.settled else _NONE_KNOWN
            question = Question(name, condition.display, known, total)
            if question.is_short or not self._rest.isActive():
                self.filtering.ask(question, self.traffic)

    def ask_anew(self) -> None:
        """Ask all rows again: more is known of them, or something else."""
        for name, condition in list(self.filters):
            question = Question(name, condition.display, _NONE_KNOWN, self.traffic.total)
            self.filtering.ask(question, self.traffic)

    def tell_noted(self) -> None:
        """Somebody has noted something on rows: tell the panes, and ask again who asks for notes."""
        self.noted.emit()
        if any(field in condition.text for _, condition in self.filters for field in _OF_NOTES):
            self.ask_anew()

    def counted(self, without: str = "") -> npt.NDArray[np.bool_]:
        """Which rows pass the filters in force and are not ignored, bool[total]: what counts and goes out.

        `without` is the name of a filter that is not asked.
        """
        total = self.traffic.total
        ignored = self.traffic.analysis.notes.has(NoteKind.IGNORED, slice(0, total))
        return self.filters.matching(0, total, without=without) & ~ignored

    def _take_answer(self, question: Question, condition: FilterInForce) -> None:
        before = dict(self.filters).get(question.name)
        self.filters.put(question.name, condition)
        same = before is not None and before.display is condition.display
        if same and np.array_equal(before.mask, condition.mask[: len(before.mask)]):
            self.rowsAnswered.emit()
        else:
            self.filtersChanged.emit(frozenset((question.name,)))
        if not question.is_short:  # what is read while it is asked should not wait for the asking
            self._rest.start(max(REST, round(PATIENCE * 1000 * question.taken)))
        self.take_rows()
