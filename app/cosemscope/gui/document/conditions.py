"""The display filters in force, each under a name, and the rows that pass them, as masks that grow.

Nothing is worked out here: who asks rows for a filter (`asking`) puts the answer in.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.filter.display_filter import DisplayFilter

#: A mask, bool[rows].
Mask = npt.NDArray[np.bool_]


class FilterInForce(NamedTuple):
    """A display filter in force, and the rows that were asked for it: `mask` says which of them pass."""

    display: DisplayFilter
    mask: Mask

    @property
    def text(self) -> str:
        """The display filter, as it was typed."""
        return self.display.text


class Filters:
    """Conditions by name; a row is shown when it passes all of them. Rows that were not asked pass none."""

    def __init__(self) -> None:
        self._conditions: dict[str, FilterInForce] = {}

    def __bool__(self) -> bool:
        return bool(self._conditions)

    def __contains__(self, name: str) -> bool:
        return name in self._conditions

    def __iter__(self) -> Iterator[tuple[str, FilterInForce]]:
        return iter(self._conditions.items())

    def text(self, name: str) -> str:
        """The display filter under `name`, "" for none."""
        condition = self._conditions.get(name)
        return condition.text if condition is not None else ""

    def put(self, name: str, condition: FilterInForce | None) -> bool:
        """Put a condition in force under `name` (None: take it away); whether that changes anything."""
        before = self._conditions.pop(name, None)
        if condition is not None:
            self._conditions[name] = condition
        return before is not condition

    def clear(self) -> frozenset[str]:
        """Take all away; return their names."""
        names = frozenset(self._conditions)
        self._conditions.clear()
        return names

    def but(self, name: str) -> bool:
        """Whether conditions other than the one under `name` are in force."""
        return bool(self._conditions.keys() - {name})

    def answered(self, total: int) -> int:
        """How many of the first `total` rows have been asked for every condition."""
        return min([total, *(len(condition.mask) for condition in self._conditions.values())])

    def matching(self, start: int, stop: int, without: str = "") -> Mask:
        """The mask, bool[stop - start], of the rows that pass all conditions but the one named `without`."""
        passing = np.ones(stop - start, np.bool_)
        for name, condition in self._conditions.items():
            if name != without:
                part = condition.mask[start:stop]
                passing[: len(part)] &= part
                passing[len(part) :] = False
        return passing
