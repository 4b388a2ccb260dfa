"""Items by row: what is wrong with some WPDUs, for tool tips and fields, also before the pass was there."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.catalogue import wpdu_checks  # noqa: F401 -- registers its checks
from cosemscope.analysis.expert.checks import WPDU_CHECKS, Rows, run_checks
from cosemscope.streams.tables.expert_items import ExpertItems

_Numbers = npt.NDArray[np.int64]


class RowItems(NamedTuple):
    """Items of rows that were asked for, int64[m] each, by place.

    `place` is the row's place among them; `kind`, `amount` and `words` are as in the table of items.
    """

    place: _Numbers
    kind: _Numbers
    amount: _Numbers
    words: _Numbers


def row_items(analysis: Analysis, rows: Rows) -> RowItems:
    """The items of WPDU rows: all of them where the pass has been, else what columns and packets tell."""
    items = analysis.expert_items
    if not len(rows) or rows.max() < items.completed:
        parts = [_matching(items, items["wpdu"], rows, np.arange(len(rows)))]
    else:
        place, packet = analysis.wpdus.pieces(rows)
        items = analysis.stream_items
        parts = [_matching(items, items["packet"], packet, place)]
        order = np.argsort(rows)
        for _, found in run_checks(WPDU_CHECKS, analysis, rows, items):
            place = order[np.searchsorted(rows, found["wpdu"], sorter=order)]
            parts.append(RowItems(place, found["kind"], found["amount"], found["words"]))
    together = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    order = np.argsort(together[0], kind="stable")
    return RowItems(*(column[order] for column in together))


def row_sentences(analysis: Analysis, row: int) -> list[str]:
    """What the items of one row say."""
    found = row_items(analysis, np.array([row]))
    columns = (found.kind.tolist(), found.amount.tolist(), found.words.tolist())
    return [analysis.expert_items.sentence(*item) for item in zip(*columns, strict=True)]


def _matching(items: ExpertItems, key: _Numbers, wanted: _Numbers, place: _Numbers) -> RowItems:
    """The items whose key is among those wanted, at each place of that one, once."""
    order = np.argsort(wanted)
    ascending = wanted[order]
    first = np.searchsorted(ascending, key)
    count = np.searchsorted(ascending, key, "right") - first
    # Item i stands at `count[i]` places, those of `ascending` from `first[i]` on.
    item = np.repeat(np.arange(len(key)), count)
    within = np.arange(len(item)) - np.repeat(np.cumsum(count) - count, count)
    pairs = np.unique(np.stack([item, place[order[first[item] + within]]]), axis=1)
    return RowItems(pairs[1], *(items[name][pairs[0]].astype(np.int64) for name in RowItems._fields[1:]))
