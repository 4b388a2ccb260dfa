"""`query`: a question in SQL, or a ready one by its name, about the tables that `tables` has written."""

import argparse
import sys
from pathlib import Path

from cosemscope.analysis.fleet.fleet_folder import FleetError
from cosemscope.analysis.fleet.fleet_needs import missing_packages
from cosemscope.analysis.fleet.fleet_query import FleetQuery
from cosemscope.analysis.fleet.ready_questions import ready_questions
from cosemscope.analysis.fleet.rows.fleet_tables import TABLES
from cosemscope.cli.table_output import print_table

DESCRIPTION = (
    "Ask the tables in DIR, which `cosemscope tables` has written, in the SQL of DuckDB, or by the name of a "
    f"ready question that --list tells. The tables are {', '.join(TABLES)}; each has a column day beside its "
    "own, as `DESCRIBE exchanges` tells. Durations are microseconds, times UTC. Nothing can be changed, and "
    "no files but those of DIR can be read."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `query`."""
    parser.add_argument("folder", metavar="DIR", nargs="?", help="the folder of the tables")
    parser.add_argument(
        "question", metavar="QUESTION", nargs="?", help="SQL, or the name of a ready question"
    )
    parser.add_argument("--list", action="store_true", help="tell the ready questions")
    parser.add_argument("--sql", action="store_true", help="tell the SQL of the question, and do not ask it")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="JSON, one object a line")
    form.add_argument("--csv", action="store_true", help="CSV for spreadsheets")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope query`; returns the exit status."""
    ready = ready_questions()
    if arguments.list:
        width = max(map(len, ready))
        for one in ready.values():
            print(f"{one.name:<{width}}  {one.meaning}")
        return 0
    if not arguments.folder or not arguments.question:
        return _refuse("name DIR and a question: SQL, or one of those that --list tells.", 2)
    asked = arguments.question.strip()
    if asked in ready:
        asked = ready[asked].sql
    elif asked and not any(character.isspace() for character in asked):
        return _refuse(f"there is no ready question {asked}: --list tells them.", 2)
    if arguments.sql:
        print(asked.rstrip())
        return 0
    if lacks := missing_packages():
        return _refuse(lacks, 1)
    try:
        with FleetQuery(Path(arguments.folder)) as query:
            print_table(query.ask(asked), as_json=arguments.json, as_csv=arguments.csv)
            sys.stdout.flush()
    except FleetError as error:
        return _refuse(str(error), 1)
    return 0


def _refuse(sentence: str, status: int) -> int:
    sys.stdout.flush()
    print(f"cosemscope: {sentence}", file=sys.stderr)
    return status
