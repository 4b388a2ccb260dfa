"""`overview`: ten lines on a capture that somebody can read who has no time for it; or one JSON object."""

import argparse
import json
from pathlib import Path
from typing import Any

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.value_types import seconds_text
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.analysis.outcomes.capture_overview import CaptureOverview, MostOf, capture_overview
from cosemscope.cli.capture_arguments import (
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)
from cosemscope.cli.terminal import show_progress
from cosemscope.wording import calendar, count, duration, short_duration, size

DESCRIPTION = (
    "Print ten lines on a capture: how many meters, what their connections came to, response times, the "
    "slowest answer, most errors, the first trouble, and what is not DLMS. With --json one object: packets, "
    "first_time, last_time, meters, complete_meters, clients, tcp_connections, udp_flows, outcomes, "
    "exchanges, answered, errors, unanswered, notifications, response_time (median, p95, max), slowest "
    "(meter, exchange, wpdu, about, response_time), most_errors and most_unanswered (meter, number, result), "
    "first_trouble (stream, meter, outcome, cause, packet), octets, not_dlms (tcp_connections, udp_flows, "
    "octets, other_packets); times are seconds as text, null is for nothing."
)
_SECOND = 1_000_000_000


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
    complete(Associations(analysis, keys), told=show_progress)
    found = capture_overview(analysis, capture_facts(analysis))
    if arguments.json:
        print(json.dumps(_object(found)))
    else:
        print("\n".join(_lines(found, Path(arguments.file).name)))
    return 0


def _others(found: CaptureOverview) -> str:
    """What is left of the exchanges: those that ended in none of the usual ways."""
    told = found.answered + found.errors + found.unanswered + found.notifications
    rest = found.exchanges - told
    return f", {rest:,} unfinished, unasked or unconfirmed" if rest else ""


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
        "octets": found.octets,
        "not_dlms": parts(found.not_dlms),
    }


def _lines(found: CaptureOverview, name: str) -> list[str]:
    """The ten lines."""
    connections = found.tcp_connections + found.udp_flows
    outcomes = ", ".join(
        f"{number:,} {word} ({_share(number, connections)})" for word, number in found.outcomes.items()
    )
    told = {
        "Capture": f"{name}: {count(found.packets, 'packet')}{_span(found)}",
        "Meters": f"{found.meters:,}, of which {found.complete_meters:,} had every connection complete; "
        f"{count(found.clients, 'client')}",
        "Connections": f"{connections:,}: {count(found.tcp_connections, 'TCP connection')}, "
        f"{count(found.udp_flows, 'UDP flow')}",
        "Outcomes": outcomes or "none",
        "Exchanges": f"{found.exchanges:,}: {found.answered:,} answered, {count(found.errors, 'error')}, "
        f"{found.unanswered:,} unanswered, {count(found.notifications, 'notification')}{_others(found)}",
        "Response times": _times(found),
        "Slowest": _slowest(found),
        "Most errors": f"{_most(found.most_errors, 'error')}; "
        f"most unanswered: {_most(found.most_unanswered, 'request')}",
        "First trouble": _trouble(found),
        "Not DLMS": _not_dlms(found),
    }
    width = max(map(len, told))
    return [f"{head + ':':<{width + 1}} {text}" for head, text in told.items()]


def _share(number: int, total: int) -> str:
    """A share in per cent, never 0 of something or 100 of less than all."""
    share = 100 * number / total
    if number < total and share > 99:
        return "over 99 %"
    return "under 1 %" if share < 1 else f"{share:.0f} %"


def _span(found: CaptureOverview) -> str:
    if found.first_time < 0:
        return ""
    begin, end = (calendar(time // _SECOND) for time in (found.first_time, found.last_time))
    return f" in {duration(found.last_time - found.first_time)}, {begin} to {end}"


def _times(found: CaptureOverview) -> str:
    if found.median < 0:
        return "none"
    median, most, longest = map(short_duration, (found.median, found.p95, found.longest))
    return f"median {median}, 95 % within {most}, longest {longest}"


def _slowest(found: CaptureOverview) -> str:
    if found.slowest is None:
        return "none"
    slowest = found.slowest
    took = short_duration(slowest.response_time)
    return f"{slowest.meter}, {slowest.about} took {took} (WPDU {slowest.wpdu:,})"


def _most(most: MostOf | None, noun: str) -> str:
    if most is None:
        return "none"
    return f"{most.meter} with {count(most.number, noun)}" + (f", {most.result}" if most.result else "")


def _trouble(found: CaptureOverview) -> str:
    if found.first_trouble is None:
        return "none"
    trouble = found.first_trouble
    at = f" (packet {trouble.packet:,})" if trouble.packet else ""
    return f"{trouble.meter}, stream {trouble.stream}: {trouble.cause}{at}"


def _not_dlms(found: CaptureOverview) -> str:
    rest = found.not_dlms
    if not (rest.tcp_connections or rest.udp_flows or rest.other_packets):
        return "nothing"
    share = f" ({_share(rest.octets, found.octets)} of the payload)" if rest.octets else ""
    return (
        f"{count(rest.tcp_connections, 'TCP connection')}, {count(rest.udp_flows, 'UDP flow')} with "
        f"{size(rest.octets)}{share}, {count(rest.other_packets, 'packet')} without TCP or UDP"
    )
