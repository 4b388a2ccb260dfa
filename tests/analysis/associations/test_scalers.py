"""Scalers: what was told by a row, and nothing that was told later."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from cosemscope.analysis.associations.scalers import Scalers
from cosemscope.apdu.context import Reference

ENERGY = Reference(3, bytes((1, 0, 1, 8, 0, 255)), 2)
ROW = st.tuples(st.integers(0, 30), st.integers(-1, 1))
TOLD = st.lists(ROW, unique_by=lambda one: one[0], max_size=12)
MUCH_TOLD = st.lists(ROW, unique_by=lambda one: one[0], max_size=31)


def _right(told: list[tuple[int, int]]) -> list[int | None]:
    """What was told last by each row."""
    told = sorted(told, reverse=True)
    return [next((scaler for row, scaler in told if row <= asked), None) for asked in range(32)]


def _learned(told: list[tuple[int, int]]) -> list[int | None]:
    scalers = Scalers()
    for row, scaler in told:
        scalers.learn(row, {ENERGY: (scaler, 30)})
    seen = [scalers.at(row, ENERGY) for row in range(32)]
    return [one[0] if one is not None else None for one in seen]


@given(TOLD)
def test_the_latest_that_was_told_by_then(told: list[tuple[int, int]]) -> None:
    """Of each row what was told by then, nothing later; and the same when the rows are walked again."""
    told = sorted(told)
    assert _learned(told) == _right(told)
    assert _learned([*told, *told]) == _right(told)


@given(MUCH_TOLD, st.randoms(use_true_random=False))
def test_never_a_wrong_one_in_whatever_order(told: list[tuple[int, int]], source: Random) -> None:
    """Rows walked in any order: what was not told by then is never said; it may be that nothing is."""
    shuffled = [*told, *told]
    source.shuffle(shuffled)
    for found, right in zip(_learned(shuffled), _right(told), strict=True):
        assert found in (right, None)


@given(st.lists(st.integers(0, 30), unique=True, max_size=12), st.randoms(use_true_random=False))
def test_what_never_changes_is_known_in_whatever_order(rows: list[int], source: Random) -> None:
    """The usual case: told again and again, always the same."""
    told = [(row, -1) for row in rows]
    source.shuffle(told)
    assert _learned(told) == [-1 if any(one <= row for one in rows) else None for row in range(32)]


def test_memory_is_bounded() -> None:
    """A scaler that changes in every row, and more objects than any meter has."""
    scalers = Scalers()
    for row in range(100):
        scalers.learn(row, {ENERGY: (row, 30)})
    assert scalers.at(99, ENERGY) == (99, 30)
    assert scalers.at(0, ENERGY) is None
    scalers.learn(200, {ENERGY._replace(member=member): (0, 30) for member in range(20_000)})
    known = [scalers.at(200, ENERGY._replace(member=member)) for member in range(20_000)]
    assert 9_990 <= sum(one is not None for one in known) <= 10_000
