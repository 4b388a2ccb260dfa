"""`count`: the WPDUs of a capture by any fields, with counts, shares and the spread of a number.

As text for people, JSON lines for scripts or CSV for spreadsheets, the largest group first.
"""

import argparse
import sys
from itertools import chain

import orjson

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.passed_rows import PassedRows
from cosemscope.analysis.counting.row_counts import SPREAD, CountTable, NotANumberError, RowCounts
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.export.formats.csv_lines import csv_lines
from cosemscope.analysis.fields.row_field import RowField
from cosemscope.analysis.fields.row_records import AlignedColumns
from cosemscope.cli.capture_arguments import (
    CommandError,
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)
from cosemscope.cli.filtering import add_filter_argument, filtered_rows, load_filter
from cosemscope.cli.named_fields import named_fields
from cosemscope.cli.terminal import show_progress, write_octets

DESCRIPTION = (
    "Count the WPDUs of a capture by any fields, the largest group first. A WPDU with several values of a "
    "field counts once for each. With --json a group has the names of --by and: count, share (of all WPDUs, "
    "0 to 1), and with --of: measured (how many have the number), min, mean, median, p95, max; null is for "
    "nothing."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `count`."""
    add_capture_arguments(parser)
    parser.add_argument(
        "--by",
        metavar="FIELDS",
        required=True,
        help="names of fields with commas between, such as obis,result; `cosemscope fields` lists them",
    )
    parser.add_argument(
        "--of",
        metavar="FIELD",
        help="also minimum, mean, median, 95th percentile (nearest rank) and maximum of this number, such as "
        "response_time",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="JSON, one object a line")
    form.add_argument("--csv", action="store_true", help="CSV for spreadsheets")
    add_keys_argument(parser)
    add_filter_argument(parser, "only WPDUs that it leaves")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope count`; returns the exit status."""
    return with_analysis(arguments, _count)


def _count(analysis: Analysis, arguments: argparse.Namespace) -> int:
    by = list(named_fields(arguments.by, "--by").values())
    of = _number(arguments.of) if arguments.of is not None else None
    wanted, keys = load_filter(arguments), load_keys(arguments)
    associations = Associations(analysis.run(), keys)
    rows = filtered_rows(wanted, associations, [*by, *([of] if of else [])])
    try:
        counted = None if wanted.is_empty else rows
        table = RowCounts(analysis, counted, PassedRows(associations), told=show_progress).by(by, of)
    except NotANumberError as error:
        raise CommandError(f"--of: {error}.") from None
    if arguments.json:
        for group in table.jsons():
            write_octets(orjson.dumps(group, option=orjson.OPT_APPEND_NEWLINE))
    else:
        _print_table(table, as_csv=arguments.csv)
    sys.stdout.flush()
    return 0


def _number(name: str) -> RowField:
    fields = list(named_fields(name, "--of").values())
    if len(fields) != 1:
        raise CommandError("--of names one field, such as response_time.")
    return fields[0]


def _print_table(table: CountTable, *, as_csv: bool) -> None:
    """A line a group: its values, count and share, and what its numbers come to."""
    names = [field.name for field in table.fields]
    numbers = ["count", "share", *(SPREAD if table.of is not None else ())]
    counts, shares = table.counts.tolist(), table.shares().tolist()
    if as_csv:
        told = [list(map(str, counts)), [f"{share:.6f}" for share in shares]]
        columns = [*table.texts(), *told, *table.spread_texts()]
        rows = chain([(*names, *numbers)], zip(*columns, strict=True))
        write_octets(csv_lines(rows).encode())
        return
    told = [[f"{count:,}" for count in counts], [f"{share:.2%}" for share in shares]]
    columns = [*table.texts(), *told, *table.spread_texts(short=True)]
    right = [*(field.name for field in table.fields if field.type.numeric), *numbers]
    print(AlignedColumns((*names, *numbers), right).lines(columns), end="")
