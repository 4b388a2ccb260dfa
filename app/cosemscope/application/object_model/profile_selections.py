"""Selective access to the buffer of a Profile generic (class 7): by range, by entries, the last n.

The values go with attribute 2 in a GET; columns count from 1, 0 means to the last (IEC 62056-6-2).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from cosemscope.apdu.context import Reference
from cosemscope.application.encoding.data_values import (
    Data,
    array,
    date_time_octets,
    double_long_unsigned,
    integer,
    long_unsigned,
    octet_string,
    structure,
)
from cosemscope.application.encoding.service_parts import SelectiveAccess

BY_RANGE, BY_ENTRY = 1, 2
PROFILE_CLASS, BUFFER, CAPTURE_OBJECTS, CAPTURE_PERIOD, ENTRIES_IN_USE, PROFILE_ENTRIES = 7, 2, 3, 4, 7, 8
#: The clock, by which profiles are sorted unless they say otherwise.
CLOCK_TIME = Reference(8, bytes.fromhex("0000010000ff"), 2)


class CapturedAttribute(NamedTuple):
    """A column of a profile: an attribute, and which element of it (0: all)."""

    reference: Reference
    element: int = 0

    @property
    def data(self) -> Data:
        """The capture_object_definition."""
        class_id, instance, member, _ = self.reference
        name = octet_string(instance)
        return structure(long_unsigned(class_id), name, integer(member), long_unsigned(self.element))


def by_range(
    first: datetime | Data,
    last: datetime | Data,
    columns: Iterable[CapturedAttribute] = (),
    restricting: CapturedAttribute = CapturedAttribute(CLOCK_TIME),  # noqa: B008 -- a value, never changed
) -> SelectiveAccess:
    """The rows whose `restricting` value lies from `first` to `last`; all columns where none are named.

    A moment with a zone is sent with its deviation, one without as local time of the meter.
    """
    parts = (restricting.data, _bound(first), _bound(last), array(column.data for column in columns))
    return SelectiveAccess(BY_RANGE, structure(*parts))


def _bound(value: datetime | Data) -> Data:
    return value if isinstance(value, Data) else octet_string(date_time_octets(value))


def by_entries(first: int = 1, last: int = 0, first_column: int = 1, last_column: int = 0) -> SelectiveAccess:
    """The rows number `first` to `last`, the first is 1 and 0 is the last there is; columns likewise."""
    rows = double_long_unsigned(first), double_long_unsigned(last)
    columns = long_unsigned(first_column), long_unsigned(last_column)
    return SelectiveAccess(BY_ENTRY, structure(*rows, *columns))


def last_entries(count: int, in_use: int) -> SelectiveAccess:
    """The last `count` rows of a profile that has `in_use` (attribute 7), oldest first."""
    return by_entries(max(in_use - max(count, 1) + 1, 1), max(in_use, 1))
