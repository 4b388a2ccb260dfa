"""Arithmetic and functions on vectors: exact for whole numbers, whatever their size; no result, no value."""

import operator
from collections.abc import Callable, Sequence
from decimal import Decimal, DecimalException
from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.fields.value_arrays import Array
from cosemscope.analysis.filter.masks.filter_vectors import Vector
from cosemscope.analysis.filter.masks.value_tests import Mask, TreeValue

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "&": operator.and_,
}
#: Results below are whole numbers of 64 bits for certain.
_SAFE = 1 << 62
_FAULTS = (ArithmeticError, DecimalException, TypeError, ValueError)


def calculate_number(sign: str, left: Any, right: Any) -> Any:
    """One result; None where there is none, as of a division by 0 or of text."""
    if left is None or right is None or isinstance(left, str) or isinstance(right, str):
        return None
    if isinstance(left, float) and isinstance(right, Decimal):
        right = float(right)
    elif isinstance(right, float) and isinstance(left, Decimal):
        left = float(left)
    try:
        return _OPERATORS[sign](left, right)
    except _FAULTS:
        return None


def calculate(sign: str, left: Vector, right: Vector) -> Vector:
    """The results for each row; where one side has several values, each of them with the other's one."""
    if _is_constant(right):
        return _mapped(left, lambda values: _by_constant(sign, values, right.values[0], swapped=False))
    if _is_constant(left):
        return _mapped(right, lambda values: _by_constant(sign, values, left.values[0], swapped=True))
    shape = left if left.stops is not None else right
    values, there, owner = left.flat()
    others, other_there, other_owner = right.flat()
    if left.stops is None and other_owner is not None:
        values, there = values[other_owner], None if there is None else there[other_owner]
    elif right.stops is None and owner is not None:
        others, other_there = others[owner], None if other_there is None else other_there[owner]
    found, valid = _both(sign, values, others)
    return Vector(shape.count, found, _and(there, _and(other_there, valid)), None, shape.stops, shape.width)


def _is_constant(vector: Vector) -> bool:
    return vector.codes is not None and len(vector.values) == 1 and vector.codes.dtype == np.int8


def _mapped(vector: Vector, made: Callable[[Array], tuple[Array, Mask | None]]) -> Vector:
    values, valid = made(vector.values)
    return vector.same(values, _and(vector.there, valid))


def _and(left: Mask | None, right: Mask | None) -> Mask | None:
    if left is None or right is None:
        return left if right is None else right
    return left & right


def _by_constant(sign: str, values: Array, number: Any, *, swapped: bool) -> tuple[Array, Mask | None]:
    same = np.empty(1, object)
    same[0] = number
    if not isinstance(number, Decimal):
        same = np.array([number]) if isinstance(number, float) or abs(number) < _SAFE else same
    return _both(sign, same, values) if swapped else _both(sign, values, same)


def _both(sign: str, left: Array, right: Array) -> tuple[Array, Mask | None]:
    """Results of arrays of equal length (or one of length 1), and which there are (None: all)."""
    if object in (left.dtype, right.dtype) or not _fits(sign, left, right):
        return _one_by_one(sign, left, right)
    if sign in "/%":
        valid = np.broadcast_to(right != 0, np.broadcast_shapes(left.shape, right.shape))
        divisor = np.where(right != 0, right, 1)
        found = _OPERATORS[sign](_wide(left), _wide(divisor))
        return found, None if valid.all() else np.array(valid)
    if sign == "&" and "f" in (left.dtype.kind, right.dtype.kind):
        return _one_by_one(sign, left, right)
    return _OPERATORS[sign](_wide(left), _wide(right)), None


def _wide(values: Array) -> Array:
    """Whole numbers in 64 bits with a sign; floating ones as they are."""
    return values if values.dtype.kind == "f" else values.astype(np.int64)


def _fits(sign: str, left: Array, right: Array) -> bool:
    """Whether the results are exact in 64 bits, or floating anyway."""
    if not len(left) or not len(right) or "f" in (left.dtype.kind, right.dtype.kind):
        return True
    if left.dtype == np.bool_ or right.dtype == np.bool_:
        return True
    most, other = (max(abs(int(one.max())), abs(int(one.min()))) for one in (left, right))
    if sign == "/":  # beyond, floating numbers have not all whole ones
        return max(most, other) < 1 << 53
    bound = most * other if sign == "*" else most + other
    return max(bound, most, other) < _SAFE


