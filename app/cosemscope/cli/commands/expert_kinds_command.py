"""`expert-kinds`: the kinds of expert items, as text for people, JSON lines, or a table in Markdown."""

import argparse
from collections.abc import Iterator

from cosemscope.analysis.expert import run as expert_run  # noqa: F401 -- declares all kinds
from cosemscope.cli.registry_lines import RegistryEntry, add_form_arguments, markdown_lines, print_registry
from cosemscope.streams.tables.expert_items import KINDS, ItemKind

DESCRIPTION = (
    "Print the kinds of items that `expert` tells: severity, group, name, sentence and clause. A file of "
    "settings for `expert --settings` may give them other severities: "
    '[severity] NAME = "warning" (chat, note, warning, error, off); [threshold] answer = 2.5 (seconds).'
)
_HEADS = ("Item", "Severity", "Group", "What it says", "Clause")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `expert-kinds`."""
    add_form_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope expert-kinds`; returns the exit status."""
    return print_registry(arguments, _entries(), _HEADS)


def markdown() -> Iterator[str]:
    """The lines of the table of kinds in Markdown."""
    return markdown_lines(_entries(), _HEADS)


def _entries() -> list[RegistryEntry]:
    """All kinds by group and name."""
    return [_entry(kind) for kind in sorted(KINDS.values(), key=lambda kind: (kind.group, kind.word))]


def _entry(kind: ItemKind) -> RegistryEntry:
    # N stands for the amount.
    sentence = kind.sentence.format(amount="N", octets="N octets")
    severity, group = kind.severity.word, kind.group.value
    told: dict[str, object] = {"item": kind.word, "severity": severity, "group": group}
    told |= {"message": sentence, "clause": kind.clause or None}
    words = f"{sentence} [{kind.clause}]" if kind.clause else sentence
    cells = (f"`{kind.word}`", severity, group, sentence, kind.clause)
    return RegistryEntry((group, kind.word, severity), words, told, cells)
