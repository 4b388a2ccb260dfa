"""Checkpoints keep states of associations before some of their rows, so that no look begins at the first.

Memory is bounded: when there are too many, every other one is given up, and later ones stand twice as far
apart. Associations in the midst of long transfers of blocks are passed by: a copy would hold the octets.
"""

from bisect import bisect_right
from itertools import pairwise

from cosemscope.analysis.associations.association import Association

#: Rows of an association between checkpoints, to begin with.
STRIDE = 64
_MOST = 16_384
_MOST_OCTETS = 2_048


class Checkpoints:
    """Copies of associations by wPort pair and row."""

    def __init__(self) -> None:
        self._stride = STRIDE
        self._count = 0
        self._kept: dict[int, tuple[list[int], list[Association]]] = {}

    def offer(self, pair: int, row: int, association: Association, taken: int = 1) -> None:
        """Keep the state before `row` if it is time for one; to be called in the order of rows.

        `taken`: the rows of the association since the last call.
        """
        if association.taken % self._stride >= taken or association.octets_in_hand > _MOST_OCTETS:
            return
        rows, states = self._kept.setdefault(pair, ([], []))
        rows.append(row)
        states.append(association.copy())
        self._count += 1
        if self._count > _MOST:
            self._thin_out()

    def nearest(self, pair: int, row: int) -> tuple[int, Association] | None:
        """The last checkpoint of a pair before or at `row`: the row, and a copy of the state before that."""
        rows, states = self._kept.get(pair, ((), ()))
        place = bisect_right(rows, row) - 1
        return (rows[place], states[place].copy()) if place >= 0 else None

    def _thin_out(self) -> None:
        self._stride *= 2
        for pair, (rows, states) in self._kept.items():
            strides = [0, *(state.taken // self._stride for state in states)]
            left = [place for place, (one, next_) in enumerate(pairwise(strides)) if one < next_]
            self._kept[pair] = [rows[place] for place in left], [states[place] for place in left]
        self._count = sum(len(rows) for rows, _ in self._kept.values())
