"""`procedures`: what several exchanges did together, how far each procedure came, and what it came to.

A line a procedure, in the order in which they began. The keys of the JSON lines are an interface: more may
come, none goes away.
"""

import argparse
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_records import AlignedColumns
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.analysis.procedures.procedure import Procedure
from cosemscope.analysis.procedures.procedure_table import find_procedures
from cosemscope.cli.capture_arguments import (
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)
from cosemscope.cli.filtering import add_filter_argument, filtered_rows, load_filter
from cosemscope.cli.terminal import show_progress, write_octets

DESCRIPTION = (
    "Print a line for each procedure of a capture: association, hls, profile-read, object-list-read, "
    "image-transfer, key-change, clock-set, push and general-block-transfer, with progress and verdict "
    "(complete, partial, wrong, unproven, refused, unanswered, unfinished, or sent). With --json: number, "
    "kind, verdict, text, done, total, obis, stream, client, server, association, time, duration, wpdu, "
    "exchanges, details; details are of the kind, such as rows and period of a profile-read, missing blocks "
    "of an image-transfer, deviations in seconds of a clock-set and the destination of a push; null is for "
    "nothing."
)

#: The keys of the JSON lines that are fields of the procedure's first WPDU.
_FIELDS = {
    "stream": "stream",
    "client": "client",
    "server": "server",
    "association": "association",
    "time": "exchange.time",
    "wpdu": "wpdu.number",
}
_SPAN = FIELDS["exchange.total_time"].type
_HEADS = ("No.", "WPDU", "Client", "Server", "Procedure", "Object", "Done", "Of", "Verdict", "Text")
_NUMBERS = ("No.", "WPDU", "Done", "Of")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `procedures`."""
    add_capture_arguments(parser)
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")
    add_keys_argument(parser)
    add_filter_argument(parser, "only procedures with a WPDU that it leaves")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope procedures`; returns the exit status."""
    return with_analysis(arguments, _procedures)


def _procedures(analysis: Analysis, arguments: argparse.Namespace) -> int:
    wanted, keys = load_filter(arguments), load_keys(arguments)
    associations = Associations(analysis.run(), keys)
    left = filtered_rows(wanted, associations)
    complete(associations, told=show_progress)
    procedures = find_procedures(associations)
    exchanges = frozenset(capture_facts(analysis).exchanges_of(left).tolist())
    found = [
        one
        for one, procedure in zip(_objects(analysis, procedures), procedures, strict=True)
        if wanted.is_empty or not exchanges.isdisjoint(procedure.exchanges)
    ]
    if arguments.json:
        write_octets(b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in found))
    else:
        cells = [_cells(one) for one in found]
        columns = zip(*cells, strict=True) if cells else [()] * len(_HEADS)
        print(AlignedColumns(_HEADS, _NUMBERS).lines(columns), end="")
    sys.stdout.flush()
    return 0


def _objects(analysis: Analysis, procedures: list[Procedure]) -> Iterator[dict[str, Any]]:
    """The procedures for scripts."""
    exchanges = capture_facts(analysis).table
    firsts, lasts = (np.array([one.exchanges[place] for one in procedures], np.int64) for place in (0, -1))
    asked = AskedRows(analysis, exchanges.first_rows()[firsts])
    columns = [FIELDS[name].jsons(asked) for name in _FIELDS.values()]
    begin = np.where(exchanges["request_start"] != 0, exchanges["request_start"], exchanges["response_start"])
    end = np.maximum(exchanges["request_end"], exchanges["response_end"])
    spans = _SPAN.jsons(np.maximum(end[lasts] - begin[firsts], 0))
    rows = zip(procedures, spans, zip(*columns, strict=True), strict=True) if procedures else ()
    for number, (one, span, values) in enumerate(rows, 1):
        yield {
            "number": number,
            "kind": one.kind.value,
            "verdict": one.verdict.value,
            "text": one.text,
            "done": one.done,
            "total": one.total,
            "obis": one.obis or None,
            **dict(zip(_FIELDS, values, strict=True)),
            "duration": span,
            "exchanges": [exchange + 1 for exchange in one.exchanges],
            "details": dict(one.details),
        }


def _cells(one: dict[str, Any]) -> tuple[str, ...]:
    """A procedure for people, a text for each head."""
    keys = ("number", "wpdu", "client", "server", "kind", "obis", "done", "total", "verdict", "text")
    return tuple("" if one[key] is None else str(one[key]) for key in keys)
