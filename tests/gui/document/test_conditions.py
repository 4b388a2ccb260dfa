"""Filters in force combine; rows that were not asked yet pass none."""

import numpy as np

from cosemscope.gui.document.conditions import Filters
from tests.helpers.conditions import every


def test_filters_combine_and_can_be_taken_away():
    """Two restrictions hold together; without one the other still holds."""
    filters = Filters()
    assert not filters
    assert filters.put("even", every(2, 12))
    assert filters.put("third", every(3, 12))
    assert list(np.flatnonzero(filters.matching(0, 12))) == [0, 6]
    assert list(np.flatnonzero(filters.matching(3, 12)) + 3) == [6]
    assert list(np.flatnonzero(filters.matching(0, 12, without="third"))) == [0, 2, 4, 6, 8, 10]
    assert filters.but("even")
    assert filters.put("even", None)
    assert not filters.put("even", None)
    assert "even" not in filters
    assert not filters.but("third")
    assert filters.clear() == {"third"}
    assert filters.matching(0, 3).all()


def test_rows_that_were_not_asked_pass_nothing():
    """Of rows that came since, only those before are answered, by the condition that knows the fewest."""
    filters = Filters()
    assert filters.answered(50) == 50
    filters.put("one", every(1, 20))
    filters.put("two", every(1, 30))
    assert filters.answered(50) == 20
    assert list(np.flatnonzero(filters.matching(10, 40)) + 10) == list(range(10, 20))
    assert filters.matching(35, 40).sum() == 0
