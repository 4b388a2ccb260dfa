"""What a fleet's tables cost: `python3 tests/benchmarks/fleet_benchmark.py [--packets N] [--json]`.

Takes a capture in, in a process of its own, beside the ratio of that to loading it; tells octets a row. Then
its rows are put down again for as many days as it takes for 11 million exchanges, and every ready question is
asked. Seconds are those of the processor and of the clock, since DuckDB works in threads. Exit status 1: the
tables of a million packets, a question, or an exchange on the disk takes more than it may.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.helpers.equipment import equip

#: Seconds for the tables of a million packets, and for a question; octets of an exchange.
MOST_TABLES, MOST_QUESTION, MOST_OCTETS = 6.0, 5.0, 20.0
#: Days that make 11 million exchanges of a million packets each.
DAYS = 40
_DAY = 86_400_000_000


def take(path: Path, folder: Path, told: Any) -> None:
    """Load a capture, then take it in; tells seconds of both and what became of it."""
    from cosemscope.analysis.engine import Analysis
    from cosemscope.analysis.fleet.capture_files import read_file
    from cosemscope.analysis.fleet.capture_intake import IntakeOrder, take_capture
    from cosemscope.analysis.fleet.fleet_folder import FleetFolder
    from cosemscope.capture.files.reader import open_capture

    with open_capture(path) as reader:
        load, _ = _seconds(lambda: Analysis(reader).run())
    FleetFolder(folder).make()
    intakes = []
    taken, clock = _seconds(lambda: intakes.append(take_capture(IntakeOrder((read_file(path),), folder))))
    told.send({"load": load, "tables": taken, "tables_clock": clock, "rows": intakes[0].rows})


def multiply(folder: Path, days: int) -> None:
    """Put the rows of the one capture of a folder down again, a day later each time."""
    import pyarrow
    import pyarrow.compute
    import pyarrow.parquet

    from cosemscope.analysis.fleet.fleet_folder import FleetFolder, write_part
    from cosemscope.analysis.fleet.rows.fleet_tables import TABLES

    for name, table in TABLES.items():
        for file in list(FleetFolder(folder).files(name)):
            whole = pyarrow.parquet.ParquetFile(file).read()
            place = whole.schema.get_field_index("time")
            day = int(whole.column("time")[0].cast(pyarrow.int64()).as_py()) // _DAY if len(whole) else 0
            for number in range(1, days):
                shift = pyarrow.scalar(number * _DAY, pyarrow.duration("us"))
                later = pyarrow.compute.add(whole.column("time"), shift)
                part = whole.set_column(place, whole.schema.field(place), later)
                date = time.strftime("%Y-%m-%d", time.gmtime((day + number) * 86_400))
                write_part(
                    table, part, folder / name / f"day={date}" / f"{file.stem[:-3]}{number:03}.parquet"
                )


def ask(folder: Path) -> dict[str, Any]:
    """Seconds of the clock and of the processor for every ready question, and the number of exchanges."""
    from cosemscope.analysis.fleet.fleet_query import FleetQuery
    from cosemscope.analysis.fleet.ready_questions import ready_questions

    found: dict[str, Any] = {"questions": {}}
    with FleetQuery(folder) as query:
        (batch,) = query.ask("SELECT count(*) FROM exchanges").batches
        found["exchanges"] = int(batch[0][0])
        for question in ready_questions().values():
            processor, clock = _seconds(lambda sql=question.sql: list(query.ask(sql).batches))
            found["questions"][question.name] = (clock, processor)
    return found


def measure(path: Path, folder: Path, days: int) -> dict[str, Any]:
    """All of it: what was found."""
    from cosemscope.analysis.fleet.fleet_folder import FleetFolder
    from cosemscope.analysis.fleet.rows.fleet_tables import TABLES

    context = get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=take, args=(path, folder, theirs))
    process.start()
    theirs.close()
    found: dict[str, Any] = mine.recv()
    process.join()
    octets = {name: sum(file.stat().st_size for file in FleetFolder(folder).files(name)) for name in TABLES}
    found["octets"] = {name: octets[name] / max(rows, 1) for name, rows in found["rows"].items()}
    multiply(folder, days)
    return found | ask(folder)


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the processor, and of the clock."""
    begun, clock = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - begun, time.perf_counter() - clock


def main() -> int:
    """Make a capture, measure, print; the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--packets", type=int, default=1_000_000, help="of the capture (default: 1000000)")
    parser.add_argument("--days", type=int, default=DAYS, help="on which its rows are put down (default: 40)")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    arguments = parser.parse_args()
    equip("fleet")
    from tests.benchmarks.generate import generate

    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "capture.pcap"
        maker = get_context("spawn").Process(target=generate, args=(path, arguments.packets))
        maker.start()
        maker.join()
        found = measure(path, Path(name) / "fleet", arguments.days)
    if arguments.json:
        print(json.dumps(found))
    else:
        _print(found)
    tables = found["tables"] * 1_000_000 / arguments.packets
    slowest = max(clock for clock, _ in found["questions"].values())
    late = tables > MOST_TABLES or slowest > MOST_QUESTION
    return int(late or found["octets"]["exchanges"] > MOST_OCTETS)


def _print(found: dict[str, Any]) -> None:
    load, tables = found["load"], found["tables"]
    print(f"{'load':<26} {load * 1000:9.0f} ms")
    print(
        f"{'tables':<26} {tables * 1000:9.0f} ms  {tables / load:6.1f} times loading, "
        f"{found['tables_clock'] * 1000:.0f} ms by the clock; a million packets at most {MOST_TABLES:.0f} s"
    )
    for name, octets in found["octets"].items():
        most = f", at most {MOST_OCTETS:.0f}" if name == "exchanges" else ""
        print(f"  {name:<24} {found['rows'][name]:9,} rows, {octets:5.1f} octets a row{most}")
    print(f"Questions of {found['exchanges']:,} exchanges, at most {MOST_QUESTION:.0f} s by the clock:")
    for name, (clock, processor) in found["questions"].items():
        print(f"  {name:<24} {clock * 1000:9.0f} ms  {processor * 1000:7.0f} ms of processors")


if __name__ == "__main__":
    sys.exit(main())
