"""What a filter is asked about: the capture, who knows its associations, who may cancel, who is told."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.insights import Insights
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.passed_rows import PassedRows
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.asked_rows import Looker
from cosemscope.capture.cancelling import Look

Numbers = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]


class Asked(NamedTuple):
    """What a filter is asked about: a capture, who knows its associations, who may cancel, who is told."""

    analysis: Analysis
    associations: Associations
    look: Look
    progress: Progress


#: Rows are walked in order where they are more than one in so many; else each is looked at by itself.
_SHARE = 24
#: Rows that are looked at at once, and their octets: at the worst a quarter of a second.
_AT_ONCE, _MOST_OCTETS = 2048, 1 << 17


def is_walked(asked: Asked, rows: Numbers) -> bool:
    """Whether looks at these rows are had best by walking all rows up to the last one, in order."""
    ascending = len(rows) < 2 or bool((np.diff(rows) > 0).all())
    return ascending and len(rows) > 0 and len(rows) * _SHARE > int(rows[-1])


def looker_of(asked: Asked, rows: Numbers) -> Looker:
    """Who looks at these rows, which are asked for in their order."""
    if not is_walked(asked, rows):
        return PassedRows(asked.associations)
    return Insights(asked.analysis, beside=asked.associations)


def parts_of(asked: Asked, rows: Numbers) -> Iterator[slice]:
    """Places of rows that are looked at at once: so many, and fewer of long ones."""
    start = 0
    while start < len(rows):
        sizes = asked.analysis.wpdus["size"][rows[start : start + _AT_ONCE]]
        count = int(np.searchsorted(np.cumsum(sizes, dtype=np.int64), _MOST_OCTETS)) + 1
        stop = start + min(count, len(sizes))
        yield slice(start, stop)
        start = stop
