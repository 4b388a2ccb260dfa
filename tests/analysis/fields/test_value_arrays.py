"""Arrays of values: coded ones are converted once a distinct value, several values stay with their row."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.analysis.fields.value_arrays import (
    Coded,
    Several,
    both,
    coded,
    each,
    grouped,
    object_array,
    since,
)


@given(
    st.sampled_from(["i1", "i2", "i8", "u1", "u2", "u8"]),
    st.sampled_from(["min", "max"]),
    st.lists(st.one_of(st.integers(-9, 9), st.integers(-(1 << 62), 1 << 62))),
)
def test_coded_values_are_the_same_values(dtype: str, end: str, offsets: list[int]) -> None:
    """Distinct ones ascending, and for each row the number of its own; at both ends of a type too."""
    values = np.array(offsets, np.int64).astype(dtype) + np.array(getattr(np.iinfo(dtype), end), dtype)
    found = coded(values)
    assert found.values.dtype == values.dtype
    assert found.values.tolist() == sorted(set(values.tolist()))
    assert found.values[found.codes].tolist() == values.tolist()


def test_each_distinct_value_is_converted_once_and_only_if_it_occurs() -> None:
    """A table of ten thousand names costs nothing where three rows have two of them."""
    asked: list[Any] = []

    def convert(values: Any) -> list[str]:
        asked.extend(values.tolist())
        return [f"<{value}>" for value in values.tolist()]

    assert each(Coded(np.array([7, 3, 7]), np.arange(10_000)), convert) == ["<7>", "<3>", "<7>"]
    assert asked == [3, 7]
    assert each(np.array([5, 5]), convert) == ["<5>", "<5>"]


@given(st.lists(st.lists(st.integers(), max_size=3)))
def test_several_values_stay_with_their_row(rows: list[list[int]]) -> None:
    """Whatever their number, also none."""
    flat = [value for row in rows for value in row]
    several = Several(np.cumsum([len(row) for row in rows], dtype=np.int64), object_array(flat))
    assert grouped(several, flat) == rows


def test_object_arrays_keep_sequences_whole() -> None:
    """NumPy would make a table of them."""
    array = object_array([(1, 2), (3, 4)])
    assert array.shape == (2,)
    assert array.tolist() == [(1, 2), (3, 4)]


def test_both_sides_and_times() -> None:
    """Row by row one value and the other; differences in nanoseconds, to one moment or row by row."""
    stops, values = both(np.array([1, 2], np.uint16), np.array([70_000, 4]))
    assert (stops.tolist(), values.tolist()) == ([2, 4], [1, 70_000, 2, 4])
    assert since(np.array([5, 9]), np.array([2])).tolist() == [3, 7]


@given(st.integers(1, 3000), st.sampled_from(["u8", "i8"]), st.integers(0, 1 << 32))
def test_many_numbers_of_which_few_are_distinct_are_coded_as_any(kinds: int, dtype: str, seed: int) -> None:
    """Whatever meets in the table for them: two in the same place, or the last of a place."""
    draw = np.random.default_rng(seed)
    distinct = draw.integers(0, 1 << 63, kinds, np.uint64).astype(dtype)
    values = distinct[draw.integers(0, kinds, 70_000)]
    found = coded(values)
    assert found.values.tolist() == sorted(set(values.tolist()))
    assert np.array_equal(found.values[found.codes], values)
