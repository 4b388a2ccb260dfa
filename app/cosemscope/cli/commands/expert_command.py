"""`expert`: what is wrong or remarkable in a capture, as text for people or JSON lines for scripts.

Everything that is found is listed, in the order of the capture. The keys of the
JSON lines are an interface: more may come, none goes away.
"""

import argparse
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.expert_settings import ExpertSettingsError, load_expert_settings
from cosemscope.analysis.expert.run import find_items
from cosemscope.cli.capture_arguments import (
    CommandError,
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)
from cosemscope.cli.filtering import add_filter_argument, load_filter
from cosemscope.cli.terminal import show_progress
from cosemscope.streams.tables.expert_items import ExpertItems, Severity, Source, severities

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
    keys, wanted = load_keys(arguments), load_filter(arguments)
    if arguments.settings:
        try:
            load_expert_settings(arguments.settings).apply(analysis)
        except ExpertSettingsError as error:
            raise CommandError(str(error)) from None
    associations = Associations(analysis.run(), keys)
    find_items(associations, progress=show_progress)
    least = Severity[arguments.severity.upper()]
    listed = _listed(analysis.expert_items, least)
    if not wanted.is_empty:
        left = wanted.rows(analysis, associations=associations, progress=show_progress)
        listed = listed[np.isin(analysis.expert_items["wpdu"][listed], left)]
    for each in _objects(analysis.expert_items, listed.tolist()):
        print(json.dumps(each) if arguments.json else _text(each))
    if arguments.fail_on is None:
        return 0
    found = severities()[analysis.expert_items["kind"]]
    return _FOUND if (found >= Severity[arguments.fail_on.upper()]).any() else 0


def _listed(items: ExpertItems, least: Severity) -> npt.NDArray[np.int64]:
    """The rows of items that are at least so bad, by their packets; those of the whole capture come first."""
    rows = np.flatnonzero(severities()[items["kind"]] >= least)
    return rows[np.argsort(items["packet"][rows], kind="stable")]


def _objects(items: ExpertItems, rows: list[int]) -> Iterator[dict[str, Any]]:
    """These items for scripts: WPDU `number` and `packet` count from 1, null is what does not apply."""
    for row in rows:
        kind, source = items.kind(row), int(items["source"][row])
        wpdu, packet, stream = (int(items[name][row]) for name in ("wpdu", "packet", "stream"))
        has_span, has_stream = source != Source.NONE, stream >= 0
        yield {
            "severity": kind.severity.word,
            "group": kind.group.value,
            "item": kind.word,
            "message": items.message(row),
            "clause": items.clause(row) or None,
            "number": wpdu + 1 if wpdu >= 0 else None,
            "packet": packet + 1 if packet >= 0 else None,
            "stream": stream if has_stream else None,
            "direction": int(items["direction"][row]) if has_stream else None,
            "start": int(items["start"][row]) if has_span else None,
            "stop": int(items["stop"][row]) if has_span else None,
            "source": Source(min(source, Source.BODY)).name.lower() if has_span else None,
        }


def _text(item: dict[str, Any]) -> str:
    """An item as a line for people: severity, group, packet, WPDU, kind, what it says and the clause."""
    packet = f"packet {item['packet']:,}" if item["packet"] else ""
    number = f"WPDU {item['number']:,}" if item["number"] else ""
    clause = f" [{item['clause']}]" if item["clause"] else ""
    return (
        f"{item['severity']:<7}  {item['group']:<11}  {packet:<14}  {number:<12}  "
        f"{item['item']:<18}  {item['message']}{clause}"
    )
