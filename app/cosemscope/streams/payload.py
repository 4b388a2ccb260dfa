"""Payload octets by address: those of the current batch from memory, all others through the reader."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.capture.cancelling import Look, no_look
from cosemscope.capture.records import PADDING, RecordBatch, gather


class PayloadSource:
    """Reads payload; `use` names the batch whose octets are at hand.

    `look` is asked, and may raise Cancelled, whenever octets are read one by one: whoever does is slow.
    """

    def __init__(self, read: Callable[[int, int], bytes], look: Look = no_look) -> None:
        self.look = look
        self._read = read
        self._buffer = np.zeros(0, np.uint8)
        self._view = memoryview(b"")
        self._base = 0

    def use(self, batch: RecordBatch) -> None:
        """From now on `batch` is the one at hand."""
        self._buffer = batch.buffer
        self._view = batch.buffer.data[: len(batch.buffer) - PADDING]
        self._base = batch.base

    def at_hand(self, address: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Mask, bool[n]: addresses that lie in the batch at hand, so that `gather` may read there."""
        mask: npt.NDArray[np.bool_] = (address >= self._base) & (
            address < self._base + len(self._buffer) - 128
        )
        return mask

    def gather(self, dtype: npt.DTypeLike, address: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Values of `dtype` (at most 128 octets) at addresses that are `at_hand`."""
        return gather(self._buffer, dtype, address - self._base)

    def heads(self, address: npt.NDArray[np.int64], width: int) -> npt.NDArray[np.uint8]:
        """The first octets at addresses that are `at_hand`, uint8[n, width]; `width`: at most 128."""
        # Octets without a meaning are copied many times faster than rows of a matrix.
        return self.gather((np.void, width), address).view(np.uint8).reshape(-1, width)

    def places(
        self, pattern: re.Pattern[bytes], address: npt.NDArray[np.int64], length: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Matches in octets that are `at_hand`: (index in `address`, offset from there), int64[m] each."""
        view, index, offset = self._view, [], []
        starts = (address - self._base).tolist()
        for place, (start, size) in enumerate(zip(starts, length.tolist(), strict=True)):
            self.look()
            for match in pattern.finditer(view, start, start + size):
                index.append(place)
                offset.append(match.start() - start)
        return np.array(index, np.int64), np.array(offset, np.int64)

    def octets(self, address: int, length: int) -> bytes:
        """`length` octets at an address; fewer when the file has been cut short meanwhile."""
        self.look()
        start = address - self._base
        if start >= 0 and start + length <= len(self._view):
            return bytes(self._view[start : start + length])
        return self._read(address, length)