def _one_by_one(sign: str, left: Array, right: Array) -> tuple[Array, Mask | None]:
    pairs = np.broadcast_arrays(left, right)
    found = [calculate_number(sign, *pair) for pair in zip(*(one.tolist() for one in pairs), strict=True)]
    return _objects(found)


def _objects(found: list[Any]) -> tuple[Array, Mask | None]:
    values = np.empty(len(found), object)
    values[:] = found
    there = np.fromiter((value is not None for value in found), np.bool_, len(found))
    return values, None if there.all() else there


def _length(value: Any) -> Any:
    value = value.value if isinstance(value, TreeValue) else value
    return len(value) if isinstance(value, str | bytes) else None


def _lower(value: Any) -> Any:
    value = value.text if isinstance(value, TreeValue) else value
    return value.lower() if isinstance(value, str) else None


def _upper(value: Any) -> Any:
    value = value.text if isinstance(value, TreeValue) else value
    return value.upper() if isinstance(value, str) else None


def _absolute(value: Any) -> Any:
    value = value.value if isinstance(value, TreeValue) else value
    return abs(value) if isinstance(value, int | float | Decimal) else None


_EACH: dict[str, Callable[[Any], Any]] = {
    "len": _length,
    "lower": _lower,
    "upper": _upper,
    "abs": _absolute,
}


def calculate_each(function: str, vector: Vector) -> Vector:
    """What `len`, `lower`, `upper` or `abs` makes of each value."""
    if vector.values.dtype != object and function == "abs":
        return vector.same(
            np.abs(vector.values.astype(np.int64) if vector.values.dtype.kind != "f" else vector.values),
            vector.there,
        )
    values, there = _objects([_EACH[function](value) for value in vector.values.tolist()])
    return vector.same(values, _and(vector.there, there))


def extreme(vectors: Sequence[Vector], *, greatest: bool) -> Vector:
    """The least or the greatest value of each row among all of its values in all vectors."""
    reduced = [_reduced(vector, greatest=greatest) for vector in vectors]
    values, there = reduced[0]
    for others, other_there in reduced[1:]:
        values, there = _better(values, there, others, other_there, greatest=greatest)
    return Vector(vectors[0].count, values, there)


def _numbers(values: Array, there: Mask | None) -> tuple[Array, Mask | None]:
    """Values without the text among them."""
    if values.dtype != object:
        return _wide(values) if values.dtype.kind in "iu" and values.dtype != np.uint64 else values, there
    is_number = np.fromiter(
        (isinstance(value, int | float | Decimal) for value in values.tolist()), np.bool_, len(values)
    )
    return values, _and(there, is_number)


def _reduced(vector: Vector, *, greatest: bool) -> tuple[Array, Mask | None]:
    """One value a row."""
    values, there, owner = vector.flat()
    values, there = _numbers(values, there)
    if owner is None:
        return values, there
    if there is not None:
        values, owner = values[there], owner[there]
    found = np.zeros(vector.count, values.dtype)
    has = np.zeros(vector.count, np.bool_)
    if len(values):
        rows, starts = np.unique(owner, return_index=True)
        reduce = np.maximum if greatest else np.minimum
        found[rows] = reduce.reduceat(values, starts)
        has[rows] = True
    return found, has


def _better(
    left: Array, there: Mask | None, right: Array, also: Mask | None, *, greatest: bool
) -> tuple[Array, Mask | None]:
    if there is None and also is None:
        return (np.maximum if greatest else np.minimum)(left, right), None
    first = np.ones(len(left), np.bool_) if there is None else there
    second = np.ones(len(right), np.bool_) if also is None else also
    both = first & second
    dtype = np.result_type(left, right) if object not in (left.dtype, right.dtype) else object
    found: npt.NDArray[Any] = np.where(first, left, right).astype(dtype)
    found[both] = (np.maximum if greatest else np.minimum)(left[both], right[both])
    return found, first | second
