"""`fields`: the registry of fields, as text for people, JSON lines, or the table of the README."""

import argparse
import textwrap
from collections.abc import Iterator

import orjson

from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import RowField

DESCRIPTION = (
    "Print the fields that a WPDU has: name, type, cost, title and meaning. `list --fields` takes their "
    "names, and any of them can be a column of the window's table."
)
_WIDTH = 110


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `fields`."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="JSON, one object a line")
    form.add_argument("--markdown", action="store_true", help="a table in Markdown")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope fields`; returns the exit status."""
    form = _json if arguments.json else markdown if arguments.markdown else _text
    print("\n".join(form()))
    return 0


def _sorted() -> list[RowField]:
    return [FIELDS[name] for name in sorted(FIELDS)]


def _json() -> Iterator[str]:
    for field in _sorted():
        told = {"name": field.name, "type": field.type.word, "several": field.several}
        told |= {"cost": field.cost.value, "title": field.title, "meaning": field.meaning}
        yield orjson.dumps(told).decode()


def markdown() -> Iterator[str]:
    """The lines of the table of fields in Markdown."""
    yield "| Name | Type | Title | Meaning |"
    yield "| --- | --- | --- | --- |"
    for field in _sorted():
        yield f"| `{field.name}` | {_kind(field)} | {field.title} | {field.meaning} |"


def _text() -> Iterator[str]:
    names = max(map(len, FIELDS))
    kinds = max(len(_kind(field)) for field in FIELDS.values())
    for field in _sorted():
        head = f"{field.name:<{names}}  {_kind(field):<{kinds}}  {field.cost.value:<6}  "
        words = f"{field.title}: {field.meaning}"
        yield from textwrap.wrap(
            head + words, _WIDTH, subsequent_indent=" " * len(head), drop_whitespace=True
        )


def _kind(field: RowField) -> str:
    return f"{field.type.word}, several" if field.several else field.type.word
