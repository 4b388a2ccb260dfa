"""What the fields say of rows, as a value a row: info line, object, result and protection."""

from typing import Any, NamedTuple

import numpy as np

from cosemscope.analysis.associations.insights import Insights
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable


class Listed(NamedTuple):
    """One row; None where something does not apply."""

    info: str
    invoke_id: int | None
    class_id: int | None
    obis: str | None
    attribute: int | None
    result: str | None
    security: str
    inner: str | None


_NAMES = ("info", "invoke_id", "class", "obis", "attribute", "result", "security", "inner")


def listed(analysis: Analysis, insights: Insights, start: int, stop: int) -> list[Listed]:
    """These rows, which follow those that were asked for before."""
    asked = AskedRows(analysis, np.arange(start, stop), insights)
    columns: list[list[Any]] = [FIELDS[name].jsons(asked) for name in _NAMES]
    return [Listed(*row) for row in zip(*columns, strict=True)]


def all_listed(analysis: Analysis, keys: KeyTable = NO_KEYS) -> list[Listed]:
    """All rows of an analysis."""
    return listed(analysis, Insights(analysis, keys), 0, len(analysis.wpdus))
