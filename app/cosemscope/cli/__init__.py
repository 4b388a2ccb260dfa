"""The command line: the same engine as the window, without Qt, for scripts.

A command is a row of `COMMANDS` and a module of its name in `commands` (`list_command` for
`list`, `self_test_command` for `self-test`): its `DESCRIPTION` and
`add_arguments` make its parser, its `run` takes the parsed arguments and
returns the exit status. Only the module of the command that is asked for is
imported.
"""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from cosemscope import __version__
from cosemscope.cli.terminal import harmless_output

#: Commands in the order of the help, each with its line there: known without their modules. First those that
#: look at a capture, from the whole to the single octet, then what is no capture, what is live, and help.
COMMANDS: dict[str, str] = {
    "overview": "ten lines on a capture: meters, outcomes, what was slow and what failed",
    "list": "a line for each WPDU of a capture",
    "show": "decode one WPDU of a capture",
    "exchanges": "which answer belongs to which request, how it ended, how long it took",
    "sessions": "peers, streams and wPort pairs of a capture, what each stream came to, and why",
    "associations": "who was associated with whom, how, and by what it ended",
    "procedures": "readings, image transfers, key changes and more: how far each came, and its verdict",
    "objects": "every object by meter: its values, units and times; profiles as tables",
    "primitives": "the service primitives that passed at both ends of a connection",
    "expert": "what is wrong or remarkable in a capture",
    "count": "WPDUs by any fields: counts, shares, and the spread of a number",
    "stats": "counts of a capture",
    "export": "tables, packets, trees or a report into a file: CSV, JSON, Parquet, pcapng, text, HTML",
    "tables": "captures as Parquet files for a fleet, by day: each once, whatever its names",
    "query": "ask the tables of a fleet, in SQL or by the name of a ready question",
    "decode": "decode a WPDU, an APDU or an HDLC frame given in hex",
    "interfaces": "the network interfaces of this computer, and whether we may capture on them",
    "capture": "capture packets from network interfaces, or from a pipe",
    "connect": "connect to a server, send APDUs, show the answers",
    "read": "read a meter: values with units, its object list, profiles; once or again and again",
    "write": "change a meter: set, act, clock, switch, image; it says what it will send, and asks",
    "run": "run a saved sequence of steps at a meter: read and expect, set, act, wait, repeat",
    "listen": "accept connections and datagrams, show what comes, answer if told to",
    "meter": "be a meter, or a fleet of them, to talk to; with faults on demand",
    "relay": "pass connections and datagrams on to their target, recorded; hold and change WPDUs",
    "check": "test a server's transport layer and report",
    "spools": "captures and recordings that were left without a name",
    "fields": "the fields that a WPDU has, for --fields and the table's columns",
    "filter-help": "how display filters are written, for --filter",
    "expert-kinds": "the kinds of items that expert tells, for --severity and settings",
    "self-test": "test this installation; tell what live capture lacks here",
}
_OPTIONS = ("-h", "--help", "--version")


def is_command(words: Sequence[str]) -> bool:
    """True when `words` is for the command line rather than the window."""
    return bool(words) and (words[0] in COMMANDS or words[0] in _OPTIONS)


class _CommandParser(argparse.ArgumentParser):
    """A command's parser: where it takes any number of words, options may stand before and between them."""

    _within = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """As every parser does; argparse itself would take all words at the first of them."""
        many = any(one.nargs == "*" and not one.option_strings for one in self._actions)
        if not many or self._within:
            return super().parse_known_args(args, namespace)
        self._within = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._within = False


def build_parser(command: str = "") -> argparse.ArgumentParser:
    """The parser of one command with its options, or of all commands without theirs."""
    parser = argparse.ArgumentParser(
        prog="cosemscope",
        description="Inspect DLMS/COSEM over IP (IEC 62056-4-7). With a capture file, or with nothing, "
        "the window opens; with one of the commands below, text comes out.",
    )
    parser.add_argument("--version", action="version", version=f"Cosemscope {__version__}")
    commands = parser.add_subparsers(
        title="commands", dest="command", metavar="COMMAND", parser_class=_CommandParser
    )
    if command not in COMMANDS:
        for name, summary in COMMANDS.items():
            commands.add_parser(name, help=summary)
        return parser
    module = importlib.import_module(f"{__name__}.commands.{command.replace('-', '_')}_command")
    its_parser = commands.add_parser(command, help=COMMANDS[command], description=module.DESCRIPTION)
    module.add_arguments(its_parser)
    its_parser.set_defaults(run=module.run)
    return parser


def main(words: Sequence[str]) -> int:
    """Run one command; return its exit status (0 done, 1 failed with a message, 2 wrong usage)."""
    parser = build_parser(words[0] if words else "")
    arguments = parser.parse_args(list(words))
    if not hasattr(arguments, "run"):
        parser.print_help()
        return 0
    _prepare_output()
    try:
        with harmless_output():
            return int(arguments.run(arguments))
    except BrokenPipeError:  # the reader (head, less) has seen enough
        _drop_output()
        return 0
    except OSError as error:  # captures say theirs themselves: what is left is the output, on a full disk
        _drop_output()
        print(f"cosemscope: {error.strerror or error}: the output is not complete.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _prepare_output() -> None:
    """Whatever the output's encoding lacks is replaced; where there is no output, nobody looks."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 -- for as long as we run
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _drop_output() -> None:
    """Nothing more is written, not even what waits in the buffer when the interpreter ends."""
    with suppress(OSError, ValueError):  # tests have outputs that are no files
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
