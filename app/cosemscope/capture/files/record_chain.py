"""Records that follow one another, found at memory speed instead of one by one.

Only a record's own length tells where the next one begins, so a walk costs Python's time for each record. But
nearly all record heads of a stretch share a pattern that other octets seldom show. Every place with the
pattern is a guess; the lengths at all guesses are read at once, and a guess holds if the one before it leads
to it. What comes out is exactly the chain that a walk finds; where a guess is missing, the caller walks.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]

# Octets that are guessed about in one go: few after a guess that failed, then more each time.
FIRST_REACH = 1 << 16
LAST_REACH = 1 << 24
# Records that are walked one by one where guessing failed, before it is tried again.
STRIDE = 1_024
# More guesses than one in so many octets are no help: the pattern is too common here.
RAREST = 24


class Chain:
    """Finds the chain of records in window after window.

    `guess(start, stop)` gives the sorted places from `start` up to `stop` that show the pattern,
    `follow(places)` where the record at each place ends, `walk(at, limit)` up to `limit` places in a row from
    `at` on and the end of the last one.
    """

    def __init__(self) -> None:
        self._reach = FIRST_REACH

    def places(
        self,
        at: int,
        stop: int,
        limit: int,
        guess: Callable[[int, int], Places],
        follow: Callable[[Places], Places],
        walk: Callable[[int, int], tuple[Places, int]],
    ) -> tuple[Places, int]:
        """Up to `limit` records whose places lie from `at` up to `stop`, and the end of the last of them."""
        pieces: list[Places] = []
        while limit > 0 and at < stop:
            reached = min(at + self._reach, stop)
            guesses = guess(at, reached)
            before = at
            if len(guesses) * RAREST < self._reach:
                found, at = _linked(at, guesses, follow(guesses), limit)
                limit -= sum(map(len, found))
                pieces += found
            if at >= reached or limit <= 0:
                self._reach = min(self._reach * 4, LAST_REACH)
                continue
            self._reach = FIRST_REACH if at - before < FIRST_REACH else self._reach
            found_one_by_one, at = walk(at, min(limit, STRIDE))
            limit -= len(found_one_by_one)
            pieces.append(found_one_by_one)
        return (np.concatenate(pieces) if pieces else np.zeros(0, np.int64)), at


def _linked(at: int, guesses: Places, ends: Places, limit: int) -> tuple[list[Places], int]:
    """Pieces of `guesses` linked from `at` on, at most `limit` places in all, and where the next begins."""
    pieces: list[Places] = []
    breaks = np.flatnonzero(ends[:-1] != guesses[1:])
    while limit > 0:
        first = int(guesses.searchsorted(at))
        if first == len(guesses) or guesses[first] != at:
            break
        broken = int(breaks.searchsorted(first))
        last = int(breaks[broken]) if broken < len(breaks) else len(guesses) - 1
        last = min(last, first + limit - 1)
        pieces.append(guesses[first : last + 1])
        limit -= last + 1 - first
        at = int(ends[last])
    return pieces, at
