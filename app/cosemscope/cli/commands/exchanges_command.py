"""`exchanges`: which answer belongs to which request, how each exchange ended and how long it took.

A line an exchange, in the order in which they began. The keys of the JSON lines are an interface: more may
come, none goes away.
"""

import argparse
import sys
from collections.abc import Iterator

import numpy as np
import orjson

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.passed_rows import PassedRows
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.exchange_table import Exchanges
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_records import AlignedColumns
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.apdu.names import tags as t
from cosemscope.capture.columns import Array
from cosemscope.cli.capture_arguments import (
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)
from cosemscope.cli.filtering import add_filter_argument, filtered_rows, load_filter
from cosemscope.cli.terminal import show_progress, write_octets
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
#: Exchanges that are made into lines at once.
_AT_ONCE = 4096
_SETS = (t.SET_REQUEST,)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `exchanges`."""
    add_capture_arguments(parser)
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")
    add_keys_argument(parser)
    add_filter_argument(parser, "only exchanges with a WPDU that it leaves")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope exchanges`; returns the exit status."""
    return with_analysis(arguments, _exchanges)


def _exchanges(analysis: Analysis, arguments: argparse.Namespace) -> int:
    wanted, keys = load_filter(arguments), load_keys(arguments)
    associations = Associations(analysis.run(), keys)
    left = filtered_rows(wanted, associations)
    complete(associations, told=show_progress)
    rows = PassedRows(associations)
    exchanges = capture_facts(analysis).exchanges_of(left)
    table = AlignedColumns(_HEADS, _NUMBERS)
    for told in _objects(analysis, exchanges, rows, _VALUE_KEYS if arguments.json else _VALUE_TEXT):
        if arguments.json:
            lines = [orjson.dumps(exchange, option=orjson.OPT_APPEND_NEWLINE) for exchange in told]
            write_octets(b"".join(lines))
        else:
            cells = [_cells(exchange) for exchange in told]
            print(table.lines(zip(*cells, strict=True) if cells else [()] * len(_HEADS)), end="")
    sys.stdout.flush()
    return 0


def _objects(
    analysis: Analysis, chosen: Array, looker: PassedRows, value_keys: tuple[str, ...]
) -> Iterator[list[dict[str, object]]]:
    """These exchanges for scripts, many at once; the last list is empty where there are none.

    Numbers count from 1, times are seconds as text, null is for nothing.
    """
    exchanges = analysis.pair()
    for start in range(0, max(len(chosen), 1), _AT_ONCE):
        part = chosen[start : start + _AT_ONCE]
        asked = AskedRows(analysis, exchanges.first_rows(part), looker)
        columns = [FIELDS[name].jsons(asked) for name in JSON_KEYS.values()]
        told = AskedRows(analysis, value_rows(exchanges, part), looker)
        columns += [FIELDS[name].jsons(told) for name in value_keys]
        keys = (*JSON_KEYS, *value_keys)
        yield [dict(zip(keys, values, strict=True)) for values in zip(*columns, strict=True)]


def value_rows(exchanges: Exchanges, part: Array) -> Array:
    """The WPDU row that tells the value, int64[n]: the last answer, with SET the request."""
    told = np.where(np.isin(exchanges["service"][part], _SETS), -1, exchanges["last_response"][part])
    return np.where(told >= 0, told, exchanges.first_rows(part))


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
