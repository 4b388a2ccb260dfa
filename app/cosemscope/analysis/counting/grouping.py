"""Groups: rows that have the same values of some fields, and what their numbers come to.

    groups = group([coded_field(FIELDS["obis"], asked), coded_field(FIELDS["result"], asked)])
    groups.counts(), spread(groups, numbers, there)

Any field groups. A row with several values of a field is in the group of each, once. Numbers are told by
their least, mean, median, 95th and 99th percentile and most.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.counting.field_codes import FieldCodes
from cosemscope.analysis.fields.value_arrays import Array, coded

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: Groups that are looked for in a table at most; of more, codes are numbered anew field by field.
_TABLE = 1 << 20
#: Bits that a group's number and what its numbers have above the least one share when they are sorted.
_SORTED_BITS = 62


class Groups(NamedTuple):
    """Rows in groups: entry i is row `rows[i]` in group `of[i]`, int64[m] both; None: entry i is row i.

    `keys[f]`, int64[groups], is the code of field f that the rows of each group have.
    """

    of: Numbers
    keys: tuple[Numbers, ...]
    rows: Numbers | None

    @property
    def total(self) -> int:
        """How many groups there are."""
        return len(self.keys[0])

    def taken(self, column: Array) -> Array:
        """A column of the rows as one of the entries."""
        return column if self.rows is None else column[self.rows]

    def counts(self, mask: Mask | None = None) -> Numbers:
        """How many rows each group has, or of those that `mask` (bool[rows]) marks."""
        chosen = self.of if mask is None else self.of[self.taken(mask)]
        return np.bincount(chosen, minlength=self.total).astype(np.int64)

    def sums(self, numbers: Array) -> Numbers:
        """The sum of each group's numbers (whole numbers[rows]), int64."""
        sums = np.zeros(self.total, np.int64)
        np.add.at(sums, self.of, self.taken(numbers))
        return sums


class Spread(NamedTuple):
    """What the numbers of each group come to: arrays of the numbers' type by group, 0 where `counts` is 0.

    `middle` is the number in the middle, the lower one of two. `above` is the mean less the least number, and
    `apart` the median less the middle, float64: of instants too they keep their nanoseconds so.
    """

    counts: Numbers
    least: Array
    above: npt.NDArray[np.float64]
    middle: Array
    apart: npt.NDArray[np.float64]
    p95: Array
    p99: Array
    most: Array

    @property
    def mean(self) -> Array:
        """The mean; of whole numbers rounded down."""
        return _sum(self.least, self.above)

    @property
    def median(self) -> Array:
        """The median, where two are in the middle their mean; of whole numbers rounded down."""
        return _sum(self.middle, self.apart)

    def taken(self, order: Numbers) -> "Spread":
        """The spread of these groups."""
        return Spread._make(column[order] for column in self)


def _sum(base: Array, more: npt.NDArray[np.float64]) -> Array:
    found: Array = base + (more if base.dtype.kind == "f" else np.floor(more).astype(np.int64))
    return found


def group(fields: Sequence[FieldCodes]) -> Groups:
    """The groups of rows by some fields, at least one, in the order of their values, the first field's first.

    All fields are of the same rows.
    """
    owns: list[Array] = []
    rows: Numbers | None = None
    for field in fields:
        entries, own = field.entries(rows)
        if entries is not None:
            owns = [one[entries] for one in owns]
            rows = entries if rows is None else rows[entries]
        owns.append(own)
    code, width = owns[0].astype(np.int64), fields[0].width
    for field, own in zip(fields[1:], owns[1:], strict=True):
        if width * field.width > max(len(code), _TABLE):
            # Numbered anew, so that codes stay below the square of the number of entries.
            code, known = coded(code)
            width = max(len(known), 1)
        code = code * field.width + own
        width *= field.width
    of, known = coded(code)
    first = np.zeros(len(known), np.int64)
    first[of[::-1]] = np.arange(len(of) - 1, -1, -1)
    return Groups(of, tuple(own[first].astype(np.int64) for own in owns), rows)


def spread(groups: Groups, numbers: Array, there: Mask) -> Spread:
    """The spread of each group's numbers, int64[rows] or float64[rows], those left out that are not `there`.

    The 95th and 99th percentiles are the numbers at the nearest rank: measured ones, none in between.
    """
    chosen = groups.taken(there)
    of, values = groups.of[chosen], groups.taken(numbers)[chosen]
    # Invariant: `values` has the numbers of each group together, ascending; those of group g begin at
    # starts[g] and are counts[g].
    values = _sorted_by_group(of, values)
    counts = np.bincount(of, minlength=groups.total).astype(np.int64)
    starts = np.cumsum(counts) - counts
    some = counts > 0

    def at(share: float) -> Array:
        """The number at the nearest rank of a share of each group."""
        rank = np.maximum(np.ceil(share * counts).astype(np.int64) - 1, 0)
        found = np.zeros(len(counts), values.dtype)
        found[some] = values[starts[some] + rank[some]]
        return found

    least, above = at(0.0), np.zeros(len(counts), np.float64)
    middle, apart = at(0.5), np.zeros(len(counts), np.float64)
    even = some & (counts % 2 == 0)
    apart[even] = (values[starts[even] + counts[even] // 2] - middle[even]) / 2
    if some.any():
        differences = (values - np.repeat(least, counts)).astype(np.float64)
        above[some] = np.add.reduceat(differences, starts[some]) / counts[some]
    return Spread(counts, least, above, middle, apart, at(0.95), at(0.99), at(1.0))


def _sorted_by_group(of: Numbers, values: Array) -> Array:
    """The values, those of each group together, ascending."""
    if values.dtype.kind != "f" and len(values):
        least, most = int(values.min()), int(values.max())
        bits = (most - least).bit_length()
        if bits + int(of.max()).bit_length() <= _SORTED_BITS:  # one number for both, which sort far quicker
            both = (of << bits) | (values.astype(np.int64) - least)
            both.sort()
            whole: Array = (both & ((1 << bits) - 1)) + least
            return whole
    ordered: Array = values[np.lexsort((values, of))]
    return ordered
