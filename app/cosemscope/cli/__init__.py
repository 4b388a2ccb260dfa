"""The command line: the same engine as the window, without Qt, for scripts.

Each module of this package adds its commands to the parser with
`add_commands`; a command's `run` takes the parsed arguments and returns the
exit status. Only the module of the command that is asked for is imported, and
it imports heavy things (NumPy) inside `run`.
"""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from cosemscope import __version__

#: Modules that add commands, and the commands' names: known here without importing them.
COMMANDS: dict[str, tuple[str, ...]] = {
    "cosemscope.cli.capturing_commands": ("capture", "interfaces", "spools"),
    "cosemscope.cli.decoding": ("decode", "show"),
    "cosemscope.cli.live_run": ("connect", "listen", "check"),
    "cosemscope.cli.listing": ("list", "sessions", "stats"),
}


def is_command(words: Sequence[str]) -> bool:
    """Whether `words` is for the command line rather than the window."""
    return bool(words) and words[0] in {
        "-h",
        "--help",
        "--version",
        *(name for names in COMMANDS.values() for name in names),
    }


def build_parser(command: str = "") -> argparse.ArgumentParser:
    """The parser; with every command, or with those of the module that has `command`, which is quicker."""
    parser = argparse.ArgumentParser(
        prog="cosemscope",
        description="Inspect DLMS/COSEM over IP (IEC 62056-4-7). With a capture file, or with nothing, "
        "the window opens; with one of the commands below, text comes out.",
    )
    parser.add_argument("--version", action="version", version=f"Cosemscope {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    wanted = [module for module, names in COMMANDS.items() if command in names]
    for module in wanted or COMMANDS:
        importlib.import_module(module).add_commands(commands)
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
