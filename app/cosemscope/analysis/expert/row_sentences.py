"""What is wrong with one WPDU, for a tool tip: without a tree, and without the pass over all rows."""

import numpy as np

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert import wpdu_checks  # noqa: F401 -- registers its checks
from cosemscope.analysis.expert.checks import WPDU_CHECKS, run_checks
from cosemscope.streams.tables.expert_items import Source


def row_sentences(analysis: Analysis, row: int) -> list[str]:
    """The sentences of the items of a row: what checks find in its columns, and streams in its packets."""
    items = analysis.expert_items
    checked = run_checks(WPDU_CHECKS, analysis, slice(row, row + 1))
    sentences = [kind.message(int(found["amount"][0])) for kind, found in checked]
    of_packets = (items["source"] == Source.STREAM) | (items["source"] == Source.DATAGRAM)
    near = np.flatnonzero(of_packets & np.isin(items["packet"], analysis.packets_of(row)))
    return sentences + [items.message(item) for item in near.tolist()]
