"""Tables as CSV, JSON, JSON lines and aligned text, a batch at a time, in UTF-8."""

from collections.abc import Callable, Iterator
from typing import IO

from cosemscope.analysis.export.formats.csv_lines import csv_columns, csv_lines
from cosemscope.analysis.export.tables.out_table import OutTable, length
from cosemscope.analysis.fields.row_records import AlignedColumns, json_records

Writer = Callable[[OutTable, IO[bytes]], None]


def write_csv(table: OutTable, file: IO[bytes]) -> None:
    """A line of names, then a line a row, see `csv_lines`."""
    file.write(csv_lines([[column.name for column in table.columns]]).encode())
    for values in table.batches:
        kinds = (column.type for column in table.columns)
        file.write(csv_columns(zip(kinds, values, strict=True)).encode("utf-8", "replace"))


def write_json_lines(table: OutTable, file: IO[bytes]) -> None:
    """An object a line, its keys the names of columns, null for nothing."""
    for lines in _json_lines(table):
        file.write(lines)


def write_json(table: OutTable, file: IO[bytes]) -> None:
    """The same as one array."""
    file.write(b"[")
    mark = b"\n"
    for lines in _json_lines(table):
        if lines:
            # Within a value no line ends: JSON has those escaped.
            file.write(mark + lines[:-1].replace(b"\n", b",\n"))
            mark = b",\n"
    file.write(b"\n]\n")


def _json_lines(table: OutTable) -> Iterator[bytes]:
    for values in table.batches:
        columns = {column.name: (column.type, own) for column, own in zip(table.columns, values, strict=True)}
        yield json_records(columns, length(values[0]))


def write_text(table: OutTable, file: IO[bytes]) -> None:
    """Aligned columns under their names."""
    names = [column.name for column in table.columns]
    columns = AlignedColumns(names, {column.name for column in table.columns if column.type.numeric})
    told = False
    for values in table.batches:
        texts = [column.type.texts(own) for column, own in zip(table.columns, values, strict=True)]
        file.write(columns.lines(texts).encode("utf-8", "replace"))
        told = True
    if not told:
        file.write(columns.lines([() for _ in names]).encode())
