"""Tests of values: what a comparison asks of each value of a column, as a mask over an array of them.

A test is a small value that other processes can be given. It is asked about distinct values where a column
has these. Values that do not apply (None) pass no test.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import inf
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import re2

from cosemscope.analysis.fields.value_arrays import Array, coded
from cosemscope.analysis.fields.value_types import ValueType
from cosemscope.analysis.filter.language.folding import folded
from cosemscope.apdu.context import Reference

Mask = npt.NDArray[np.bool_]
Number = int | float | Decimal

ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
#: Numbers of a set beyond which it is looked up, and not compared with one after the other.
_MANY = 8
#: The greatest number that arithmetic on numbers in a filter may come to.
MOST_NUMBER = 10**400
#: The same comparison with both sides exchanged.
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def floating(number: Number) -> float:
    """The number as a floating one, infinite where there is none so great."""
    try:
        return float(number)
    except OverflowError:
        return inf if number > 0 else -inf


class Test(Protocol):
    """What is asked of values."""

    def mask(self, values: Array) -> Mask:
        """Which of the values pass, bool[n]."""


def each_of(values: Array, passes: Callable[[Any], bool]) -> Mask:
    """Which of these objects pass; None never does."""
    found = (value is not None and passes(value) for value in values.tolist())
    return np.fromiter(found, np.bool_, len(values))


@dataclass(frozen=True)
class NumberTest:
    """Values in an order with a number; whole numbers exactly, floating ones as such."""

    order: str
    number: Number

    def mask(self, values: Array) -> Mask:
        """Which of the values pass; of objects those that are text do not."""
        compare = ORDERS[self.order]
        if values.dtype == object:
            return each_of(values, self._passes)
        number = self.number
        if values.dtype.kind == "f":
            return np.asarray(compare(values, floating(number)), np.bool_)
        if isinstance(number, int):
            found: Mask = compare(values, number)
            return found
        return self._whole(values)

    def _whole(self, values: Array) -> Mask:
        """Whole numbers against one that is none: which side of it they are on."""
        number = Decimal(self.number)
        if not number.is_finite() or self.order == "==":
            return np.zeros(len(values), np.bool_)
        floor = int(number.to_integral_value("ROUND_FLOOR"))
        found: Mask = values > floor if self.order in (">", ">=") else values <= floor
        return found

    def _passes(self, value: Any) -> bool:
        if isinstance(value, str):
            return False
        number = floating(self.number) if isinstance(value, float) else self.number
        return bool(ORDERS[self.order](value, number))


@dataclass(frozen=True)
class NumberSet:
    """Values that are one of some whole numbers, which ascend."""

    numbers: tuple[int, ...]

    def mask(self, values: Array) -> Mask:
        """Which of the values pass."""
        if values.dtype == object:
            wanted = frozenset(self.numbers)
            return each_of(values, lambda value: not isinstance(value, str) and value in wanted)
        numbers = self._of(values.dtype)
        if len(numbers) > _MANY:
            return np.asarray(np.isin(values, numbers), np.bool_)
        found = np.zeros(len(values), np.bool_)
        for number in numbers:
            found |= values == number
        return found

    def _of(self, kind: np.dtype[Any]) -> Array:
        """The numbers that values of this type can be."""
        if kind.kind == "f":
            return np.array([floating(number) for number in self.numbers], kind)
        least, most = (0, 1) if kind.kind == "b" else (np.iinfo(kind).min, np.iinfo(kind).max)
        return np.array([number for number in self.numbers if least <= number <= most], kind)


@dataclass(frozen=True)
class WordTest:
    """Texts that are a word, whatever their case and whether blanks or hyphens stand in them."""

    word: str

    def mask(self, values: Array) -> Mask:
        """Which of the values pass."""
        return each_of(values, lambda value: folded(str(value)) == self.word)


@dataclass(frozen=True)
class WordSet:
    """Texts that are one of some words, see `WordTest`."""

    words: frozenset[str]

    def mask(self, values: Array) -> Mask:
        """Which of the values pass."""
        return each_of(values, lambda value: folded(str(value)) in self.words)


@dataclass(frozen=True)
class TextSet:
    """Texts that are one of some texts, letter by letter."""

    texts: frozenset[str]

    def mask(self, values: Array) -> Mask:
        """Which of the values pass; numbers do not."""
        return each_of(values, lambda value: isinstance(value, str) and value in self.texts)


#: What floating values are called that are no numbers.
NO_NUMBERS = frozenset(("nan", "inf", "-inf"))


@dataclass(frozen=True)
class TextTest:
    """Texts in an order with a text, letter by letter."""

    order: str
    text: str

    def mask(self, values: Array) -> Mask:
        """Which of the values pass; numbers do not."""
        compare = ORDERS[self.order]
        if self.order == "==" and self.text in NO_NUMBERS:
            return each_of(values, lambda value: isinstance(value, str | float) and str(value) == self.text)
        return each_of(values, lambda value: isinstance(value, str) and compare(value, self.text))


@dataclass(frozen=True)
class PartTest:
    """Texts or octets with this part in them."""

    part: str | bytes

    def mask(self, values: Array) -> Mask:
        """Which of the values pass; numbers do not."""
        part: Any = self.part
        return each_of(values, lambda value: isinstance(value, type(part)) and part in value)


@dataclass(frozen=True)
class PatternTest:
    """Texts or octets in which a regular expression is found, in any case; in linear time, whatever it is."""

    pattern: str | bytes

    def mask(self, values: Array) -> Mask:
        """Which of the values pass; numbers do not."""
        search: Any = compiled(self.pattern).search
        kind = type(self.pattern)
        return each_of(values, lambda value: isinstance(value, kind) and search(value) is not None)


@lru_cache(64)
def compiled(pattern: str | bytes) -> Any:
    """A regular expression, ready for use. Raises ValueError with what is wrong with it.

    It is RE2's: what backtracks (`re`) can be made to take forever by a pattern of ten letters.
    """
    options = re2.Options()
    options.case_sensitive, options.log_errors = False, False
    if isinstance(pattern, bytes):
        options.encoding = re2.Options.Encoding.LATIN1
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        raise ValueError(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from None


@dataclass(frozen=True)
class TitleTest:
    """System titles, which end in the 16 hex digits."""

    digits: str

    def mask(self, values: Array) -> Mask:
        """Which of the values pass."""
        return each_of(values, lambda value: value[-16:] == self.digits)


@dataclass(frozen=True)
class BitsTest:
    """Numbers of 64 bits in which those of `mask_` are those of `value`: logical names with wildcards."""

    mask_: int
    value: int

    def mask(self, values: Array) -> Mask:
        """Which of the values pass."""
        found: Mask = (values.astype(np.uint64, copy=False) & np.uint64(self.mask_)) == np.uint64(self.value)
        return found


@dataclass(frozen=True)
class BitsSet:
    """Numbers of 64 bits in which those of `mask_` are those of one of some values."""

    mask_: int
    values: tuple[int, ...]

    def mask(self, values: Array) -> Mask:
        """Which of the values pass."""
        bits = values.astype(np.uint64, copy=False) & np.uint64(self.mask_)
        return np.asarray(np.isin(bits, np.array(self.values, np.uint64)), np.bool_)


class _Halves(NamedTuple):
    high: int
    low: int


@dataclass(frozen=True)
class AddressTest:
    """Addresses (records of `ADDRESS`) in an order with the addresses from `first` to `last` of a family.

    == is between them; they are greater than the last, or less than the first. `port`: None for any.
    """

    order: str
    family: int
    first: int
    last: int
    port: int | None = None

    def mask(self, values: Array) -> Mask:
        """Which of the values pass."""
        own = values["family"] == self.family
        if self.order == "==":
            found: Mask = own & self._at_least(values, self.first) & ~self._above(values, self.last)
            return found if self.port is None else found & (values["port"] == self.port)
        if self.order in (">", ">="):
            later = (
                self._above(values, self.last) if self.order == ">" else self._at_least(values, self.first)
            )
            return np.asarray((values["family"] > self.family) | own & later, np.bool_)
        if self.order == "<":
            return np.asarray((values["family"] < self.family) | own & ~self._at_least(values, self.first))
        return np.asarray((values["family"] < self.family) | own & ~self._above(values, self.last))

    @staticmethod
    def _halves(address: int) -> _Halves:
        return _Halves(address >> 64, address & (1 << 64) - 1)

    def _at_least(self, values: Array, address: int) -> Mask:
        high, low = self._halves(address)
        found: Mask = (values["high"] > high) | (values["high"] == high) & (values["low"] >= low)
        return found

    def _above(self, values: Array, address: int) -> Mask:
        high, low = self._halves(address)
        found: Mask = (values["high"] > high) | (values["high"] == high) & (values["low"] > low)
        return found


@dataclass(frozen=True)
class OctetsTest:
    """Runs of octets in an order with a run, octet by octet."""

    order: str
    octets: bytes

    def mask(self, values: Array) -> Mask:
        """Which of the values pass."""
        compare = ORDERS[self.order]
        return each_of(values, lambda value: bool(compare(value, self.octets)))


class TreeValue(NamedTuple):
    """What a field of a tree holds: its value, and its text."""

    value: Any
    text: str


@dataclass(frozen=True)
class TreeTest:
    """Values of fields of trees: as a number, octets or logical name, or by their text.

    Each of the three is None where what is compared with is not that. `order` is that of NumberTest, or
    "contains".
    """

    order: str
    number: Number | None = None
    octets: bytes | None = None
    bits: tuple[int, int] | None = None
    word: str | None = None

    def mask(self, values: Array) -> Mask:
        """Which of the values pass."""
        return each_of(values, self._passes)

    def _passes(self, found: TreeValue) -> bool:
        value, text = found
        if isinstance(value, Reference):
            value = value.instance
        if self.order == "contains":
            inside = self.octets is not None and isinstance(value, bytes) and self.octets in value
            return inside or (self.word is not None and self.word in self._said(value, text))
        compare = ORDERS[self.order]
        if self.number is not None and isinstance(value, int | float | Decimal):
            number = floating(self.number) if isinstance(value, float) else self.number
            return bool(compare(value, number))
        if isinstance(value, bytes):
            if self.octets is not None and compare(value, self.octets):
                return True
            if self.bits is not None and len(value) == 6:
                mask, wanted = self.bits
                return int.from_bytes(value, "big") & mask == wanted
        if self.word is None or self.number is not None:
            return False
        if self.order == "==":
            return folded(self.word) in (folded(text), folded(text.strip('"')), folded(self._said(value, "")))
        return bool(text) and bool(compare(text, self.word))

    @staticmethod
    def _said(value: Any, text: str) -> str:
        """The text, or a value that has none in words."""
        if text or value is None:
            return text
        return value.decode("latin-1") if isinstance(value, bytes) else str(value)


@dataclass(frozen=True)
class TreePatternTest:
    """Values of fields of trees in whose text a regular expression is found, in any case."""

    pattern: str

    def mask(self, values: Array) -> Mask:
        """Which of the values pass."""
        search = compiled(self.pattern).search
        return each_of(values, lambda found: search(found.text or str(found.value or "")) is not None)


@dataclass(frozen=True)
class NamedTest:
    """Numbers whose texts pass a test: those of words that nobody can list."""

    type_: ValueType
    test: Test

    def mask(self, values: Array) -> Mask:
        """Which of the values pass."""
        codes, distinct = coded(values)
        return self.test.mask(np.array(self.type_.texts(distinct), object))[codes]


@dataclass(frozen=True)
class OneOfTests:
    """Values that pass one of some tests."""

    tests: tuple[Test, ...]

    def mask(self, values: Array) -> Mask:
        """Which of the values pass."""
        found = np.zeros(len(values), np.bool_)
        for test in self.tests:
            found |= test.mask(values)
        return found


@dataclass(frozen=True)
class AllOfTests:
    """Values that pass all of some tests: those of a range."""

    tests: tuple[Test, ...]

    def mask(self, values: Array) -> Mask:
        """Which of the values pass."""
        found = np.ones(len(values), np.bool_)
        for test in self.tests:
            found &= test.mask(values)
        return found
