"""Operands: what stands beside an operator, and how it gives a vector of values for rows.

Fields are asked of rows; fields of trees, and what is made of them, are asked of trees, which may be decoded
in other processes. Functions and arithmetic are worked out for distinct values where there are such.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.fields.row_field import RowField
from cosemscope.analysis.fields.value_arrays import coded
from cosemscope.analysis.filter.language.tree_names import path_heads, tree_name
from cosemscope.analysis.filter.language.value_kinds import FilterKind
from cosemscope.analysis.filter.masks.calculations import calculate, calculate_each, extreme
from cosemscope.analysis.filter.masks.filter_vectors import Vector, encoded
from cosemscope.analysis.filter.masks.value_tests import Mask, TreeValue
from cosemscope.apdu.fields import Decoded, Field, walk


class Effort(IntEnum):
    """What it takes to have values: nothing, arrays, looks at rows (in Python), or their trees."""

    NOTHING = 0
    ARRAYS = 1
    LOOKS = 2
    TREES = 3


class ValueSource(Protocol):
    """Rows, or trees, that operands are asked of."""

    count: int

    def field(self, field: RowField) -> Vector:
        """The values of a field of the registry."""

    @property
    def trees(self) -> list[Decoded]:
        """The trees."""

    def narrowed(self, places: npt.NDArray[np.int64]) -> "ValueSource":
        """The rows, or trees, at these places alone."""

    def of_trees(self, condition: "Condition") -> Mask:
        """The mask of a condition on trees, where the trees are not at hand."""


class TreeNeeds(NamedTuple):
    """What a condition asks trees for.

    `heads`: names of APDUs, one of which stands in every tree that it leaves; None where that is not known.
    `names`: last names of all paths; `texts`: whether the texts of all fields are asked.
    """

    heads: frozenset[str] | None
    names: frozenset[str] = frozenset()
    texts: bool = False

    def and_also(self, other: "TreeNeeds") -> "TreeNeeds":
        """What two things need of which both must be there."""
        return self._both(other, self.heads if self.heads is not None else other.heads)

    def or_else(self, other: "TreeNeeds") -> "TreeNeeds":
        """What two things need of which one must be there."""
        either = None if self.heads is None or other.heads is None else self.heads | other.heads
        return self._both(other, either)

    def without(self) -> "TreeNeeds":
        """What something needs that may not be there."""
        return self._replace(heads=None)

    def _both(self, other: "TreeNeeds", heads: frozenset[str] | None) -> "TreeNeeds":
        return TreeNeeds(heads, self.names | other.names, self.texts or other.texts)


class Condition(Protocol):
    """A condition on what a source has; other processes can be given it."""

    def needs(self) -> TreeNeeds:
        """What it asks trees for."""

    def mask(self, source: ValueSource) -> Mask:
        """Which of its rows, or trees, it leaves, bool[source.count]."""


@dataclass(frozen=True)
class Operand(ABC):
    """Gives a vector of values of one kind; `effort`: what that takes, `several`: of more than one a row."""

    kind: FilterKind
    effort: Effort
    several: bool

    @abstractmethod
    def vector(self, source: ValueSource) -> Vector:
        """The values for the rows, or trees, of a source."""

    def needs(self) -> TreeNeeds:
        """What it asks trees for."""
        return TreeNeeds(None)


@dataclass(frozen=True)
class Constant(Operand):
    """The same value everywhere."""

    value: Any

    def vector(self, source: ValueSource) -> Vector:
        """The value, once."""
        values = np.empty(1, object)
        values[0] = self.value
        if isinstance(self.value, int) and abs(self.value) < 1 << 62:
            values = np.array([self.value], np.int64)
        return Vector(source.count, values, None, np.zeros(source.count, np.int8))


@dataclass(frozen=True)
class FieldOperand(Operand):
    """A field of the registry."""

    field: RowField

    def vector(self, source: ValueSource) -> Vector:
        """Its values."""
        return source.field(self.field)


@dataclass(frozen=True)
class TreeOperand(Operand):
    """Fields of trees: those whose names, and those of fields above them, are `path`; last their own.

    Names are as `tree_name` has them. Other fields may stand between those of a path.
    """

    path: tuple[str, ...]

    def needs(self) -> TreeNeeds:
        """The names of the path; its head is an APDU's, or some field's."""
        head = self.path[0]
        return TreeNeeds(frozenset((head,)) if head in path_heads() else None, frozenset(self.path))

    def vector(self, source: ValueSource) -> Vector:
        """Values and texts of these fields."""
        return _of_trees(source, lambda root: [TreeValue(one.value, one.text) for one in self.fields(root)])

    def fields(self, root: Field) -> list[Field]:
        """The fields of a tree that the path leads to, in order."""
        found: list[Field] = []
        path, last = self.path, len(self.path) - 1
        pending = [(root, 0)]
        while pending:
            field, at = pending.pop()
            name = tree_name(field.name)
            if at >= last and name == path[last]:
                found.append(field)
            if at < last and name == path[at]:
                at += 1
            pending.extend((child, at) for child in reversed(field.children))
        return found


@dataclass(frozen=True)
class TreeNames(Operand):
    """The names of all fields of trees."""

    def vector(self, source: ValueSource) -> Vector:
        """The names, as `tree_name` has them."""
        return _of_trees(source, lambda root: list(dict.fromkeys(tree_name(one.name) for one in walk(root))))


@dataclass(frozen=True)
class TreeTexts(Operand):
    """The texts of all fields of trees; of octets and text without one, what they are."""

    def needs(self) -> TreeNeeds:
        """All texts."""
        return TreeNeeds(None, texts=True)

    def vector(self, source: ValueSource) -> Vector:
        """The texts."""
        return _of_trees(source, lambda root: [text for one in walk(root) if (text := _said(one))])


def _said(field: Field) -> str:
    if field.text or field.children or field.value is None:
        return field.text
    return field.value.decode("latin-1") if isinstance(field.value, bytes) else str(field.value)


def _of_trees(source: ValueSource, found_in: Any) -> Vector:
    """What is found in each tree."""
    lists = [found_in(decoded.root) for decoded in source.trees]
    stops = np.cumsum(np.fromiter(map(len, lists), np.int64, len(lists)))
    values = np.empty(int(stops[-1]) if len(stops) else 0, object)
    flat = [one for some in lists for one in some]
    for place, one in enumerate(flat):
        values[place] = one
    return Vector(source.count, values, None, None, stops, 0)


@dataclass(frozen=True)
class Calculation(Operand):
    """Two numbers, durations or instants, with + - * / % or & between; no value where there is no result."""

    operator: str
    left: Operand
    right: Operand

    def needs(self) -> TreeNeeds:
        """What both sides need."""
        return self.left.needs().and_also(self.right.needs())

    def vector(self, source: ValueSource) -> Vector:
        """The results."""
        return calculate(self.operator, self.left.vector(source), self.right.vector(source))


@dataclass(frozen=True)
class EachOf(Operand):
    """What a function makes of each value."""

    function: str
    inner: Operand

    def needs(self) -> TreeNeeds:
        """What the inner one needs."""
        return self.inner.needs()

    def vector(self, source: ValueSource) -> Vector:
        """The results."""
        return calculate_each(self.function, self.inner.vector(source))


@dataclass(frozen=True)
class TextOf(Operand):
    """The texts of a field of words, as text."""

    inner: FieldOperand

    def vector(self, source: ValueSource) -> Vector:
        """The texts."""
        vector = self.inner.vector(source)
        codes, distinct = coded(vector.values) if vector.values.dtype != object else encoded(vector.values)
        texts = np.empty(len(distinct), object)
        texts[:] = self.inner.field.type.texts(distinct)
        return vector.same(texts[codes], vector.there)


@dataclass(frozen=True)
class Extreme(Operand):
    """The least or the greatest of all values of some operands on a row."""

    greatest: bool
    inner: tuple[Operand, ...]

    def needs(self) -> TreeNeeds:
        """What one of them needs."""
        return reduce(TreeNeeds.or_else, (one.needs() for one in self.inner))

    def vector(self, source: ValueSource) -> Vector:
        """The results."""
        return extreme([one.vector(source) for one in self.inner], greatest=self.greatest)


@dataclass(frozen=True)
class CountOf(Operand):
    """How many values a row has."""

    inner: Operand

    def needs(self) -> TreeNeeds:
        """What the inner one needs, where there is any."""
        return self.inner.needs().without()

    def vector(self, source: ValueSource) -> Vector:
        """The numbers."""
        return Vector(source.count, self.inner.vector(source).number_of_values())


@dataclass(frozen=True)
class SliceOf(Operand):
    """Parts of octets or text; no value where one of the ranges reaches beyond the end."""

    inner: Operand
    ranges: tuple[tuple[int, int | None], ...]

    def needs(self) -> TreeNeeds:
        """What the inner one needs."""
        return self.inner.needs()

    def vector(self, source: ValueSource) -> Vector:
        """The parts, joined."""
        vector = self.inner.vector(source)
        values = np.empty(len(vector.values), object)
        for place, value in enumerate(vector.values.tolist()):
            values[place] = self._sliced(value.value if isinstance(value, TreeValue) else value)
        there = np.fromiter((value is not None for value in values.tolist()), np.bool_, len(values))
        return vector.same(values, there if vector.there is None else there & vector.there)

    def _sliced(self, value: Any) -> bytes | str | None:
        if not isinstance(value, bytes | str):
            return None
        parts: list[Any] = []
        for first, behind in self.ranges:
            start = first if first >= 0 else len(value) + first
            stop = len(value) if behind is None else behind if behind >= 0 else len(value) + behind
            if not 0 <= start < stop <= len(value):
                return None
            parts.append(value[start:stop])
        return value[:0].join(parts)
