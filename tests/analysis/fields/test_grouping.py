"""Groups by any fields, and what their numbers come to, against plain Python."""

import math
from collections import defaultdict
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.grouping import Groups, group, spread
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.capture.files.reader import open_capture
from cosemscope.resources import resource


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 1000)), max_size=60))
def test_spreads_are_those_of_sorted_lists(rows: list[tuple[int, int]]) -> None:
    """Nearest ranks of what was measured; what is below 0 was not."""
    of = np.array([owner for owner, _ in rows], np.int64)
    numbers = np.array([number for _, number in rows], np.int64)
    groups = Groups(of, np.arange(5))
    found = spread(groups, numbers)
    for owner in range(5):
        own = sorted(number for mine, number in rows if mine == owner and number >= 0)
        ranks = [own[max(math.ceil(share * len(own)), 1) - 1] if own else -1 for share in (0.5, 0.95, 0.99)]
        wanted = [own[0], sum(own) // len(own), *ranks, own[-1]] if own else [-1] * 6
        assert [int(span[owner]) for span in found] == wanted


def test_groups_have_the_rows_with_the_same_values() -> None:
    """Two fields at once: every row is in the group of its values, groups ascend, each once."""
    with open_capture(Path(str(resource("samples/first-look.pcapng")))) as reader:
        analysis = Analysis(reader).run()
        asked = AskedRows(analysis, slice(0, len(analysis.wpdus)))
        fields = [FIELDS["meter"], FIELDS["apdu"]]
        groups = group(asked, fields)
        values = list(zip(*(field.texts(asked) for field in fields), strict=True))
        rows: dict[tuple[str, ...], set[int]] = defaultdict(set)
        for row, value in enumerate(values):
            rows[value].add(row)
        assert len(groups.first) == len(rows)
        for number, first in enumerate(groups.first.tolist()):
            assert set(np.flatnonzero(groups.of == number).tolist()) == rows[values[first]]
        assert groups.counts().sum() == len(values)
