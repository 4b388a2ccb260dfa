"""One field of WPDU rows: its name, type, title and meaning, what it costs, and the function of its values.

    @declared("wpdu.length", Integer(), "Length", "Octets of the APDU, as the header says")
    def _length(asked: AskedRows) -> Values:
        return asked.wpdus("length")

That is all it takes: columns of tables, sorting, `--fields`, JSON and the documentation read the registry.
"""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum

import numpy as np

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.value_arrays import Array, Values
from cosemscope.analysis.fields.value_types import ValueType


class Cost(Enum):
    """What a field's values cost: arrays in memory, a look at octets and association, or a decoded tree.

    Those of `WHOLE` and `TREES` are arrays too, and may change as long as more of the capture comes: `WHOLE`
    ones are complete when the associations of all rows have been walked, `TREES` when all trees were read.
    """

    COLUMN = "column"
    WHOLE = "whole"
    TREES = "trees"
    LOOK = "look"
    TREE = "tree"


@dataclass(frozen=True)
class RowField:
    """One field. `values(asked)` gives an entry a row; `several`: each is any number of values."""

    name: str
    type: ValueType
    title: str
    meaning: str
    cost: Cost
    several: bool
    values: Callable[[AskedRows], Values]

    def texts(self, asked: AskedRows) -> list[str]:
        """The text of each row, "" where the field does not apply."""
        return self.type.texts(self.values(asked))

    def jsons(self, asked: AskedRows) -> list[object]:
        """What JSON gets of each row: None where the field does not apply, a list of several values."""
        return self.type.jsons(self.values(asked))

    def order(self, asked: AskedRows, *, descending: bool = False) -> Array:
        """Numbers[rows] that sort the rows by this field; those without a text come last.

        With `descending` for an order that begins with the largest: they come last there, too.
        """
        values = self.values(asked)
        order = self.type.order(values)
        blank = self.type.blanks(values) if descending else np.zeros(0, np.bool_)
        if blank.any():
            order = order.astype(np.int64 if order.dtype.kind in "biu" else order.dtype)
            order[blank] = order.min() - 1
        return order


class UnknownFieldError(ValueError):
    """A name that no field has; the message names those that are nearest."""


class FieldRegistry(dict[str, RowField]):
    """Fields by their names, in the order of their declaration."""

    def declared(
        self,
        name: str,
        kind: ValueType,
        title: str,
        meaning: str,
        *,
        cost: Cost = Cost.COLUMN,
        several: bool = False,
    ) -> Callable[[Callable[[AskedRows], Values]], Callable[[AskedRows], Values]]:
        """A decorator that declares a field with the decorated function for its values.

        Raises ValueError for a name that is taken.
        """

        def declare(values: Callable[[AskedRows], Values]) -> Callable[[AskedRows], Values]:
            if name in self:
                raise ValueError(f"the field {name} is declared twice")
            self[name] = RowField(name, kind, title, meaning, cost, several, values)
            return values

        return declare

    def named(self, name: str) -> RowField:
        """The field of this name, in any case. Raises UnknownFieldError."""
        wanted = name.strip().lower()
        field = self.get(wanted)
        if field is None:
            near = (
                get_close_matches(wanted, self, 3, 0.6)
                or [one for one in self if wanted in one.split(".")][:3]
            )
            hint = f", but {_or(near)}" if near else "; `cosemscope fields` lists them"
            raise UnknownFieldError(f"there is no field “{name.strip()}”{hint}")
        return field


def _or(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


#: All fields; `registry` has filled it.
FIELDS = FieldRegistry()
declared = FIELDS.declared
