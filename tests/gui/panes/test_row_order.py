"""Row numbers after filter and order are those of a plain Python list."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.gui.document.conditions import Filters
from cosemscope.gui.panes.row_order import RowOrder, stable_order
from tests.helpers.conditions import condition, every

VALUES = st.lists(st.integers(0, 5), max_size=60)


@given(
    VALUES | st.lists(st.integers(0xFFFC, 0x10002), max_size=60),
    st.booleans(),
    st.sampled_from((np.int64, np.uint32, np.uint64)),
)
def test_equal_keys_keep_their_order_up_and_down(values, descending, kind):
    """Sorting twice, by one column and then another, is only useful when the sort is stable."""
    order = stable_order(np.array(values, kind), descending)
    sign = -1 if descending else 1
    assert list(order) == sorted(range(len(values)), key=lambda row: sign * values[row])


@given(VALUES, st.integers(0, 60), st.sampled_from([None, 1, 3]), st.sampled_from([None, False, True]))
def test_growing_rows_are_those_of_a_list(values, first, divisor, order):
    """Whether rows come at once or in two batches, the same ones are shown in the same order."""
    column = np.array(values, np.int64)
    rows = RowOrder(Filters())
    if divisor is not None:
        rows.filters.put("test", condition(value % divisor == 0 for value in values))
    if order is not None:
        rows.set_order(lambda stop: column[:stop], order)
    for total in (min(first, len(values)), len(values)):
        if rows.sorted:
            rows.rebuild(total)
        else:
            count, fresh = rows.grow(total)
            shown = len(rows)
            rows.commit(total, fresh)
            assert len(rows) == shown + count
    wanted = [row for row, value in enumerate(values) if divisor is None or value % divisor == 0]
    if order is not None:
        wanted.sort(key=lambda row: -values[row] if order else values[row])
    assert list(rows.rows) == wanted
    assert [rows.row(place) for place in range(len(rows))] == wanted
    for row in range(len(values)):
        assert rows.position(row) == (wanted.index(row) if row in wanted else -1)


def test_filters_combine_and_can_be_taken_away():
    """Two restrictions hold together; without one the other still holds."""
    rows = RowOrder(Filters())
    rows.rebuild(12)
    rows.filters.put("even", every(2, 12))
    rows.filters.put("third", every(3, 12))
    rows.rebuild()
    assert list(rows.rows) == [0, 6]
    rows.filters.put("even", None)
    rows.rebuild()
    assert list(rows.rows) == [0, 3, 6, 9]
    rows.filters.put("third", None)
    rows.rebuild()
    assert list(rows.rows) == list(range(12))


@pytest.mark.parametrize("row", [-1, 12, 1000])
def test_a_row_that_is_not_there_has_no_position(row):
    """Nothing outside of the table is found."""
    rows = RowOrder(Filters())
    rows.rebuild(12)
    assert rows.position(row) == -1
