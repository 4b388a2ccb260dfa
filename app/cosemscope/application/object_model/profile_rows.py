"""A profile's buffer and capture objects, as they were read, to columns and rows.

A null-data in a row stands for what the row before says; in the clock's column, for the time one capture
period later (IEC 62056-6-2, Profile generic). A buffer may be an array of structures or a compact array.
"""

from datetime import timedelta
from typing import Any, NamedTuple

from cosemscope.apdu.context import Reference
from cosemscope.apdu.data.dates import moment
from cosemscope.application.encoding.data_values import Data, date_time_octets
from cosemscope.application.object_model.profile_selections import CLOCK_TIME, CapturedAttribute

_OCTET_STRING, _DATE_TIME = 9, 25


class ProfileRows(NamedTuple):
    """Rows of a buffer, each a value a column; `problems` are sentences on rows that do not fit."""

    columns: tuple[CapturedAttribute, ...]
    rows: tuple[tuple[Data, ...], ...]
    problems: tuple[str, ...] = ()


def capture_objects(value: Data) -> tuple[CapturedAttribute, ...]:
    """The columns out of attribute 3; what is no capture_object_definition becomes a column of class 0."""
    listed = value.plain if isinstance(value.plain, tuple) else ()
    return tuple(_column(entry) for entry in listed)


def _column(entry: Any) -> CapturedAttribute:
    match entry:
        case (int(class_id), bytes(instance), int(member), int(element), *_):
            return CapturedAttribute(Reference(class_id, instance, member), element)
        case (int(class_id), bytes(instance), int(member)):
            return CapturedAttribute(Reference(class_id, instance, member))
    return CapturedAttribute(Reference(0, b"", 0))


def profile_rows(buffer: Data, columns: tuple[CapturedAttribute, ...], period: int = 0) -> ProfileRows:
    """The rows of a buffer with these columns, null-data resolved; `period` is the capture period in seconds.

    A row of another number of values than there are columns is left out and named.
    """
    rows: list[tuple[Data, ...]] = []
    problems: list[str] = []
    before: tuple[Data, ...] | None = None
    elements = _elements(buffer)
    if elements is None:
        return ProfileRows(columns, (), (f"the buffer is no array: {buffer.type_name} stands there",))
    for number, element in enumerate(elements, 1):
        values = _elements(element)
        if values is None or len(values) != len(columns):
            found = element.type_name if values is None else f"{len(values)} values"
            problems.append(f"row {number} is left out: expected {len(columns)} values, found {found}")
            continue
        before = tuple(
            _resolved(column, value, before[index] if before is not None else None, period)
            for index, (column, value) in enumerate(zip(columns, values, strict=True))
        )
        rows.append(before)
    return ProfileRows(columns, tuple(rows), tuple(problems))


def _elements(data: Data) -> tuple[Data, ...] | None:
    """The elements of an array, a structure or a compact array; None of anything else."""
    if data.tag in (1, 2):
        found: tuple[Data, ...] = data.value
        return found
    if data.tag == 19:
        inside: tuple[Data, ...] = data.value.elements
        return inside
    return None


def _resolved(column: CapturedAttribute, value: Data, before: Data | None, period: int) -> Data:
    if value.tag != 0 or before is None:
        return value
    is_clock = (column.reference.class_id, column.reference.member) == (
        CLOCK_TIME.class_id,
        CLOCK_TIME.member,
    )
    if not is_clock or not period or before.tag not in (_OCTET_STRING, _DATE_TIME):
        return before
    last = moment(before.value)
    if last is None:
        return before
    return Data(before.tag, date_time_octets(last + timedelta(seconds=period), status=before.value[11]))
