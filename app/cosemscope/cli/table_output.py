"""Tables on standard output, and `--fields`, which names their columns."""

import argparse
from typing import IO, cast

from cosemscope.analysis.export.formats.table_writers import write_csv, write_json_lines, write_text
from cosemscope.analysis.export.tables.out_table import OutTable
from cosemscope.analysis.fields.row_field import RowField
from cosemscope.cli.capture_arguments import CommandError
from cosemscope.cli.named_fields import named_fields
from cosemscope.cli.terminal import TextOutput


def add_fields_argument(parser: argparse.ArgumentParser, what: str) -> None:
    """`--fields`; `what` says which names there are."""
    parser.add_argument("--fields", metavar="NAMES", help=f"what to print, with commas between: {what}")


def names_of(arguments: argparse.Namespace) -> tuple[str, ...] | None:
    """The names that `--fields` lists, None without it. Raises CommandError where it lists none."""
    if arguments.fields is None:
        return None
    names = tuple(filter(None, map(str.strip, arguments.fields.split(","))))
    if not names:
        raise CommandError("--fields names no field.")
    return names


def print_table(table: OutTable, *, as_json: bool, as_csv: bool = False) -> None:
    """Print a table as aligned text, as JSON lines or as CSV."""
    write = write_json_lines if as_json else write_csv if as_csv else write_text
    write(table, cast(IO[bytes], TextOutput()))


def named_fields_of(names: tuple[str, ...] | None) -> list[RowField]:
    """The fields of these names, for the pass that they need. Raises CommandError."""
    return [] if names is None else list(named_fields(",".join(names), "--fields").values())
