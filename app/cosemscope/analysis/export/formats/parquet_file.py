"""Tables as Parquet files, which DuckDB, pandas, Spark and others read; needs the optional pyarrow.

Instants are timestamps in UTC to the nanosecond, durations whole nanoseconds, several values lists. A column
of quantities has numbers; what is told in words instead stands beside it, in the column NAME.words.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from math import isfinite
from typing import IO, Any

import orjson

from cosemscope.analysis.export.tables.out_table import OutColumn, OutTable
from cosemscope.analysis.fields.value_arrays import Coded, Several, Values
from cosemscope.analysis.fields.value_types import (
    Duration,
    Flag,
    Instant,
    Integer,
    Octets,
    Quantity,
    ValueType,
)

#: Rows of a group: what is told of the least and greatest value stands for so many.
_GROUP = 1 << 16


def write_parquet(table: OutTable, file: IO[bytes]) -> None:
    """Write a table as a Parquet file, compressed with Zstandard. Raises ImportError without pyarrow."""
    import pyarrow  # optional, and slow to import
    import pyarrow.parquet

    parts = [part for column in table.columns for part in _parts(column, pyarrow)]
    schema = pyarrow.schema(
        [pyarrow.field(name, kind, metadata=_meaning(column)) for name, kind, column, _ in parts]
    )
    with pyarrow.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        waiting: list[Any] = []
        for values in table.batches:
            by_column = dict(zip(table.columns, values, strict=True))
            arrays = [
                pyarrow.array(make(by_column[column]), kind, from_pandas=False)
                for _, kind, column, make in parts
            ]
            waiting.append(pyarrow.RecordBatch.from_arrays(arrays, schema=schema))
            if sum(len(batch) for batch in waiting) >= _GROUP:
                writer.write_table(pyarrow.Table.from_batches(waiting))
                waiting = []
        if waiting:
            writer.write_table(pyarrow.Table.from_batches(waiting))


def _meaning(column: OutColumn) -> dict[str, str]:
    unit = {"unit": "ns"} if isinstance(column.type, Duration) else {}
    return {"meaning": column.meaning, **unit}


_Part = tuple[str, Any, OutColumn, Callable[[Values], list[Any]]]


def _parts(column: OutColumn, pyarrow: Any) -> Iterator[_Part]:
    """The columns of the file that a column becomes: name, pyarrow's type, and what makes the values."""
    kind: Any = pyarrow.string()
    tell: Callable[[ValueType, Any], Any] = _text
    for own, found, told in (
        (Instant, pyarrow.timestamp("ns", tz="UTC"), _number),
        (Duration, pyarrow.int64(), _number),
        (Integer, pyarrow.int64(), _number),
        (Flag, pyarrow.bool_(), _json),
        (Octets, pyarrow.binary(), _octets),
        (Quantity, pyarrow.float64(), _float),
    ):
        if isinstance(column.type, own):
            kind, tell = found, told
    yield column.name, pyarrow.list_(kind) if column.several else kind, column, _maker(column.type, tell)
    if isinstance(column.type, Quantity):
        yield f"{column.name}.words", pyarrow.string(), column, _maker(column.type, _words)


def _maker(kind: ValueType, tell: Callable[[ValueType, Any], Any]) -> Callable[[Values], list[Any]]:
    """What makes a list of a column's values, None for nothing; `tell` makes one."""

    def make(values: Values) -> list[Any]:
        if isinstance(values, Several):
            flat, stops = make(values.values), values.stops.tolist()
            return [flat[start:stop] for start, stop in zip([0, *stops], stops, strict=False)]
        plain, codes = (values.values, values.codes.tolist()) if isinstance(values, Coded) else (values, None)
        none = kind.is_none(plain).tolist()
        made = [
            None if nothing else tell(kind, value)
            for value, nothing in zip(plain.tolist(), none, strict=True)
        ]
        return made if codes is None else [made[code] for code in codes]

    return make


def _text(kind: ValueType, value: Any) -> str:
    """What JSON has, where that is no text as JSON."""
    told = kind.json(value)
    return told if isinstance(told, str) else orjson.dumps(told).decode()


def _json(kind: ValueType, value: Any) -> Any:
    return kind.json(value)


def _number(kind: ValueType, value: Any) -> int:
    return int(value)


def _octets(kind: ValueType, value: Any) -> bytes:
    return bytes(value)


def _float(kind: ValueType, value: Any) -> float | None:
    told = isinstance(value, int | float | Decimal) and isfinite(value)
    return float(value) if told else None


def _words(kind: ValueType, value: Any) -> str | None:
    return None if _float(kind, value) is not None else kind.text(value)
