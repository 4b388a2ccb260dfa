"""Rows written out by their fields: JSON objects a line, and tables of aligned text."""

from collections.abc import Iterable, Mapping
from itertools import chain

import orjson

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.row_field import RowField


def json_lines(keys: Mapping[str, RowField], asked: AskedRows) -> bytes:
    """JSON objects with these keys, a line each, in UTF-8."""
    names, dump, line = tuple(keys), orjson.dumps, orjson.OPT_APPEND_NEWLINE
    rows = zip(*(field.jsons(asked) for field in keys.values()), strict=True)
    record: dict[str, object] = dict.fromkeys(names)  # one for all rows: its keys are the same
    write, lines = record.update, []
    for row in rows:
        write(zip(names, row))  # noqa: B905 -- they are as long
        lines.append(dump(record, None, line))
    return b"".join(lines)


class TextTable:
    """Aligned columns under their names; a column that once had a wide value stays as wide."""

    def __init__(self, fields: Iterable[RowField]) -> None:
        self._fields = tuple(fields)
        self._widths = [len(field.name) for field in self._fields]

    def head(self) -> str:
        """The line of names."""
        return self._line([field.name for field in self._fields])

    def lines(self, asked: AskedRows) -> str:
        """A line for each row; what cannot be printed is escaped."""
        columns = [[printable(text) for text in field.texts(asked)] for field in self._fields]
        self._widths = [
            max(chain([width], map(len, column))) for width, column in zip(self._widths, columns, strict=True)
        ]
        return "".join([self._line(row) for row in zip(*columns, strict=True)])

    def _line(self, row: Iterable[str]) -> str:
        cells = [
            f"{text:>{width}}" if field.type.numeric else f"{text:<{width}}"
            for text, width, field in zip(row, self._widths, self._fields, strict=True)
        ]
        return "  ".join(cells).rstrip() + "\n"


def printable(text: str) -> str:
    """A text of a capture as a line of a terminal may have it: what cannot be printed is escaped."""
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)
