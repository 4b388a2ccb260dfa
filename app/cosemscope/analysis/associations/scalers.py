"""Scalers and units that a meter told, and when: asked of any row, only what was told by then counts.

One `Scalers` serves all associations with a meter, in whatever order their rows are walked, also again. It
keeps of each attribute from which row to which the same was told. Where a row between turns out to have told
something else, nobody knows what the others between told: there nothing holds until it is told again.
"""

from bisect import bisect_right
from functools import partial
from typing import NamedTuple

from cosemscope.apdu.context import Reference, ScalerUnit

_MAX_REFERENCES = 10_000
_MAX_CHANGES = 16


class _Told(NamedTuple):
    """The first and the last row that told this; None: not known what they told."""

    first: int
    last: int
    scaler_unit: tuple[int, int] | None


class Scalers:
    """Scaler (power of ten) and unit of attributes; those of 10,000 attributes at most."""

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told: dict[Reference, list[_Told]] = {}

    def learn(self, row: int, scalers: dict[Reference, tuple[int, int]]) -> None:
        """These were told in this row; of one that changes again and again, the latest changes are kept."""
        for reference, scaler_unit in scalers.items():
            told = self._told.get(reference)
            if told is not None:
                _insert(told, row, scaler_unit)
                if len(told) > _MAX_CHANGES:
                    kept = told[1 - _MAX_CHANGES :]
                    told[:] = [_Told(told[0].first, kept[0].first - 1, None), *kept]
            elif len(self._told) < _MAX_REFERENCES:
                self._told[reference] = [_Told(row, row, scaler_unit)]

    def at(self, row: int, reference: Reference) -> tuple[int, int] | None:
        """What held for this attribute in this row; None where nothing was told by then."""
        told = self._told.get(reference, ())
        before = bisect_right(told, row, key=_first)
        return told[before - 1].scaler_unit if before else None

    def seen_from(self, row: int) -> ScalerUnit | None:
        """What the decoder is to know in this row; None where nothing was told at all."""
        return partial(self.at, row) if self._told else None


def _first(told: _Told) -> int:
    return told.first


def _insert(told: list[_Told], row: int, scaler_unit: tuple[int, int]) -> None:
    """Take in that this row told this."""
    after = bisect_right(told, row, key=_first)
    before = after - 1
    if before >= 0 and row <= told[before].last:
        told[before:after] = _split(told[before], row, scaler_unit)
    elif before >= 0 and told[before].scaler_unit == scaler_unit:
        told[before] = told[before]._replace(last=row)
    elif after < len(told) and told[after].scaler_unit == scaler_unit:
        told[after] = told[after]._replace(first=row)
    else:
        told.insert(after, _Told(row, row, scaler_unit))


def _split(whole: _Told, row: int, scaler_unit: tuple[int, int]) -> list[_Told]:
    """What is left of a stretch when one of its rows told something else."""
    first, last, held = whole
    if held == scaler_unit or (held is not None and row in (first, last)):
        return [whole]
    ends = 0 if held is None else 1  # the rows at both ends are known to have told it
    parts = [
        _Told(first, first - 1 + ends, held),
        _Told(first + ends, row - 1, None),
        _Told(row, row, scaler_unit),
        _Told(row + 1, last - ends, None),
        _Told(last, last - 1 + ends, held),
    ]
    return [part for part in parts if part.first <= part.last]
