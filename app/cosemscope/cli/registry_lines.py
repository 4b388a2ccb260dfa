"""A registry as text, JSON lines or a table in Markdown: what `fields` and `expert-kinds` print."""

import argparse
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import orjson

_WIDTH = 110


class RegistryEntry(NamedTuple):
    """An entry: what stands before its words in a line of text, its words, its JSON and its cells."""

    head: tuple[str, ...]
    words: str
    json: dict[str, object]
    cells: tuple[str, ...]


def add_form_arguments(parser: argparse.ArgumentParser) -> None:
    """`--json` and `--markdown`."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="JSON, one object a line")
    form.add_argument("--markdown", action="store_true", help="a table in Markdown")


def print_registry(
    arguments: argparse.Namespace, entries: Sequence[RegistryEntry], heads: Sequence[str]
) -> int:
    """Print the entries in the form that is asked for; the exit status."""
    if arguments.json:
        lines: Iterable[str] = (orjson.dumps(entry.json).decode() for entry in entries)
    else:
        lines = markdown_lines(entries, heads) if arguments.markdown else _text(entries)
    print("\n".join(lines))
    return 0


def markdown_lines(entries: Iterable[RegistryEntry], heads: Sequence[str]) -> Iterator[str]:
    """The lines of the table in Markdown."""
    yield f"| {' | '.join(heads)} |"
    yield f"| {' | '.join('---' for _ in heads)} |"
    for entry in entries:
        yield f"| {' | '.join(entry.cells)} |"


def _text(entries: Sequence[RegistryEntry]) -> Iterator[str]:
    """Aligned heads, and the words wrapped beside them."""
    widths = [max(map(len, column)) for column in zip(*(entry.head for entry in entries), strict=True)]
    for entry in entries:
        head = "".join(f"{text:<{width}}  " for text, width in zip(entry.head, widths, strict=True))
        yield from textwrap.wrap(
            head + entry.words, _WIDTH, subsequent_indent=" " * len(head), drop_whitespace=True
        )
