"""The types of Data: each tag has the name, the size and the conversion that IEC 62056-5-3 gives it."""

import math
import struct
from typing import Any

import pytest

from cosemscope.apdu.data.types import FIXED, FORMS, FORMS_BY_SIZE, NUMBERS, TYPES, element_name

#: Tag, name, octets of a value, the value, its text.
_FIXED: list[tuple[int, str, str, Any, str]] = [
    (3, "boolean", "00", False, "false"),
    (3, "boolean", "01", True, "true"),
    (3, "boolean", "ff", True, "true"),
    (5, "double-long", "fffffffe", -2, "-2"),
    (6, "double-long-unsigned", "fffffffe", 4294967294, "4294967294"),
    (13, "bcd", "9a", 0x9A, "9A"),
    (15, "integer", "80", -128, "-128"),
    (16, "long", "8000", -32768, "-32768"),
    (17, "unsigned", "80", 128, "128"),
    (18, "long-unsigned", "0102", 258, "258"),
    (20, "long64", "fffffffffffffffe", -2, "-2"),
    (21, "long64-unsigned", "0000000100000000", 1 << 32, "4294967296"),
    (22, "enum", "ff", 255, "255"),
    (23, "float32", "3f800000", 1.0, "1"),
    (23, "float32", "42f6e979", struct.unpack(">f", bytes.fromhex("42f6e979"))[0], "123.456"),
    (24, "float64", "4024000000000000", 10.0, "10"),
    (24, "float64", "400921fb54442d18", math.pi, "3.14159265358979"),
    (28, "delta-integer", "ff", -1, "-1"),
    (29, "delta-long", "fffe", -2, "-2"),
    (30, "delta-double-long", "fffffffd", -3, "-3"),
    (31, "delta-unsigned", "ff", 255, "255"),
    (32, "delta-long-unsigned", "fffe", 65534, "65534"),
    (33, "delta-double-long-unsigned", "fffffffd", 4294967293, "4294967293"),
]


@pytest.mark.parametrize(("tag", "name", "octets", "value", "text"), _FIXED)
def test_types_of_a_fixed_size(tag: int, name: str, octets: str, value: Any, text: str) -> None:
    """Signed or not, as many octets as the type has, the most significant first."""
    size, convert = FIXED[tag]
    assert (TYPES[tag], size) == (name, len(octets) // 2)
    assert convert(bytes.fromhex(octets)) == (value, text)
    assert isinstance(convert(bytes.fromhex(octets))[0], type(value))


def test_the_tables_are_complete() -> None:
    """Every type is in one of them; those with a scaler are the numbers that can be measured."""
    assert {tag for tag, *_ in _FIXED} == set(FIXED)
    assert set(TYPES) - set(FIXED) - set(FORMS) == {0, 1, 2, 4, 9, 10, 12, 19, 255}
    assert {TYPES[tag] for tag in set(FIXED) - NUMBERS} == {
        "boolean",
        "bcd",
        "enum",
        *(name for name in TYPES.values() if name.startswith("delta-")),
    }
    assert [(tag, TYPES[tag], form.name, form.size) for tag, form in FORMS.items()] == [
        (25, "date-time", "date-time", 12),
        (26, "date", "date", 5),
        (27, "time", "time", 4),
    ]
    assert {size: form.name for size, form in FORMS_BY_SIZE.items()} == {
        12: "date-time",
        5: "date",
        4: "time",
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (230.25, "230.25"),
        (0.0, "0"),
        (-0.0, "-0"),
        (123456.5, "123456.5"),
        (1e-9, "1e-09"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (math.nan, "NaN"),
    ],
)
@pytest.mark.parametrize(("tag", "layout"), [(23, ">f"), (24, ">d")])
def test_floats_that_a_meter_may_send(tag: int, layout: str, value: float, text: str) -> None:
    """Up to a million millions, down to a thousand millionth, and what is no number: as they are."""
    assert FIXED[tag][1](struct.pack(layout, value))[1] == text


@pytest.mark.parametrize("value", [230.25, -5.5, 50000, 1.5])
@pytest.mark.parametrize(("tag", "layout"), [(23, "<f"), (24, "<d")])
def test_floats_with_their_octets_reversed(tag: int, layout: str, value: float) -> None:
    """An absurd number whose octets reversed make a sound one is pointed out; the value stays as sent."""
    octets = struct.pack(layout, value)
    found, text = FIXED[tag][1](octets)
    assert text.endswith(f" (with its octets reversed {value:g})")
    assert found == struct.unpack(layout.replace("<", ">"), octets)[0]


def test_floats_at_the_edges() -> None:
    """1e12 and 1e-9 are still what a meter may measure; one more, and the octets are looked at both ways."""
    for value, text in ((1e12, "1000000000000"), (-1e-9, "-1e-09")):
        assert FIXED[24][1](struct.pack(">d", value))[1] == text
    swapped = bytearray(struct.pack("<d", 5.0))
    assert "reversed" in FIXED[24][1](bytes(swapped))[1]


def test_floats_that_are_absurd_both_ways() -> None:
    """2e12 is more than a meter measures; reversed it is no better: only the number is shown."""
    assert FIXED[24][1](struct.pack(">d", 2e-10))[1] == "2e-10"
    assert FIXED[23][1](bytes.fromhex("7f7fffff"))[1] == "3.402823e+38"


def test_names_of_elements() -> None:
    """They count from one, also beyond those that are made once."""
    assert [element_name(index) for index in (0, 1, 1023, 1024, 70000)] == [
        "[1]",
        "[2]",
        "[1024]",
        "[1025]",
        "[70001]",
    ]
