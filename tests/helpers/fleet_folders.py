"""Folders with a fleet's tables, for tests: the rows of a table, and what lies in a folder."""

from pathlib import Path
from typing import Any

from cosemscope.analysis.fleet.fleet_folder import FleetFolder


def rows_of(folder: Path, table: str) -> list[dict[str, Any]]:
    """The rows of a table, of captures that are there whole."""
    import pyarrow.parquet

    return [
        row
        for file in FleetFolder(folder).whole_files(table)
        for row in pyarrow.parquet.ParquetFile(file).read().to_pylist()
    ]


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file in a folder: when it was written, and its octets."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
