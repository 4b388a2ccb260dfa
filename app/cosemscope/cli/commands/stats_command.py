"""`stats`: counts of a capture, or with `--by` what its exchanges come to by meter, service or any field.

As text for people, or for scripts as one JSON object, with `--by` one a line.
"""

import argparse
import json
from collections.abc import Iterator

import numpy as np

from cosemscope.analysis.annotations import dropped_of
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.passed_rows import PassedRows
from cosemscope.analysis.counting.grouping import spread
from cosemscope.analysis.counting.row_counts import RowCounts
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import RowField, UnknownFieldError
from cosemscope.analysis.fields.row_records import AlignedColumns
from cosemscope.analysis.fields.value_types import seconds_text
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.capture.columns import Array
from cosemscope.cli.capture_arguments import (
    CommandError,
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)
from cosemscope.cli.filtering import add_filter_argument, filtered_rows, load_filter
from cosemscope.cli.terminal import show_progress
from cosemscope.wording import short_duration

DESCRIPTION = (
    "Print counts of a capture; with --by, what its exchanges come to. With --by and --json a group has the "
    "words of --by and: count, errors, unanswered, min, mean, median, p95, p99, max (response times in "
    "seconds, as text), octets, throughput (octets a second); null is for nothing."
)

#: Words for --by besides the names of fields.
BY = {
    "head-end": "client",
    "service": "exchange.service",
    "object": "exchange.obis",
    "status": "exchange.status",
    "result": "exchange.result",
}
_SPANS = ("min", "mean", "median", "p95", "p99", "max")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `stats`."""
    add_capture_arguments(parser)
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")
    parser.add_argument(
        "--by",
        metavar="WHAT",
        help="exchanges by meter, head-end, stream, session, service, object, status, result or any field, "
        "several with commas between: count, errors, unanswered, response times (percentiles at the nearest "
        "rank), throughput in octets a second; fields are the request's, unless they are named exchange",
    )
    add_keys_argument(parser)
    add_filter_argument(parser, "with --by: only exchanges with a WPDU that it leaves")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope stats`; returns the exit status."""
    return with_analysis(arguments, _stats if arguments.by is None else _stats_by)


def _stats(analysis: Analysis, arguments: argparse.Namespace) -> int:
    if arguments.filter:
        raise CommandError("--filter goes with --by: without it everything is counted.")
    counts = analysis.run().statistics()
    dropped = dropped_of(analysis.reader)
    if dropped is not None:
        counts = {**counts, "dropped_packets": dropped}
    if arguments.json:
        print(json.dumps(counts))
        return 0
    for name, value in counts.items():
        label = name.replace("_", " ")
        if isinstance(value, dict):
            print(f"{label}:")
            for key, count in value.items():
                print(f"  {key:<32}{count:>14,}")
        else:
            print(f"{label:<34}{value:>14,}")
    return 0


def _stats_by(analysis: Analysis, arguments: argparse.Namespace) -> int:
    fields = _fields(arguments.by)
    wanted, keys = load_filter(arguments), load_keys(arguments)
    associations = Associations(analysis.run(), keys)
    left = filtered_rows(wanted, associations, [*fields.values(), FIELDS["exchange.status"]])
    chosen = capture_facts(analysis).exchanges_of(left)
    first_rows = analysis.pair().first_rows(chosen)
    rows = RowCounts(analysis, first_rows, PassedRows(associations), told=show_progress)
    found = list(_groups(analysis, fields, rows, chosen))
    if arguments.json:
        for each in found:
            print(json.dumps(each, ensure_ascii=False))
    else:
        _print_table(list(fields), found)
    return 0


def _fields(words: str) -> dict[str, RowField]:
    """The fields that the words of --by name, by these words. Raises CommandError."""
    try:
        named = {word: FIELDS.named(BY.get(word, word)) for word in words.replace(" ", "").split(",") if word}
    except UnknownFieldError as error:
        raise CommandError(f"--by: {error}; or meter, stream, session, {', '.join(BY)}.") from None
    if not named:
        raise CommandError(
            f"--by names nothing: meter, stream, session, {', '.join(BY)}, or the name of a field."
        )
    return named


def _groups(
    analysis: Analysis, fields: dict[str, RowField], rows: RowCounts, chosen: Array
) -> Iterator[dict[str, object]]:
    """What the chosen exchanges of each group come to, for scripts: times are seconds as text, null for none.

    `rows` are those with which they began.
    """
    codes, groups = rows.groups(list(fields.values()))
    facts = capture_facts(analysis)
    exchanges, status = facts.table, facts.statuses[chosen]
    times = exchanges.response_times()[chosen]
    spans = spread(groups, times, times >= 0)
    of_each = exchanges["request_octets"][chosen] + exchanges["response_octets"][chosen]
    octets = groups.sums(of_each)
    # Throughput is of exchanges that were seen from begin to end.
    total = exchanges.total_times()[chosen]
    busy = groups.sums(total.clip(0))
    moved = groups.sums(np.where(total >= 0, of_each, 0))
    counts = groups.counts()
    errors, unanswered = (
        groups.counts(status == one) for one in (ExchangeStatus.ERROR, ExchangeStatus.UNANSWERED)
    )
    columns = [
        one.jsons(field.type, keys)
        for field, one, keys in zip(fields.values(), codes, groups.keys, strict=True)
    ]
    told = (spans.least, spans.mean, spans.median, spans.p95, spans.p99, spans.most)
    for number, values in enumerate(zip(*columns, strict=True)):
        yield {
            **dict(zip(fields, values, strict=True)),
            "count": int(counts[number]),
            "errors": int(errors[number]),
            "unanswered": int(unanswered[number]),
            **{
                word: seconds_text(int(span[number])) if spans.counts[number] else None
                for word, span in zip(_SPANS, told, strict=True)
            },
            "octets": int(octets[number]),
            "throughput": round(int(moved[number]) / busy[number] * 1e9, 1) if busy[number] else None,
        }


def _print_table(names: list[str], groups: list[dict[str, object]]) -> None:
    """A line a group; response times in three figures, throughput in octets a second of open exchanges."""
    heads = [*names, "count", "errors", "unanswered", *_SPANS, "octets/s"]
    rows = []
    for each in groups:
        spans = [_span(each[word]) for word in _SPANS]
        told = [_told(each[name]) for name in names]
        counts = [f"{each[word]:,}" for word in ("count", "errors", "unanswered")]
        rows.append([*told, *counts, *spans, _speed(each["throughput"])])
    columns = zip(*rows, strict=True) if rows else [()] * len(heads)
    print(AlignedColumns(heads, heads[len(names) :]).lines(columns), end="")


def _speed(octets: object) -> str:
    """Octets a second, a small rate in three figures."""
    if not isinstance(octets, float):
        return ""
    return f"{octets:.3g}" if octets < 100 else f"{octets:,.0f}"


def _told(value: object) -> str:
    """A value as `list` tells it: nothing for none, several with commas between, yes for a flag."""
    if isinstance(value, list | tuple):
        return ", ".join(map(_told, value))
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else str(value)


def _span(seconds: object) -> str:
    """Seconds as text, in three figures."""
    if not isinstance(seconds, str):
        return ""
    whole, _, places = seconds.partition(".")
    return short_duration(int(whole + places))
