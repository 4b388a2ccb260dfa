"""`show`: the tree of fields of one WPDU of a capture, by the number that `list` gives it.

What is known of its association goes into the tree: titles, requests, blocks, scalers, keys of `--keys`.
"""

import argparse
import sys

from cosemscope.analysis.annotations import comments_of
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.cli.capture_arguments import (
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)
from cosemscope.cli.tree_lines import print_decoded

DESCRIPTION = "Print the fields of one WPDU of a capture, with their octets' offsets."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `show`."""
    add_capture_arguments(parser)
    parser.add_argument("number", type=int, metavar="NUMBER", help="the WPDU's number, as list gives it")
    parser.add_argument("--json", action="store_true", help="the tree as JSON")
    add_keys_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Decode one WPDU of a capture and print it; 1 when there is no such capture or no such WPDU."""
    return with_analysis(arguments, _show)


def _show(analysis: Analysis, arguments: argparse.Namespace) -> int:
    keys = load_keys(arguments)
    analysis.run()
    count, row = len(analysis.wpdus), arguments.number - 1
    if not 0 <= row < count:
        print(
            f"cosemscope show: {arguments.file} has {count} WPDUs, none is number {arguments.number}",
            file=sys.stderr,
        )
        return 1
    associations = Associations(analysis, keys)
    complete(associations, row + 1)
    look = associations.look(row)
    decoded = associations.decode(row, look)
    print_decoded(decoded, look, comments_of(analysis, row), as_json=arguments.json)
    return 0
