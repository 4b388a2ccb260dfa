"""A table that goes out: named columns with their types, and rows that come a batch at a time.

Whoever makes one (`row_tables`, `item_table`, `object_tables`, `carrying_packets`) knows nothing of formats;
whoever writes one (`table_writers`, `parquet_file`) knows nothing of captures.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.export.whole_file import ExportError
from cosemscope.analysis.fields.value_arrays import Coded, Several, Values
from cosemscope.analysis.fields.value_types import ValueType

#: Rows of a batch.
AT_ONCE = 4096

Told = Callable[[int, int], None]


def nobody(done: int, total: int) -> None:
    """Nobody is told."""


@dataclass(frozen=True)
class Subject:
    """What is exported of: an analysis that was read to its end, and what is known of it.

    `associations` have been walked, by the pass that the wanted columns need. `rows`, int64[n] ascending, are
    the WPDUs that are left; None: all. `told` is called with the rows that are done and their number.
    """

    analysis: Analysis
    associations: Associations
    rows: npt.NDArray[np.int64] | None = None
    told: Told = field(default=nobody)

    @property
    def wpdus(self) -> npt.NDArray[np.int64]:
        """The rows of the WPDUs that are left, int64[n] ascending."""
        return np.arange(len(self.analysis.wpdus)) if self.rows is None else self.rows


class OutColumn(NamedTuple):
    """A column: its name, the type of its values, what they mean, and whether a row has several of them."""

    name: str
    type: ValueType
    meaning: str
    several: bool = False


class OutTable(NamedTuple):
    """Columns, and batches of their values; `rows` is the number of rows of all batches."""

    columns: tuple[OutColumn, ...]
    batches: Iterator[list[Values]]
    rows: int


def length(values: Values) -> int:
    """The number of rows of a column."""
    if isinstance(values, Several):
        return len(values.stops)
    return len(values.codes if isinstance(values, Coded) else values)


def chosen(columns: Sequence[OutColumn], names: Sequence[str] | None, what: str) -> list[OutColumn]:
    """The columns of these names, in any case, in their order; all for None.

    Raises ExportError for a name that none has, with those that are nearest.
    """
    if names is None:
        return list(columns)
    known = {column.name: column for column in columns}
    for name in names:
        if name.lower() not in known:
            near = get_close_matches(name.lower(), known, 3, 0.5) or list(known)
            raise ExportError(f"{what} have no column “{name}”, but {', '.join(near)}.")
    return [known[name.lower()] for name in names]
