"""Questions to trees: a condition on decoded fields is answered row by row, and the answers are kept."""

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.fields.row_field import RowField
from cosemscope.analysis.filter.masks.asked_capture import Asked
from cosemscope.analysis.filter.masks.filter_vectors import Vector
from cosemscope.analysis.filter.masks.operands import Condition
from cosemscope.analysis.filter.masks.value_tests import Mask
from cosemscope.apdu.fields import Decoded

_AT_ONCE = 1024


class TreeSource:
    """Trees as the source of a filter's values."""

    def __init__(self, trees: list[Decoded]) -> None:
        self.trees = trees
        self.count = len(trees)

    def field(self, field: RowField) -> Vector:
        """No tree has fields of the registry: filters ask for these apart."""
        raise AssertionError(field.name)

    def narrowed(self, places: npt.NDArray[np.int64]) -> "TreeSource":
        """The trees at these places alone."""
        return TreeSource([self.trees[place] for place in places.tolist()])

    def of_trees(self, condition: Condition) -> Mask:
        """The trees are at hand."""
        return condition.mask(self)


def answer(asked: Asked, rows: npt.NDArray[np.int64], condition: Condition) -> Mask:
    """Which rows have trees that a condition on trees leaves, bool[rows]."""
    found = np.zeros(len(rows), np.bool_)
    for start in range(0, len(rows), _AT_ONCE):
        asked.look()
        part = rows[start : start + _AT_ONCE]
        trees = [
            asked.associations.decode(row, octets=octets)
            for row, octets in zip(part.tolist(), asked.analysis.octets_of(part), strict=True)
        ]
        found[start : start + _AT_ONCE] = condition.mask(TreeSource(trees))
        asked.progress(start + len(part), len(rows))
    return found
