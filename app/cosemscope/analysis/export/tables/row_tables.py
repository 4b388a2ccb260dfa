"""The tables of WPDUs and of exchanges: any fields of the registry, of rows that are left."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.insights import Insights
from cosemscope.analysis.counting.field_codes import FieldCodes, kept_parts
from cosemscope.analysis.exchanges.exchange_table import Exchanges
from cosemscope.analysis.export.tables.out_table import AT_ONCE, OutColumn, OutTable, Subject
from cosemscope.analysis.export.whole_file import ExportError
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import Cost, RowField, UnknownFieldError
from cosemscope.analysis.fields.value_arrays import Values
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.apdu.names import tags as t

Numbers = npt.NDArray[np.int64]

#: The fields of WPDUs where none are named.
WPDU_FIELDS = (
    *("wpdu.number", "wpdu.time", "source", "destination", "protocol", "stream", "wport.src", "wport.dst"),
    *("wpdu.length", "apdu", "service", "invoke_id", "class", "obis", "attribute", "result"),
    *("exchange", "response_time", "security", "info"),
)
#: The same of exchanges.
EXCHANGE_FIELDS = (
    *("exchange", "exchange.time", "stream", "client", "server", "wport.client", "wport.server"),
    *("exchange.service", "exchange.class", "exchange.obis", "exchange.attribute", "exchange.invoke_id"),
    *("exchange.status", "exchange.result", "exchange.request", "exchange.responses", "exchange.blocks"),
    *("exchange.request_octets", "exchange.response_octets", "exchange.request_transfer"),
    *("exchange.response_time", "exchange.response_transfer", "exchange.total_time"),
    *("exchange.own_time", "exchange.own_time_at_least", "exchange.retransmissions", "security"),
    *("value", "unit"),
)
#: The same of associations.
ASSOCIATION_FIELDS = (
    *("association", "association.time", "stream", "client", "server", "wport.client", "wport.server"),
    *(name for name in sorted(FIELDS) if name.startswith("association.") and name != "association.time"),
)
#: Fields of an exchange that the WPDU with the value has, and not that with which it began.
OF_VALUES = frozenset(("value", "value.text", "unit"))


def fields_named(names: Sequence[str]) -> list[RowField]:
    """The fields of these names. Raises ExportError."""
    try:
        return [FIELDS.named(name) for name in names]
    except UnknownFieldError as error:
        raise ExportError(f"{error}.") from None


def columns_of(fields: Sequence[RowField]) -> tuple[OutColumn, ...]:
    """Fields as columns."""
    return tuple(OutColumn(field.name, field.type, field.meaning, field.several) for field in fields)


def wpdu_table(subject: Subject, names: Sequence[str] | None) -> OutTable:
    """A row a WPDU, with these fields. Raises ExportError for a name that no field has."""
    fields = fields_named(WPDU_FIELDS if names is None else names)

    def batches() -> Iterator[list[Values]]:
        for asked in asked_in_order(subject, subject.wpdus, subject.told):
            yield [field.values(asked) for field in fields]

    return OutTable(columns_of(fields), batches(), len(subject.wpdus))


def asked_in_order(subject: Subject, rows: Numbers, told: Callable[[int, int], None]) -> Iterator[AskedRows]:
    """These rows, int64[n] ascending, a batch at a time, with somebody who looks at them in their order."""
    insights = Insights(subject.analysis, beside=subject.associations)
    for start in range(0, len(rows), AT_ONCE):
        yield AskedRows(subject.analysis, rows[start : start + AT_ONCE], insights)
        told(min(start + AT_ONCE, len(rows)), len(rows))


def exchange_table(subject: Subject, names: Sequence[str] | None) -> OutTable:
    """A row an exchange of which a WPDU is left, with these fields of the WPDU with which it began.

    The value is that which the exchange told. Raises ExportError for a name that no field has.
    """
    fields = fields_named(EXCHANGE_FIELDS if names is None else names)
    return exchanges_with(subject, {field.name: field for field in fields}, exchanges_left(subject))


def exchanges_with(subject: Subject, fields: Mapping[str, RowField], exchanges: Numbers) -> OutTable:
    """A row each of these exchanges, int64[n], whose columns have names of their own."""
    table = capture_facts(subject.analysis).table
    told = value_rows(table, exchanges, subject.analysis.refused)
    return _of_rows(subject, fields, table.first_rows()[exchanges], told)


def association_table(subject: Subject, names: Sequence[str] | None) -> OutTable:
    """A row an association of which a WPDU is left, with these fields of the WPDU with which it began.

    Raises ExportError for a name that no field has.
    """
    fields = fields_named(ASSOCIATION_FIELDS if names is None else names)
    return associations_with(subject, {field.name: field for field in fields})


def associations_with(subject: Subject, fields: Mapping[str, RowField]) -> OutTable:
    """A row each association of which a WPDU is left, whose columns have names of their own."""
    facts = capture_facts(subject.analysis)
    rows = facts.table.first_rows()[facts.associations.first]
    if subject.rows is not None:
        of = facts.associations.of[exchanges_left(subject)]
        rows = rows[np.unique(of[of >= 0])]
    return _of_rows(subject, fields, rows, rows)


def _of_rows(subject: Subject, fields: Mapping[str, RowField], rows: Numbers, told: Numbers) -> OutTable:
    """A table of fields of these WPDU rows; those of values are asked of the rows that `told` has instead."""
    columns = tuple(
        OutColumn(name, field.type, field.meaning, field.several) for name, field in fields.items()
    )
    return OutTable(columns, _values_of(subject, list(fields.values()), (rows, told)), len(rows))


def _values_of(
    subject: Subject, fields: Sequence[RowField], own: tuple[Numbers, Numbers]
) -> Iterator[list[Values]]:
    """The values of fields, a batch of rows at a time.

    What costs a tree is asked of all rows in their order first, since looks in another order cost far more.
    """
    if not len(own[0]):
        return
    known: dict[int, tuple[Numbers, FieldCodes]] = {}
    for of_values, rows in enumerate(own):
        mine = [
            place
            for place, field in enumerate(fields)
            if field.cost is Cost.TREE and (field.name in OF_VALUES) == bool(of_values)
        ]
        if mine:
            once = np.unique(rows)
            asked = asked_in_order(subject, once, subject.told)
            codes = _kept_together([fields[place] for place in mine], asked)
            known |= {place: (once, code) for place, code in zip(mine, codes, strict=True)}
    for start in range(0, len(own[0]), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        asked_rows = AskedRows(subject.analysis, own[0][part])
        values: list[Values] = []
        for place, field in enumerate(fields):
            if place in known:
                once, code = known[place]
                at: Numbers = np.searchsorted(once, own[field.name in OF_VALUES][part])
                values.append(code.as_values(field.type, at))
            else:
                values.append(field.values(asked_rows))
        yield values


def value_rows(exchanges: Exchanges, wanted: Numbers, refused: Container[int]) -> Numbers:
    """The WPDU row that tells the value of each of these, int64[n]: the last answer, with SET the request.

    An answer that refuses an item of a list, which `refused` has, tells none of that item.
    """
    answer, request = (exchanges[name][wanted] for name in ("last_response", "whole_request"))
    sets = np.flatnonzero(np.isin(exchanges["service"][wanted], _SETS))
    told = answer.copy()
    told[sets] = [one if one in refused else -1 for one in answer[sets].tolist()]
    rows: Numbers = np.where(told >= 0, told, np.where(request >= 0, request, answer))
    return rows


_SETS = (t.SET_REQUEST,)


def exchanges_left(subject: Subject) -> Numbers:
    """The exchanges of which a WPDU is left, int64[n] ascending."""
    facts = capture_facts(subject.analysis)
    return np.arange(facts.count) if subject.rows is None else facts.exchanges_of(subject.rows)


def _kept_together(fields: Sequence[RowField], parts: Iterator[AskedRows]) -> list[FieldCodes]:
    """The values of several fields of rows that come in parts, each part being looked at once."""
    collected: list[list[Values]] = [[] for _ in fields]
    for asked in parts:
        for place, field in enumerate(fields):
            collected[place].append(field.values(asked))
    return [kept_parts(own) for own in collected]
