"""What is looked at: filters that combine, a history as in a browser, and the signals that panes watch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.gui.document.selection import History, Selection
from tests.helpers.polled import polled_traffic

#: Filters of WPDUs whose rows, from 0, two or three divides.
EVEN, THIRD = "(wpdu.number - 1) % 2 == 0", "(wpdu.number - 1) % 3 == 0"


@pytest.fixture
def selection(qapp) -> Selection:
    selection = Selection()
    selection.set_traffic(polled_traffic(40))
    return selection


@given(st.lists(st.integers(0, 9) | st.sampled_from(["back", "forward"]), max_size=60))
def test_history_is_a_browsers(steps):
    """Against two stacks: visiting forgets what lay ahead, going back and forward never loses a row."""
    history = History()
    behind: list[int] = []
    ahead: list[int] = []
    for step in steps:
        if step == "back":
            assert history.can_move(-1) == (len(behind) > 1)
            row = history.move(-1)
            if len(behind) > 1:
                ahead.append(behind.pop())
                assert row == behind[-1]
            else:
                assert row is None
        elif step == "forward":
            assert history.can_move(1) == bool(ahead)
            row = history.move(1)
            if ahead:
                behind.append(ahead.pop())
                assert row == behind[-1]
            else:
                assert row is None
        elif not behind or behind[-1] != step:
            history.visit(step)
            behind.append(step)
            ahead.clear()


def test_going_to_a_hidden_row_takes_the_filters_away(selection, qtbot):
    """A row that is looked for is never said to be missing because of a filter."""
    selection.restrict("even", EVEN)
    selection.go_to(4)
    assert selection.filters
    with qtbot.waitSignal(selection.filtersChanged) as changed:
        assert selection.go_to(5)
    assert changed.args == [frozenset({"even"})]
    assert selection.row == 5
    assert not selection.filters


@pytest.mark.parametrize("row", [-1, 40, 1000])
def test_rows_that_are_not_there_cannot_be_gone_to(selection, row):
    """The current row and the filters stay."""
    selection.go_to(7)
    selection.restrict("even", EVEN)
    assert not selection.go_to(row)
    assert selection.row == 7
    assert selection.filters


def test_signals_come_once_and_only_for_news(selection):
    """What is current already is not told again, but brought into view again."""
    told: list[tuple[str, object]] = []
    for name in ("rowChanged", "rowSought", "filtersChanged"):
        getattr(selection, name).connect(lambda what, name=name: told.append((name, what)))
    selection.go_to(3)
    selection.go_to(3)
    selection.select(3)
    selection.restrict("even", "")
    selection.show_all()
    assert told == [("rowChanged", 3), ("rowSought", 3), ("rowSought", 3)]


def test_back_and_forward_go_among_rows_that_were_looked_at(selection):
    """Also to one that a filter hides by now; going about in the history is not remembered itself."""
    for row in (1, 4, 7):
        selection.select(row)
    selection.go_back()
    assert selection.row == 4
    selection.restrict("third", THIRD)
    selection.go_back()
    assert (selection.row, bool(selection.filters)) == (1, False)
    selection.go_forward()
    selection.go_forward()
    selection.go_forward()
    assert selection.row == 7


def test_neighbours_are_of_the_same_session(selection):
    """Two connections in turns, a request and a response each: rows 0, 1, 4, 5 are of the first."""
    selection.go_to(1)
    selection.go_next_here()
    assert selection.row == 4
    selection.go_previous_here()
    selection.go_previous_here()
    selection.go_previous_here()
    assert selection.row == 0


def test_another_capture_begins_with_nothing(selection, qtbot):
    """No row, no filter, no way back; panes are told that there is no row."""
    selection.go_to(3)
    selection.restrict("even", EVEN)
    with qtbot.waitSignal(selection.rowChanged) as changed:
        selection.set_traffic(polled_traffic(10))
    assert changed.args == [-1]
    assert not selection.filters
    assert not selection.history.can_move(-1)
