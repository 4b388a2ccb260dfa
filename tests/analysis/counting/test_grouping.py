"""Groups by any fields, and what their numbers come to, against plain Python."""

import math
import statistics

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.analysis.counting.field_codes import FieldCodes
from cosemscope.analysis.counting.grouping import Groups, group, spread

#: Values of three fields by row: the last has several.
ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2000), st.lists(st.integers(0, 2), max_size=3)), max_size=40
)


def one_a_row(codes: list[int]) -> FieldCodes:
    return FieldCodes(np.array(codes, np.uint16), np.arange(2000), None)


def several_a_row(rows: list[list[int]]) -> FieldCodes:
    """Each code of a row once; 3 stands for no value."""
    told = [(row, code) for row, codes in enumerate(rows) for code in sorted(set(codes)) or [3]]
    own, codes = (np.array([pair[place] for pair in told], np.int64) for place in (0, 1))
    return FieldCodes(codes.astype(np.uint8), np.arange(3), own)


@given(ROWS, st.permutations([0, 1, 2]))
def test_groups_have_the_rows_with_the_same_values(
    rows: list[tuple[int, int, list[int]]], order: list[int]
) -> None:
    """In the order of their values, the first field's first; a row is in the group of each of its values."""
    fields = [
        one_a_row([first for first, _, _ in rows]),
        one_a_row([second for _, second, _ in rows]),
        several_a_row([third for _, _, third in rows]),
    ]
    wanted: dict[tuple[int, ...], list[int]] = {}
    for row, (first, second, third) in enumerate(rows):
        for one in set(third) or {3}:
            values = (first, second, one)
            wanted.setdefault(tuple(values[place] for place in order), []).append(row)
    groups = group([fields[place] for place in order])
    assert list(zip(*(keys.tolist() for keys in groups.keys), strict=True)) == sorted(wanted)
    found = groups.taken(np.arange(len(rows)))
    for number, values in enumerate(sorted(wanted)):
        assert found[groups.of == number].tolist() == wanted[values]
    assert groups.counts().tolist() == [len(wanted[values]) for values in sorted(wanted)]
    even = np.arange(len(rows)) % 2 == 0
    assert groups.counts(even).sum() == sum(row % 2 == 0 for some in wanted.values() for row in some)
    assert groups.sums(np.arange(len(rows))).tolist() == [sum(wanted[values]) for values in sorted(wanted)]


@given(
    st.lists(st.tuples(st.integers(0, 4), st.one_of(st.none(), st.integers(-9, 1000))), max_size=60),
    st.sampled_from([0, 1_700_000_000_000_000_000, 1 << 62]),
)
def test_spreads_are_those_of_sorted_lists(rows: list[tuple[int, int | None]], least: int) -> None:
    """Nearest ranks of what was measured, medians as everywhere; of great numbers to the last place too."""
    of = np.array([owner for owner, _ in rows], np.int64)
    there = np.array([number is not None for _, number in rows], np.bool_)
    numbers = np.array([(number or 0) + least for _, number in rows], np.int64)
    groups = Groups(of, (np.arange(5),), None)
    found = spread(groups, numbers, there)
    for owner in range(5):
        own = sorted(number for mine, number in rows if mine == owner and number is not None)
        assert found.counts[owner] == len(own)
        if own:
            ranks = [own[max(math.ceil(share * len(own)), 1) - 1] for share in (0.95, 0.99)]
            told = [column[owner] - least for column in (found.least, found.median, found.p95, found.p99)]
            assert told == [own[0], math.floor(statistics.median(own)), *ranks]
            assert found.middle[owner] - least + found.apart[owner] == statistics.median(own)
            assert found.most[owner] - least == own[-1]
            assert found.mean[owner] - least == math.floor(sum(own) / len(own))


def test_numbers_with_places_have_a_mean_with_places() -> None:
    """And groups come in any order of rows."""
    groups = Groups(np.array([1, 0, 1]), (np.arange(2),), None)
    found = spread(groups, np.array([2.5, 7.0, 1.0]), np.array([True, True, True]))
    assert found.mean.tolist() == [7.0, 1.75]
    assert found.taken(np.array([1, 0])).least.tolist() == [1.0, 7.0]
