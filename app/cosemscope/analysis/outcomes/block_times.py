"""Times within transfers in blocks: how long each block took, and the longest pause."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.apdu.names import tags as t
from cosemscope.capture.columns import Columns

Numbers = npt.NDArray[np.int64]


class BlockTimes(NamedTuple):
    """Of the WPDUs of some exchanges with blocks, those of each together: `owner`, int64[n], which exchange.

    `row`: WPDU rows; `pause`, int64[n]: ns from the last octet of the WPDU before it in its exchange to its
    first one, -1 where it is the first; `time`: ns from there to its last octet (of the first WPDU, from its
    first octet); `block`, bool[n]: it carries a block.
    """

    owner: Numbers
    row: Numbers
    pause: Numbers
    time: Numbers
    block: npt.NDArray[np.bool_]


def block_times(wpdus: Columns, look: Columns, owner: Numbers, row: Numbers) -> BlockTimes:
    """The times of these WPDU rows, of which `owner` ascends and says whose they are."""
    begin, end = wpdus["first_time"][row], wpdus["time"][row]
    first = np.diff(owner, prepend=-1) != 0
    before = np.where(first, begin, np.append(end[:1], end[:-1]))
    pause = np.where(first, -1, np.maximum(begin - before, 0))
    general = wpdus["apdu_tag"][row] == t.GENERAL_BLOCK_TRANSFER
    block = np.where(general, look["general_block"][row] >= 0, look["last_block"][row] >= 0)
    return BlockTimes(owner, row, pause, np.maximum(end - before, 0), block)


def longest_pauses(times: BlockTimes) -> tuple[Numbers, Numbers, Numbers]:
    """The longest pause within each exchange: exchanges, ns, and the WPDU rows that ended the pauses."""
    rows = np.flatnonzero(times.pause >= 0)
    # Invariant: `order` has the pauses of each exchange together, the longest first, of equals the earliest.
    order = rows[np.lexsort((rows, -times.pause[rows], times.owner[rows]))]
    heads = order[np.flatnonzero(np.diff(times.owner[order], prepend=-1))]
    return times.owner[heads], times.pause[heads], times.row[heads]
