"""Sort keys of what is read out of each APDU by itself, such as info lines: made in the background, and kept.

Only rows that are shown are read. Those that were not stand behind all others, as those without a value do.
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.passed_rows import PassedRows
from cosemscope.analysis.counting.field_codes import coded_parts
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.row_field import RowField
from cosemscope.analysis.fields.value_arrays import Values
from cosemscope.capture.records import CaptureError
from cosemscope.gui.base.task import Task, Tell
from cosemscope.gui.document.asking import beside
from cosemscope.gui.document.traffic import Traffic

Numbers = npt.NDArray[np.int64]
#: Rows that are read at once.
_AT_ONCE = 512


class ReadOrder(NamedTuple):
    """What rows have a value and the places of these in order; or why the rows could not be read."""

    rows: Numbers
    places: Numbers
    trouble: str = ""

    def key(self, stop: int, *, descending: bool) -> Numbers:
        """The sort key of the rows from 0 to `stop`, int64; those without a value come last either way."""
        key = np.full(stop, -1 if descending else np.iinfo(np.int64).max)
        there = self.rows < stop
        key[self.rows[there]] = self.places[there]
        return key


def reading_task(traffic: Traffic, field: RowField, rows: Numbers) -> Task:
    """The task that reads a field out of these rows; its result is a `ReadOrder`."""
    return Task(partial(_read, traffic, field, rows))


def _read(traffic: Traffic, field: RowField, rows: Numbers, tell: Tell) -> ReadOrder:
    looker = PassedRows(beside(traffic.associations))

    def parts() -> Iterator[Values]:
        for start in range(0, len(rows), _AT_ONCE):
            tell(start, len(rows))
            yield field.values(AskedRows(traffic.analysis, rows[start : start + _AT_ONCE], looker))

    try:
        found = coded_parts(field.type, parts())
    except (CaptureError, OSError) as error:
        return ReadOrder(rows[:0], rows[:0], f"The rows could not be read to sort them: {error}")
    places = found.codes.astype(np.int64)
    if found.rows is not None:  # of several values the first
        places = places[np.unique(found.rows, return_index=True)[1]]
    told = places < len(found.values)
    return ReadOrder(rows[told], places[told])
