"""Words of the command line that open the window: a capture, keys, a display filter."""

import argparse
from collections.abc import Sequence
from typing import NamedTuple


class WindowWords(NamedTuple):
    """What the window is to open, "" for nothing of the kind: a capture, a key file, a display filter.

    `picture` is the file that it is painted into instead of being shown.
    """

    capture: str = ""
    keys: str = ""
    display_filter: str = ""
    picture: str = ""


def window_words(words: Sequence[str]) -> WindowWords:
    """Read the words. Leaves the program with a sentence and status 2 where they are others."""
    parser = argparse.ArgumentParser(
        prog="cosemscope", description="Open the window.", epilog="`cosemscope --help` lists the commands."
    )
    parser.add_argument("capture", nargs="?", default="", metavar="FILE", help="the capture to open")
    parser.add_argument("--keys", default="", metavar="KEYS.TOML", help="the file with the keys for it")
    parser.add_argument("--filter", default="", metavar="F", help="the display filter to begin with")
    parser.add_argument("--picture", default="", metavar="FILE.png", help=argparse.SUPPRESS)
    given = parser.parse_args(list(words))
    return WindowWords(given.capture, given.keys, given.filter, given.picture)
