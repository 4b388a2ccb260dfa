"""Fields of expert items: without the pass what columns and packets tell, after it all of it."""

from typing import Any

import numpy as np
import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.run import find_items
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.capture.files.reader import open_capture
from cosemscope.resources import resource
from cosemscope.streams.tables.expert_items import KINDS
from cosemscope.streams.tables.wpdu_table import Mark

NAMES = ("expert.item", "expert.severity", "expert.group", "expert.message")


@pytest.mark.parametrize("completed", [False, True])
def test_items_of_the_sample_with_faults(completed: bool) -> None:
    """The severity is that of the worst item; every truncated row says so; rows keep theirs in any order."""
    with open_capture(str(resource("samples/faults.pcapng"))) as reader:
        analysis = Analysis(reader).run()
        if completed:
            find_items(Associations(analysis))
        rows = np.arange(len(analysis.wpdus))
        said = _said(analysis, rows)
        assert _said(analysis, rows[::-1]) == said[::-1]
        for row, (items, severity, groups, messages) in enumerate(said):
            assert len(items) == len(groups) == len(messages)
            worst = max((KINDS[item].severity for item in items), default=None)
            assert severity == (worst.word if worst is not None else None)
            assert groups == [KINDS[item].group for item in items]
            assert ("truncated" in items) == bool(analysis.wpdus["marks"][row] & Mark.TRUNCATED)
        found = {item for items, *_ in said for item in items}
        assert {"hole", "out-of-order", "conflict", "truncated"} <= found
        assert ("clock-off" in found) == completed  # only the value of a tree tells it


def _said(analysis: Analysis, rows: Any) -> list[tuple[Any, ...]]:
    asked = AskedRows(analysis, rows)
    return list(zip(*(FIELDS[name].jsons(asked) for name in NAMES), strict=True))
