"""Predicates: conditions that leave some of the rows, each a mask over those that it is asked about.

What takes little is asked first, and what takes looks or trees only about the rows that are not decided.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from cosemscope.analysis.fields.value_arrays import Array, coded
from cosemscope.analysis.fields.value_types import ADDRESS, ValueType
from cosemscope.analysis.filter.language.folding import folded
from cosemscope.analysis.filter.language.value_kinds import FilterKind
from cosemscope.analysis.filter.masks.filter_vectors import Fold, Vector, encoded
from cosemscope.analysis.filter.masks.operands import Effort, FieldOperand, Operand, TreeNeeds, ValueSource
from cosemscope.analysis.filter.masks.value_tests import ORDERS, Mask, Test


@dataclass(frozen=True)
class Predicate(ABC):
    """A condition; `effort` is the most that any of its operands takes."""

    effort: Effort

    @abstractmethod
    def mask(self, source: ValueSource) -> Mask:
        """Which rows are left, bool[source.count]."""

    def needs(self) -> TreeNeeds:
        """What it asks trees for."""
        return TreeNeeds(None)


@dataclass(frozen=True)
class Constantly(Predicate):
    """All rows, or none."""

    value: bool

    def mask(self, source: ValueSource) -> Mask:
        """The same for each."""
        return np.full(source.count, self.value)


@dataclass(frozen=True)
class Passes(Predicate):
    """Rows with so many values of an operand that pass a test."""

    operand: Operand
    test: Test
    fold: Fold

    def needs(self) -> TreeNeeds:
        """What the operand needs."""
        return self.operand.needs()

    def mask(self, source: ValueSource) -> Mask:
        """Which rows those are."""
        vector = self.operand.vector(source)
        return vector.fold(self.test.mask(vector.values), self.fold)


@dataclass(frozen=True)
class Exists(Predicate):
    """Rows that have a value."""

    operand: Operand

    def needs(self) -> TreeNeeds:
        """What the operand needs."""
        return self.operand.needs()

    def mask(self, source: ValueSource) -> Mask:
        """Which rows those are."""
        return self.operand.vector(source).exists()


@dataclass(frozen=True)
class Compares(Predicate):
    """Rows on which values of two operands compare so: any pair of them, or with `every` all pairs.

    `order` is one of `ORDERS`. No pair is looked at by itself: a row's least and greatest values decide, or
    whether a value is on both sides.
    """

    order: str
    left: Operand
    right: Operand
    every: bool

    def needs(self) -> TreeNeeds:
        """What both operands need."""
        return self.left.needs().and_also(self.right.needs())

    def mask(self, source: ValueSource) -> Mask:
        """Which rows those are."""
        ported = self.left.kind is self.right.kind is FilterKind.ENDPOINT
        left, right = (_comparable(one, one.vector(source), ported=ported) for one in (self.left, self.right))
        left, right = _numbered(left, right)
        both = left.exists() & right.exists()
        if left.stops is None and right.stops is None:
            found: Mask = ORDERS[self.order](left.flat()[0], right.flat()[0])
            return both & found
        if self.order == "==" and not self.every:
            return _shared(left, right)
        low, high = self._ends(left), self._ends(right)
        if self.order == "==":
            one_value: Mask = (low[0] == high[1]) & (low[1] == high[0])
            return both & one_value
        ascending = self.order in ("<", "<=")
        # Any pair: the least below the greatest. All pairs: the greatest below the least.
        mine, its = (0, 1) if ascending != self.every else (1, 0)
        compared: Mask = ORDERS[self.order](low[mine], high[its])
        return both & compared

    @staticmethod
    def _ends(vector: Vector) -> tuple[Array, Array]:
        """The least and the greatest value of each row that has one."""
        values, there, owner = vector.flat()
        if owner is None:
            return values, values
        if there is not None:
            values, owner = values[there], owner[there]
        ends = np.zeros((2, vector.count), values.dtype)
        if len(values):
            rows, starts = np.unique(owner, return_index=True)
            ends[0, rows] = np.minimum.reduceat(values, starts)
            ends[1, rows] = np.maximum.reduceat(values, starts)
        return ends[0], ends[1]


def _comparable(operand: Operand, vector: Vector, *, ported: bool) -> Vector:
    """Words by their texts, addresses as numbers: what other fields have in the same form."""
    values = vector.values
    if operand.kind in (FilterKind.WORD, FilterKind.RANK) and isinstance(operand, FieldOperand):
        return _folded(operand.field.type, vector)
    if values.dtype == ADDRESS:
        keys = np.empty(len(values), object)
        for place, (family, high, low, port) in enumerate(values.tolist()):
            keys[place] = (family, high, low, port if ported else 0)
        return vector.same(keys, vector.there)
    return vector


def _folded(type_: ValueType, vector: Vector) -> Vector:
    """Words as texts, each once."""
    codes, distinct = (encoded if vector.values.dtype == object else coded)(vector.values)
    texts = np.array([folded(text) for text in type_.texts(distinct)], object)
    there = None if vector.there is None else np.zeros(len(distinct), np.bool_)
    if there is not None and vector.there is not None:
        there[codes[vector.there]] = True
    spread = codes if vector.codes is None else codes[vector.codes]
    return replace(vector, values=texts, there=there, codes=spread)


def _numbered(left: Vector, right: Vector) -> tuple[Vector, Vector]:
    """Both vectors with numbers that compare as their values do: ranks where these are objects."""
    if object not in (left.values.dtype, right.values.dtype):
        return left, right
    vectors = [
        one if one.values.dtype == object else one.same(one.values.astype(object), one.there)
        for one in (left, right)
    ]
    told = [encoded(one.values) for one in vectors]
    distinct = {value for one in told for value in one.values.tolist() if value is not None}
    # Numbers and text do not compare: numbers come first, as they do where columns are sorted.
    ranks: dict[object, int] = {}
    for rank, value in enumerate(sorted(distinct, key=_rank)):
        ranks[value] = rank
    numbered = []
    for one, (codes, values) in zip(vectors, told, strict=True):
        own = np.array([ranks.get(value, -1) for value in values.tolist()], np.int64)
        numbered.append(one.same(own[codes], one.there))
    return numbered[0], numbered[1]


def _rank(value: object) -> tuple[str, object]:
    return (
        ("", value)
        if isinstance(value, int | float) or hasattr(value, "as_tuple")
        else (type(value).__name__, value)
    )


def _shared(left: Vector, right: Vector) -> Mask:
    """Rows with a value on both sides."""
    keys: list[Array] = []
    parts = [vector.flat() for vector in (left, right)]
    codes = coded(np.concatenate([part[0] for part in parts])).codes.astype(np.int64)
    start, most = 0, int(codes.max(initial=0)) + 1
    for values, there, owner in parts:
        rows = np.arange(len(values)) if owner is None else owner
        key = rows * most + codes[start : start + len(values)]
        start += len(values)
        keys.append(key if there is None else key[there])
    found = np.zeros(left.count, np.bool_)
    found[np.intersect1d(keys[0], keys[1]) // most] = True
    return found


@dataclass(frozen=True)
class Negated(Predicate):
    """The rows that another condition does not leave."""

    inner: Predicate

    def needs(self) -> TreeNeeds:
        """What the other condition needs, where it leaves anything."""
        return self.inner.needs().without()

    def mask(self, source: ValueSource) -> Mask:
        """Which rows those are."""
        return ~self.inner.mask(source)


@dataclass(frozen=True)
class AllOf(Predicate):
    """Rows that all conditions leave; they are in the order in which they are asked."""

    parts: tuple[Predicate, ...]

    def needs(self) -> TreeNeeds:
        """What all of them need."""
        return reduce(TreeNeeds.and_also, (part.needs() for part in self.parts))

    def mask(self, source: ValueSource) -> Mask:
        """Which rows those are."""
        return _narrowed(self.parts, source, decided=False)


@dataclass(frozen=True)
class AnyOf(Predicate):
    """Rows that one condition leaves at least; they are in the order in which they are asked."""

    parts: tuple[Predicate, ...]

    def needs(self) -> TreeNeeds:
        """What one of them needs."""
        return reduce(TreeNeeds.or_else, (part.needs() for part in self.parts))

    def mask(self, source: ValueSource) -> Mask:
        """Which rows those are."""
        return _narrowed(self.parts, source, decided=True)


def _narrowed(parts: Sequence[Predicate], source: ValueSource, *, decided: bool) -> Mask:
    """Ask one condition after the other; `decided`: of rows with this value no more is asked that costs."""
    found = parts[0].mask(source)
    for part in parts[1:]:
        if part.effort < Effort.LOOKS:
            mask = part.mask(source)
            found = found | mask if decided else found & mask
            continue
        places = np.flatnonzero(found != decided)
        if len(places) == source.count:
            found = part.mask(source)
        elif len(places):
            found[places] = part.mask(source.narrowed(places))
    return found


@dataclass(frozen=True)
class OddOf(Predicate):
    """Rows that an odd number of conditions leaves: one, of two."""

    parts: tuple[Predicate, ...]

    def needs(self) -> TreeNeeds:
        """What one of them needs."""
        return reduce(TreeNeeds.or_else, (part.needs() for part in self.parts))

    def mask(self, source: ValueSource) -> Mask:
        """Which rows those are."""
        found = self.parts[0].mask(source)
        for part in self.parts[1:]:
            found = found ^ part.mask(source)
        return found


@dataclass(frozen=True)
class OfTrees(Predicate):
    """A condition on fields of trees, asked where trees are decoded."""

    inner: Predicate

    def mask(self, source: ValueSource) -> Mask:
        """Which rows those are."""
        return source.of_trees(self.inner)
