"""Questions in SQL about a fleet's tables, answered by DuckDB within this process; nothing can be written.

    with FleetQuery(Path("tables")) as query:
        table = query.ask("SELECT meter, count(*) FROM exchanges GROUP BY ALL")

Each table is a view of the files of captures that are there whole. Statements that change something are
refused, and so are all files but those of the folder.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

from cosemscope.analysis.export.tables.out_table import AT_ONCE, OutColumn, OutTable
from cosemscope.analysis.fields.value_arrays import Array, Values, object_array
from cosemscope.analysis.fields.value_types import ValueType
from cosemscope.analysis.fleet.fleet_folder import FleetError, FleetFolder
from cosemscope.analysis.fleet.rows.fleet_columns import SCHEMA_VERSION
from cosemscope.analysis.fleet.rows.fleet_tables import TABLES

#: What DuckDB takes for patterns in the names of files.
_PATTERNS = "*?["
#: Seconds between two looks whether somebody pressed Ctrl+C.
_PATIENCE = 0.1
_NUMBERS = ("INT", "DECIMAL", "DOUBLE", "FLOAT", "HUGE")


class SqlValue(ValueType):
    """What DuckDB answers: numbers and truth values as they are, times by ISO 8601, all else as text."""

    word = "sql"

    def __init__(self, *, numeric: bool) -> None:
        super().__init__()
        self.numeric = numeric

    def text(self, value: Any) -> str:
        """The value for people."""
        told = self.json(value)
        return str(told).lower() if isinstance(told, bool) else str(told)

    def json(self, value: Any) -> Any:
        """The value for scripts."""
        if isinstance(value, datetime):
            return value.isoformat(sep=" ", timespec="microseconds")
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, Decimal):
            return int(value) if value == value.to_integral_value() else float(value)
        if isinstance(value, timedelta):
            return value.total_seconds()
        if isinstance(value, list | tuple):
            return [self.json(one) for one in value]
        if isinstance(value, dict):
            return {str(key): self.json(one) for key, one in value.items()}
        if isinstance(value, bool | float | str):
            return value
        if isinstance(value, int):
            return value if -(1 << 63) <= value < 1 << 64 else str(value)
        return value.hex() if isinstance(value, bytes) else None if value is None else str(value)


class FleetQuery:
    """A connection to the tables in a folder. Raises FleetError where there are none."""

    def __init__(self, path: Path) -> None:
        import duckdb

        folder = FleetFolder(path)
        self._duckdb = duckdb
        self._error = duckdb.Error
        if any(character in str(path.absolute()) for character in _PATTERNS):
            raise FleetError(
                f"{path} has one of {_PATTERNS} in its name, which DuckDB takes for patterns: rename it."
            )
        marks = folder.whole_files("captures")
        if not marks:
            raise FleetError(
                f"{path} has no tables of captures: `cosemscope tables CAPTURE... --to {path}` writes them."
            )
        _check_version(marks[-1])
        self._worker = ThreadPoolExecutor(1, "answers questions")
        self._spilled = TemporaryDirectory(prefix="cosemscope-query-", ignore_cleanup_errors=True)
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "temp_directory": self._spilled.name,
            },
        )
        try:
            self._begin(folder)
        except self._error as error:
            self.close()
            raise FleetError(f"{path} cannot be read: {error}") from error

    def __enter__(self) -> "FleetQuery":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, and remove what did not fit into memory."""
        self._worker.shutdown()
        self._connection.close()
        self._spilled.cleanup()

    def _begin(self, folder: FleetFolder) -> None:
        run = self._connection.execute
        run("SET TimeZone = 'UTC'")
        run("SET enable_progress_bar = false")
        for name, table in TABLES.items():
            files = folder.whole_files(name)
            if files:
                listed = ", ".join(_quoted(str(file.absolute())) for file in files)
                run(
                    f'CREATE VIEW "{name}" AS SELECT * FROM read_parquet([{listed}], '
                    "hive_partitioning = true, hive_types = {'day': DATE}, union_by_name = true)"
                )
            else:
                self._connection.register(f"{name}_empty", table.schema().empty_table())
                run(f'CREATE VIEW "{name}" AS SELECT *, NULL::DATE AS day FROM "{name}_empty"')
        run(f"SET allowed_directories = [{_quoted(str(folder.path.absolute()))}]")
        run("SET enable_external_access = false")
        run("SET lock_configuration = true")

    def ask(self, sql: str) -> OutTable:
        """The answer to one SELECT, a batch of rows at a time. Raises FleetError."""
        kinds = self._duckdb.StatementType
        try:
            statements = self._duckdb.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != kinds.SELECT:
                raise FleetError(
                    "One question is asked at a time, that only reads: SELECT, FROM, WITH, DESCRIBE."
                )
            # As text, so that nothing that was parsed apart from it is run.
            self._waited_for(partial(self._connection.execute, statements[0].query))
        except self._error as error:
            raise FleetError(f"The question cannot be answered: {error}") from None
        told = [
            OutColumn(name, SqlValue(numeric=str(kind).startswith(_NUMBERS) or "INT" in str(kind)), "")
            for name, kind, *_ in self._connection.description or ()
        ]
        return OutTable(tuple(_distinct(told)), self._batches(), -1)

    def _waited_for(self, work: Callable[[], Any]) -> Any:
        """What DuckDB's work returns. It is done beside, so that Ctrl+C ends it and not only what follows."""
        doing = self._worker.submit(work)
        try:
            while True:
                with suppress(TimeoutError):
                    return doing.result(_PATIENCE)
        except KeyboardInterrupt:
            self._connection.interrupt()
            wait([doing])
            raise

    def _batches(self) -> Iterator[list[Values]]:
        try:
            while rows := self._waited_for(partial(self._connection.fetchmany, AT_ONCE)):
                yield [_column(values) for values in zip(*rows, strict=True)]
        except self._error as error:
            raise FleetError(f"The question cannot be answered: {error}") from None


def _column(values: tuple[Any, ...]) -> Array:
    return object_array(list(values))


def _distinct(columns: list[OutColumn]) -> Iterator[OutColumn]:
    """The columns, those of a name that came before with a number behind it: JSON has each key once."""
    seen: dict[str, int] = {}
    for column in columns:
        seen[column.name] = seen.get(column.name, 0) + 1
        again = seen[column.name]
        yield column if again == 1 else column._replace(name=f"{column.name}_{again}")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _check_version(mark: Path) -> None:
    import pyarrow.parquet

    try:
        metadata = pyarrow.parquet.read_schema(mark).metadata or {}
        version = int(metadata.get(b"cosemscope.schema", b"0"))
    except (OSError, ValueError) as error:
        raise FleetError(
            f"{mark} cannot be read: it is damaged. Remove it, and take its capture in again."
        ) from error
    if version > SCHEMA_VERSION:
        raise FleetError(f"{mark} was written by a newer Cosemscope: take that for questions, too.")
