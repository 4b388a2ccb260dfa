"""`procedures`: what several exchanges did together, how far each procedure came, and what it came to.

A line a procedure, in the order in which they began. The keys of the JSON lines are an interface: more may
come, none goes away.
"""

import argparse
import sys

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.export.tables.out_table import Subject
from cosemscope.analysis.export.tables.procedure_rows import procedure_rows
from cosemscope.analysis.export.whole_file import ExportError
from cosemscope.cli.capture_arguments import (
    CommandError,
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)
from cosemscope.cli.filtering import add_filter_argument, filtered_rows, load_filter
from cosemscope.cli.table_output import add_fields_argument, names_of, print_table
from cosemscope.cli.terminal import show_progress

DESCRIPTION = (
    "Print a line for each procedure of a capture: association, hls, profile-read, object-list-read, "
    "image-transfer, key-change, clock-set, push and general-block-transfer, with progress and verdict "
    "(complete, partial, wrong, unproven, refused, unanswered, unfinished, or sent). With --json: number, "
    "kind, verdict, text, done, total, obis, stream, client, server, association, time, duration, wpdu, "
    "exchanges, details; details are of the kind, such as rows and period of a profile-read, missing blocks "
    "of an image-transfer, deviations in seconds of a clock-set and the destination of a push; null is for "
    "nothing."
)

#: Columns of the text, and their heads.
_HEADS = {
    "number": "No.",
    "wpdu": "WPDU",
    "client": "Client",
    "server": "Server",
    "kind": "Procedure",
    "obis": "Object",
    "done": "Done",
    "total": "Of",
    "verdict": "Verdict",
    "text": "Text",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `procedures`."""
    add_capture_arguments(parser)
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")
    add_keys_argument(parser)
    add_fields_argument(parser, "the keys of --json")
    add_filter_argument(parser, "only procedures with a WPDU that it leaves")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope procedures`; returns the exit status."""
    return with_analysis(arguments, _procedures)


def _procedures(analysis: Analysis, arguments: argparse.Namespace) -> int:
    wanted, keys, names = load_filter(arguments), load_keys(arguments), names_of(arguments)
    associations = Associations(analysis.run(), keys)
    left = filtered_rows(wanted, associations)
    subject = Subject(analysis, associations, None if wanted.is_empty else left, show_progress)
    is_usual_text = names is None and not arguments.json
    try:
        table = procedure_rows(
            subject, tuple(_HEADS) if is_usual_text else names, _HEADS if is_usual_text else None
        )
    except ExportError as error:
        raise CommandError(f"--fields: {error}") from None
    print_table(table, as_json=arguments.json)
    sys.stdout.flush()
    return 0
