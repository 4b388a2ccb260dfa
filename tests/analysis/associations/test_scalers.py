"""Scalers: what was told by a row, and nothing that was told later."""

from hypothesis import given
from hypothesis import strategies as st

from cosemscope.analysis.associations.scalers import Scalers
from cosemscope.apdu.context import Reference

ENERGY = Reference(3, bytes((1, 0, 1, 8, 0, 255)), 2)
TOLD = st.lists(st.tuples(st.integers(0, 30), st.integers(-1, 1)), unique_by=lambda one: one[0], max_size=16)


def _right(told: list[tuple[int, int]]) -> list[int | None]:
    """What was told last by each row."""
    told = sorted(told, reverse=True)
    return [next((scaler for row, scaler in told if row <= asked), None) for asked in range(32)]


def _teach(scalers: Scalers, told: list[tuple[int, int]]) -> Scalers:
    for row, scaler in sorted(told):
        scalers.learn(row, {ENERGY: (scaler, 30)})
    return scalers


def _known(scalers: Scalers) -> list[int | None]:
    seen = [scalers.at(row, ENERGY) for row in range(32)]
    return [one[0] if one is not None else None for one in seen]


@given(TOLD)
def test_the_latest_that_was_told_by_then(told: list[tuple[int, int]]) -> None:
    """Of each row what was told by then, nothing later."""
    assert _known(_teach(Scalers(), told)) == _right(told)


@given(TOLD, st.integers(0, 31), st.integers(0, 31))
def test_some_rows_again(told: list[tuple[int, int]], start: int, stop: int) -> None:
    """Apart, rows may be gone through again: it knows the same, and the other has learned nothing."""
    scalers = _teach(Scalers(), told)
    again = _teach(scalers.apart(), [one for one in told if start <= one[0] < stop])
    assert _known(again)[:stop] == _right(told)[:stop]
    assert _known(scalers) == _right(told)


@given(TOLD, st.integers(0, 31))
def test_some_rows_ahead(told: list[tuple[int, int]], start: int) -> None:
    """Apart, later rows may be looked at: they know what was told before them and among them."""
    scalers = _teach(Scalers(), [one for one in told if one[0] < start])
    ahead = _teach(scalers.apart(), [one for one in told if one[0] >= start])
    assert _known(ahead) == _right(told)
    assert _known(scalers) == _right([one for one in told if one[0] < start])


def test_apart_of_apart() -> None:
    """An association that finds its meter anew begins where the meter is, not where it was itself."""
    scalers = _teach(Scalers(), [(1, 5)])
    apart = _teach(scalers.apart(), [(2, 6)])
    assert apart.at(3, ENERGY) == (6, 30)
    assert apart.apart().at(3, ENERGY) == (5, 30)


def test_memory_is_bounded() -> None:
    """A scaler that changes in every row, and more objects than any meter has."""
    scalers = Scalers()
    for row in range(100):
        scalers.learn(row, {ENERGY: (row, 30)})
    assert scalers.at(99, ENERGY) == (99, 30)
    assert scalers.at(84, ENERGY) == (84, 30)
    assert scalers.at(83, ENERGY) is None
    scalers.learn(200, {ENERGY._replace(member=member): (0, 30) for member in range(20_000)})
    known = [scalers.at(200, ENERGY._replace(member=member)) for member in range(20_000)]
    assert sum(one is not None for one in known) == 10_000
