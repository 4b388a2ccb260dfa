"""HTML pages of trees, as `decode --html` and `show --html` write them."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from cosemscope.cli.capture_arguments import CommandError


def add_html_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option `--html`."""
    parser.add_argument(
        "--html",
        type=Path,
        metavar="FILE",
        help="write tree and octets into this file as one HTML page, to put into a ticket; - prints it",
    )


def write_page(path: Path, lines: Iterable[str]) -> None:
    """Write the lines of a page, to standard output for "-". Raises CommandError where that fails."""
    if str(path) == "-":
        sys.stdout.writelines(lines)
        return
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(lines)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None
