"""The comparison of engines asks what it says; the engines themselves are asked by a command of its own."""

from pathlib import Path

import pytest

from tests.fleet_engines import __main__ as engines
from tests.helpers.fleet_captures import write_fleet

pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")


def test_every_column_is_counted(tmp_path: Path) -> None:
    """Of every table, by questions that DuckDB answers, too."""
    folder = tmp_path / "fleet"
    captures = write_fleet(tmp_path, meters=20).captures
    assert engines.cosemscope(["tables", *map(str, captures), "--to", str(folder)]) == 0
    asked = [engines.counts("duckdb", name, name) for name in engines.TABLES]
    for (row,), question in zip(engines.duckdb_answers(folder, asked), asked, strict=True):
        assert row[0] > 0
        assert len(row) == question.count("(") - question.count("epoch_us")


def test_the_questions_are_those_of_the_readme(tmp_path: Path) -> None:
    """Each engine's own, asked of the folder."""
    clickhouse, spark = (engines.documented(engine, tmp_path) for engine in ("clickhouse", "spark"))
    assert f"file('{tmp_path.as_posix()}/exchanges/" in clickhouse
    assert "percentile_approx" in spark
    assert not clickhouse.endswith(";")
    assert not spark.endswith(";")


def test_numbers_that_came_as_text_are_numbers() -> None:
    """And words stay words."""
    assert engines.numbers([["12", 12, "x", None, "0.5", "2026-11-30"]]) == [
        [12.0, 12.0, "x", None, 0.5, "2026-11-30"]
    ]
