"""Data as values: a type of IEC 62056-5-3 and what it holds, made by a function named like the type.

    structure(octet_string(b"\1\0\1\10\0\xff"), long_unsigned(230), enum(35))

A `Data` never changes, and two are equal when type and value are. `plain` gives Python's own values.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from cosemscope.apdu.data.types import TYPES


class Data(NamedTuple):
    """A value with its type: `tag` as the standard numbers it, `value` as Python has it.

    Numbers are int or float; boolean bool; strings of bits a str of 0 and 1; octet-string, date-time, date
    and time bytes; visible- and utf8-string str; array and structure a tuple of Data; compact-array a
    `CompactArray`; null-data and dont-care None.
    """

    tag: int
    value: Any = None

    @property
    def type_name(self) -> str:
        """The name of the type: "long-unsigned"."""
        return TYPES[self.tag]

    @property
    def plain(self) -> Any:
        """The value without types: arrays, structures and compact arrays are tuples of plain values."""
        value = self.value
        if isinstance(value, CompactArray):
            return tuple(element.plain for element in value.elements)
        if self.tag in (1, 2):
            return tuple(element.plain for element in value)
        return value


class TypeDescription(NamedTuple):
    """The type of the elements of a compact array.

    Of an array (tag 1) `size` is its number of elements and `inner` their one type; of a structure (tag 2)
    `inner` are the types of its elements, and `size` is not used.
    """

    tag: int
    size: int = 0
    inner: tuple["TypeDescription", ...] = ()


class CompactArray(NamedTuple):
    """Elements of one type, which is described once: each is a Data of just that type."""

    description: TypeDescription
    elements: tuple[Data, ...] = ()


NULL_DATA = Data(0)
DONT_CARE_DATA = Data(255)


def array(elements: Iterable[Data]) -> Data:
    """array: elements of one type."""
    return Data(1, tuple(elements))


def structure(*elements: Data) -> Data:
    """structure: its elements, in order."""
    return Data(2, elements)


def boolean(value: bool) -> Data:
    """boolean."""
    return Data(3, value)


def bit_string(bits: str) -> Data:
    """bit-string: `bits` are 0 and 1, bit 0 first."""
    return Data(4, bits)


def double_long(value: int) -> Data:
    """double-long: 32 bits, signed."""
    return Data(5, value)


def double_long_unsigned(value: int) -> Data:
    """double-long-unsigned: 32 bits."""
    return Data(6, value)


def octet_string(octets: bytes) -> Data:
    """octet-string."""
    return Data(9, octets)


def visible_string(text: str) -> Data:
    """visible-string: characters of one octet each."""
    return Data(10, text)


def utf8_string(text: str) -> Data:
    """utf8-string."""
    return Data(12, text)


def bcd(value: int) -> Data:
    """bcd: one octet, two digits."""
    return Data(13, value)


def integer(value: int) -> Data:
    """integer: 8 bits, signed."""
    return Data(15, value)


def long(value: int) -> Data:
    """long: 16 bits, signed."""
    return Data(16, value)


def unsigned(value: int) -> Data:
    """unsigned: 8 bits."""
    return Data(17, value)


def long_unsigned(value: int) -> Data:
    """long-unsigned: 16 bits."""
    return Data(18, value)


def compact_array(description: TypeDescription, elements: Iterable[Data]) -> Data:
    """compact-array: the type of the elements, and elements of that type."""
    return Data(19, CompactArray(description, tuple(elements)))


def long64(value: int) -> Data:
    """long64: 64 bits, signed."""
    return Data(20, value)


def long64_unsigned(value: int) -> Data:
    """long64-unsigned: 64 bits."""
    return Data(21, value)


def enum(value: int) -> Data:
    """enum: one octet."""
    return Data(22, value)


def float32(value: float) -> Data:
    """float32 (IEEE 754)."""
    return Data(23, value)


def float64(value: float) -> Data:
    """float64 (IEEE 754)."""
    return Data(24, value)


def date_time(octets: bytes) -> Data:
    """date-time: twelve octets (`date_time_octets` makes them)."""
    return Data(25, octets)


def date(octets: bytes) -> Data:
    """date: five octets, year to day of the week."""
    return Data(26, octets)


def time(octets: bytes) -> Data:
    """time: four octets, hour to hundredths."""
    return Data(27, octets)


def date_time_octets(moment: datetime, status: int | None = None) -> bytes:
    """The twelve octets of a moment (IEC 62056-6-2, date and time formats).

    With a zone the deviation is given, and the clock status says whether daylight saving is in force; without
    a zone both are "not specified". `status` is put in the place of that clock status.
    """
    offset, saving = moment.utcoffset(), moment.dst()
    deviation = -0x8000 if offset is None else -(int(offset.total_seconds()) // 60)
    told = 0xFF if offset is None else 0x80 if saving else 0
    day = (moment.month, moment.day, moment.isoweekday())
    clock = (moment.hour, moment.minute, moment.second, moment.microsecond // 10_000)
    tail = deviation.to_bytes(2, "big", signed=True) + bytes((told if status is None else status,))
    return moment.year.to_bytes(2, "big") + bytes((*day, *clock)) + tail
