"""`overview`: ten lines on a capture that somebody can read who has no time for it; or one JSON object."""

import argparse
import json
from pathlib import Path
from typing import Any

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.run import find_items
from cosemscope.analysis.fields.value_types import seconds_text
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.analysis.outcomes.capture_overview import CaptureOverview, capture_overview
from cosemscope.analysis.outcomes.overview_lines import overview_lines
from cosemscope.cli.capture_arguments import (
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)
from cosemscope.cli.terminal import show_progress

DESCRIPTION = (
    "Print ten lines on a capture: how many meters, what their connections came to, response times, the "
    "slowest answer, most errors, the first trouble, expert information, and what is not DLMS. With --json "
    "one object: packets, first_time, last_time, meters, complete_meters (all of whose connections were "
    "complete or held pushes alone), clients, tcp_connections, udp_flows, outcomes, exchanges, answered, "
    "errors, unanswered, notifications, unfinished, unasked, unconfirmed, unopened (ciphered, and their "
    "results not known), response_time (median, p95, max), slowest (meter, exchange, wpdu, about, "
    "response_time), most_errors and most_unanswered (meter, number, result), first_trouble (stream, meter, "
    "outcome, cause, packet, exchange), expert (errors, warnings, notes, item, number), octets, not_dlms "
    "(tcp_connections, udp_flows, octets, other_packets); times are seconds as text, null is for nothing."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `overview`."""
    add_capture_arguments(parser)
    parser.add_argument("--json", action="store_true", help="JSON, one object")
    add_keys_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope overview`; returns the exit status."""
    return with_analysis(arguments, _overview)


def _overview(analysis: Analysis, arguments: argparse.Namespace) -> int:
    analysis.run()
    keys = load_keys(arguments)
    find_items(Associations(analysis, keys), progress=show_progress)
    found = capture_overview(analysis, capture_facts(analysis))
    if arguments.json:
        print(json.dumps(_object(found)))
    else:
        lines = overview_lines(found, Path(arguments.file).name)
        width = max(map(len, lines))
        for head, text in lines.items():
            print(f"{head + ':':<{width + 1}} {text}")
    return 0


def _object(found: CaptureOverview) -> dict[str, Any]:
    def time(value: int) -> str | None:
        return seconds_text(value) if value >= 0 else None

    def parts(value: Any) -> dict[str, Any] | None:
        return value._asdict() if value is not None else None

    slowest = parts(found.slowest)
    if slowest is not None:
        slowest["response_time"] = time(slowest["response_time"])
    names = (
        *("meters", "complete_meters", "clients", "tcp_connections", "udp_flows", "outcomes"),
        *("exchanges", "answered", "errors", "unanswered", "notifications"),
        *("unfinished", "unasked", "unconfirmed", "unopened"),
    )
    return {
        "packets": found.packets,
        "first_time": time(found.first_time),
        "last_time": time(found.last_time),
        **{name: getattr(found, name) for name in names},
        "response_time": {"median": time(found.median), "p95": time(found.p95), "max": time(found.longest)},
        "slowest": slowest,
        "most_errors": parts(found.most_errors),
        "most_unanswered": parts(found.most_unanswered),
        "first_trouble": parts(found.first_trouble),
        "expert": parts(found.expert),
        "octets": found.octets,
        "not_dlms": parts(found.not_dlms),
    }
