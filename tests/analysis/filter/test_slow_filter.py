"""Filters leave the rows that a slow interpreter leaves, which takes the same expression value by value."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.run import find_items
from cosemscope.analysis.filter.display_filter import compile_filter
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.capture.files.reader import open_capture
from cosemscope.resources import resource
from tests.helpers.slow_filter import SlowRows, filters
from tests.helpers.traffic_random import random_traffic

_FOLDER = TemporaryDirectory()


@cache
def _made(seed: int) -> SlowRows:
    """Random traffic, or for seed 0 the sample with everything in it, opened with its keys."""
    if not seed:
        reader = open_capture(str(resource("samples/first-look.pcapng")))
        keys = KeyTable.load(str(resource("samples/first-look-keys.toml")))
    else:
        path = Path(_FOLDER.name, f"{seed}.pcapng")
        random_traffic(seed, holes=bool(seed % 2)).write(path)
        reader, keys = open_capture(str(path)), NO_KEYS
    associations = Associations(Analysis(reader).run(), keys)
    find_items(associations, workers=0)
    return SlowRows(associations)


@pytest.mark.timeout(300)
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data(), st.integers(0, 3))
def test_filters_leave_what_the_slow_interpreter_leaves(data, seed):
    """Of all rows, and of some in any order."""
    rows = _made(seed)
    drawn = data.draw(filters(rows))
    analysis = rows.associations.analysis
    compiled = compile_filter(drawn.text)
    wanted = [row for row in range(rows.count) if drawn.of(row)]
    assert compiled.rows(analysis, associations=rows.associations).tolist() == wanted, drawn.text
    some = data.draw(st.lists(st.integers(0, rows.count - 1), max_size=9, unique=True))
    left = compiled.rows(analysis, np.array(some, np.int64), associations=rows.associations)
    assert left.tolist() == [row for row in some if row in set(wanted)], drawn.text
