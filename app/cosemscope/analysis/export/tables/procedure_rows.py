"""The table of procedures: what several exchanges did together, how far each came, and what it came to."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from cosemscope.analysis.bulk import complete
from cosemscope.analysis.export.tables.out_table import AT_ONCE, OutColumn, OutTable, Subject, chosen
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.value_arrays import Several, Values, object_array
from cosemscope.analysis.fields.value_types import Integer, Term, Text, ValueType
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.analysis.procedures.procedure import Procedure
from cosemscope.analysis.procedures.procedure_table import find_procedures
from cosemscope.analysis.procedures.procedure_times import procedure_times


class ProcedureDetails(ValueType):
    """Names with values, of any kind: for people in words, for scripts an object."""

    word = "details"

    def text(self, value: Mapping[str, Any]) -> str:
        """The names and values one behind another."""
        return "; ".join(f"{name.replace('_', ' ')}: {one}" for name, one in value.items())

    def json(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """The object."""
        return dict(value)


class _Batch(NamedTuple):
    """Procedures, their numbers from 1, and the WPDUs with which they began."""

    subject: Subject
    numbers: list[int]
    procedures: list[Procedure]
    asked: AskedRows


def procedure_rows(
    subject: Subject, names: Sequence[str] | None, heads: Mapping[str, str] | None = None
) -> OutTable:
    """A row a procedure of which a WPDU is left; `heads` are other names of columns, by those.

    Raises ExportError for a name that no column has.
    """
    columns = chosen(list(_COLUMNS), names, "procedures")
    complete(subject.associations, told=subject.told)
    facts = capture_facts(subject.analysis)
    found = list(enumerate(find_procedures(subject.associations), 1))
    if subject.rows is not None:
        left = frozenset(facts.exchanges_of(subject.rows).tolist())
        found = [(number, one) for number, one in found if not left.isdisjoint(one.exchanges)]

    def batches() -> Iterator[list[Values]]:
        for start in range(0, len(found), AT_ONCE):
            numbers, procedures = map(list, zip(*found[start : start + AT_ONCE], strict=True))
            firsts = np.array([one.exchanges[0] for one in procedures], np.int64)
            asked = AskedRows(subject.analysis, facts.table.first_rows()[firsts])
            batch = _Batch(subject, numbers, procedures, asked)
            yield [_COLUMNS[column](batch) for column in columns]

    renamed = [column._replace(name=(heads or {}).get(column.name, column.name)) for column in columns]
    return OutTable(tuple(renamed), batches(), len(found))


def _each(tell: Callable[[Procedure], Any]) -> Callable[[_Batch], Values]:
    return lambda batch: object_array([tell(one) for one in batch.procedures])


def _number(tell: Callable[[Procedure], int | None]) -> Callable[[_Batch], Values]:
    def numbers(batch: _Batch) -> Values:
        told = map(tell, batch.procedures)
        return np.array([-1 if number is None else number for number in told], np.int64)

    return numbers


def _of_first(name: str) -> Callable[[_Batch], Values]:
    """A field of the WPDU with which a procedure began."""
    return lambda batch: FIELDS[name].values(batch.asked)


def _duration(batch: _Batch) -> Values:
    table = capture_facts(batch.subject.analysis).table
    duration: Values = procedure_times(table, batch.procedures).duration
    return duration


def _exchanges(batch: _Batch) -> Values:
    numbers = [exchange + 1 for one in batch.procedures for exchange in one.exchanges]
    counts = [len(one.exchanges) for one in batch.procedures]
    return Several(np.cumsum(counts, dtype=np.int64), np.array(numbers, np.int64))


_NONE = Integer(none=-1)


def _column(name: str, field: str, meaning: str) -> OutColumn:
    return OutColumn(name, FIELDS[field].type, meaning)


#: Columns and their values; the keys of `procedures --json` are these.
_COLUMNS: dict[OutColumn, Callable[[_Batch], Values]] = {
    OutColumn("number", Integer(), "Number of the procedure, from 1"): lambda batch: np.array(batch.numbers),
    OutColumn("kind", Term(), "What it is"): _each(lambda one: one.kind.value),
    OutColumn("verdict", Term(), "What it came to"): _each(lambda one: one.verdict.value),
    OutColumn("text", Text(), "What is to be said of it"): _each(lambda one: one.text),
    OutColumn("done", _NONE, "How far it came"): _number(lambda one: one.done),
    OutColumn("total", _NONE, "How far it was to go"): _number(lambda one: one.total),
    OutColumn("obis", Term(), "Logical name of its object"): _each(lambda one: one.obis or None),
    _column("stream", "stream", "Number of its stream, from 0"): _of_first("stream"),
    _column("client", "client", "IP address and port of the client"): _of_first("client"),
    _column("server", "server", "IP address and port of the server"): _of_first("server"),
    _column("association", "association", "Number of its association"): _of_first("association"),
    _column("time", "exchange.time", "When it began"): _of_first("exchange.time"),
    _column("duration", "exchange.total_time", "How long it took"): _duration,
    _column("wpdu", "wpdu.number", "Number of the WPDU with which it began"): _of_first("wpdu.number"),
    OutColumn("exchanges", Integer(), "Numbers of its exchanges", several=True): _exchanges,
    OutColumn("details", ProcedureDetails(), "What is told of its kind alone"): _each(
        lambda one: dict(one.details)
    ),
}
