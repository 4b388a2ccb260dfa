"""Growable tables: whatever is added in whatever pieces, a table is the columns put end to end."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.columns import Columns

FIELDS = {"time": "i8", "port": "u2", "side": "u1"}
#: Sizes of pieces, around the capacities at which the table grows.
PIECES = st.lists(st.integers(0, 9), max_size=12)


@given(pieces=PIECES, capacity=st.integers(1, 8), reserved=st.integers(0, 30))
def test_a_table_is_its_pieces_end_to_end(pieces: list[int], capacity: int, reserved: int) -> None:
    """Whether room was reserved or not; columns that are not named are zeros; a slice is its piece."""
    table = Columns({"time": "i8", "port": "u2", "unnamed": "f8"}, capacity)
    table.reserve(reserved)
    times: list[int] = []
    for number, count in enumerate(pieces):
        new = np.arange(count) + 100 * number
        rows = table.extend(count, time=new, port=number)
        assert (rows.start, rows.stop) == (len(times), len(times) + count)
        assert table["time"][rows].tolist() == new.tolist()
        times += new.tolist()
        assert len(table) == len(times)
    assert table["time"].tolist() == times
    assert table["port"].tolist() == [n for n, count in enumerate(pieces) for _ in range(count)]
    assert table["unnamed"].tolist() == [0.0] * len(times)


def test_rows_one_by_one() -> None:
    """Their indexes count up from 0, far beyond the room that there was at first."""
    table = Columns(FIELDS, 1)
    for number in range(100):
        assert table.append(time=-number, side=number) == number
    assert table["time"].tolist() == [-number for number in range(100)]
    assert table["side"].tolist() == list(range(100))
    assert table["port"].tolist() == [0] * 100


def test_types_are_those_declared() -> None:
    """Order and dtype of the declaration; values are taken over as the dtype has them."""
    table = Columns(FIELDS)
    table.append(port=65_535)
    assert table.names == ("time", "port", "side")
    assert (table["time"].dtype, table["port"].dtype, table["side"].dtype) == ("i8", "u2", "u1")
    assert int(table["port"][0]) == 65_535


def test_a_column_is_a_view_that_can_be_written() -> None:
    """What is written stays, also when the table moves afterwards."""
    table = Columns(FIELDS, 2)
    table.extend(2, port=1)
    table["port"][1] = 7
    table.extend(1000, port=2)
    assert table["port"][:3].tolist() == [1, 7, 2]


def test_what_a_reader_holds_stays_when_the_table_grows() -> None:
    """A reader on another thread keeps rows below the length that it took: they are never moved under it."""
    table = Columns({"time": "i8"}, 4)
    table.extend(4, time=[1, 2, 3, 4])
    held = table["time"]
    table.extend(100, time=9)
    assert held.tolist() == [1, 2, 3, 4]
    assert not np.shares_memory(held, table["time"])


def test_reserved_room_is_used_without_a_move() -> None:
    """A size that is known is reached without copying; less than there is changes nothing."""
    table = Columns({"time": "i8"}, 4)
    table.extend(3, time=1)
    table.reserve(1000)
    before = table["time"]
    table.reserve(10)
    table.extend(997, time=2)
    assert np.shares_memory(before, table["time"])
    assert table["time"].sum() == 3 + 997 * 2


def test_growth_is_by_half_at_least() -> None:
    """Rows that come one by one cost linear time: a million of them move the table a few dozen times."""
    table = Columns({"time": "i8"}, 16)
    moves, last = 0, table["time"]
    for _ in range(10_000):
        table.append(time=1)
        moves += not np.shares_memory(last, table["time"]) and len(last) > 0
        last = table["time"]
    assert 10 <= moves <= 20


def test_a_name_that_is_no_column() -> None:
    """It is refused."""
    table = Columns(FIELDS)
    with pytest.raises(KeyError):
        table.extend(1, nothing=1)
    with pytest.raises(KeyError):
        _ = table["nothing"]


def test_rows_as_of_now_stay_as_many_and_see_what_changes() -> None:
    """However the table grows, also into other arrays."""
    table = Columns({"a": "i4"}, capacity=2)
    table.append(a=1)
    now = table.as_of_now()
    table.extend(9, a=np.arange(9))
    table["a"][0] = 7
    assert now["a"].tolist() == [7]
    assert len(now) == 1
    assert len(table) == 10
