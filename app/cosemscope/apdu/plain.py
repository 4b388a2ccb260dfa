"""Trees as plain values (for JSON) and as indented text."""

import math
from collections.abc import Iterator
from typing import Any

from cosemscope.apdu.context import Reference
from cosemscope.apdu.fields import Decoded, Field, Problem


def plain_value(value: Any) -> Any:
    """A field's value as JSON has it: octets in hex, elements as a list, numbers that JSON lacks as text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Reference):
        return {**value._asdict(), "instance": value.instance.hex()}
    if isinstance(value, tuple):
        parts = value._asdict().values() if hasattr(value, "_asdict") else value
        return [plain_value(part) for part in parts]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def plain_field(field: Field) -> dict[str, Any]:
    """A field and all below it: name, value, text, start, stop, source, children."""
    return {
        "name": field.name,
        "value": plain_value(field.value),
        "text": field.text,
        "start": field.start,
        "stop": field.stop,
        "source": field.source,
        "children": [plain_field(child) for child in field.children],
    }


def plain_tree(decoded: Decoded) -> dict[str, Any]:
    """The root's field, with the problems and the byte sources (in hex) beside its children."""
    return {
        **plain_field(decoded.root),
        "problems": [_plain_problem(problem) for problem in decoded.problems],
        "sources": [{"name": source.name, "octets": source.data.hex()} for source in decoded.sources],
    }


def _plain_problem(problem: Problem) -> dict[str, Any]:
    """A problem by its keys: start, stop, message, clause, severity, source."""
    return {name: value for name, value in problem._asdict().items() if name != "item"}


def text_lines(decoded: Decoded) -> Iterator[str]:
    """The tree as text: offset and number of octets, then the field, indented; problems after it."""
    yield "offset octets  field"
    yield from _field_lines(decoded, decoded.root, 0, 0)
    for problem in decoded.problems:
        yield problem_line(decoded, problem)


def problem_line(decoded: Decoded, problem: Problem) -> str:
    """A problem in one line: how bad, where, what, and the clause."""
    where = f"offset {problem.start}"
    if problem.source:
        where += f" of the {decoded.sources[problem.source].name} octets"
    clause = f" [{problem.clause}]" if problem.clause else ""
    return f"{problem.severity} at {where}: {problem.message}{clause}"


def _field_lines(decoded: Decoded, field: Field, depth: int, source: int) -> Iterator[str]:
    if field.source != source:
        octets = decoded.sources[field.source]
        yield f"{'':14} {'  ' * depth}-- {octets.name}: {len(octets.data)} octets"
    yield f"{field.start:6} {field.stop - field.start:6}  {'  ' * depth}{field.name}{value_text(field)}"
    for child in field.children:
        yield from _field_lines(decoded, child, depth + 1, field.source)


#: Fields of one octet or two whose number an engineer reads in hex.
_HEX_FIELDS = frozenset(
    {
        "tag",
        "tag, second octet",
        "invoke-id-and-priority",
        "security-control",
        "block-control",
        "clock-status",
        "control",
        "frame format",
        "destination LSAP",
        "format identifier",
        "frame check sequence",
        "group identifier",
        "parameter identifier",
        "quality",
        "source LSAP",
        "header check sequence",
    }
)


def number_text(field: Field) -> str:
    """A field's value as people read numbers: octets of codes in hex, all others in decimal."""
    if field.name in _HEX_FIELDS and isinstance(field.value, int):
        return f"0x{field.value:0{2 * (field.stop - field.start)}X}"
    return str(field.value)


def value_text(field: Field) -> str:
    """What stands behind the name of a field: its text, its value, or both; "" for neither."""
    value = plain_value(field.value)
    if field.children or value is None or isinstance(value, (list, dict)):
        return f": {field.text}" if field.text else ""
    shown = str(value)
    if isinstance(field.value, bytes) and len(shown) > 128:
        shown = f"{shown[:128]}… ({len(field.value)} octets)"
    if isinstance(value, int):
        shown = number_text(field)
    if not field.text or field.text == shown or isinstance(field.value, (bytes, str, bool, float)):
        return f": {field.text or shown or 'empty'}"
    return f": {field.text}" if field.text.endswith(f"({shown})") else f": {field.text} ({shown})"
