"""Types of fields: how a value becomes text, JSON and a key to sort by.

Text is for people and for columns, JSON for scripts. A value that does not apply is the type's `none`: no
text, and null. All methods take and give whole columns; what a distinct value looks like is worked out once.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from cosemscope.analysis.fields.value_arrays import Array, Coded, Several, Values, coded, each, grouped
from cosemscope.apdu.names.blue_book import dotted
from cosemscope.capture.packets.flows import Endpoint, address_text
from cosemscope.wording import calendar

SECOND = 1_000_000_000


class ValueType:
    """A type of values. `word` names it; `numeric`: columns of it stand at the right."""

    word = ""
    numeric = False
    #: whether values are told apart before each is made into something
    repetitive = False
    #: whether all values that differ are told apart
    exact = False

    def __init__(self, none: Any = None, nothing: Any = None) -> None:
        """`none` is the value that says that there is none, `nothing` what JSON gets then."""
        self.none = none
        self.nothing = nothing

    # What a subclass says of single values; those that are `none` never come here.

    def text(self, value: Any) -> str:
        """A value for people."""
        return str(value)

    def json(self, value: Any) -> Any:
        """A value for scripts: what JSON has, else text."""
        return self.text(value)

    # Columns.

    def texts(self, values: Values) -> list[str]:
        """The text of each row, several values with commas between."""
        if isinstance(values, Several):
            return [", ".join(filter(None, some)) for some in grouped(values, self.texts(values.values))]
        return each(self._given(values), self._texts)

    def jsons(self, values: Values) -> list[Any]:
        """What JSON gets of each row, of several values a list."""
        if isinstance(values, Several):
            return grouped(values, self.jsons(values.values))
        return each(self._given(values), self._jsons)

    def octets(self, values: Array, head: bytes = b"", tail: bytes = b"") -> list[bytes]:
        """The JSON of each value in UTF-8, between `head` and `tail`."""
        return [head + value + tail for value in map(orjson.dumps, self._jsons(values))]

    def order(self, values: Values) -> Array:
        """Numbers[rows] in the order of the values, of several the first; rows without a text come last."""
        if isinstance(values, Several):
            return self._order_of_several(values)
        values = self._given(values)
        if isinstance(values, Coded):
            codes = coded(self._order(values.values)).codes
            return _blanks_last(codes, self.blank(values.values))[values.codes]
        return _blanks_last(self._order(values), self.blank(values))

    def blanks(self, values: Values) -> npt.NDArray[np.bool_]:
        """Which rows have no text, bool[rows]."""
        if isinstance(values, Several):
            flat = values.values
            count = len(flat.codes) if isinstance(flat, Coded) else len(flat)
            none_told: npt.NDArray[np.bool_] = self._order_of_several(values) == count
            return none_told
        values = self._given(values)
        if isinstance(values, Coded):
            of_values: npt.NDArray[np.bool_] = self.blank(values.values)[values.codes]
            return of_values
        return self.blank(values)

    def is_none(self, values: Array) -> npt.NDArray[np.bool_]:
        """Which values are the one that says that there is none, bool[n]."""
        if values.dtype == object:
            none = self.none
            return np.fromiter(
                (value is None or value == none for value in values.tolist()), np.bool_, len(values)
            )
        return np.zeros(len(values), np.bool_) if self.none is None else values == self.none

    def _given(self, values: Array | Coded) -> Array | Coded:
        return coded(values) if self.repetitive and not isinstance(values, Coded) else values

    def _texts(self, values: Array) -> list[str]:
        return self._made(values, self.text, "")

    def _jsons(self, values: Array) -> list[Any]:
        return self._made(values, self.json, self.nothing)

    def _made(self, values: Array, make: Callable[[Any], Any], nothing: Any) -> list[Any]:
        none = self.none
        if none is None:
            return [nothing if value is None else make(value) for value in values.tolist()]
        return [nothing if value == none else make(value) for value in values.tolist()]

    def _order(self, values: Array) -> Array:
        return values

    def blank(self, values: Array) -> npt.NDArray[np.bool_]:
        """Which values have no text, bool[n]."""
        return self.is_none(values)

    def _order_of_several(self, values: Several) -> npt.NDArray[np.int64]:
        inner = coded(self.order(values.values)).codes
        flat = values.values
        blank = self.blank(flat.values)[flat.codes] if isinstance(flat, Coded) else self.blank(flat)
        told = np.flatnonzero(~blank)
        owner = np.repeat(np.arange(len(values.stops)), np.diff(values.stops, prepend=0))[told]
        rows, first = np.unique(owner, return_index=True)
        order = np.full(len(values.stops), len(inner), np.int64)
        order[rows] = inner[told[first]]
        return order


class Integer(ValueType):
    """Whole numbers, in hexadecimal of so many digits where that is how they are known."""

    word = "integer"
    numeric = exact = True

    def __init__(self, none: int | None = None, digits: int = 0) -> None:
        super().__init__(none)
        self._digits = digits

    def text(self, value: int) -> str:
        """The number."""
        return f"0x{value:0{self._digits}X}" if self._digits else str(value)

    def json(self, value: int) -> int:
        """The number itself."""
        return value

    def octets(self, values: Array, head: bytes = b"", tail: bytes = b"") -> list[bytes]:
        """The same as of any value; of a column without a `none` at once."""
        if self.none is not None or not len(values):
            return super().octets(values, head, tail)
        return (head + _digits(values).replace(b",", tail + b"\n" + head) + tail).split(b"\n")

    def _jsons(self, values: Array) -> list[Any]:
        return values.tolist() if self.none is None else super()._jsons(values)


class Word(ValueType):
    """Numbers that have names, such as those of an enumeration; sorted by name."""

    word = "word"

    repetitive = True

    def __init__(
        self,
        names: Mapping[int, str] | Callable[[int], str],
        none: int | None = None,
        nothing: Any = None,
        numbers: Iterable[int] | None = None,
    ) -> None:
        """`names` says what a number is called; `numbers` which there are, None where none can list them."""
        super().__init__(none, nothing)
        listed = names if numbers is None and not callable(names) else numbers
        #: the numbers that have names; None where nobody can list them
        self.numbers = None if listed is None else tuple(int(number) for number in listed)
        self._name = names if callable(names) else lambda value: names.get(value, f"code {value}")

    def text(self, value: int) -> str:
        """The name."""
        return self._name(value)

    def _order(self, values: Array) -> Array:
        return np.array(["" if value == self.none else self.text(value).lower() for value in values.tolist()])


class Rank(Word):
    """Numbers that have names and an order of their own, by which they are sorted."""

    def _order(self, values: Array) -> Array:
        return values


class Flag(ValueType):
    """Yes or no."""

    word = "flag"

    def text(self, value: bool) -> str:
        """ "yes", or nothing."""
        return "yes" if value else ""

    def json(self, value: int) -> bool:
        """True or false, of columns that have 1 and 0 too."""
        return bool(value)

    def blank(self, values: Array) -> npt.NDArray[np.bool_]:
        """Which are not yes, bool[n]."""
        return np.array([value == self.none or not value for value in values.tolist()], np.bool_)


class Text(ValueType):
    """Words for people; sorted without regard to case."""

    word = "text"

    def _made(self, values: Array, make: Callable[[Any], Any], nothing: Any) -> list[Any]:
        return [nothing if value is None else str(value) for value in values.tolist()]

    def blank(self, values: Array) -> npt.NDArray[np.bool_]:
        """Which are empty, bool[n]."""
        return np.array([not value for value in values.tolist()], np.bool_)

    def _order(self, values: Array) -> Array:
        return coded(np.array([str(value or "").lower() for value in values.tolist()], object)).codes


class Term(Text):
    """Words that the standard has, as they stand there."""

    word = "word"

    def __init__(self, words: Collection[str] | None = None) -> None:
        """`words`: which there are, which may become more; None where nobody can list them."""
        super().__init__()
        self.words = words


class SystemTitle(Text):
    """System titles: the manufacturer's three letters, where there are some, and 16 hex digits."""

    word = "title"


