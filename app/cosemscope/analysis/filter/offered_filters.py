"""Display filters of what a person points at: a cell of a table, a field of a tree, some octets.

What is offered finds at least the row that it was made of.
"""

from collections.abc import Callable, Sequence
from typing import Any

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.row_field import RowField
from cosemscope.analysis.filter.language.filter_literals import read_instant
from cosemscope.analysis.filter.language.filter_nodes import Literal, Spelling
from cosemscope.analysis.filter.language.filter_words import quoted
from cosemscope.analysis.filter.language.tree_names import TREE, path_heads, tree_name
from cosemscope.analysis.filter.language.value_kinds import SEARCHED, FilterKind, kind_of

#: Octets that are written out, and values of a field that has several.
_OCTETS, _SEVERAL = 64, 8
#: Letters of a text that are written out.
_LETTERS = 1000
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"})


def in_quotes(text: str) -> str:
    """A text as a string of the filter language."""
    return f'"{text.translate(_ESCAPES)}"'


def filter_of_cell(field: RowField, asked: AskedRows) -> str:
    """The display filter of what a field says of the one row that is asked."""
    values = field.values(asked)
    json, text = field.type.jsons(values)[0], field.type.texts(values)[0]
    if not field.several:
        return filter_of_value(field, json, text)
    given = [value for value in dict.fromkeys(json) if value is not None][:_SEVERAL]
    return " && ".join(filter_of_value(field, value, str(value)) for value in given) or f"!{field.name}"


def filter_of_value(field: RowField, json: Any, text: str) -> str:
    """The display filter of one value of a field, as JSON and people have it; no text: that there is none."""
    kind = kind_of(field)
    if kind is FilterKind.FLAG:
        return field.name if json else f"!{field.name}"
    return _equal(field.name, kind, json, text) if json is not None and text else f"!{field.name}"


def _equal(name: str, kind: FilterKind, json: Any, text: str) -> str:
    if kind is FilterKind.OCTETS and len(text) > 2 * _OCTETS:
        return f"{name}[0:{_OCTETS}] == {_octets(text[: 2 * _OCTETS])}"
    if len(text) > _LETTERS and kind in SEARCHED:
        return _begins(name, text)
    return f"{name} == {_LITERALS[kind](json, text)}"


def _begins(name: str, text: str) -> str:
    """That a long text is in it as far as it is written out."""
    return f"{name} contains {in_quotes(text[:_LETTERS])}"


def _octets(text: str) -> str:
    """Octets in hex, as filters have them; one by itself would be read as a number."""
    pairs = [text[at : at + 2] for at in range(0, len(text), 2)]
    return ":".join(pairs) if len(pairs) > 1 else f"0x{text}"


def _instant(json: Any, text: str) -> str:
    """Local time as it is shown; where the clock shows it twice, the seconds since the epoch."""
    seconds, _, places = str(json).partition(".")
    time = int(seconds) * 1_000_000_000 + int(f"{places:0<9}")
    try:
        shown = read_instant(Literal(0, 0, Spelling.STRING, text))
    except ValueError:
        shown = -1
    return f'"{text}"' if shown == time else str(json)


def _quantity(json: Any, text: str) -> str:
    return in_quotes(text) if isinstance(json, str) else text


_LITERALS: dict[FilterKind, Callable[[Any, str], str]] = {
    FilterKind.NUMBER: lambda json, text: str(json),
    FilterKind.QUANTITY: _quantity,
    FilterKind.DURATION: lambda json, text: f"{json}s",
    FilterKind.INSTANT: _instant,
    FilterKind.WORD: lambda json, text: quoted(text),
    FilterKind.RANK: lambda json, text: quoted(text),
    FilterKind.TEXT: lambda json, text: in_quotes(text),
    FilterKind.TITLE: lambda json, text: in_quotes(text),
    FilterKind.OBIS: lambda json, text: text,
    FilterKind.ADDRESS: lambda json, text: text,
    FilterKind.ENDPOINT: lambda json, text: text,
    FilterKind.OCTETS: lambda json, text: _octets(text),
}


def filter_of_tree_field(path: Sequence[str], value: int | bytes | str | None) -> str:
    """The display filter of a field of a tree: `path` are its names from the outermost field on."""
    names = [tree_name(name) for name in path]
    heads = [place for place, name in enumerate(names) if name in path_heads() and name != TREE]
    name = ".".join(names[heads[-1] :] if heads else [TREE, *names[-1:]])
    if value is None:
        return name
    if isinstance(value, int):
        return f"{name} == {int(value)}"
    if isinstance(value, bytes):
        relation = "==" if len(value) <= _OCTETS else "contains"
        return f"{name} {relation} {_octets(value[:_OCTETS].hex())}" if value else name
    return f"{name} == {in_quotes(value)}" if len(value) <= _LETTERS else _begins(name, value)


def filter_of_octets(octets: bytes, start: int = -1) -> str:
    """The display filter of some octets of a WPDU, those from `start` on; -1 for anywhere."""
    part = _octets(octets[:_OCTETS].hex())
    if start < 0:
        return f"wpdu.octets contains {part}"
    return f"wpdu.octets[{start}:{min(len(octets), _OCTETS)}] == {part}"
