"""Rows of the table copied in other forms: for spreadsheets, scripts, tickets, filters, and test programs.

A form is a row of `COPY_FORMS`; what is long is made in the background and stops at a bound, which is told.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from cosemscope.analysis.export.formats.copied_rows import ROW_COPIES, c_arrays, copied_rows, python_bytes
from cosemscope.analysis.export.tables.out_table import OutColumn, OutTable
from cosemscope.analysis.fields.value_arrays import Values
from cosemscope.analysis.filter.language.filter_grammar import LONGEST
from cosemscope.capture.records import CaptureError
from cosemscope.gui.base.task import Tell
from cosemscope.gui.panes.wpdus.row_texts import MOST_TEXT, CopiedRows, RowTexts
from cosemscope.wording import size

#: Rows that are made into text at once.
_AT_ONCE = 1024
#: Letters that an octet takes at least.
_LEAST_LETTERS = 3


class CopyForm(NamedTuple):
    """A form: what the menu calls it, and what makes it of rows, a piece for each batch of rows."""

    title: str
    make: Callable[[RowTexts, Tell], Iterator[str]]


def _table(kind: str, texts: RowTexts, tell: Tell) -> Iterator[str]:
    """The columns of the table, under the names of their fields."""
    total = len(texts.rows)

    def batches() -> Iterator[list[Values]]:
        for start in range(0, total, _AT_ONCE):
            tell(start, total)
            asked = texts.traffic.asked(texts.rows[start : start + _AT_ONCE])
            yield [field.values(asked) for field in texts.fields]

    columns = tuple(OutColumn(field.name, field.type, field.meaning, field.several) for field in texts.fields)
    return copied_rows(kind, OutTable(columns, batches(), total))


class _TooLongError(Exception):
    """The text would be longer than what goes onto a clipboard, or than what `args` says."""


def _octets(make: Callable[[list[tuple[str, bytes]]], str], texts: RowTexts, tell: Tell) -> Iterator[str]:
    """The octets of WPDUs, headers included, with the names of their rows."""
    runs: list[tuple[str, bytes]] = []
    total, octets = len(texts.rows), 0
    for place, row in enumerate(texts.rows.tolist()):
        tell(place, total)
        runs.append((f"wpdu_{row + 1}", texts.traffic.octets(row)))
        octets += len(runs[-1][1])
        if octets * _LEAST_LETTERS > MOST_TEXT:
            raise _TooLongError
    yield make(runs)


def _filter(texts: RowTexts, tell: Tell) -> Iterator[str]:
    """A display filter that leaves these WPDUs, those in a row as a range."""
    numbers, total = np.unique(texts.rows) + 1, len(texts.rows)
    breaks = [0, *(np.flatnonzero(np.diff(numbers) > 1) + 1).tolist(), len(numbers)]
    spans = [(numbers.item(first), numbers.item(stop - 1)) for first, stop in pairwise(breaks)]
    inside = ", ".join(f"{low}..{high}" if low < high else f"{low}" for low, high in spans)
    text = f"wpdu.number in {{{inside}}}"
    if len(text) > LONGEST:
        raise _TooLongError(
            f"a filter of {total:,} rows would have more than {LONGEST:,} characters, and be none"
        )
    yield text


COPY_FORMS = {
    **{
        name: CopyForm(kind.title, partial(_table, name))
        for name, kind in ROW_COPIES.items()
        if name != "text"
    },
    "filter": CopyForm("Display filter", _filter),
    "python": CopyForm("Python bytes", partial(_octets, lambda runs: python_bytes(run for _, run in runs))),
    "c": CopyForm("C array", partial(_octets, c_arrays)),
}


def copied_as(form: str, texts: RowTexts, tell: Tell, most: int = MOST_TEXT) -> CopiedRows:
    """Rows in one of `COPY_FORMS`, up to `most` characters. `tell` may raise Cancelled.

    Where not all rows fit, none are copied: half a form is none.
    """
    total, letters, pieces = len(texts.rows), 0, []
    trouble = f"more than {size(most)} of text do not go onto the clipboard"
    try:
        for piece in COPY_FORMS[form].make(texts, tell):
            letters += len(piece)
            if letters > most:
                raise _TooLongError
            pieces.append(piece)
    except _TooLongError as error:
        return CopiedRows("", 0, total, str(error) or trouble)
    except (CaptureError, OSError) as error:
        return CopiedRows("", 0, total, str(error))
    return CopiedRows("".join(pieces), total, total)
