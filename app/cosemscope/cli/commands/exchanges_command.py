"""`exchanges`: which answer belongs to which request, how each exchange ended and how long it took.

A line an exchange, in the order in which they began. The keys of the JSON lines are an interface: more may
come, none goes away.
"""

import argparse
import sys

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.export.tables.out_table import Subject
from cosemscope.analysis.export.tables.row_tables import exchange_table, exchanges_left, exchanges_with
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_records import AlignedColumns
from cosemscope.cli.capture_arguments import (
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)
from cosemscope.cli.filtering import add_filter_argument, filtered_rows, load_filter
from cosemscope.cli.table_output import add_fields_argument, named_fields_of, names_of, print_table
from cosemscope.cli.terminal import show_progress
from cosemscope.wording import count, short_duration

#: The keys of the JSON lines, and the fields that the first WPDU of the exchange has.
JSON_KEYS = {
    "number": "exchange",
    "stream": "stream",
    "client": "client",
    "server": "server",
    "client_wport": "wport.client",
    "server_wport": "wport.server",
    "service": "exchange.service",
    "class_id": "exchange.class",
    "obis": "exchange.obis",
    "attribute": "exchange.attribute",
    "invoke_id": "exchange.invoke_id",
    "status": "exchange.status",
    "result": "exchange.result",
    "request": "exchange.request",
    "responses": "exchange.responses",
    "blocks": "exchange.blocks",
    "request_octets": "exchange.request_octets",
    "response_octets": "exchange.response_octets",
    "time": "exchange.time",
    "response_time": "exchange.response_time",
    "total_time": "exchange.total_time",
    "retransmissions": "exchange.retransmissions",
    "security": "security",
    "request_transfer": "exchange.request_transfer",
    "response_transfer": "exchange.response_transfer",
    "own_time": "exchange.own_time",
    "own_time_at_least": "exchange.own_time_at_least",
    "block_times": "exchange.block_times",
    "longest_pause": "exchange.longest_pause",
    "retransmission_time": "exchange.retransmission_time",
}
#: The keys that the WPDU with the value has, for scripts and for people.
_VALUE_KEYS, _VALUE_TEXT = ("value", "unit"), ("value.text",)
DESCRIPTION = (
    "Print a line for each exchange of a capture: request and answers, status, result, times. With --json: "
    f"{', '.join((*JSON_KEYS, *_VALUE_KEYS))}; WPDU and exchange numbers count from 1, times are seconds as "
    "text, client and server are DLMS roles, null is for nothing. own_time is the meter's share of the "
    "response time, at least that where own_time_at_least is true; text has it as Own ms, with ≥ then."
)
_FIELDS = {key: FIELDS[name] for key, name in JSON_KEYS.items()}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `exchanges`."""
    add_capture_arguments(parser)
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")
    add_keys_argument(parser)
    add_fields_argument(parser, "fields of the WPDU with which it began; value and unit are what it told")
    add_filter_argument(parser, "only exchanges with a WPDU that it leaves")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope exchanges`; returns the exit status."""
    return with_analysis(arguments, _exchanges)


def _exchanges(analysis: Analysis, arguments: argparse.Namespace) -> int:
    wanted, keys, names = load_filter(arguments), load_keys(arguments), names_of(arguments)
    associations = Associations(analysis.run(), keys)
    left = filtered_rows(wanted, associations, [*_FIELDS.values(), *named_fields_of(names)])
    subject = Subject(analysis, associations, None if wanted.is_empty else left, show_progress)
    if names is not None:
        print_table(exchange_table(subject, names), as_json=arguments.json)
    elif arguments.json:
        fields = _FIELDS | {name: FIELDS[name] for name in _VALUE_KEYS}
        print_table(exchanges_with(subject, fields, exchanges_left(subject)), as_json=True)
    else:
        _print_lines(subject)
    sys.stdout.flush()
    return 0


def _print_lines(subject: Subject) -> None:
    """Aligned lines for people."""
    fields = _FIELDS | {name: FIELDS[name] for name in _VALUE_TEXT}
    table, told = AlignedColumns(_HEADS, _NUMBERS), False
    for values in exchanges_with(subject, fields, exchanges_left(subject)).batches:
        columns = (field.type.jsons(own) for field, own in zip(fields.values(), values, strict=True))
        cells = [_cells(dict(zip(fields, row, strict=True))) for row in zip(*columns, strict=True)]
        print(table.lines(zip(*cells, strict=True)), end="")
        told = True
    if not told:
        print(table.lines([()] * len(_HEADS)), end="")


_HEADS = (
    *("No.", "WPDU", "Client", "Server", "wPorts", "Service", "Object", "Status", "Resp. ms", "Own ms"),
    "Result, value",
)
_NUMBERS = ("No.", "WPDU", "Resp. ms", "Own ms")


def _resent(exchange: dict[str, object]) -> str:
    """What was sent again in an exchange, and what that cost."""
    segments, cost = exchange["retransmissions"], exchange["retransmission_time"]
    if not isinstance(segments, int) or not segments:
        return ""
    whole, _, places = str(cost).partition(".")
    return f"[{count(segments, 'retransmission')} cost {short_duration(int(whole + places))}]"


def _cells(exchange: dict[str, object]) -> tuple[str, ...]:
    """An exchange for people, a text for each head."""

    def text(key: str) -> str:
        value = exchange[key]
        return "" if value is None else str(value)

    def milliseconds(key: str) -> str:
        return f"{float(text(key)) * 1000:.3f}" if text(key) else ""

    own = ("≥" if exchange["own_time_at_least"] else "") + milliseconds("own_time")
    about = text("obis") + (f" {text('attribute')}" if text("obis") else "")
    wports = f"{text('client_wport')} > {text('server_wport')}"
    result = text("result") if text("result") != "success" or not text("value.text") else ""
    told = "  ".join(filter(None, (result, text("value.text"), _resent(exchange))))
    responses = exchange["responses"]
    wpdu = text("request") or (str(responses[0]) if isinstance(responses, list) and responses else "")
    peers = (text("client"), text("server"), wports)
    times = (milliseconds("response_time"), own)
    return (text("number"), wpdu, *peers, text("service"), about, text("status"), *times, told)
