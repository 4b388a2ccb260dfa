"""The table of objects: a row an attribute that the capture tells of, with its last value and its counts."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from cosemscope.analysis.export.tables.object_facts import COUNTS, attribute_facts, attribute_order
from cosemscope.analysis.export.tables.out_table import AT_ONCE, OutColumn, OutTable, Subject, chosen
from cosemscope.analysis.fields.value_arrays import Several, Values, object_array
from cosemscope.analysis.fields.value_types import Instant, Integer, Quantity, Term, Text
from cosemscope.analysis.objects.object_table import ObjectView

_NONE = Integer(none=-1)
_COLUMNS = (
    OutColumn("meter", Term(), "IP address of the meter"),
    OutColumn("logical_device", _NONE, "wPort of the logical device"),
    OutColumn("class_id", _NONE, "Number of the interface class"),
    OutColumn("class", Term(), "Name of the interface class"),
    OutColumn("obis", Term(), "Logical name"),
    OutColumn("name", Text(), "What the logical name stands for"),
    OutColumn("attribute", _NONE, "Number of the attribute"),
    OutColumn("attribute_name", Term(), "Name of the attribute"),
    OutColumn("value", Quantity(), "Its last value, with the scaler applied"),
    OutColumn("unit", Term(), "Unit of the value"),
    OutColumn("time", Instant(none=-1), "When the value was told"),
    OutColumn("number", _NONE, "Number of the WPDU that told it, from 1"),
    *(OutColumn(name, _NONE, f"How often: {name}") for name in COUNTS.values()),
    OutColumn("refused", _NONE, "How often it was refused"),
    OutColumn("refusal", Term(), "Why it was refused the last time"),
    OutColumn("clients", Term(), "IP addresses of the clients", several=True),
)


def object_table(subject: Subject, names: Sequence[str] | None, meter: str | None = None) -> OutTable:
    """A row an attribute of which WPDUs that are left tell, and what they tell; of one `meter` or of all.

    Raises ExportError for a name that no column has.
    """
    columns = chosen(_COLUMNS, names, "objects")
    view = ObjectView(subject.analysis, subject.associations.keys)
    view.complete(told=subject.told)
    if subject.rows is not None:
        view.leave(subject.rows)
    own = view.attributes
    places = [place for place in attribute_order(view) if meter in (None, own[place].device.meter)]

    def batches() -> Iterator[list[Values]]:
        for start in range(0, len(places), AT_ONCE):
            facts = [attribute_facts(view, place) for place in places[start : start + AT_ONCE]]
            yield [_values(column, [one[column.name] for one in facts]) for column in columns]

    return OutTable(tuple(columns), batches(), len(places))


def _values(column: OutColumn, told: list[Any]) -> Values:
    """What is told of attributes as the column's type has it."""
    if column.several:
        flat = object_array([value for values in told for value in values])
        return Several(np.cumsum([len(values) for values in told], dtype=np.int64), flat)
    if isinstance(column.type, Instant):
        return _numbers(told, lambda text: int(text.replace(".", "")))
    if isinstance(column.type, Integer):
        return _numbers(told, int)
    return object_array(told)


def _numbers(told: list[Any], number: Callable[[Any], int]) -> Values:
    return np.array([-1 if value is None else number(value) for value in told], np.int64)
