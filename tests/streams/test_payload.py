"""Octets by address: of the batch at hand from memory, all others by the reader."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.records import PADDING, RecordBatch
from cosemscope.streams.payload import PayloadSource

FILE = bytes(range(256)) * 4
BASE, STOP = 300, 700  # of the batch at hand


def source() -> tuple[PayloadSource, list[tuple[int, int]]]:
    """A file with a batch at hand; and what was read of it."""
    asked: list[tuple[int, int]] = []

    def read(address: int, length: int) -> bytes:
        asked.append((address, length))
        return FILE[address : address + length]

    none = np.zeros(0, np.int64)
    buffer = np.frombuffer(FILE[BASE:STOP] + b"\xee" * PADDING, np.uint8)
    one = PayloadSource(read)
    one.use(RecordBatch(none, none, none, none, none, (), buffer, BASE))
    return one, asked


@given(st.integers(0, len(FILE)), st.integers(0, 90))
def test_octets_are_those_of_the_file(address: int, length: int) -> None:
    """The reader is asked for what the batch has not: the padding behind it is no part of the file."""
    one, asked = source()
    assert one.octets(address, length) == FILE[address : address + length]
    assert bool(asked) == (address < BASE or address + length > STOP)


@pytest.mark.parametrize(
    ("address", "there"),
    [
        (BASE - 1, False),
        (BASE, True),
        (STOP, True),
        (STOP + PADDING - 129, True),
        (STOP + PADDING - 128, False),
    ],
)
def test_what_is_at_hand_may_be_gathered(address: int, there: bool) -> None:
    """Up to 128 octets from there on lie in the buffer."""
    one, _ = source()
    places = np.array([address])
    assert one.at_hand(places).tolist() == [there]
    if there:
        assert len(one.gather("V128", places).tobytes()) == 128


def test_values_are_gathered_from_any_address() -> None:
    """Records as they stand in the file, of any alignment."""
    one, asked = source()
    assert one.gather(">u2", np.array([301, 302])).tolist() == [0x2D2E, 0x2E2F]
    assert one.heads(np.array([310, 300]), 3).tolist() == [[54, 55, 56], [44, 45, 46]]
    assert not asked


def test_before_the_first_batch_nothing_is_at_hand() -> None:
    """Everything is read."""
    one = PayloadSource(lambda address, length: FILE[address : address + length])
    assert not one.at_hand(np.array([0])).any()
    assert one.octets(3, 2) == b"\x03\x04"
