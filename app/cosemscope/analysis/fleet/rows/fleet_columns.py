"""A column of a fleet's tables: its name, its form in the file, its meaning, and what makes its values.

Those that the registry of fields has are named after their field, and have its meaning.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.value_arrays import Values
from cosemscope.analysis.fields.value_types import ValueType
from cosemscope.analysis.fleet.rows.arrow_columns import ColumnForm, arrow_array, arrow_type

#: Raised where a file of before cannot be read as one of now: a column goes or means something else.
SCHEMA_VERSION = 1

Rows = TypeVar("Rows", contravariant=True)


@dataclass(frozen=True)
class FleetColumn(Generic[Rows]):
    """A column; `values(rows)` has an entry a row. `field`: its name in the registry, or ""."""

    name: str
    form: ColumnForm
    type: ValueType
    meaning: str
    values: Callable[[Rows], Values]
    field: str = ""

    def described(self) -> dict[str, str]:
        """What stands beside the column in the file's metadata."""
        unit = {"unit": "us"} if self.form is ColumnForm.MICROSECONDS else {}
        return {"meaning": self.meaning, **({"field": self.field} if self.field else {}), **unit}


@dataclass(frozen=True)
class FleetTable(Generic[Rows]):
    """A table of a fleet: its name, what a row of it is, its columns, and the time of each row by its day.

    `rows(taken)` are those of a capture that was taken in; `times(rows)`: ns since the epoch, int64[n].
    """

    name: str
    row: str
    columns: tuple[FleetColumn[Rows], ...]
    times: Callable[[Rows], npt.NDArray[np.int64]]

    def schema(self) -> Any:
        """The Arrow schema of its files, with what every column means. Raises ImportError."""
        import pyarrow

        fields = [
            pyarrow.field(column.name, arrow_type(column.form), metadata=column.described())
            for column in self.columns
        ]
        return pyarrow.schema(
            fields,
            {
                "cosemscope.table": self.name,
                "cosemscope.row": self.row,
                "cosemscope.schema": str(SCHEMA_VERSION),
            },
        )

    def arrow(self, rows: Rows) -> Any:
        """All rows as an Arrow table. Raises ImportError, and CaptureError when octets cannot be read."""
        import pyarrow

        arrays = [arrow_array(column.form, column.type, column.values(rows)) for column in self.columns]
        return pyarrow.Table.from_arrays(arrays, schema=self.schema())

    def encodings(self) -> tuple[list[str], dict[str, str]]:
        """The columns with dictionaries, and the encodings of the others, by their paths in Parquet files."""
        dictionaries = [
            f"{column.name}.list.element" if column.form is ColumnForm.TEXTS else column.name
            for column in self.columns
            if not column.form.encoding
        ]
        return dictionaries, {
            column.name: column.form.encoding for column in self.columns if column.form.encoding
        }


def of_field(name: str, form: ColumnForm, field: str) -> FleetColumn[AskedRows]:
    """A column of WPDU rows that the registry has as `field`."""
    own = FIELDS[field]
    return FleetColumn(name, form, own.type, own.meaning, own.values, field)


def meant_as(field: str) -> str:
    """The meaning of a field of the registry, for a column whose rows are no WPDUs."""
    return FIELDS[field].meaning
