"""Exports: what of a capture goes out, in which formats, and the one way to write it.

    export(subject, Order("csv", "exchanges"), path, sources=(capture,))

`TABLES` and `FORMATS` are all there is: a new table or a new format is one row.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, NamedTuple

from cosemscope.analysis.export.formats.packet_file import write_packets
from cosemscope.analysis.export.formats.parquet_file import write_parquet
from cosemscope.analysis.export.formats.table_writers import (
    Writer,
    write_csv,
    write_json,
    write_json_lines,
    write_text,
)
from cosemscope.analysis.export.formats.tree_text import write_trees
from cosemscope.analysis.export.pages.capture_page import write_page
from cosemscope.analysis.export.tables.carrying_packets import packet_table
from cosemscope.analysis.export.tables.item_table import item_table
from cosemscope.analysis.export.tables.object_tables import object_table
from cosemscope.analysis.export.tables.out_table import OutTable, Subject
from cosemscope.analysis.export.tables.packet_choice import chosen_packets
from cosemscope.analysis.export.tables.procedure_rows import procedure_rows
from cosemscope.analysis.export.tables.row_tables import (
    ASSOCIATION_FIELDS,
    EXCHANGE_FIELDS,
    WPDU_FIELDS,
    association_table,
    exchange_table,
    fields_named,
    wpdu_table,
)
from cosemscope.analysis.export.whole_file import ExportError, WholeFile
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import RowField


@dataclass(frozen=True)
class Order:
    """An export as it is ordered: the format, what goes out, which columns (None: the usual ones).

    `handshakes`: with packets also those that open and end connections; `passwords` are shown in trees only
    where this says so; `remark` says in words what was chosen, `name` what it was chosen from.
    """

    form: str
    what: str = "wpdus"
    columns: tuple[str, ...] | None = None
    handshakes: bool = False
    passwords: bool = False
    name: str = ""
    remark: str = ""


class TableKind(NamedTuple):
    """A table by its name: what a row of it is, what makes it, and the fields that it has if none are named.

    `fields` are those of the registry; None: the table has columns of its own, which tell expert items too.
    """

    row: str
    make: Callable[[Subject, Sequence[str] | None], OutTable]
    fields: tuple[str, ...] | None


TABLES = {
    "wpdus": TableKind("a WPDU", wpdu_table, WPDU_FIELDS),
    "exchanges": TableKind("an exchange: request and answers", exchange_table, EXCHANGE_FIELDS),
    "associations": TableKind("an association, from AARQ to its end", association_table, ASSOCIATION_FIELDS),
    "procedures": TableKind("a procedure: exchanges that belong together", procedure_rows, None),
    "expert": TableKind("an item of what is wrong or remarkable", item_table, None),
    "objects": TableKind("an attribute of a meter's object", object_table, None),
    "packets": TableKind("a packet that carries WPDUs (without a filter any packet)", packet_table, None),
}


class FormatKind(NamedTuple):
    """A format: what it is for people, the end of its files' names, what writes it, and what that needs.

    `table` writes any table; `capture` writes what is no table, which it is where the order is `of` these,
    and returns what is to be told.
    """

    meaning: str
    suffix: str
    table: Writer | None = None
    capture: Callable[[Subject, Order, IO[bytes]], str] | None = None
    of: tuple[str, ...] = ()
    is_text: bool = True
    needs: str = ""

    def takes(self, what: str) -> bool:
        """Whether this can be written of it."""
        return self.table is not None or what in self.of


def _packets(subject: Subject, order: Order, file: IO[bytes]) -> str:
    packets = chosen_packets(subject, handshakes=order.handshakes)
    remark = "; ".join(filter(None, (order.name and f"from {order.name}", order.remark)))
    lost = write_packets(subject.analysis, packets, file, remark and f"Exported {remark}", subject.told)
    return f"{lost} packets are not in the file: their octets cannot be read any more" if lost else ""


def _trees(subject: Subject, order: Order, file: IO[bytes]) -> str:
    write_trees(subject, file, passwords=order.passwords)
    return ""


def _page(subject: Subject, order: Order, file: IO[bytes]) -> str:
    write_page(subject, order.name, order.remark, file)
    return ""


FORMATS = {
    "csv": FormatKind("CSV for spreadsheets", ".csv", write_csv),
    "json": FormatKind("one JSON array of objects", ".json", write_json),
    "jsonl": FormatKind("JSON, an object a line", ".jsonl", write_json_lines),
    "parquet": FormatKind(
        "Parquet, with the extra fleet", ".parquet", write_parquet, is_text=False, needs="pyarrow"
    ),
    "pcapng": FormatKind(
        "the packets, for Wireshark", ".pcapng", None, _packets, ("wpdus", "packets"), False
    ),
    "html": FormatKind("a report as one page", ".html", None, _page, ("wpdus",)),
    "text": FormatKind("trees as show prints them, or columns", ".txt", write_text, _trees, ("wpdus",)),
}


def asked_fields(order: Order) -> list[RowField]:
    """The fields of the registry that an export asks, for the pass that they need. Raises ExportError.

    Where what is asked has no field, it is one that needs the same pass.
    """
    kind = TABLES[order.what]
    if order.what in FORMATS[order.form].of:
        return [FIELDS["expert.item" if order.form == "html" else "exchange"]]
    if kind.fields is None:
        return [FIELDS["expert.item" if order.what == "expert" else "exchange"]]
    return [*fields_named(kind.fields if order.columns is None else order.columns), FIELDS["exchange"]]


def check(order: Order) -> None:
    """Raises ExportError for what cannot be written so."""
    form = FORMATS[order.form]
    if not form.takes(order.what):
        raise ExportError(f"{order.form} is written of {' and '.join(form.of)}, and not of {order.what}.")
    if order.columns is not None and order.what in form.of:
        raise ExportError(f"{order.form} of {order.what} has no columns to choose.")
    if form.needs and find_spec(form.needs) is None:
        raise ExportError(
            f"{order.form} is written with {form.needs}, which is not installed: it comes with Cosemscope's "
            "optional extra “fleet”; CSV and JSON need nothing."
        )
    if order.handshakes and order.form != "pcapng":
        raise ExportError(f"{order.form} has no handshakes: these are packets of pcapng.")
    if order.passwords and (order.form, order.what) != ("text", "wpdus"):
        raise ExportError(
            f"{order.form} of {order.what} has no passwords to show: trees have, as text of wpdus."
        )


def export(subject: Subject, order: Order, path: str | Path, sources: Iterable[str | Path] = ()) -> str:
    """Write an export to the file at `path`, whole or not at all; what is to be told of it.

    Raises ExportError, and CaptureError when the capture's octets cannot be read any more.
    """
    with WholeFile(path, sources) as file:
        return write(subject, order, file)


def write(subject: Subject, order: Order, file: IO[bytes]) -> str:
    """The same into a file that is open."""
    form = FORMATS[order.form]
    if form.capture is not None and order.what in form.of:
        return form.capture(subject, order, file)
    assert form.table is not None
    form.table(TABLES[order.what].make(subject, order.columns), file)
    return ""
