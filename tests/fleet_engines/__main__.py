"""`python3 tests/fleet_engines`: ClickHouse and Spark read a fleet's tables, and answer as DuckDB does.

    python3 tests/fleet_engines                  both, or ClickHouse alone where there is no Java
    python3 tests/fleet_engines clickhouse

Three days of a fleet are written; then every table is counted, column by column, and README's questions to
these engines are asked. Their environments, about a gigabyte each, are made on first use and kept. Ends with
1 where an answer differs.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_CHECKOUT = Path(__file__).resolve().parents[2]
if __package__ in (None, ""):
    sys.path.insert(0, str(_CHECKOUT))
    from tests.helpers.equipment import equip

    equip("fleet")

from cosemscope.analysis.fleet.fleet_query import FleetQuery  # noqa: E402
from cosemscope.analysis.fleet.rows.fleet_tables import TABLES  # noqa: E402
from cosemscope.cli import main as cosemscope  # noqa: E402
from tests.helpers.environments import EnvironmentMissing, environment  # noqa: E402
from tests.helpers.fleet_captures import write_fleet  # noqa: E402

_HERE = Path(__file__).resolve().parent
#: Times are compared as microseconds, by each engine's own word for that.
_TIMES = {"duckdb": "epoch_us({})", "clickhouse": "toUnixTimestamp64Micro({})", "spark": "unix_micros({})"}

Rows = list[list[Any]]
Answers = Callable[[Path, Sequence[str]], list[Rows]]


def counts(engine: str, table: str, source: str) -> str:
    """The question how many rows a table has, how many of each column are there, and what numbers come to."""
    told = ["count(*)"]
    for column in TABLES[table].columns:
        kind = column.form.value[0]
        name = f'"{column.name}"' if engine != "spark" else f"`{column.name}`"
        if kind != "texts":
            told.append(f"count({name})")
        if kind.startswith("int") or kind == "microseconds":
            told.append(f"sum({name})")
        if kind == "instant":
            told.append(f"min({_TIMES[engine].format(name)})")
            told.append(f"max({_TIMES[engine].format(name)})")
    return f"SELECT {', '.join(told)} FROM {source}"


def documented(engine: str, folder: Path) -> str:
    """README's question to an engine, asked of this folder."""
    block = re.search(r"```sql\n-- ClickHouse.*?```", (_CHECKOUT / "README.md").read_text("utf-8"), re.DOTALL)
    assert block is not None
    _, clickhouse, spark = re.split(r"^--.*\n", block[0].removesuffix("```"), flags=re.MULTILINE)
    asked = {"clickhouse": clickhouse, "spark": spark}[engine]
    return asked.replace("'fleet/", f"'{folder.as_posix()}/").strip().removesuffix(";")


def duckdb_answers(folder: Path, questions: Sequence[str]) -> list[Rows]:
    """The rows of DuckDB's answers."""
    found = []
    with FleetQuery(folder) as query:
        for question in questions:
            table = query.ask(question)
            columns = zip(*table.batches, strict=True)
            told = [
                [one for values in batches for one in column.type.jsons(values)]
                for column, batches in zip(table.columns, columns, strict=True)
            ]
            found.append([list(row) for row in zip(*told, strict=True)])
    return found


def answers_of(engine: str, folder: Path, questions: Sequence[str]) -> list[Rows]:
    """The rows of another engine's answers. Raises EnvironmentMissing."""
    pins = "requirements.txt" if engine == "clickhouse" else "spark_requirements.txt"
    python = environment(engine, _HERE / pins)
    asked: Any = list(questions)
    if engine == "spark":
        asked = {"tables": {name: str(folder / name) for name in TABLES}, "questions": questions}
    done = subprocess.run(
        [str(python), str(_HERE / f"{engine}_answers.py")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode:
        raise RuntimeError(f"{engine} ended with status {done.returncode}: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]


def numbers(rows: Rows) -> Rows:
    """The rows with numbers as numbers, since engines write those of 64 bits as text."""

    def number(value: Any) -> Any:
        text = str(value)
        return round(float(text), 6) if re.fullmatch(r"-?\d+(\.\d+)?(E\d+)?", text) else value

    return [[number(value) for value in row] for row in rows]


def differences(engine: str, folder: Path) -> list[str]:
    """Where an engine says something else than DuckDB does; raises EnvironmentMissing."""
    source = {name: name for name in TABLES}
    if engine == "clickhouse":
        source = {name: f"file('{(folder / name).as_posix()}/*/*.parquet', Parquet)" for name in TABLES}
    mine = duckdb_answers(folder, [counts("duckdb", name, name) for name in TABLES])
    ready = duckdb_answers(
        folder,
        [
            "SELECT meter, quantile_cont(response_time, 0.95) / 1000 AS p95_ms FROM exchanges "
            "GROUP BY meter ORDER BY p95_ms DESC LIMIT 5"
        ],
    )
    asked = [*(counts(engine, name, source[name]) for name in TABLES), documented(engine, folder)]
    *its, documented_rows = answers_of(engine, folder, asked)
    found = []
    for name, one, other in zip(TABLES, mine, its, strict=True):
        told = numbers(other)
        print(f"  {name:<14} {int(told[0][0]):>8,} rows, {len(told[0])} counts and sums")
        if numbers(one) != told:
            found.append(f"{engine}, {name}: {told} instead of {numbers(one)}")
    print(f"  README's question: {documented_rows[:2]} ...")
    slow = {row[0] for row in ready[0]}
    if {row[0] for row in documented_rows[: len(slow)]} != slow:
        found.append(f"{engine}: README's question gives {documented_rows[:5]} instead of {ready[0]}")
    return found


def main() -> int:
    """Write three days, ask the engines; the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("engines", nargs="*", choices=["clickhouse", "spark", []], help="default: both")
    engines = parser.parse_args().engines or ["clickhouse", *(["spark"] if shutil.which("java") else [])]
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "fleet"
        captures = write_fleet(Path(name)).captures
        if cosemscope(["tables", *map(str, captures), "--to", str(folder)]):
            return 1
        for engine in engines:
            print(f"{engine}:")
            try:
                found += differences(engine, folder)
            except EnvironmentMissing as reason:
                print(f"  {reason}")
    for one in found:
        print(one, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
