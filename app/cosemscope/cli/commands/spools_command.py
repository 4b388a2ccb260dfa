"""`spools`: captures and recordings that were left without a name, listed or removed."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from cosemscope.capture.spool.spool_folder import Spool, remove_spool, spool_folder, spools
from cosemscope.wording import calendar

DESCRIPTION = (
    "List the spools that nobody gave a name; those of a process that died are kept until you remove them."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `spools`."""
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")
    parser.add_argument("--remove", metavar="NAME", action="append", help="remove this one for good")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope spools`; 0, or 1 when one that is to be removed is not there or in use."""
    try:
        found = {spool.path.name: spool for spool in spools(spool_folder())}
    except OSError as error:
        print(f"cosemscope spools: {error}", file=sys.stderr)
        return 1
    if not arguments.remove:
        for spool in found.values():
            print(json.dumps(_spool_object(spool)) if arguments.json else _spool_line(spool))
        return 0
    status = 0
    for name in arguments.remove:
        try:
            remove_spool(found[Path(name).name])
        except KeyError:
            print(f"cosemscope spools: there is no spool {name}.", file=sys.stderr)
            status = 1
        except OSError as error:
            print(f"cosemscope spools: {name} is not removed: {error}", file=sys.stderr)
            status = 1
    return status


def _spool_object(spool: Spool) -> dict[str, Any]:
    return {
        "file": str(spool.path),
        "files": [str(path) for path in spool.files],
        "octets": spool.size,
        "modified": spool.modified,
        "command": spool.command,
        "process": spool.process,
        "in_use": spool.in_use,
        "empty": spool.empty,
    }


def _spool_line(spool: Spool) -> str:
    state = "in use" if spool.in_use else "empty" if spool.empty else "left over"
    return f"{calendar(int(spool.modified))}  {spool.size:>13,} octets  {state:<9}  {spool.path}"
