"""Scalers and units of a meter's attributes, and the rows that told them: for any row, what was told by then.

One `Scalers` serves all associations with a meter and learns from their rows in order. Rows that are taken
again, or ahead of the others, teach a `Scalers` that is `apart` and changes nothing of the meter's.
"""

from bisect import bisect_right
from functools import partial
from typing import NamedTuple, Optional

from cosemscope.apdu.context import Reference, ScalerUnit

_MAX_REFERENCES = 10_000
_MAX_CHANGES = 16


class _Told(NamedTuple):
    """A row that told something else than the ones before."""

    row: int
    scaler_unit: tuple[int, int]


class Scalers:
    """Scaler (power of ten) and unit of attributes; those of 10,000 attributes at most."""

    __slots__ = ("_below", "_told")

    def __init__(self, below: Optional["Scalers"] = None) -> None:
        self._below = below
        # Tuples, since another thread may ask while they are replaced.
        self._told: dict[Reference, tuple[_Told, ...]] = {}

    def apart(self) -> "Scalers":
        """A `Scalers` that knows what this one knows, and learns by itself."""
        return Scalers(self if self._below is None else self._below)

    def learn(self, row: int, scalers: dict[Reference, tuple[int, int]]) -> None:
        """Take in what `row` told; of an attribute that changes often, the latest 16 changes are kept.

        Rows are to be taken in their order.
        """
        for reference, scaler_unit in scalers.items():
            told = self._told.get(reference, ())
            if told and told[-1].scaler_unit != scaler_unit:
                self._told[reference] = (*told[1 - _MAX_CHANGES :], _Told(row, scaler_unit))
            elif not told and len(self._told) < _MAX_REFERENCES:
                self._told[reference] = (_Told(row, scaler_unit),)

    @property
    def know_any(self) -> bool:
        """Whether anything was told, by whatever row."""
        return bool(self._told) or self._below is not None

    def at(self, row: int, reference: Reference) -> tuple[int, int] | None:
        """Scaler (power of ten) and unit of an attribute as told by `row`; None where none were."""
        told = self._told.get(reference, ())
        before = bisect_right(told, row, key=_row)
        if before:
            return told[before - 1].scaler_unit
        return self._below.at(row, reference) if self._below is not None else None

    def seen_from(self, row: int) -> ScalerUnit | None:
        """The decoder's view of scalers and units in `row`; None where none were told at all."""
        return partial(self.at, row) if self.know_any else None


def _row(told: _Told) -> int:
    return told.row
