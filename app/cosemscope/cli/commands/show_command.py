"""`show`: the tree of fields of one WPDU of a capture, by the number that `list` gives it.

What is known of its association goes into the tree: titles, requests, blocks, scalers, keys of `--keys`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from cosemscope.analysis.annotations import comments_of
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.tree_pages import page_lines, page_message
from cosemscope.cli.capture_arguments import (
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)
from cosemscope.cli.page_file import add_html_argument, write_page
from cosemscope.cli.tree_lines import print_decoded

DESCRIPTION = "Print the fields of one WPDU of a capture, with their octets' offsets."


#: What a page tells of a WPDU beside its tree.
_FACTS = ("wpdu.time", "source", "destination", "wport.src", "wport.dst", "stream", "wpdu.packets")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `show`."""
    add_capture_arguments(parser)
    parser.add_argument("number", type=int, metavar="NUMBER", help="the WPDU's number, as list gives it")
    parser.add_argument("--json", action="store_true", help="the tree as JSON")
    add_html_argument(parser)
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
    comments = comments_of(analysis, row)
    if arguments.html is not None:
        title = f"WPDU {arguments.number} of {Path(arguments.file).name}"
        facts = _facts(analysis, row)
        message = page_message(decoded, look, facts, comments)
        write_page(arguments.html, page_lines(title, "", [message]))
        return 0
    print_decoded(decoded, look, comments, as_json=arguments.json)
    return 0


def _facts(analysis: Analysis, row: int) -> list[tuple[str, str]]:
    """When the WPDU was sent, from where to where, and where it lies in the capture."""
    asked = AskedRows(analysis, np.arange(row, row + 1))
    texts = ((FIELDS[name].title, FIELDS[name].texts(asked)[0]) for name in _FACTS)
    return [(title, text) for title, text in texts if text]
