"""Rows and octets as texts for a clipboard: tables as text, CSV, JSON and Markdown, octets for Python and C.

    for piece in copied_rows("markdown", table):
        ...                     # a batch of rows each: whoever copies may tell how far it is, and stop

Pure functions: they know no window and no clipboard.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from cosemscope.analysis.export.formats.csv_lines import csv_columns, csv_lines, no_formula
from cosemscope.analysis.export.tables.out_table import OutTable, length
from cosemscope.analysis.fields.row_records import json_records
from cosemscope.wording import printable

#: Octets of a line of an array.
_LINE = 16
#: Letters that stand for themselves in a cell of Markdown, or do not.
_MARKDOWN = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_{}[]<>|#~"})


class CopyKind(NamedTuple):
    """A way to copy rows: what it is called, and what makes it, a piece for each batch."""

    title: str
    make: Callable[[OutTable], Iterator[str]]


def copied_rows(kind: str, table: OutTable) -> Iterator[str]:
    """The rows of a table as one of `ROW_COPIES`, in pieces. Raises KeyError for a kind that there is not."""
    return ROW_COPIES[kind].make(table)


def _text(table: OutTable) -> Iterator[str]:
    """A line a row with tabs between the cells, none of which is a formula where it is pasted."""
    for rows in _rows(table):
        yield "".join(["\t".join([no_formula(printable(cell)) for cell in row]) + "\n" for row in rows])


def _csv(table: OutTable) -> Iterator[str]:
    yield csv_lines([[column.name for column in table.columns]])
    for values in table.batches:
        yield csv_columns(zip((column.type for column in table.columns), values, strict=True))


def _json(table: OutTable) -> Iterator[str]:
    mark = "[\n"
    for values in table.batches:
        kinds = {column.name: (column.type, own) for column, own in zip(table.columns, values, strict=True)}
        lines = json_records(kinds, length(values[0])).decode()
        if lines:
            yield mark + lines[:-1].replace("\n", ",\n")
            mark = ",\n"
    yield "[]\n" if mark == "[\n" else "\n]\n"


def _markdown(table: OutTable) -> Iterator[str]:
    """A table in Markdown, numbers at the right; a cell is one line, and no mark in it means anything."""
    names = [column.name.translate(_MARKDOWN) for column in table.columns]
    sides = ["---:" if column.type.numeric else "---" for column in table.columns]
    yield f"| {' | '.join(names)} |\n| {' | '.join(sides)} |\n"
    for rows in _rows(table):
        cells = ([printable(cell).translate(_MARKDOWN) for cell in row] for row in rows)
        yield "".join([f"| {' | '.join(row)} |\n" for row in cells])


def _rows(table: OutTable) -> Iterator[Iterable[tuple[str, ...]]]:
    for values in table.batches:
        texts = (column.type.texts(own) for column, own in zip(table.columns, values, strict=True))
        yield zip(*texts, strict=True)


#: All ways to copy rows, by their names.
ROW_COPIES = {
    "text": CopyKind("Text", _text),
    "csv": CopyKind("CSV", _csv),
    "json": CopyKind("JSON", _json),
    "markdown": CopyKind("Markdown table", _markdown),
}


def python_bytes(octets: Iterable[bytes]) -> str:
    """Octets as Python has them: one run as a bytes object, several as a list of them."""
    runs = [_python_run(run) for run in octets]
    if len(runs) == 1:
        return runs[0] + "\n"
    lines = (f"    {line}\n" for line in chain.from_iterable(f"{run},".split("\n") for run in runs))
    return f"[\n{''.join(lines)}]\n" if runs else "[]\n"


def _python_run(octets: bytes) -> str:
    parts = [octets[at : at + _LINE].hex(" ") for at in range(0, len(octets), _LINE)]
    if len(parts) < 2:
        return f'bytes.fromhex("{octets.hex(" ")}")'
    lines = "\n".join(f'    "{part} "' for part in parts)
    return f"bytes.fromhex(\n{lines}\n)"


def c_arrays(octets: Iterable[tuple[str, bytes]]) -> str:
    """Octets as C has them: an array for each name, in which what is no letter or digit is an underscore."""
    arrays = []
    for name, run in octets:
        letters = "".join(mark if mark.isascii() and mark.isalnum() else "_" for mark in name)
        word = f"_{letters}" if not letters or letters[0].isdigit() else letters
        parts = (run[at : at + _LINE] for at in range(0, len(run), _LINE))
        lines = (
            "".join(f"    {' '.join(f'0x{octet:02X},' for octet in part)}\n" for part in parts) or "    0\n"
        )
        # C has no arrays without elements: the length stands beside the array, which then has a 0.
        arrays.append(
            f"static const unsigned char {word}[{max(len(run), 1)}] = {{\n{lines}}};\n"
            f"static const unsigned int {word}_length = {len(run)};\n"
        )
    return "\n".join(arrays)
