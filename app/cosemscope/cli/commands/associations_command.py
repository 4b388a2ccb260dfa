"""`associations`: who was associated with whom, how, what was agreed, how it went and by what it ended.

A line an association, in the order in which they began. The keys of the JSON lines are an interface: more may
come, none goes away.
"""

import argparse
import sys

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.export.tables.out_table import Subject
from cosemscope.analysis.export.tables.row_tables import association_table, associations_with
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.cli.capture_arguments import (
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)
from cosemscope.cli.filtering import add_filter_argument, filtered_rows, load_filter
from cosemscope.cli.table_output import add_fields_argument, named_fields_of, names_of, print_table
from cosemscope.cli.terminal import show_progress

DESCRIPTION = (
    "Print a line for each association of a capture: both ends, authentication, security, and how it ended. "
    "With --json: number, stream, client, server, client_wport, server_wport, opened, state, result, "
    "diagnostic, client_title, server_title, context, mechanism, hls_passes, hls, conformance, "
    "conformance_asked, client_pdu_size, server_pdu_size, security, suite, client_ic_from, client_ic_to, "
    "server_ic_from, server_ic_to, ended, ended_by, ended_packet, time, duration, exchanges, errors, "
    "unanswered, notifications, request, response, release; client and server are DLMS roles, null is for "
    "nothing."
)

#: The keys of the JSON lines, and the fields that the first WPDU of the association has.
JSON_KEYS = {
    "number": "association",
    "stream": "stream",
    "client": "client",
    "server": "server",
    "client_wport": "wport.client",
    "server_wport": "wport.server",
    **{name.removeprefix("association."): name for name in sorted(FIELDS) if name.startswith("association.")},
}
#: Heads of the text, and the fields below them.
_COLUMNS = {
    "No.": "association",
    "WPDU": "wpdu.number",
    "Client": "client",
    "Server": "server",
    "Client wPort": "wport.client",
    "Server wPort": "wport.server",
    "Mechanism": "association.mechanism",
    "HLS": "association.hls",
    "Security": "association.security",
    "State": "association.state",
    "Exch.": "association.exchanges",
    "Errors": "association.errors",
    "Unansw.": "association.unanswered",
    "Duration s": "association.duration",
    "Ended": "association.ended",
    "By": "association.ended_by",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `associations`."""
    add_capture_arguments(parser)
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")
    add_keys_argument(parser)
    add_fields_argument(parser, "fields of the WPDU with which it began")
    add_filter_argument(parser, "only associations with a WPDU that it leaves")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope associations`; returns the exit status."""
    return with_analysis(arguments, _associations)


def _associations(analysis: Analysis, arguments: argparse.Namespace) -> int:
    wanted, keys, names = load_filter(arguments), load_keys(arguments), names_of(arguments)
    associations = Associations(analysis.run(), keys)
    left = filtered_rows(wanted, associations, [FIELDS["association"], *named_fields_of(names)])
    subject = Subject(analysis, associations, None if wanted.is_empty else left, show_progress)
    if names is not None:
        table = association_table(subject, names)
    else:
        columns = JSON_KEYS if arguments.json else _COLUMNS
        table = associations_with(subject, {key: FIELDS[name] for key, name in columns.items()})
    print_table(table, as_json=arguments.json)
    sys.stdout.flush()
    return 0
