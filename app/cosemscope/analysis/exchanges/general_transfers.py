"""General-block-transfers: which blocks of a sender are one transfer, which came again, what is whole.

A transfer counts as one APDU, sent with its first block; the other blocks go with it. What it carries is seen
in the row that made it whole, once a walk over associations has joined it, and stands for all of its rows.
"""

from collections.abc import Mapping
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from cosemscope.apdu.first_look import NOTHING_SEEN
from cosemscope.apdu.names import tags as t
from cosemscope.capture.columns import Array, Columns

_Rows = NDArray[np.int64]
#: Blocks that may wait for one that is missing; of what comes beyond that nothing becomes whole.
_MOST_AHEAD = 1 << 12


class BlockPart(IntEnum):
    """What a WPDU is of a general-block-transfer."""

    NONE = 0
    FIRST = 1  # the first block that was seen of it
    MEMBER = 2
    AGAIN = 3  # a block that came before
    BARE = 4  # no data: it acknowledges blocks of the other side


_FIRST, _MEMBER, _AGAIN, _BARE = map(int, list(BlockPart)[1:])
#: Of each WPDU row: the first row of its transfer (-1 none), its BlockPart, and, of first rows, the
#: first row of the transfer that its sender left unfinished for it (-1 none), the row that made it
#: whole (-1 none), and whether its last block has come.
_FIELDS = {"first": "i4", "part": "u1", "whole": "i4", "ended": "?", "left": "i4"}
#: Columns that are added to first looks: the first row of the transfer, the row that made it
#: whole (-1 none), and whether its last block has come, as far as it is known now; and, of first rows, the
#: first row of the transfer that was left for it (-1 none).
PARTS = {"transfer": "i8", "part": "u1", "whole": "i8", "ended": "?", "left": "i8"}
#: What is seen of the APDU that a transfer carries.
_CARRIED = (
    *("service", "choice", "invoke_id", "class_id", "obis", "member", "result", "kind"),
    *("block", "last_block"),
)
#: What is seen of others.
_UNJOINED = {"service": t.GENERAL_BLOCK_TRANSFER}


class _Blocks:
    """The blocks of one sender's transfer, as they came."""

    __slots__ = ("acknowledged", "ahead", "begin", "first", "last", "next")

    def __init__(self, first: int) -> None:
        self.first = first
        #: octets of the WPDU with block 1, and whether that says it is the last
        self.begin = (0, 0)
        # Invariant: all blocks before `next` have come, and those of `ahead`; `last` is 0 while not known.
        # `acknowledged`: the highest block that the other side said it has, -1 where it said nothing.
        self.next, self.last, self.acknowledged = 1, 0, -1
        self.ahead: set[int] = set()

    def has(self, number: int) -> bool:
        """Whether this block has come."""
        return number < self.next or number in self.ahead

    @property
    def is_whole(self) -> bool:
        """Whether all blocks have come."""
        return 0 < self.last < self.next

    def add(self, number: int, last: bool) -> None:
        """A block that has not come yet."""
        if number == self.next:
            self.next += 1
            while self.ahead and self.next in self.ahead:
                self.ahead.remove(self.next)
                self.next += 1
        elif len(self.ahead) < _MOST_AHEAD:
            self.ahead.add(number)
        if last:
            self.last = max(self.last, number)


