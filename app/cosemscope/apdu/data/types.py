"""The types of Data by tag (IEC 62056-5-3, Data): names, sizes, how octets of a fixed size become a value.

Values with their types (`data_reader`) and compact arrays (`compact`) read from the same tables.
"""

import math
import struct
from collections.abc import Callable
from typing import Any

from cosemscope.apdu.data.dates import DATE, DATE_TIME, TIME

CLAUSE = "IEC 62056-5-3, abstract syntax of Data"

#: Tag -> name, of every type that the standard defines.
TYPES = {
    0: "null-data",
    1: "array",
    2: "structure",
    3: "boolean",
    4: "bit-string",
    5: "double-long",
    6: "double-long-unsigned",
    9: "octet-string",
    10: "visible-string",
    12: "utf8-string",
    13: "bcd",
    15: "integer",
    16: "long",
    17: "unsigned",
    18: "long-unsigned",
    19: "compact-array",
    20: "long64",
    21: "long64-unsigned",
    22: "enum",
    23: "float32",
    24: "float64",
    25: "date-time",
    26: "date",
    27: "time",
    28: "delta-integer",
    29: "delta-long",
    30: "delta-double-long",
    31: "delta-unsigned",
    32: "delta-long-unsigned",
    33: "delta-double-long-unsigned",
    255: "dont-care",
}
NULL, ARRAY, STRUCTURE, BIT_STRING, OCTET_STRING = 0, 1, 2, 4, 9
VISIBLE_STRING, UTF8_STRING, INTEGER, COMPACT_ARRAY, ENUM, FLOAT32, DONT_CARE = 10, 12, 15, 19, 22, 23, 255
#: Numbers, which may have a scaler and a unit.
NUMBERS = frozenset({5, 6, 15, 16, 17, 18, 20, 21, 23, 24})

#: Tag -> form, of the types that are a date or a time; and the form of octets, by their number.
FORMS = {25: DATE_TIME, 26: DATE, 27: TIME}
FORMS_BY_SIZE = {form.size: form for form in FORMS.values()}


# Types of a fixed size.

#: Makes value and text of the octets of a type.
_Converter = Callable[[bytes], tuple[Any, str]]


def _plain(layout: str) -> _Converter:
    unpack = struct.Struct(layout).unpack

    def convert(octets: bytes) -> tuple[Any, str]:
        value = unpack(octets)[0]
        return value, str(value)

    return convert


def _boolean(octets: bytes) -> tuple[Any, str]:
    return (True, "true") if octets[0] else (False, "false")


def _bcd(octets: bytes) -> tuple[Any, str]:
    return octets[0], octets.hex().upper()


def _sane(value: float) -> bool:
    """Whether a meter may measure so small or so large a number."""
    return value == 0 or (math.isfinite(value) and 1e-9 <= abs(value) <= 1e12)


def _real(layout: str, digits: int) -> _Converter:
    """A float; where it is absurd and its octets reversed are not, the text gives that number too."""
    forth, back = struct.Struct(">" + layout).unpack, struct.Struct("<" + layout).unpack

    def convert(octets: bytes) -> tuple[Any, str]:
        value = forth(octets)[0]
        if math.isnan(value):
            return value, "NaN"
        words = f"{value:.{digits}g}"
        if not _sane(value) and math.isfinite(value):
            swapped = back(octets)[0]
            if _sane(swapped):
                words += f" (with its octets reversed {swapped:.{digits}g})"
        return value, words

    return convert


#: Tag -> (octets, conversion to value and text).
FIXED: dict[int, tuple[int, _Converter]] = {
    3: (1, _boolean),
    5: (4, _plain(">i")),
    6: (4, _plain(">I")),
    13: (1, _bcd),
    15: (1, _plain(">b")),
    16: (2, _plain(">h")),
    17: (1, _plain(">B")),
    18: (2, _plain(">H")),
    20: (8, _plain(">q")),
    21: (8, _plain(">Q")),
    22: (1, _plain(">B")),
    23: (4, _real("f", 7)),
    24: (8, _real("d", 15)),
    28: (1, _plain(">b")),
    29: (2, _plain(">h")),
    30: (4, _plain(">i")),
    31: (1, _plain(">B")),
    32: (2, _plain(">H")),
    33: (4, _plain(">I")),
}


_ELEMENT_NAMES = [f"[{number}]" for number in range(1, 1025)]


def element_name(index: int) -> str:
    """The name of element `index` (from 0) of an array, a structure or a list: "[1]" for the first."""
    return _ELEMENT_NAMES[index] if index < 1024 else f"[{index + 1}]"
