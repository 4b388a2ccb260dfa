"""Conditions for tests of panes: a mask that is given, under the text of a filter that nobody asks."""

from collections.abc import Iterable

import numpy as np

from cosemscope.analysis.filter.display_filter import compile_filter
from cosemscope.gui.document.conditions import FilterInForce


def condition(passing: Iterable[bool]) -> FilterInForce:
    """A condition that these rows, from the first on, pass or do not."""
    return FilterInForce(compile_filter("wpdu.number > 0"), np.fromiter(passing, np.bool_))


def every(divisor: int, rows: int) -> FilterInForce:
    """A condition of so many rows: the divisor divides the numbers of those that pass."""
    return condition(row % divisor == 0 for row in range(rows))
