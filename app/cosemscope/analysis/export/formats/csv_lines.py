"""CSV lines: cells with commas between, quoted as RFC 4180 has it, none of them a formula.

A cell that begins as a spreadsheet's formula does and is no number gets an apostrophe before it. Lines end
with CR LF, in UTF-8 without a mark; numbers have a decimal point, times are those of lists. Of control
characters only tabs and line breaks come through: terminals would obey the others, spreadsheets stop at some.
"""

import re
from collections.abc import Iterable, Sequence

from cosemscope.analysis.fields.value_arrays import Coded, Several, Values, coded, object_array
from cosemscope.analysis.fields.value_types import Quantity, ValueType
from cosemscope.wording import printable

#: What a formula begins with, in the full width that some spreadsheets take too; and a tab or a line's end,
#: which they skip before one.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
#: Control characters but tabs and line breaks, and overrides of the direction of writing.
_CONTROLS = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]")
_QUOTED = re.compile(r'[",\r\n]')


def no_formula(text: str) -> str:
    """A text that no spreadsheet takes for a formula: one that it would gets an apostrophe before it."""
    return "'" + text if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def csv_cell(text: str) -> str:
    """A text as a cell; marks that only a terminal obeys, or that turn what is shown around, are escaped."""
    if not text.isprintable():
        text = _CONTROLS.sub(lambda found: printable(found[0]), text)
    text = no_formula(text)
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def csv_lines(rows: Iterable[Sequence[str]]) -> str:
    """A line for each row of texts."""
    return "".join([",".join(map(csv_cell, row)) + "\r\n" for row in rows])


def csv_columns(columns: Iterable[tuple[ValueType, Values]]) -> str:
    """A line for each row of typed columns; a value that comes again is made into a cell once."""
    cells = [_cells(kind, values) for kind, values in columns]
    lines = list(map(",".join, zip(*cells, strict=True)))
    return "\r\n".join([*lines, ""])


def _cells(kind: ValueType, values: Values) -> list[str]:
    if kind.numeric and not isinstance(kind, Quantity) and not isinstance(values, Several):
        return kind.texts(values)  # digits and signs: nothing to quote, and no formula
    if not isinstance(values, Coded | Several) and kind.repetitive:
        values = coded(values)
    if isinstance(values, Coded) and len(values.values) <= len(values.codes):
        told = object_array([csv_cell(text) for text in kind.texts(values.values)])
        cells: list[str] = told[values.codes].tolist()
        return cells
    known: dict[str, str] = {}
    return [known.get(text) or known.setdefault(text, csv_cell(text)) for text in kind.texts(values)]
