"""Windows of a file in memory: numbers of any width and order, at any index, behind what is there, too."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.records import PADDING, OctetWindow, RecordBatch, gather
from tests.helpers.batches import BASE, GAP, batch_of

NUMBERS = {"u1": "B", "<u2": "<H", ">u2": ">H", "<u4": "<I", ">u4": ">I", ">u8": ">Q", "<i8": "<q"}


def window_of(octets: bytes, room: int = 0) -> OctetWindow:
    window = OctetWindow(0, max(room, len(octets)))
    window.buffer[:] = 0xA5
    window.view[: len(octets)] = octets
    window.fill(len(octets))
    return window


@given(octets=st.binary(min_size=8, max_size=60), dtype=st.sampled_from(sorted(NUMBERS)), data=st.data())
def test_numbers_at_any_index(octets: bytes, dtype: str, data: st.DataObject) -> None:
    """As `struct` unpacks them, also across the end, behind which there are zeros."""
    window = window_of(octets)
    at = data.draw(st.lists(st.integers(0, len(octets)), max_size=10))
    padded = octets + bytes(8)
    wanted = [struct.unpack_from(NUMBERS[dtype], padded, place)[0] for place in at]
    assert window.gather(dtype, np.array(at, np.int64)).tolist() == wanted
    start = data.draw(st.integers(0, len(octets)))
    stop = data.draw(st.integers(0, len(octets)))
    every = [struct.unpack_from(NUMBERS[dtype], padded, place)[0] for place in range(start, stop)]
    assert window.every(dtype, start, stop).tolist() == every


def test_records_of_named_fields() -> None:
    """A header is read whole, its fields by their names."""
    kind = np.dtype([("kind", "u1"), ("length", ">u2")])
    buffer = np.frombuffer(bytes(range(16)), np.uint8)
    found = gather(buffer, kind, np.array([13, 0, 5]))
    assert found["kind"].tolist() == [13, 0, 5]
    assert found["length"].tolist() == [14 << 8 | 15, 1 << 8 | 2, 6 << 8 | 7]


def test_an_index_beyond_the_buffer_is_an_error() -> None:
    """Not octets of something else."""
    with pytest.raises(IndexError):
        gather(np.zeros(10, np.uint8), ">u4", np.array([7]))


@pytest.mark.parametrize("size", [0, 1, 40])
def test_what_stands_behind_the_octets_of_a_window(size: int) -> None:
    """Zeros, as many as a header may reach beyond; what lay there before is not seen."""
    window = window_of(b"\1" * size, room=60)
    assert window.size == size
    assert window.buffer[size : size + PADDING].tolist() == [0] * PADDING
    assert window.buffer[:size].tolist() == [1] * size
    assert len(window.buffer) == 60 + PADDING


def test_a_batch_has_its_octets_by_address() -> None:
    """Octet `a` of the file is `buffer[a - base]`; there is room behind the last one."""
    batch: RecordBatch = batch_of([b"first", b"", b"third"])
    assert len(batch) == 3
    assert batch.offset[0] == BASE + GAP
    for number, octets in enumerate((b"first", b"", b"third")):
        start = int(batch.offset[number]) - batch.base
        assert batch.buffer[start : start + int(batch.captured[number])].tobytes() == octets
    last = int(batch.offset[-1] + batch.captured[-1]) - batch.base
    assert len(batch.buffer) >= last + PADDING
