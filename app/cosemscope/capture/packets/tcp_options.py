"""The time stamp among the options of TCP (RFC 9293, 3.1; RFC 7323), of one header and of those of a batch.

Both ways stop at the same places: at the end of the list, where the capture ends, at a length that cannot be.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.capture.records import gather

_END, _NO_OPERATION, _TIMESTAMPS, _SIZE = 0, 1, 8, 10
# Two fillings and the time stamps: how nearly all stacks begin their options.
_USUAL = 0x0101080A

Indexes = npt.NDArray[np.int64]


def timestamp(options: bytes) -> int:
    """The time stamp in the options of a header, 0 where there is none."""
    at = 0
    while at < len(options) and options[at] != _END:
        if options[at] == _NO_OPERATION:
            at += 1
            continue
        size = options[at + 1] if at + 1 < len(options) else 0
        if options[at] == _TIMESTAMPS and size == _SIZE and at + size <= len(options):
            return int.from_bytes(options[at + 2 : at + 6], "big")
        if size < 2:
            break
        at += size
    return 0


def timestamps(buffer: npt.NDArray[np.uint8], at: Indexes, stop: Indexes) -> npt.NDArray[Any]:
    """Time stamps, uint32[n], in the options from the indexes `at` up to `stop`; 0 where there is none."""
    found = np.zeros(len(at), np.uint32)
    rows = np.flatnonzero(stop - at >= _SIZE)
    usual = (gather(buffer, ">u4", at[rows]) == _USUAL) & (stop[rows] - at[rows] >= _SIZE + 2)
    found[rows[usual]] = gather(buffer, ">u4", at[rows[usual]] + 4)
    rows = rows[~usual]
    place = at[rows]
    # Invariant: `place` is an option of each of `rows`, of which none has shown its time stamp or its end.
    while len(rows):
        kind, size = gather(buffer, "u1", place), gather(buffer, "u1", place + 1).astype(np.int64)
        hit = (kind == _TIMESTAMPS) & (size == _SIZE) & (place + _SIZE <= stop[rows])
        found[rows[hit]] = gather(buffer, ">u4", place[hit] + 2)
        filling = kind == _NO_OPERATION
        place = place + np.where(filling, 1, size)
        on = ~hit & (kind != _END) & (filling | (size >= 2)) & (place < stop[rows])
        rows, place = rows[on], place[on]
    return found
