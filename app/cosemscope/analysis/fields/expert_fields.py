"""Fields of expert items: what is wrong or remarkable about a WPDU, and how bad the worst of it is.

Until the pass over all rows has been there, these are the items of columns and packets; then those of trees
join them.
"""

from functools import partial

import numpy as np

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.row_field import Cost, declared
from cosemscope.analysis.fields.value_arrays import Array, Coded, Several, Values, object_array
from cosemscope.analysis.fields.value_types import Rank, Term, Text
from cosemscope.streams.tables.expert_items import KINDS, NUMBERED, Group, Severity, severities

_NONE = 255

_declared = partial(declared, cost=Cost.TREES)


def _several(asked: AskedRows, values: Array | Coded) -> Several:
    return Several(np.cumsum(np.bincount(asked.items.place, minlength=len(asked.numbers))), values)


@_declared(
    "expert.item",
    Term(KINDS),
    "Expert items",
    "Kinds of all its expert items: of its packets, its columns and its tree; with list --follow, and in the "
    "window until all APDUs have been read, without those of its tree",
    several=True,
)
def _item(asked: AskedRows) -> Values:
    return _several(asked, Coded(asked.items.kind, object_array([kind.word for kind in NUMBERED])))


@_declared(
    "expert.group", Term(tuple(Group)), "Expert groups", "What its expert items are about", several=True
)
def _group(asked: AskedRows) -> Values:
    return _several(asked, Coded(asked.items.kind, object_array([kind.group.value for kind in NUMBERED])))


@_declared(
    "expert.severity",
    Rank({severity: severity.word for severity in Severity}, none=_NONE),
    "Severity",
    "How bad the worst of the items in expert.item is: chat, note, warning or error",
)
def _severity(asked: AskedRows) -> Values:
    worst = np.full(len(asked.numbers), -1, np.int16)
    np.maximum.at(worst, asked.items.place, severities()[asked.items.kind])
    return np.where(worst >= 0, worst, _NONE)


@_declared("expert.message", Text(), "Expert messages", "What its expert items say", several=True)
def _message(asked: AskedRows) -> Values:
    items = asked.items
    said = zip(items.kind.tolist(), items.amount.tolist(), items.words.tolist(), strict=True)
    return _several(asked, object_array([asked.analysis.expert_items.sentence(*one) for one in said]))
