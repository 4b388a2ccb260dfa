"""`expert-kinds`: the kinds of expert items, as text for people, JSON lines, or a table in Markdown."""

import argparse
import textwrap
from collections.abc import Iterator

import orjson

from cosemscope.analysis.expert import run as expert_run  # noqa: F401 -- declares all kinds
from cosemscope.streams.tables.expert_items import KINDS, ItemKind

DESCRIPTION = (
    "Print the kinds of items that `expert` tells: severity, group, name, sentence and clause. A file of "
    "settings for `expert --settings` may give them other severities: "
    '[severity] NAME = "warning" (chat, note, warning, error, off); [threshold] answer = 2.5 (seconds).'
)
_WIDTH = 110


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `expert-kinds`."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="JSON, one object a line")
    form.add_argument("--markdown", action="store_true", help="a table in Markdown")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope expert-kinds`; returns the exit status."""
    form = _json if arguments.json else markdown if arguments.markdown else _text
    print("\n".join(form()))
    return 0


def _sorted() -> list[ItemKind]:
    """All kinds by group and name."""
    return sorted(KINDS.values(), key=lambda kind: (kind.group, kind.word))


def _sentence(kind: ItemKind) -> str:
    """What an item says, N standing for its amount."""
    return kind.sentence.format(amount="N", octets="N octets")


def _json() -> Iterator[str]:
    for kind in _sorted():
        told = {"item": kind.word, "severity": kind.severity.word, "group": kind.group.value}
        yield orjson.dumps({**told, "message": _sentence(kind), "clause": kind.clause or None}).decode()


def markdown() -> Iterator[str]:
    """The lines of the table of kinds in Markdown."""
    yield "| Item | Severity | Group | What it says | Clause |"
    yield "| --- | --- | --- | --- | --- |"
    for kind in _sorted():
        cells = (f"`{kind.word}`", kind.severity.word, kind.group.value, _sentence(kind), kind.clause)
        yield f"| {' | '.join(cells)} |"


def _text() -> Iterator[str]:
    names = max(map(len, KINDS))
    for kind in _sorted():
        head = f"{kind.group.value:<11}  {kind.word:<{names}}  {kind.severity.word:<7}  "
        clause = f" [{kind.clause}]" if kind.clause else ""
        yield from textwrap.wrap(head + _sentence(kind) + clause, _WIDTH, subsequent_indent=" " * len(head))
