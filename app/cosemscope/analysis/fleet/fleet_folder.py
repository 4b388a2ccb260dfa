"""The folder of a fleet's tables: `exchanges/day=2026-11-30/KEY.parquet`, and so on for each table.

A capture's files are written beside first, then renamed into their places, that of the table of captures as
the last. So a capture whose row is there is there whole, and what an interrupted run leaves is no row.
"""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cosemscope.analysis.fleet.rows.fleet_columns import FleetTable
from cosemscope.analysis.fleet.rows.fleet_tables import TABLES

#: Rows of a group: DuckDB's threads take one each.
_GROUP = 122_880
_DAY = 86_400_000_000_000
_MARKS = "captures"


class FleetError(Exception):
    """Why a fleet's folder cannot be written or read; the message is a sentence for people."""


class KnownCapture(NamedTuple):
    """A capture that the folder has: its key, and the digests and sizes of its files."""

    key: str
    digests: tuple[str, ...]
    sizes: tuple[int, ...]


class FleetFolder:
    """A folder with the tables of captures."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        """See that the folder is there and can be written. Raises FleetError."""
        try:
            (self.path / _MARKS).mkdir(parents=True, exist_ok=True)
            probe = self.path / f".probe-{id(self)}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise FleetError(f"{self.path} cannot be written: {error.strerror or error}.") from error

    def keys(self) -> set[str]:
        """The keys of the captures that are there whole."""
        return {path.stem for path in self.files(_MARKS)}

    def files(self, table: str) -> Iterator[Path]:
        """The files of a table, also those of captures that are not there whole."""
        return (self.path / table).glob("day=*/*.parquet")

    def whole_files(self, table: str) -> list[Path]:
        """The files of a table of the captures that are there whole, in order."""
        keys = self.keys()
        return sorted(path for path in self.files(table) if path.stem in keys)

    def known(self) -> list[KnownCapture]:
        """What the folder knows of the files of its captures. Raises FleetError."""
        import pyarrow.parquet

        found = []
        for path in self.files(_MARKS):
            try:
                (row,) = pyarrow.parquet.ParquetFile(path).read(["hashes", "sizes"]).to_pylist()
            except (OSError, ValueError) as error:
                raise FleetError(
                    f"{path} cannot be read: {_first_line(error)} Remove it, and take its capture in again."
                ) from error
            found.append(KnownCapture(path.stem, tuple(row["hashes"]), tuple(map(int, row["sizes"]))))
        return found

    def remove(self, keys: Iterable[str]) -> None:
        """Remove captures, their marks first. Raises FleetError."""
        wanted = set(keys)
        try:
            for table in (_MARKS, *(name for name in TABLES if name != _MARKS)):
                for path in list(self.files(table)) if wanted else ():
                    if path.stem in wanted:
                        path.unlink(missing_ok=True)
        except OSError as error:
            raise FleetError(f"{self.path} cannot be written: {error.strerror or error}.") from error

    def clear(self, key: str) -> None:
        """Remove what a run that was interrupted has written beside of a capture."""
        shutil.rmtree(_beside(self.path, key), ignore_errors=True)

    def writing(self, key: str) -> "CaptureWriting":
        """Write the tables of a capture: a context manager, at whose end they are there, or none is."""
        return CaptureWriting(self.path, key)


class CaptureWriting:
    """Writes the tables of one capture; raises FleetError where that cannot be done."""

    def __init__(self, path: Path, key: str) -> None:
        self._path, self._key = path, key
        self._beside = _beside(path, key)
        self._written: list[Path] = []

    def __enter__(self) -> "CaptureWriting":
        # What an interrupted run of the same capture has left goes.
        shutil.rmtree(self._beside, ignore_errors=True)
        return self

    def add(self, table: FleetTable[Any], rows: Any) -> int:
        """Write a table's rows by their days; their number. The table of captures comes as the last."""
        whole = table.arrow(rows)
        days = np.asarray(table.times(rows), np.int64) // _DAY
        try:
            for day in np.unique(days).tolist():
                which = np.flatnonzero(days == day)
                part = whole if len(which) == len(days) else whole.take(which)
                self._write(table, part, str(np.datetime64(day, "D")))
        except OSError as error:
            raise self._error(error) from error
        return len(days)

    def _write(self, table: FleetTable[Any], part: Any, day: str) -> None:
        place = Path(table.name) / f"day={day}" / f"{self._key}.parquet"
        write_part(table, part, self._beside / place)
        self._written.append(place)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if error is None:
                self._publish()
        except OSError as problem:
            raise self._error(problem) from problem
        finally:
            shutil.rmtree(self._beside, ignore_errors=True)

    def _publish(self) -> None:
        for place in self._written:
            (self._path / place).parent.mkdir(parents=True, exist_ok=True)
            (self._beside / place).replace(self._path / place)

    def _error(self, error: OSError) -> FleetError:
        return FleetError(f"{self._path} cannot be written: {error.strerror or error}.")


def write_part(table: FleetTable[Any], part: Any, target: Path) -> None:
    """Write rows of a table, an Arrow table, as the file `target`; its folder is made. Raises OSError."""
    import pyarrow.parquet

    target.parent.mkdir(parents=True, exist_ok=True)
    dictionaries, encodings = table.encodings()
    pyarrow.parquet.write_table(
        part,
        target,
        row_group_size=_GROUP,
        compression="zstd",
        use_dictionary=dictionaries,
        column_encoding=encodings,
    )


def _beside(path: Path, key: str) -> Path:
    """The folder in which the files of a capture are written until they are whole."""
    return path / f".{key}.part"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["it is damaged"])[0].rstrip(".") + "."
