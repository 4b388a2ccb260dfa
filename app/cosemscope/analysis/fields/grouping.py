"""Groups: rows that have the same values of some fields, and what their numbers come to.

Any field groups. A group's row stands for its values; numbers are told by their count, least, mean, median,
95th and 99th percentile and most.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.row_field import RowField
from cosemscope.capture.columns import Array

Numbers = npt.NDArray[np.int64]


class Groups(NamedTuple):
    """Rows in groups: row i is in group `of[i]`; `first[g]` is the place of a row of group g. Both int64."""

    of: Numbers
    first: Numbers

    def counts(self, mask: npt.NDArray[np.bool_] | None = None) -> Numbers:
        """How many rows each group has, or of those that `mask` marks."""
        chosen = self.of if mask is None else self.of[mask]
        return np.bincount(chosen, minlength=len(self.first)).astype(np.int64)

    def sums(self, numbers: Array) -> Numbers:
        """The sum of each group's numbers, int64."""
        sums = np.zeros(len(self.first), np.int64)
        np.add.at(sums, self.of, numbers)
        return sums


class Spread(NamedTuple):
    """What the numbers of each group come to, int64[groups] each; -1 where a group has none."""

    least: Numbers
    mean: Numbers
    median: Numbers
    p95: Numbers
    p99: Numbers
    most: Numbers


def group(asked: AskedRows, fields: Sequence[RowField]) -> Groups:
    """The groups of rows by these fields, in the order of their values, the first field's first."""
    code = np.zeros(len(asked.numbers), np.int64)
    for field in fields:
        distinct, own = np.unique(field.order(asked), return_inverse=True)
        # Numbered anew after each field, so that codes stay below the square of the number of rows.
        code = np.unique(code * len(distinct) + own.reshape(-1), return_inverse=True)[1].reshape(-1)
    _, first, of = np.unique(code, return_index=True, return_inverse=True)
    return Groups(of.reshape(-1).astype(np.int64), first.astype(np.int64))


def spread(groups: Groups, numbers: Numbers) -> Spread:
    """The spread of each group's numbers, those below 0 left out.

    A percentile is the number at the nearest rank: one that was measured, none in between.
    """
    rows = np.flatnonzero(numbers >= 0)
    # Invariant: `values` has the numbers of each group together, ascending; those of group g begin at
    # starts[g] and are counts[g].
    rows = rows[np.lexsort((numbers[rows], groups.of[rows]))]
    values = numbers[rows]
    counts = np.bincount(groups.of[rows], minlength=len(groups.first))
    starts = np.cumsum(counts) - counts
    some = counts > 0

    def at(share: float) -> Numbers:
        """The number at the nearest rank of a share of each group."""
        rank = np.maximum(np.ceil(share * counts).astype(np.int64) - 1, 0)
        found = np.full(len(counts), -1, np.int64)
        found[some] = values[starts[some] + rank[some]]
        return found

    mean = np.full(len(counts), -1, np.int64)
    if some.any():
        mean[some] = np.add.reduceat(values, starts[some]) // counts[some]
    return Spread(at(0.0), mean, at(0.5), at(0.95), at(0.99), at(1.0))
