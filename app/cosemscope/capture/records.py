"""Contents of a capture file: batches of records, their interfaces, and problems of reading.

A batch is a structure of arrays over one window of the file, so that whatever follows can read header fields
of all its packets at once. Times are integers, nanoseconds since the epoch (UTC).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

# Readable octets behind the last captured one, so that a field's gather needs no bounds check of its own.
PADDING = 256


class CaptureError(Exception):
    """A file that is no capture, or that cannot be read; its text is a sentence for people."""


class CaptureProblem(NamedTuple):
    """Something in a capture file that could not be read: `offset` in octets of the (unpacked) file.

    `item` is the word of the kind of expert items that the problem is.
    """

    offset: int
    message: str
    item: str = "damaged-file"


@dataclass(frozen=True)
class Interface:
    """An interface on which packets were captured, as the file describes it."""

    link_type: int
    snap_length: int = 0
    name: str = ""
    description: str = ""
    resolution: int = 1_000_000
    """Ticks in a second of its time stamps."""
    offset: int = 0
    """Seconds added to its time stamps."""
    filter: str = ""
    operating_system: str = ""
    hardware: str = ""
    comment: str = ""
    section: int = 0
    """Number of the pcapng section, from 0, that declares it."""


@dataclass(frozen=True)
class Section:
    """A pcapng section: what made it, and where."""

    hardware: str = ""
    operating_system: str = ""
    application: str = ""
    comment: str = ""


@dataclass(frozen=True)
class Statistics:
    """Counts of one interface up to `time` (ns), by the program that captured.

    -1 for what it does not tell.
    """

    time: int
    received: int = -1
    dropped: int = -1
    accepted: int = -1
    dropped_by_system: int = -1
    delivered: int = -1


@dataclass(frozen=True)
class RecordBatch:
    """Records of a capture file, in the order of the file; `len(batch)` is their number.

    `time` int64, nanoseconds since the epoch; `offset` int64, address of the captured octets; `captured` and
    `original` uint32, octets in the file and on the wire; `interface` uint16, an index into `interfaces`.
    `buffer` (uint8) holds the octets of the file from address `base` on, so octet `a` of the file is
    `buffer[a - base]`; it goes on for `PADDING` octets (of no meaning) behind the last record.
    """

    time: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]
    captured: npt.NDArray[np.uint32]
    original: npt.NDArray[np.uint32]
    interface: npt.NDArray[np.uint16]
    interfaces: Sequence[Interface]
    buffer: npt.NDArray[np.uint8]
    base: int

    def __len__(self) -> int:
        return len(self.time)


class OctetWindow:
    """A stretch of the file in memory: `size` octets from address `base` on, then `PADDING` zeros."""

    def __init__(self, base: int, room: int) -> None:
        self.base = base
        self.size = 0
        self.buffer = np.empty(room + PADDING, np.uint8)
        self.view = memoryview(self.buffer.data)

    def fill(self, size: int) -> None:
        """Say that the first `size` octets are there now."""
        self.size = size
        self.buffer[size : size + PADDING] = 0

    def every(self, dtype: npt.DTypeLike, start: int, stop: int) -> npt.NDArray[Any]:
        """The values of `dtype` that begin at each index from `start` up to `stop`, without a copy."""
        return np.ndarray((max(stop - start, 0),), np.dtype(dtype), self.buffer, start, (1,))

    def gather(self, dtype: npt.DTypeLike, at: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """The values of `dtype` that begin at the indexes `at` of the buffer."""
        return gather(self.buffer, dtype, at)


def gather(
    buffer: npt.NDArray[np.uint8], dtype: npt.DTypeLike, at: npt.NDArray[np.int64]
) -> npt.NDArray[Any]:
    """The values of `dtype` (of any alignment) that begin at the indexes `at` of `buffer`."""
    kind = np.dtype(dtype)
    # Octets without a meaning are copied many times faster than records of named fields.
    plain = np.dtype((np.void, kind.itemsize))
    values: npt.NDArray[Any] = np.ndarray((len(buffer) - kind.itemsize + 1,), plain, buffer, strides=(1,))[at]
    return values.view(kind)
