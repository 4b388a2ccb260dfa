"""`fields`: the registry of fields, as text for people, JSON lines, or the table of the README."""

import argparse
from collections.abc import Iterator

from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import RowField
from cosemscope.cli.registry_lines import RegistryEntry, add_form_arguments, markdown_lines, print_registry

DESCRIPTION = (
    "Print the fields that a WPDU has: name, type, cost, title and meaning. `--fields`, `--by` and "
    "`--filter` take their names, and any of them can be a column of the window's table."
)
_HEADS = ("Name", "Type", "Title", "Meaning")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `fields`."""
    add_form_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope fields`; returns the exit status."""
    return print_registry(arguments, _entries(), _HEADS)


def markdown() -> Iterator[str]:
    """The lines of the table of fields in Markdown."""
    return markdown_lines(_entries(), _HEADS)


def _entries() -> list[RegistryEntry]:
    return [_entry(FIELDS[name]) for name in sorted(FIELDS)]


def _entry(field: RowField) -> RegistryEntry:
    kind = f"{field.type.word}, several" if field.several else field.type.word
    told: dict[str, object] = {"name": field.name, "type": field.type.word, "several": field.several}
    told |= {"cost": field.cost.value, "title": field.title, "meaning": field.meaning}
    cells = (f"`{field.name}`", kind, field.title, field.meaning)
    return RegistryEntry((field.name, kind, field.cost.value), f"{field.title}: {field.meaning}", told, cells)
