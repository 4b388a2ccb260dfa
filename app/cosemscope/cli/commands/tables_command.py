"""`tables`: captures become Parquet files for a fleet, a process a capture; what is there already stays."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import orjson

from cosemscope.analysis.fleet.capture_intake import Intake, IntakeOrder
from cosemscope.analysis.fleet.capture_processes import take_captures
from cosemscope.analysis.fleet.fleet_folder import FleetError, FleetFolder
from cosemscope.analysis.fleet.fleet_needs import missing_packages
from cosemscope.analysis.fleet.intake_plan import PlanNote, plan_intake
from cosemscope.analysis.keys.key_entry import KeyFileError
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.cli.capture_arguments import add_keys_argument
from cosemscope.cli.terminal import write_octets
from cosemscope.streams.decode_as import parse_decode_as
from cosemscope.wording import count

DESCRIPTION = (
    "Write captures into Parquet files that DuckDB, Spark, ClickHouse and others read: DIR/exchanges/"
    "day=2026-11-30/KEY.parquet, and likewise captures, sessions, associations, expert_items and values. "
    "Days are those of UTC. The key of a capture is the beginning of its SHA-256: whatever its name, it is "
    "taken in once, and one that has grown since is replaced. Files of a ring that are named together are "
    "one capture. A capture that cannot be read is told and passed over; the exit status is 1 then. Keys and "
    "passwords are never written. `cosemscope query` asks. With --json a capture has: state (taken, there or "
    "failed), file, and message, or files, capture (its key), rows by table, problems."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `tables`."""
    parser.add_argument("captures", metavar="CAPTURE", nargs="+", help="pcap and pcapng files")
    parser.add_argument("--to", metavar="DIR", required=True, help="the folder of the tables")
    parser.add_argument(
        "-j",
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="captures at once (default: %(default)s)",
    )
    parser.add_argument(
        "--trees",
        action="store_true",
        help="also the expert items that only decoded trees tell, which takes several times as long",
    )
    parser.add_argument(
        "--again", action="store_true", help="also captures that are there already, such as with other keys"
    )
    parser.add_argument(
        "--decode-as", action="append", default=[], metavar="WHERE=WHAT", help="as of the other commands"
    )
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")
    add_keys_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope tables`; returns the exit status."""
    if arguments.jobs < 1:
        return _refuse("-j is the number of captures at once, at least 1.", 2)
    try:
        parse_decode_as(arguments.decode_as)
    except ValueError as error:
        return _refuse(f"--decode-as {error}", 2)
    if lacks := missing_packages():
        return _refuse(lacks, 1)
    folder = FleetFolder(Path(arguments.to))
    try:
        if arguments.keys:
            KeyTable.load(arguments.keys)
        folder.make()
        plan = plan_intake(folder, map(Path, arguments.captures), again=arguments.again)
    except (FleetError, KeyFileError) as error:
        return _refuse(str(error), 1)
    told = _JsonTeller() if arguments.json else _TextTeller()
    for remark in plan.remarks:
        told.there(remark)
    for failure in plan.failures:
        told.failed(failure)
    orders = [
        IntakeOrder(
            one.files,
            folder.path,
            one.replaces,
            tuple(arguments.decode_as),
            arguments.keys or "",
            arguments.trees,
        )
        for one in plan.captures
    ]
    failed = len(plan.failures)
    for order, intake in take_captures(orders, arguments.jobs):
        if intake.failure:
            failed += 1
            told.failed(PlanNote(order.files[0].path, intake.failure))
        else:
            told.taken(order, intake)
    return 1 if failed else 0


class _TextTeller:
    """Tells what became of each capture, for people."""

    def there(self, note: PlanNote) -> None:
        """It was there already, or some of it."""
        print(note.sentence)

    def failed(self, note: PlanNote) -> None:
        """It could not be taken in."""
        _refuse(note.sentence, 1)

    def taken(self, order: IntakeOrder, intake: Intake) -> None:
        """Its rows are there."""
        first, *others = order.files
        for problem in intake.problems:
            print(f"cosemscope: {problem}", file=sys.stderr)
        more = f" and {count(len(others), 'more file')}" if others else ""
        told = ", ".join(f"{rows:,} {table.replace('_', ' ')}" for table, rows in intake.rows.items())
        print(f"{first.path}{more}: {told}", flush=True)


class _JsonTeller(_TextTeller):
    """Tells the same for scripts."""

    def there(self, note: PlanNote) -> None:
        """It was there already, or some of it."""
        self._tell(state="there", file=str(note.path), message=note.sentence)

    def failed(self, note: PlanNote) -> None:
        """It could not be taken in."""
        super().failed(note)
        self._tell(state="failed", file=str(note.path), message=note.sentence)

    def taken(self, order: IntakeOrder, intake: Intake) -> None:
        """Its rows are there."""
        files = [str(one.path) for one in order.files]
        self._tell(
            state="taken",
            file=files[0],
            files=files,
            capture=intake.key,
            rows=intake.rows,
            problems=list(intake.problems),
        )

    def _tell(self, **told: Any) -> None:
        write_octets(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))
        sys.stdout.flush()


def _refuse(sentence: str, status: int) -> int:
    sys.stdout.flush()
    print(f"cosemscope: {sentence}", file=sys.stderr)
    return status
