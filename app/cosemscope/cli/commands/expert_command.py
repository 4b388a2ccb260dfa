"""`expert`: what is wrong or remarkable in a capture, as text for people or JSON lines for scripts.

Everything that is found is listed, in the order of the capture. The keys of the
JSON lines are an interface: more may come, none goes away.
"""

import argparse
from typing import Any

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.expert_settings import ExpertSettingsError, load_expert_settings
from cosemscope.analysis.expert.run import find_items
from cosemscope.analysis.export.tables.item_table import item_table
from cosemscope.analysis.export.tables.out_table import Subject
from cosemscope.analysis.export.whole_file import ExportError
from cosemscope.cli.capture_arguments import (
    CommandError,
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)
from cosemscope.cli.filtering import add_filter_argument, load_filter
from cosemscope.cli.table_output import add_fields_argument, names_of, print_table
from cosemscope.cli.terminal import show_progress
from cosemscope.streams.tables.expert_items import Severity, severities

#: The exit status where --fail-on found something.
_FOUND = 3
DESCRIPTION = (
    "Print what is wrong or remarkable in a capture, an item a line. With --json: severity, group, item, "
    "message, clause, number (of the WPDU), packet, stream, direction, start, stop, source (of these "
    "octets); null is for nothing. `expert-kinds` lists all kinds of items."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `expert`."""
    add_capture_arguments(parser)
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")
    add_keys_argument(parser)
    add_fields_argument(parser, "severity, group, item, message and the other keys of --json")
    add_filter_argument(parser, "only items of WPDUs that it leaves")
    parser.add_argument(
        "--severity",
        choices=[severity.word for severity in Severity],
        default=Severity.CHAT.word,
        help="list only what is at least so bad (default: chat, which is everything)",
    )
    parser.add_argument(
        "--fail-on",
        choices=[severity.word for severity in Severity],
        help="exit with status 3 where anything is at least so bad, listed or not",
    )
    parser.add_argument(
        "--settings",
        metavar="FILE.TOML",
        help="other severities, kinds switched off, another threshold for late answers (see expert-kinds)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope expert`; returns the exit status."""
    return with_analysis(arguments, _expert)


def _expert(analysis: Analysis, arguments: argparse.Namespace) -> int:
    keys, wanted, names = load_keys(arguments), load_filter(arguments), names_of(arguments)
    if arguments.settings:
        try:
            load_expert_settings(arguments.settings).apply(analysis)
        except ExpertSettingsError as error:
            raise CommandError(str(error)) from None
    associations = Associations(analysis.run(), keys)
    find_items(associations, progress=show_progress)
    left = None
    if not wanted.is_empty:
        left = wanted.rows(analysis, associations=associations, progress=show_progress)
    _print(Subject(analysis, associations, left), names, arguments)
    if arguments.fail_on is None:
        return 0
    found = severities()[analysis.expert_items["kind"]]
    return _FOUND if (found >= Severity[arguments.fail_on.upper()]).any() else 0


def _print(subject: Subject, names: tuple[str, ...] | None, arguments: argparse.Namespace) -> None:
    """A line an item: the columns that are named, or all in JSON, or those that people read."""
    least = Severity[arguments.severity.upper()]
    try:
        table = item_table(subject, names, least)
    except ExportError as error:
        raise CommandError(f"--fields: {error}") from None
    if arguments.json or names is not None:
        print_table(table, as_json=arguments.json)
        return
    for values in table.batches:
        columns = (column.type.jsons(own) for column, own in zip(table.columns, values, strict=True))
        for row in zip(*columns, strict=True):
            print(_text({column.name: one for column, one in zip(table.columns, row, strict=True)}))


def _text(item: dict[str, Any]) -> str:
    """An item as a line for people: severity, group, packet, WPDU, kind, what it says and the clause."""
    packet = f"packet {item['packet']:,}" if item["packet"] else ""
    number = f"WPDU {item['number']:,}" if item["number"] else ""
    clause = f" [{item['clause']}]" if item["clause"] else ""
    return (
        f"{item['severity']:<7}  {item['group']:<11}  {packet:<14}  {number:<12}  "
        f"{item['item']:<18}  {item['message']}{clause}"
    )
