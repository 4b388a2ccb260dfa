"""`list`: a line for each WPDU of a capture, as text for people or JSON lines for scripts.

It prints while it reads, a batch of rows at a time. The keys of the JSON lines
are an interface: more may come, none goes away.
"""

import argparse
import gc
import sys

from cosemscope.analysis.engine import Analysis
from cosemscope.cli.capture_arguments import (
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)
from cosemscope.cli.following import more_comes
from cosemscope.cli.wpdu_lines import JsonLines, TextLines

DESCRIPTION = "Print a line for each WPDU of a capture."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `list`."""
    add_capture_arguments(parser)
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")
    add_keys_argument(parser)
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


#: Lines that are made before they are printed.
_AT_ONCE = 4096
#: Objects that are made before unused circles of them are looked for: lines make many objects and no circles.
_COLLECTED = 100_000


def _list(analysis: Analysis, arguments: argparse.Namespace) -> int:
    gc.set_threshold(_COLLECTED)
    kind = JsonLines if arguments.json else TextLines
    lines = kind(analysis, load_keys(arguments), truncated=arguments.truncated)
    done = 0
    going = True
    while going:
        going = analysis.step()
        if not going:
            going = arguments.follow and more_comes(analysis.reader)
        if not going:
            analysis.finish()
        stop = len(analysis.wpdus)
        for start in range(done, stop, _AT_ONCE):
            sys.stdout.write("".join(lines.lines(start, min(start + _AT_ONCE, stop))))
        done = stop
    if lines.left_out:
        sys.stdout.flush()
        what = "WPDU lacks octets and is" if lines.left_out == 1 else "WPDUs lack octets and are"
        print(f"cosemscope: {lines.left_out} {what} not listed (--truncated lists them)", file=sys.stderr)
    return 0
