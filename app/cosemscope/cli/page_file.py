"""HTML pages of trees, as `decode --html` and `show --html` write them."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cosemscope import __version__
from cosemscope.analysis.annotations import Comment
from cosemscope.analysis.associations.association import Look
from cosemscope.apdu.fields import Decoded
from cosemscope.apdu.summary import summarise
from cosemscope.apdu.tree_page import PageMessage, tree_page
from cosemscope.cli.capture_arguments import CommandError


def add_html_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option `--html`."""
    parser.add_argument(
        "--html",
        type=Path,
        metavar="FILE",
        help="write tree and octets into this file as one HTML page, to put into a ticket; - prints it",
    )


def page_message(
    decoded: Decoded, look: Look, facts: Sequence[tuple[str, str]] = (), comments: Sequence[Comment] = ()
) -> PageMessage:
    """A message for a page: its info line, facts, comments, what is known of its protection."""
    known = [*facts, *((f"comment on packet {number}", text) for number, text in comments)]
    if look.openings:
        known.append(("security", look.verdict.value))
    return PageMessage(summarise(decoded, look.context), known, decoded)


def write_page(path: Path, title: str, remark: str, messages: Sequence[PageMessage]) -> None:
    """Write the page, to standard output for "-". Raises CommandError where it cannot be written."""
    lines = (f"{line}\n" for line in tree_page(title, remark, __version__, messages))
    if str(path) == "-":
        sys.stdout.writelines(lines)
        return
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(lines)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None
