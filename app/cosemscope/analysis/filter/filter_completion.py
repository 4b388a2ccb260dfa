"""Completion tells what may stand at a place of a filter: names, operators, and values that the capture has.

    completions(analysis, "apdu == get", 11)    # get-request 4711, get-response 4690

Values come with the number of WPDUs that have them. Only arrays are asked: nothing is decoded.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import Cost, RowField
from cosemscope.analysis.fields.value_arrays import Array
from cosemscope.analysis.filter.filter_compiler import FUNCTIONS
from cosemscope.analysis.filter.filter_help import operators
from cosemscope.analysis.filter.language.filter_names import ALIASES, field_named
from cosemscope.analysis.filter.language.filter_words import quoted, words_of
from cosemscope.analysis.filter.language.folding import folded
from cosemscope.analysis.filter.language.tree_names import TREE, TREE_FIELD, TREE_TEXT, path_heads
from cosemscope.analysis.filter.language.value_kinds import FilterKind, kind_of
from cosemscope.analysis.filter.masks.kept_columns import kept_columns, state_of

#: Characters before the cursor that are looked at.
_LOOKED_AT = 600
#: Completions that are told, and distinct values of which the most frequent are looked through for more.
_MOST, _MOST_VALUES = 100, 4096
#: The word that the cursor stands in, up to the cursor and behind it.
_WORD = re.compile(r"\"[^\"]*$|'[^']*$|[&|]{1,2}$|[\w.:*/-]*$")
_REST = re.compile(r"[\w.:*/-]*")
_WORDS = "eq|ne|lt|le|gt|ge|any_eq|all_ne|all_eq|any_ne|contains|matches"
_OPERATOR = rf"(?:===?|!==?|<=?|>=?|~|(?<=[\s\])])(?:{_WORDS})\b)"
#: What stands before a value: a field with an operator, or with a set that is not closed.
_COMPARED = re.compile(rf"(?<![\w.-])([A-Za-z_][\w.-]*)\s*{_OPERATOR}\s*$", re.IGNORECASE)
_IN_SET = re.compile(r"(?<![\w.-])([A-Za-z_][\w.-]*)\s+(?:not\s+|!\s*)?in\s*\{[^{}]*$", re.IGNORECASE)
#: What stands before an operator: a field; and before `&&` and the like: a value, or what closes something.
_NAMED = re.compile(r"(?<![\w.-])([A-Za-z_][\w.-]*)(\[[^\]]*\])?\s+$")
_COMPLETE = re.compile(r"[\w\"')\]}]\s+$")
_JOINED = re.compile(rf"(?:^|[\s(])(?:and|or|xor|not|any|all|in|{_WORDS})\s+$", re.IGNORECASE)
_JOINTS = {"&&": "both", "||": "one of both"}
_MEANINGS = {
    "==": "is equal to",
    "!=": "none is equal to",
    "<": "is less than",
    "<=": "is at most",
    ">": "is greater than",
    ">=": "is at least",
    "in": "is one of a set: {1, 2, 5..9}",
    "contains": "has this part",
    "matches": "a regular expression is found in it",
}
#: Kinds of values that are not told: there are as many of them as WPDUs.
_UNTOLD = frozenset((FilterKind.INSTANT, FilterKind.DURATION, FilterKind.QUANTITY, FilterKind.TREE))


@dataclass(frozen=True)
class Completion:
    """`text` may stand in the place of columns `start` to `stop`; `count` of WPDUs have it, None unknown."""

    text: str
    start: int
    stop: int
    meaning: str
    count: int | None = None


def completions(analysis: Analysis | None, text: str, cursor: int) -> list[Completion]:
    """What may stand at the cursor (a column of the text), the likeliest first; of values the most frequent.

    Without an analysis there are no values but words of fields. Never raises for any text.
    """
    cursor = min(max(cursor, 0), len(text))
    before = text[max(0, cursor - _LOOKED_AT) : cursor]
    found = _WORD.search(before)
    word = found[0] if found is not None else ""
    before = before[: len(before) - len(word)]
    rest = _REST.match(text, cursor)
    start, stop = cursor - len(word), rest.end() if rest is not None else cursor
    compared = _COMPARED.search(before) or _IN_SET.search(before)
    if compared is not None:
        field = field_named(compared[1])
        told = _values(analysis, field, word) if field is not None else iter(())
    elif word.startswith(("'", '"')):
        told = iter(())
    elif _JOINED.search(before) is None and _COMPLETE.search(before) is not None:
        told = _operators(before, word)
    else:
        told = _names(word)
    return [Completion(one, start, stop, meaning, count) for one, meaning, count in _first(told)]


_Told = tuple[str, str, int | None]
_ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}


def _first(told: Iterable[_Told]) -> list[_Told]:
    return [one for one, _ in zip(told, range(_MOST), strict=False)]


def _names(word: str) -> Iterator[_Told]:
    """Names of fields that begin so, then those that have it further behind; functions and trees between."""
    wanted = word.lower()
    names = {**{name: field.meaning for name, field in FIELDS.items()}, **_other_names()}
    yield from ((name, meaning, None) for name, meaning in names.items() if name.startswith(wanted))
    if wanted:
        inner = (name for name in names if wanted in name and not name.startswith(wanted))
        yield from ((name, names[name], None) for name in inner)


def _other_names() -> dict[str, str]:
    names = {f"{name}(": "a function" for name in FUNCTIONS}
    names |= {TREE_FIELD: "the name of any field of the tree", TREE_TEXT: "the text of any field of the tree"}
    names |= {f"{head}.": "a field of the tree" for head in path_heads() if head != TREE}
    names |= {f"{TREE}.": "a field of any tree"}
    return names | {alias: f"the same as {name}" for alias, name in ALIASES.items()}


def _operators(before: str, word: str) -> Iterator[_Told]:
    """Operators behind a field, and what joins conditions."""
    named = _NAMED.search(before)
    field = field_named(named[1]) if named is not None else None
    told = {**(_operators_of(field) if field is not None else {}), **_JOINTS}
    yield from ((sign, meaning, None) for sign, meaning in told.items() if sign.startswith(word.lower()))


def _operators_of(field: RowField) -> dict[str, str]:
    return {sign: _MEANINGS[sign] for sign in operators(kind_of(field)) if sign in _MEANINGS}


def _values(analysis: Analysis | None, field: RowField, word: str) -> Iterator[_Told]:
    """Values of a field that begin so: those of the capture, the most frequent first, then other words."""
    wanted = folded(word.lstrip("\"'"))
    seen: set[str] = set()
    known = analysis is not None and field.cost is not Cost.TREE and kind_of(field) not in _UNTOLD
    if analysis is not None and known:
        for value, meaning, count in _seen(analysis, field, named=not wanted[:1].isdigit()):
            seen.add(folded(value.strip('"')))
            if folded(value.strip('"')).startswith(wanted):
                yield value, meaning, count
    for value in _words(field):
        key = folded(value.strip('"'))
        if key.startswith(wanted) and key not in seen:
            yield value, "", 0 if known else None


def _words(field: RowField) -> Iterator[str]:
    if kind_of(field) is FilterKind.FLAG:
        yield from ("true", "false")
    words = words_of(field)
    if words is not None:
        yield from map(quoted, words.shown.values())


def _seen(analysis: Analysis, field: RowField, *, named: bool) -> Iterator[_Told]:
    """The values of a field, as a filter has them, with what they mean and how many WPDUs have them.

    `named`: numbers that have names are told by these.
    """
    values, counts = value_counts(analysis, field)
    texts, kind, names = field.type.texts(values), kind_of(field), _names_of(field)
    for value, text, count in zip(values.tolist(), texts, counts.tolist(), strict=True):
        name = names.get(value, "") if kind is FilterKind.NUMBER else ""
        if kind is FilterKind.FLAG:
            yield ("true" if value else "false"), "", count
        elif name and named:
            yield quoted(name), text, count
        elif text:
            yield _written(text, kind), name, count


def _names_of(field: RowField) -> dict[int, str]:
    """The names of a field's numbers."""
    words = words_of(field)
    if words is None:
        return {}
    return {number: words.shown[key] for key, some in words.standing_for.items() for number in some}


def _written(text: str, kind: FilterKind) -> str:
    if kind in (FilterKind.WORD, FilterKind.RANK):
        return quoted(text)
    if kind in (FilterKind.TEXT, FilterKind.TITLE):
        return '"' + "".join(_ESCAPED.get(one, one) for one in text) + '"'
    return text


def value_counts(analysis: Analysis, field: RowField) -> tuple[Array, npt.NDArray[np.int64]]:
    """The most frequent values of a field, and how many WPDUs have each, int64[n]: the greatest first.

    A WPDU that has a value several times counts so often. Raises as the field's values do.
    """
    return kept_columns(analysis).counts(state_of(analysis, None), field, analysis, _MOST_VALUES)
