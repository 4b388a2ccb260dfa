"""The order in which the irregular segments of a batch are settled, those of one half after the other.

A segment is irregular when the fast path cannot tell alone what it is. Some begin a chain (`wpdu_chains`) and
need no more; from the others on the reassembler takes their half, until that is clean again. What it took is
taken from the fast path, and a chain that it entered in the middle is none.
"""

from collections.abc import Callable
from heapq import heappop, heappush

import numpy as np

from cosemscope.capture.columns import Array
from cosemscope.streams.reassembly.overtaking import exchange
from cosemscope.streams.reassembly.segments_in_order import Segments
from cosemscope.streams.reassembly.wpdu_chains import apart

#: The reassembler takes a half from a position on, beginning with this packet; returns the position behind.
Run = Callable[[int, int], int]


def settle_irregular(
    run: Run, segments: Segments, special: Array, last: Array, overtook: Array, taken: Array
) -> Array:
    """Go through the irregular segments; returns `begins`, bool[s]: where chains begin that count.

    `special`: bool[s], irregular; `last`: int64[s], position with which the chain ends that begins there, or
    -1; `overtook`: bool[s], put behind the one that it had overtaken. In `taken`, bool[s], the positions that
    the reassembler took are set; `overtook` and `segments` change where it gave up a gap within a pair.
    """
    positions = np.flatnonzero(special)
    heads, rest = apart(positions, last[positions])
    begins = np.zeros(len(special), np.bool_)
    begins[heads] = True
    # Invariant: all positions before `done` are settled; `todo` is a heap of those that may still be not.
    done, todo = -1, rest.tolist()
    while todo:
        position = heappop(todo)
        if position < done:
            continue
        if last[position] >= 0:
            begins[position], done = True, int(last[position]) + 1
            continue
        begin = _beginning(position, begins, last, overtook)
        done = _run_from(run, segments, begin, overtook)
        taken[begin:done] = True
        inside = begin + np.flatnonzero(begins[begin:done])
        begins[inside] = False
        for end in last[inside[-1:]].tolist():  # what this chain had beyond is looked at again
            for again in (done + np.flatnonzero(special[done : end + 1])).tolist():
                heappush(todo, again)
    return begins


def _run_from(run: Run, segments: Segments, position: int, overtook: Array) -> int:
    """The reassembler takes a half from this segment on, until it is clean; the position behind."""
    overtaken = position + 1 < len(overtook) and overtook[position + 1]
    done = run(position, int(segments.packet[position + int(overtaken)]))
    if done < len(overtook) and overtook[done]:  # it gave up the gap between the two
        exchange(segments, np.array([done - 1]))
        overtook[done] = False
        return _run_from(run, segments, done, overtook)
    return done


def _beginning(position: int, begins: Array, last: Array, overtook: Array) -> int:
    """The position at which the reassembler must begin to take this one.

    A segment that came too early goes with the late one before it; the chain that holds the late one is
    given up, and `begins` unset where it began.
    """
    while overtook[position]:
        earlier = np.flatnonzero(begins[:position])
        position -= 1
        if len(earlier) and last[earlier[-1]] >= position:
            position = int(earlier[-1])
            begins[position] = False
    return position
