"""Data made by functions named like the types, what they hold, and moments as octets."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from cosemscope.apdu.data.dates import moment
from cosemscope.apdu.data.types import TYPES
from cosemscope.application.encoding import data_values
from cosemscope.application.encoding.apdus import encode_data, parse_data
from cosemscope.application.encoding.data_values import (
    DONT_CARE_DATA,
    NULL_DATA,
    Data,
    TypeDescription,
    array,
    compact_array,
    date_time_octets,
    enum,
    long_unsigned,
    structure,
    unsigned,
)

_VALUES = {
    "boolean": True,
    "bit_string": "1011",
    "double_long": -5,
    "double_long_unsigned": 5,
    "octet_string": b"\1\2",
    "visible_string": "ÄB",
    "utf8_string": "Zähler",
    "bcd": 0x25,
    "integer": -3,
    "long": -300,
    "unsigned": 200,
    "long_unsigned": 60_000,
    "long64": -(2**40),
    "long64_unsigned": 2**63,
    "enum": 30,
    "float32": 0.5,
    "float64": 0.1,
    "date_time": bytes(12),
    "date": bytes(5),
    "time": bytes(4),
}


@pytest.mark.parametrize("name", _VALUES)
def test_a_function_makes_the_type_it_is_named_after(name: str) -> None:
    """Type, plain value, and the way out and back."""
    data = getattr(data_values, name)(_VALUES[name])
    assert data.type_name == name.replace("_", "-")
    assert data.plain == _VALUES[name]
    assert parse_data(encode_data(data)) == data


def test_types_without_function_can_be_made_too() -> None:
    """Null, don't care, and the deltas, by their number."""
    assert encode_data(NULL_DATA) == b"\0"
    assert encode_data(DONT_CARE_DATA) == b"\xff"
    for tag in (28, 29, 30, 31, 32, 33):
        assert TYPES[tag].startswith("delta-")
        assert parse_data(encode_data(Data(tag, 7))) == Data(tag, 7)


def test_nested_values() -> None:
    """Arrays, structures and compact arrays are tuples without their types."""
    register = structure(long_unsigned(230), structure(enum(35)))
    assert array([register]).plain == ((230, (35,)),)
    kind = TypeDescription(2, 0, (TypeDescription(17), TypeDescription(1, 2, (TypeDescription(18),))))
    element = structure(unsigned(1), array([long_unsigned(2), long_unsigned(3)]))
    data = compact_array(kind, [element])
    assert encode_data(data) == bytes.fromhex("13020211010002120501") + bytes.fromhex("00020003")
    assert data.plain == ((1, (2, 3)),)
    assert parse_data(encode_data(data)) == data


def test_types_tell_values_apart() -> None:
    """5 of one type is not 5 of another."""
    assert unsigned(5) != enum(5)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (ZoneInfo("Europe/Berlin"), "07e507010410203b32ff8880"),
        (timezone(timedelta(hours=-3)), "07e507010410203b3200b400"),
        (UTC, "07e507010410203b32000000"),
        (None, "07e507010410203b328000ff"),
    ],
)
def test_moments(zone: ZoneInfo | timezone | None, expected: str) -> None:
    """Deviation is what to add for UTC; daylight saving in the status; both unsaid without a zone."""
    told = datetime(2021, 7, 1, 16, 32, 59, 500_000, tzinfo=zone)
    octets = date_time_octets(told)
    assert octets.hex() == expected
    assert moment(octets) == told


def test_a_status_can_be_given() -> None:
    """In the place of the one that follows from the zone."""
    assert date_time_octets(datetime(2021, 7, 1), status=0x0A)[-1] == 0x0A
