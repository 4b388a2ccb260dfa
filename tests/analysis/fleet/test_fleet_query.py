"""Questions in SQL: what is answered, what is refused, and that nothing can be written or read elsewhere."""

import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from cosemscope.analysis.fleet import fleet_query
from cosemscope.analysis.fleet.capture_files import read_file
from cosemscope.analysis.fleet.capture_intake import IntakeOrder, take_capture
from cosemscope.analysis.fleet.fleet_folder import FleetError
from cosemscope.analysis.fleet.fleet_query import FleetQuery
from cosemscope.analysis.fleet.rows.fleet_tables import TABLES
from tests.helpers.exported import sample
from tests.helpers.fleet_captures import write_fleet
from tests.helpers.fleet_folders import contents

pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of the sample."""
    folder = tmp_path_factory.mktemp("the fleet's tables")
    assert not take_capture(IntakeOrder((read_file(sample()[0]),), folder)).failure
    return folder


def answer(folder: Path, sql: str) -> list[dict[str, Any]]:
    """The rows of an answer, as JSON has them."""
    with FleetQuery(folder) as query:
        table = query.ask(sql)
        columns = [
            [one for values in batch for one in column.type.jsons(values)]
            for column, *batch in zip(table.columns, *table.batches, strict=True)
        ]
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_there_with_all_columns(folder: Path, table: str) -> None:
    """And the day beside them."""
    names = [row["column_name"] for row in answer(folder, f"DESCRIBE {table}")]
    assert names == [*(column.name for column in TABLES[table].columns), "day"]
    assert answer(folder, f"SELECT count(*) AS n FROM {table}")[0]["n"] > 0


def test_tables_without_a_row_are_there_too(tmp_path: Path) -> None:
    """A capture of no packet has one row, that of itself."""
    capture = write_fleet(tmp_path, meters=1).captures[0]
    capture.write_bytes(capture.read_bytes()[:24])
    assert not take_capture(IntakeOrder((read_file(capture),), tmp_path / "tables")).failure
    for name, table in TABLES.items():
        names = [row["column_name"] for row in answer(tmp_path / "tables", f"DESCRIBE {name}")]
        assert names == [*(column.name for column in table.columns), "day"]
        rows = answer(tmp_path / "tables", f"SELECT count(*) AS n FROM {name}")
        assert rows == [{"n": int(name == "captures")}]


def test_values_of_all_kinds_come_out(folder: Path) -> None:
    """Numbers as numbers, times by ISO 8601, lists as lists; a name that comes twice is told apart."""
    asked = (
        "SELECT 1 AS a, 1.5::DECIMAL(4, 1) AS b, 2::HUGEINT AS c, TIMESTAMPTZ '2026-11-30 08:00:00+00' AS d, "
        "DATE '2026-11-30' AS e, [1, 2] AS f, true AS g, NULL AS h, 'x'::BLOB AS i, {'k': 0.5} AS j, 7 AS a, "
        "INTERVAL 90 SECONDS AS k, 'NaN'::DOUBLE AS l"
    )
    (row,) = answer(folder, asked)
    nan = row.pop("l")
    assert nan != nan
    assert row == {
        **{"a": 1, "b": 1.5, "c": 2, "d": "2026-11-30 08:00:00.000000+00:00", "e": "2026-11-30", "f": [1, 2]},
        **{"g": True, "h": None, "i": "78", "j": {"k": 0.5}, "a_2": 7, "k": 90.0},
    }


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO '{}/new.csv'",
        "COPY exchanges TO '{}/new.parquet'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{}/new.csv'",
        "CREATE TABLE t AS SELECT 1",
        "DROP VIEW exchanges",
        "INSERT INTO captures SELECT * FROM captures",
        "ATTACH '{}/new.db'",
        "EXPORT DATABASE '{}/new'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA database_list",
        "CALL pragma_version()",
        "SELECT 1; SELECT 2",
        "SELECT 1; COPY (SELECT 1) TO '{}/new.csv'",
        "",
        "-- nothing",
    ],
)
def test_only_questions_are_asked(folder: Path, sql: str) -> None:
    """Nothing that writes, changes or loads is run, and one statement at a time; the folder stays."""
    before = contents(folder)
    with pytest.raises(FleetError, match="One question"):
        answer(folder, sql.format(str(folder).replace("'", "''")))
    assert contents(folder) == before


@pytest.mark.parametrize(
    "source",
    [
        "read_text('{}')",
        "read_csv('{}')",
        "'{}'",
        "read_blob('{}')",
        "glob('{}')",
        "query('SELECT * FROM read_text(''{}'')')",
        "read_text('{}/../../outside.csv')",
    ],
)
def test_no_other_file_can_be_read(folder: Path, tmp_path: Path, source: str) -> None:
    """Not by any function, and not by a way up from the folder."""
    outside = tmp_path / "outside.csv"
    outside.write_text("secret\n1\n")
    named = source.format(str(folder).replace("'", "''") if "/.." in source else outside)
    with pytest.raises(FleetError, match="cannot be answered"):
        answer(folder, f"SELECT * FROM {named}")


def test_a_wrong_question_is_told(folder: Path) -> None:
    """With what DuckDB says of it."""
    with pytest.raises(FleetError, match=r"cannot be answered(.|\n)*metre"):
        answer(folder, "SELECT metre FROM exchanges")
    with pytest.raises(FleetError, match="cannot be answered"):
        answer(folder, "SELEC 1")


def test_a_question_that_fails_on_its_way_is_told(folder: Path) -> None:
    """Where a value cannot be converted."""
    with pytest.raises(FleetError, match="cannot be answered"):
        answer(folder, "SELECT CAST(status AS INTEGER) FROM exchanges")


@pytest.mark.skipif(os.name == "nt", reason="a process cannot press Ctrl+C there")
def test_a_question_without_end_is_ended_by_ctrl_c(folder: Path) -> None:
    """It goes on for hours otherwise; the folder can be asked again."""
    asked = "SELECT count(*) FROM range(100000000000) a, range(1000) b WHERE a.range * b.range % 7 = 3"
    pressed = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    with FleetQuery(folder) as query:
        pressed.start()
        with pytest.raises(KeyboardInterrupt):
            query.ask(asked)
        assert len(list(query.ask("SELECT 1").batches)) == 1


def test_a_folder_without_tables_is_told(tmp_path: Path) -> None:
    """With what makes them; also one that is not there, which is not made."""
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(FleetError, match="cosemscope tables"):
            FleetQuery(place)
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(FleetError, match="patterns"):
        FleetQuery(tmp_path / "a*b")


def test_tables_of_a_newer_version_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are not asked with columns of before."""
    monkeypatch.setattr(fleet_query, "SCHEMA_VERSION", 0)
    with pytest.raises(FleetError, match="newer Cosemscope"):
        FleetQuery(folder)
