"""Tables and objects in which logs keep octets: CSV with a heading, tables of wikis, JSON.

A column, or a key, of octets is found by its contents; columns beside it tell the way and the time.
"""

import csv
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from cosemscope.apdu.pasted.log_lines import HEADING, way_in
from cosemscope.apdu.pasted.number_texts import DECIMAL_NOTE, HEX_ONLY
from cosemscope.apdu.pasted.pieces import Pasted, Piece, Way
from cosemscope.apdu.pasted.time_stamps import Stamp, stamp_at

#: Least octets of a cell that is to be believed.
_LEAST = 2
_DELIMITERS = ("\t", ";", ",", "|")
_RULE = re.compile(r"[\s|:+-]+")
#: Names of columns and keys of octets, the surest first: those of the first kind that is there are taken.
_DATA_KEYS = tuple(
    re.compile(f"(?i){names}")
    for names in (
        "payload|[ax]?pdu|octets",
        "data|hex|raw|frame|telegram|received|bytes",
        "message|value|content",
    )
)


class _Row(NamedTuple):
    """A row of a table, or an object: its line, and its cells by name."""

    line: int
    cells: dict[str, Any]


def read_table(text: str) -> Pasted | None:
    """Octets in a column of a table that has a heading; None where the text is no such table."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    lines = [(number, line) for number, line in lines if not _RULE.fullmatch(line)]
    if len(lines) < 2:
        return None
    for delimiter in _DELIMITERS:
        names = _cells(lines[0][1], delimiter)
        if len(names) < 2 or any(_octets_in(name) for name in names) or not all(map(_is_name, names)):
            continue
        rows = [(number, _cells(line, delimiter)) for number, line in lines[1:]]
        if all(len(cells) == len(names) for _, cells in rows):
            keys = [f"{index} {name}" for index, name in enumerate(names)]
            found = [_Row(number, dict(zip(keys, cells, strict=True))) for number, cells in rows]
            return _pasted(found, {HEADING: 1})
    return None


def _is_name(cell: str) -> bool:
    return re.search(r"[A-Za-z]", cell) is not None or cell in ("", "#")


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == "|":
        line = line.strip().removeprefix("|").removesuffix("|")
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def read_json(text: str) -> Pasted | None:
    """Octets in strings of hex, or in lists of numbers, of JSON or of lines of it; None elsewhere."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        objects = [(1, json.loads(text))]
    except (ValueError, RecursionError):
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        try:
            objects = [(number, json.loads(line)) for number, line in lines]
        except (ValueError, RecursionError):
            return None
    rows = [row for number, one in objects for row in _objects(number, one)]
    return _pasted(rows, {}) if rows else None


def _objects(line: int, value: Any) -> Iterator[_Row]:
    """The objects in a value of JSON that hold something other than objects, in order."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            yield _Row(line, {str(key): inner for key, inner in one.items() if not _holds(inner)})
            pending.extend(reversed([inner for inner in one.values() if _holds(inner)]))
        elif isinstance(one, list):
            pending.extend(reversed([inner for inner in one if isinstance(inner, dict | list)]))


def _holds(value: Any) -> bool:
    """Whether a value holds objects, or lists of others than numbers."""
    return isinstance(value, dict) or (isinstance(value, list) and _octets_in(value) == b"")


def _octets_in(cell: Any) -> bytes:
    """The octets that a cell spells: hex in text, or numbers of a list; empty for anything else."""
    if isinstance(cell, str) and HEX_ONLY.fullmatch(cell.strip()):
        octets = bytes.fromhex(re.sub(r"[^0-9A-Fa-f]", "", cell))
        return octets if len(octets) >= _LEAST else b""
    if isinstance(cell, list) and len(cell) >= _LEAST:
        numbers = [value for value in cell if isinstance(value, int) and not isinstance(value, bool)]
        if len(numbers) == len(cell) and -128 <= min(numbers) <= max(numbers) <= 255:
            return bytes(value & 0xFF for value in numbers)
    return b""


def _pasted(rows: list[_Row], left_out: dict[str, int]) -> Pasted | None:
    """The pieces of rows: the columns of octets, those named after data before all others."""
    spelled = {key for row in rows for key, cell in row.cells.items() if _octets_in(cell)}
    kinds = ({key for key in spelled if names.search(key)} for names in _DATA_KEYS)
    named: set[str] = next(filter(None, kinds), set())
    if not named and len(spelled) > 1:
        sizes = {key: sum(len(_octets_in(row.cells.get(key))) for row in rows) for key in spelled}
        named = {max(sorted(spelled), key=lambda key: sizes[key])}
    keys = named or spelled
    pieces = [
        Piece(octets, _way_of(row, key), row.line, True, _stamp_of(row, keys))
        for row in rows
        for key in row.cells
        if key in keys and (octets := _octets_in(row.cells[key]))
    ]
    if not pieces:
        return None
    numbers = any(isinstance(row.cells.get(key), list) for row in rows for key in keys)
    return Pasted(tuple(pieces), left_out, (DECIMAL_NOTE,) if numbers else ())


def _way_of(row: _Row, data: str) -> Way | None:
    """The way that a short cell beside the octets tells, or the name of their column."""
    texts = [
        cell for key, cell in row.cells.items() if key != data and isinstance(cell, str) and len(cell) < 40
    ]
    return next(filter(None, map(way_in, [*texts, data])), None)


def _stamp_of(row: _Row, data: set[str]) -> Stamp | None:
    """The time that a cell beside the octets tells."""
    for key, cell in row.cells.items():
        if key in data or isinstance(cell, bool) or not isinstance(cell, str | int | float):
            continue
        text = cell.strip() if isinstance(cell, str) else f"{cell:.9f}".rstrip("0").rstrip(".")
        stamp, stop = stamp_at(f"[{text}]" if text.replace(".", "").isdecimal() else text)
        if stamp is not None and stop >= len(text):
            return stamp
    return None
