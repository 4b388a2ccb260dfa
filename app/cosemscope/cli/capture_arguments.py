"""Options of all commands that read a capture: the file, its form, keys; and their errors as sentences.

`add_capture_arguments` puts them on a command's parser, `with_analysis` opens what they name.
"""

import argparse
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import cast

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys.key_entry import KeyFileError
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.capture.files.reader import open_capture, open_source
from cosemscope.capture.files.sequence import CaptureSequence
from cosemscope.capture.records import CaptureError
from cosemscope.capture.source import RecordSource
from cosemscope.cli.following import followed, piped
from cosemscope.streams.decode_as import parse_decode_as


class CommandError(Exception):
    """Why a command cannot do what it is asked for, in a sentence."""


def add_capture_arguments(parser: argparse.ArgumentParser) -> None:
    """FILE, `--decode-as` and `--ring`."""
    parser.add_argument("file", metavar="FILE", help="a pcap or pcapng file, - for standard input")
    parser.add_argument(
        "--decode-as",
        action="append",
        default=[],
        metavar="WHERE=WHAT",
        help="set what is otherwise recognised: PORT, tcp:PORT, udp:PORT or stream:NUMBER = "
        "wrapper, swapped, hdlc, bare or none; may be given several times",
    )
    parser.add_argument(
        "--ring", action="store_true", help="FILE is of a ring: go on through the files that follow it"
    )
    parser.set_defaults(follow=False)


def add_keys_argument(parser: argparse.ArgumentParser) -> None:
    """`--keys`."""
    parser.add_argument("--keys", metavar="KEYS.TOML", help="open ciphered APDUs with the keys in this file")


def load_keys(arguments: argparse.Namespace) -> KeyTable:
    """The keys that `--keys` names; none where it names none. Raises CommandError."""
    try:
        return KeyTable.load(arguments.keys) if arguments.keys else NO_KEYS
    except KeyFileError as error:
        raise CommandError(str(error)) from None


def with_analysis(
    arguments: argparse.Namespace, command: Callable[[Analysis, argparse.Namespace], int]
) -> int:
    """Open the capture and run `command` on its analysis; the exit status, errors told in a sentence."""
    try:
        decode_as = parse_decode_as(arguments.decode_as)
    except ValueError as error:
        print(f"cosemscope: --decode-as {error}", file=sys.stderr)
        return 2
    gc.freeze()  # what was imported stays for good: no collection needs to look at it
    try:
        with _opened(arguments) as reader:
            status = command(Analysis(reader, decode_as), arguments)
            sys.stdout.flush()
            for problem in reader.problems:
                print(
                    f"cosemscope: {arguments.file}, octet {problem.offset}: {problem.message}",
                    file=sys.stderr,
                )
    except (CaptureError, CommandError) as error:
        sys.stdout.flush()
        print(f"cosemscope: {error}", file=sys.stderr)
        return 1
    return status


@contextmanager
def _opened(arguments: argparse.Namespace) -> Iterator[RecordSource]:
    """The capture file, or standard input (`-`), which is read as it comes."""
    name = arguments.file
    if arguments.follow:
        with followed(name) as reader:
            yield reader
        return
    if name != "-":
        with CaptureSequence(Path(name)) if arguments.ring else open_capture(name) as reader:
            yield reader
        return
    if sys.stdin is None:
        raise CommandError("Standard input is closed: there is nothing to read.")
    with open_source(Path("Standard input"), piped("Standard input", _read_input)) as reader:
        yield reader


def _read_input(most: int) -> bytes:
    """Up to so many octets of standard input, as soon as any come; empty at its end."""
    source = cast(BufferedReader, sys.stdin.buffer)
    return source.read1(most)
