"""`list`: a line for each WPDU of a capture, as text for people or JSON lines for scripts.

It prints while it reads, a batch of rows at a time. The keys of the JSON lines
are an interface: more may come, none goes away.
"""

import argparse
import sys
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.insights import Insights
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.passed_rows import PassedRows
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.asked_rows import AskedRows, Looker
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import Cost, RowField
from cosemscope.analysis.fields.row_records import TextTable, json_lines
from cosemscope.analysis.filter.display_filter import DisplayFilter
from cosemscope.cli.capture_arguments import (
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)
from cosemscope.cli.filtering import add_filter_argument, filtered_rows, load_filter
from cosemscope.cli.following import more_comes
from cosemscope.cli.named_fields import named_fields
from cosemscope.cli.terminal import write_octets
from cosemscope.streams.tables.wpdu_table import Mark

DESCRIPTION = "Print a line for each WPDU of a capture."

#: The keys of the JSON lines where no fields are named, and their fields.
JSON_KEYS = {
    "number": "wpdu.number",
    "time": "wpdu.time",
    "source": "source",
    "destination": "destination",
    "protocol": "protocol",
    "stream": "stream",
    "framing": "wpdu.framing",
    "source_wport": "wport.src",
    "destination_wport": "wport.dst",
    "version": "wpdu.version",
    "length": "wpdu.length",
    "apdu_tag": "apdu.tag",
    "apdu": "apdu",
    "packets": "wpdu.packets",
    "segments": "wpdu.packet_count",
    "info": "info",
    "invoke_id": "invoke_id",
    "class_id": "class",
    "obis": "obis",
    "attribute": "attribute",
    "result": "result",
    "security": "security",
    "inner": "inner",
}
#: The fields of a line of text where none are named.
_TEXT_FIELDS = (
    "wpdu.number",
    "wpdu.time",
    "source",
    "destination",
    "wport.src",
    "wport.dst",
    "wpdu.length",
    "wpdu.segments",
    "apdu",
    "security",
    "info",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `list`."""
    add_capture_arguments(parser)
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")
    parser.add_argument(
        "--fields",
        metavar="NAMES",
        help="what to list: names of fields with commas between; `cosemscope fields` lists them",
    )
    add_keys_argument(parser)
    add_filter_argument(parser, "only WPDUs that it leaves")
    parser.add_argument(
        "--follow",
        action="store_true",
        help="go on as FILE grows, and into the next file of a ring, until Ctrl+C; with - or a "
        "named pipe, as packets come",
    )
    parser.add_argument(
        "--truncated", action="store_true", help="list also WPDUs of which octets are missing"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope list`; returns the exit status."""
    return with_analysis(arguments, _list)


#: Fields that are asked only when the capture was read to its end.
_OF_WHOLE_CAPTURES = (Cost.WHOLE, Cost.TREES)
#: What is said where expert items are asked as a capture grows.
_WITHOUT_TREES = (
    "cosemscope: with --follow expert items are those of packets and headers; those of APDUs, answers with "
    "an error among them, need the whole capture"
)
#: Lines that are made before they are printed: more of them would be given back to the system each time.
_AT_ONCE = 4096


def _list(analysis: Analysis, arguments: argparse.Namespace) -> int:
    named = named_fields(arguments.fields, "--fields") if arguments.fields is not None else None
    lines = _lines(named, as_json=arguments.json)
    wanted, keys = load_filter(arguments), load_keys(arguments)
    associations = Associations(analysis, keys)
    looker: Looker = Insights(analysis, keys)
    fields = (named or {}).values()
    if (
        not wanted.settled or any(field.cost in _OF_WHOLE_CAPTURES for field in fields)
    ) and not arguments.follow:
        analysis.run()
        batches = iter([filtered_rows(wanted, associations, fields)])
        if not wanted.is_empty:
            looker = PassedRows(associations)
    else:
        if any(field.cost is Cost.TREES for field in (*wanted.fields, *fields)):
            print(_WITHOUT_TREES, file=sys.stderr, flush=True)
        batches = _batches(analysis, arguments, wanted, associations)
    count = left_out = 0
    for rows in _parts(batches):
        whole = (analysis.wpdus["marks"][rows] & Mark.TRUNCATED) == 0
        listed = rows if arguments.truncated else rows[whole]
        left_out += len(rows) - len(listed)
        count += len(rows)
        _write(lines(AskedRows(analysis, listed, looker)))
    if not count:  # the names of fields stand there also where there are no rows
        _write(lines(AskedRows(analysis, np.arange(0), looker)))
    if left_out:
        sys.stdout.flush()
        what = "WPDU lacks octets and is" if left_out == 1 else "WPDUs lack octets and are"
        print(f"cosemscope: {left_out} {what} not listed (--truncated lists them)", file=sys.stderr)
    return 0


def _batches(
    analysis: Analysis, arguments: argparse.Namespace, wanted: DisplayFilter, associations: Associations
) -> Iterator[npt.NDArray[np.int64]]:
    """The rows that the filter leaves, as they become known."""
    done, going = 0, True
    while going:
        going = analysis.step()
        if not going:
            going = arguments.follow and more_comes(analysis.reader)
        if not going:
            analysis.finish()
        if not wanted.settled:
            complete(associations)
        stop = len(analysis.wpdus)
        yield wanted.rows(analysis, np.arange(done, stop), associations=associations)
        done = stop


def _parts(batches: Iterator[npt.NDArray[np.int64]]) -> Iterator[npt.NDArray[np.int64]]:
    """The rows of batches, not too many at once."""
    for batch in batches:
        for start in range(0, len(batch), _AT_ONCE):
            yield batch[start : start + _AT_ONCE]


def _lines(named: dict[str, RowField] | None, *, as_json: bool) -> Callable[[AskedRows], str | bytes]:
    """What makes the lines of rows: JSON or text, of named fields or the usual ones."""
    if as_json:
        keys = named or {key: FIELDS[name] for key, name in JSON_KEYS.items()}
        return lambda asked: json_lines(keys, asked)
    if named is None:
        return _UsualLines()
    return TextTable(named.values()).lines


class _UsualLines:
    """Aligned lines: number, time, from whom to whom, wPorts, octets, segments, APDU, security, info."""

    def __init__(self) -> None:
        self._width = 21  # an IPv4 address and port; wider once a longer one came

    def __call__(self, asked: AskedRows) -> str:
        columns = [FIELDS[name].texts(asked) for name in _TEXT_FIELDS]
        return "".join([self._line(*row) for row in zip(*columns, strict=True)])

    def _line(self, number: str, time: str, source: str, destination: str, *rest: str) -> str:
        self._width = width = max(self._width, len(source), len(destination))
        source_wport, destination_wport, length, segments, apdu, security, info = rest
        return (
            f"{number:>7}  {time:.23}  {source:<{width}} > {destination:<{width}}  "
            f"{source_wport:>5} > {destination_wport:<5}  {length:>5} octets  {segments:>2} seg  "
            f"{apdu:<19}  {security:<8}  {info}\n"
        )


def _write(lines: str | bytes) -> None:
    """Text in the output's encoding; JSON in UTF-8."""
    if isinstance(lines, bytes):
        write_octets(lines)
    else:
        sys.stdout.write(lines)
