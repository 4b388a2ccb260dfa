"""`export`: what of a capture goes into a file: tables, packets or trees of what a filter leaves."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.export.exports import FORMATS, TABLES, Order, asked_fields, check, export, write
from cosemscope.analysis.export.tables.out_table import Subject
from cosemscope.analysis.export.whole_file import ExportError
from cosemscope.capture.files.ring_names import ring_files
from cosemscope.cli.capture_arguments import (
    CommandError,
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)
from cosemscope.cli.filtering import add_filter_argument, filtered_rows, load_filter
from cosemscope.cli.terminal import TextOutput, octet_output, show_progress

DESCRIPTION = (
    "Write what of a capture is wanted into a file, which is there whole or not at all. Times are local in "
    "CSV and text, in JSON seconds since 1970 (these and durations as text, which keeps nanoseconds), UTC in "
    "Parquet; columns are named as fields are. Cells of CSV "
    "that begin as a formula have an apostrophe before them. pcapng has the packets with the WPDUs' octets "
    "as they were captured, with their comments and names. Keys are never written, passwords in trees with "
    "--passwords only; what was captured in clear is in pcapng and in the field wpdu.octets."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `export`."""
    add_capture_arguments(parser)
    parser.add_argument(
        "--to",
        required=True,
        choices=FORMATS,
        metavar="FORMAT",
        help="; ".join(f"{name}: {kind.meaning}" for name, kind in FORMATS.items()),
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT", help="the file to write, - for standard output"
    )
    parser.add_argument(
        "--what",
        choices=TABLES,
        metavar="ROWS",
        default="wpdus",
        help="; ".join(f"{name}: {kind.row}" for name, kind in TABLES.items()) + " (default: wpdus)",
    )
    parser.add_argument(
        "--fields",
        metavar="NAMES",
        help="columns, with commas between: of wpdus and exchanges any that `cosemscope fields` lists",
    )
    parser.add_argument(
        "--handshakes",
        action="store_true",
        help="pcapng: also the packets that open and end the connections",
    )
    parser.add_argument(
        "--passwords", action="store_true", help="text: show passwords that were sent in clear"
    )
    add_keys_argument(parser)
    add_filter_argument(parser, "only what WPDUs that it leaves are part of")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope export`; returns the exit status."""
    return with_analysis(arguments, _export)


def _export(analysis: Analysis, arguments: argparse.Namespace) -> int:
    columns = tuple(filter(None, map(str.strip, arguments.fields.split(",")))) if arguments.fields else None
    wanted, keys = load_filter(arguments), load_keys(arguments)
    order = Order(
        arguments.to,
        arguments.what,
        columns,
        handshakes=arguments.handshakes,
        passwords=arguments.passwords,
        name=Path(arguments.file).name if arguments.file != "-" else "",
        remark=f"WPDUs that the filter {arguments.filter} leaves" if arguments.filter.strip() else "",
    )
    try:
        check(order)
        fields = asked_fields(order)
        associations = Associations(analysis.run(), keys)
        rows = filtered_rows(wanted, associations, fields)
        subject = Subject(analysis, associations, None if wanted.is_empty else rows, show_progress)
        if arguments.output == "-":
            told = write(subject, order, _standard_output(order))
        else:
            told = export(subject, order, arguments.output, _sources(arguments))
    except ExportError as error:
        raise CommandError(str(error)) from None
    if told:
        print(f"cosemscope: {told}", file=sys.stderr)
    return 0


def _standard_output(order: Order) -> IO[bytes]:
    if FORMATS[order.form].is_text:
        return cast(IO[bytes], TextOutput())
    output = octet_output()
    if output is None:
        raise CommandError(f"{order.form} is no text: -o names a file, or - where that leads into one.")
    return output


def _sources(arguments: argparse.Namespace) -> Iterator[str | Path]:
    """The files that are read, which are not to be written over."""
    if arguments.file != "-":
        yield arguments.file
        yield from ring_files(Path(arguments.file)).values() if arguments.ring else ()
    if arguments.keys:
        yield arguments.keys