class Quantity(ValueType):
    """Numbers, whole, decimal or floating, and where there is none words; numbers sort before words."""

    word = "quantity"
    numeric = True

    def text(self, value: Any) -> str:
        """The number without an exponent, or the words."""
        return f"{value:f}" if isinstance(value, Decimal) else str(value)

    def json(self, value: Any) -> Any:
        """The number as JSON has it, whole where it is; else the words."""
        if isinstance(value, Decimal):
            return int(value) if value == value.to_integral_value() else float(value)
        return (
            value if isinstance(value, int) or (isinstance(value, float) and isfinite(value)) else str(value)
        )

    def _order(self, values: Array) -> Array:
        def key(value: Any) -> tuple[int, Any]:
            if value is None:
                return 0, 0
            return (2, value.lower()) if isinstance(value, str) else (1, value)

        keys = {value: key(value) for value in values.tolist()}
        ranks = {value: rank for rank, value in enumerate(sorted(keys, key=keys.__getitem__))}
        return np.array([ranks[value] for value in values.tolist()], np.int64)


class Octets(ValueType):
    """Runs of octets, in hexadecimal."""

    word = "octets"

    def text(self, value: bytes) -> str:
        """The octets in hexadecimal."""
        return value.hex()

    def blank(self, values: Array) -> npt.NDArray[np.bool_]:
        """Which are empty, bool[n]."""
        return np.array([not value for value in values.tolist()], np.bool_)

    def _order(self, values: Array) -> Array:
        return coded(np.array([value or b"" for value in values.tolist()], object)).codes


