"""Parquet files are read back by pyarrow, and by DuckDB where it is there, with the rows of the JSON."""

import io
import json
from pathlib import Path

import pytest

from cosemscope.analysis.export import exports
from cosemscope.analysis.export.exports import TABLES, Order, check
from cosemscope.analysis.export.whole_file import ExportError
from tests.helpers.exported import sample, subject_of, written


@pytest.mark.parametrize("what", TABLES)
def test_rows_are_those_of_the_json(what: str) -> None:
    """Instants to the nanosecond, durations in nanoseconds, numbers and words apart, lists as lists."""
    pytest.importorskip("pyarrow")
    import pyarrow
    import pyarrow.parquet

    path, keys = sample()
    with subject_of(path, keys=keys) as subject:
        columns = TABLES[what].make(subject, None).columns
        objects = json.loads(written(subject, Order("json", what)))
        octets = written(subject, Order("parquet", what))
    found = pyarrow.parquet.read_table(io.BytesIO(octets))
    assert found.num_rows == len(objects)
    for column in columns:
        field = found.schema.field(column.name)
        assert field.metadata[b"meaning"].decode() == column.meaning
        values = found.column(column.name)
        told = [one[column.name] for one in objects]
        if column.type.word in ("instant", "duration"):
            numbers = values.cast(pyarrow.int64()).to_pylist()
            assert numbers == [None if one is None else int(one.replace(".", "")) for one in told]
        elif column.type.word == "quantity":
            words = found.column(f"{column.name}.words").to_pylist()
            pairs = zip(values.to_pylist(), words, strict=True)
            assert [number if word is None else word for number, word in pairs] == told
        elif column.type.word == "details":
            assert list(map(json.loads, values.to_pylist())) == told
        else:
            assert values.to_pylist() == told


def test_duckdb_reads_it(tmp_path: Path) -> None:
    """Sums, lists and instants."""
    pytest.importorskip("pyarrow")
    duckdb = pytest.importorskip("duckdb")
    path, keys = sample()
    file = tmp_path / "exchanges.parquet"
    with subject_of(path, keys=keys) as subject:
        file.write_bytes(written(subject, Order("parquet", "exchanges")))
        objects = json.loads(written(subject, Order("json", "exchanges")))
    numbers = 'count(*), sum(value), sum(len("exchange.responses"))'
    first_time = 'epoch_us(min("exchange.time")::TIMESTAMPTZ)'
    asked = f"SELECT {numbers}, {first_time} FROM '{file.as_posix()}'"
    ((count, total, responses, first),) = duckdb.sql(asked).fetchall()
    assert count == len(objects)
    assert total == pytest.approx(
        sum(one["value"] for one in objects if isinstance(one["value"], int | float))
    )
    assert responses == sum(len(one["exchange.responses"]) for one in objects)
    earliest = min(float(one["exchange.time"]) for one in objects)
    assert first / 1e6 == pytest.approx(earliest, abs=1e-5)


def test_what_is_missing_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is read, with what would do instead."""
    monkeypatch.setattr(exports, "find_spec", lambda name: None)
    with pytest.raises(ExportError, match=r"pyarrow.*“fleet”.*CSV"):
        check(Order("parquet"))