class GeneralTransfers:
    """The general-block-transfers of a capture, found row after row."""

    def __init__(self) -> None:
        self._rows = Columns(_FIELDS)
        # By pair and sender: the blocks of the latest transfer.
        self._latest: dict[int, _Blocks] = {}

    def update(
        self,
        rows: _Rows,
        look: Mapping[str, Array],
        pair: NDArray[np.uint32],
        from_client: NDArray[np.bool_],
        length: NDArray[np.uint32],
        paired: int,
    ) -> bool:
        """Take the next rows of general-block-transfers, in the order of capture.

        Returns whether transfers of rows before `paired` have become more than they were.
        """
        if not len(rows):
            return False
        key = pair.astype(np.int64) * 2 + from_client
        columns = (key, *(look[f"general_{name}"] for name in ("block", "last", "ack")), length)
        lines = zip(rows.tolist(), *(column.tolist() for column in columns), strict=True)
        firsts: list[int] = []
        parts: list[int] = []
        wholes: dict[int, int] = {}
        ended: list[int] = []
        left: dict[int, int] = {}
        for row, sender, number, last, ack, size in lines:
            other, mine = self._latest.get(sender ^ 1), self._latest.get(sender)
            if other is not None and ack > other.acknowledged and (ack or number < 0):
                other.acknowledged = ack
            if number < 0:
                owner = other or mine
                firsts.append(owner.first if owner is not None else -1)
                parts.append(_BARE)
                continue
            part = _MEMBER
            if mine is None or ((number == 1 or mine.last) and _is_new(mine, number, (size, last))):
                if mine is not None and not mine.last:
                    left[row] = mine.first
                mine = self._latest[sender] = _Blocks(row)
                part = _FIRST
            elif mine.has(number):
                part = _AGAIN
            firsts.append(mine.first)
            parts.append(part)
            if part == _AGAIN:
                continue
            if number == 1:
                mine.begin = (size, last)
            mine.add(number, last > 0)
            if last > 0:
                ended.append(mine.first)
            if 0 < mine.last < mine.next:
                wholes[mine.first] = row
        self._keep(rows, firsts, parts)
        told = self._rows
        told["left"][list(left)] = list(left.values())
        told["ended"][ended] = True
        told["whole"][list(wholes)] = list(wholes.values())
        return min((*wholes, *ended), default=paired) < paired

    def _keep(self, rows: _Rows, firsts: list[int], parts: list[int]) -> None:
        missing = int(rows.max()) + 1 - len(self._rows)
        if missing > 0:
            self._rows.extend(missing, first=-1, part=BlockPart.NONE, whole=-1, ended=False, left=-1)
        self._rows["first"][rows], self._rows["part"][rows] = firsts, parts

    def see(self, rows: _Rows, look: Mapping[str, Array], seen: Columns) -> dict[str, Array]:
        """First looks at these rows, with `PARTS`, and with what transfers carry on each of their rows.

        `look`: the looks at these rows; `seen`: those at all rows.
        """
        found = {name: np.zeros(len(rows), kind) for name, kind in PARTS.items()}
        found["transfer"][:] = found["whole"][:] = found["left"][:] = -1
        places = np.flatnonzero(rows < len(self._rows)) if len(self._rows) else np.zeros(0, np.intp)
        first = self._rows["first"][rows[places]]
        places, first = places[first >= 0], first[first >= 0].astype(np.int64)
        if len(places):
            row = rows[places]
            whole = self._rows["whole"][first].astype(np.int64)
            found["transfer"][places], found["part"][places] = first, self._rows["part"][row]
            found["whole"][places], found["ended"][places] = whole, self._rows["ended"][first]
            found["left"][places] = self._rows["left"][row]
            joined = (whole >= 0) & (self._rows["part"][row] != BlockPart.BARE)
            for name in _CARRIED:
                found[name] = look[name].copy()
                found[name][places[joined]] = seen[name][whole[joined]]
                found[name][places[~joined]] = _UNJOINED.get(name, NOTHING_SEEN[name])
        return {**look, **found}


def general_rows(look: Columns, rows: slice) -> _Rows:
    """The rows of general-block-transfers among these, by number."""
    there = (look["service"][rows] == t.GENERAL_BLOCK_TRANSFER) | (look["general_block"][rows] >= 0)
    found: _Rows = np.flatnonzero(there) + rows.start
    return found


def _is_new(mine: _Blocks, number: int, begin: tuple[int, int]) -> bool:
    """Whether a block with data begins another transfer of its sender's."""
    if number != 1:
        return mine.is_whole and number > mine.last
    if not mine.has(1):
        return False
    # Block 1 comes again where it is not acknowledged, behind the last one only if that was said.
    again = mine.acknowledged == 0 or (mine.acknowledged < 0 and not mine.last)
    return not again or mine.begin != begin