class Instant(ValueType):
    """Nanoseconds since the epoch: for people local date and time, for scripts seconds with nine places."""

    word = "instant"
    numeric = exact = True

    def text(self, value: int) -> str:
        """The local date and time; of one that no calendar has, the seconds."""
        second, rest = divmod(value, SECOND)
        return f"{_second_text(second)}.{rest:09d}"

    def json(self, value: int) -> str:
        """Seconds since the epoch: a decimal number, as text, so that no place is lost."""
        return seconds_text(value)

    def octets(self, values: Array, head: bytes = b"", tail: bytes = b"") -> list[bytes]:
        """The same as of any value; of times with equally many digits at once."""
        least, most = (int(values.min()), int(values.max())) if len(values) else (0, 0)
        if self.none is not None or least < SECOND or len(str(least)) < len(str(most)):
            return super().octets(values, head, tail)
        digits = np.frombuffer(_digits(values) + b",", np.uint8).reshape(len(values), -1)[:, :-1]
        return _beside(head + b'"', digits[:, :-9], b".", digits[:, -9:], b'"' + tail)

    def _texts(self, values: Array) -> list[str]:
        if self.none is not None:
            return super()._texts(values)
        second, rest = np.divmod(values.astype(np.int64, copy=False), SECOND)
        texts = each(coded(second), lambda some: [_second_text(value) for value in some.tolist()])
        return [f"{text}.{part:09d}" for text, part in zip(texts, rest.tolist(), strict=True)]

    def _jsons(self, values: Array) -> list[Any]:
        if self.none is not None or (len(values) and values.min() < 0):
            return super()._jsons(values)
        texts = map(str, values.tolist())
        return [f"{text[:-9]}.{text[-9:]}" if len(text) > 9 else f"0.{text:>09}" for text in texts]


class Duration(ValueType):
    """Nanoseconds between two instants, as seconds with nine places."""

    word = "duration"
    numeric = exact = True

    def text(self, value: int) -> str:
        """Seconds: a decimal number, as text, so that no place is lost."""
        return seconds_text(value)


class Obis(ValueType):
    """Logical names, numbers of 48 bits: six numbers with dots."""

    word = "obis"
    repetitive = exact = True

    def text(self, value: int) -> str:
        """The six numbers."""
        return dotted(value.to_bytes(6, "big"))


#: IP addresses, with a port where there is one: the family (4 or 6), both halves of the address, the port.
ADDRESS = np.dtype([("family", "u1"), ("high", "u8"), ("low", "u8"), ("port", "u2")])


class Address(ValueType):
    """IP addresses, records of `ADDRESS`, with their ports or without; sorted as numbers."""

    word = "address"

    def __init__(self, port: bool = False) -> None:
        super().__init__()
        self.has_port = port

    def text(self, value: tuple[int, int, int, int]) -> str:
        """The address, and behind a colon the port."""
        family, high, low, port = value
        address = address_text(family, high, low)
        return str(Endpoint(address, port)) if self.has_port else address


def _blanks_last(order: Array, blank: npt.NDArray[np.bool_]) -> Array:
    """An order in which these rows come behind all others."""
    if not blank.any():
        return order
    told = order[~blank]
    if order.dtype.kind not in "iu" or (len(told) and told.max() == np.iinfo(order.dtype).max):
        order = coded(order).codes
        told = order[~blank]
    order = order.copy()
    order[blank] = told.max() + 1 if len(told) else 0
    return order


def _digits(values: Array) -> bytes:
    """Whole numbers in decimal digits, with commas between."""
    return orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]


def _beside(*columns: bytes | npt.NDArray[np.uint8]) -> list[bytes]:
    """The octets of each row side by side: matrices uint8[n, width], and what is the same in all rows.

    The last column does not end with zeros.
    """
    count = max(len(column) for column in columns if isinstance(column, np.ndarray))
    same = (np.frombuffer(column, np.uint8) if isinstance(column, bytes) else column for column in columns)
    rows = np.hstack([np.broadcast_to(column, (count, column.shape[-1])) for column in same])
    octets: list[bytes] = rows.view(f"S{rows.shape[1]}").reshape(-1).tolist()
    return octets


def seconds_text(time: int) -> str:
    """Nanoseconds as seconds: a decimal number with nine places."""
    sign = "-" if time < 0 else ""
    second, rest = divmod(abs(time), SECOND)
    return f"{sign}{second}.{rest:09d}"


def _second_text(second: int) -> str:
    return calendar(second) or f"{second:>19}"
