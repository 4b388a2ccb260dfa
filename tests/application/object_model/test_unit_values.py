"""Values with units: the scaler_unit comes along, is kept, and is applied."""

from decimal import Decimal

from cosemscope.apdu.context import Reference
from cosemscope.application.client.refusals import of_access
from cosemscope.application.client.service_operations import PartResult
from cosemscope.application.encoding.data_values import (
    double_long_unsigned,
    enum,
    float64,
    integer,
    octet_string,
    structure,
)
from cosemscope.application.object_model.unit_values import in_units, scalers_of, with_units

_ENERGY = Reference(3, bytes.fromhex("0100010800ff"), 2)
_SCALER = _ENERGY._replace(member=3)
_CLOCK = Reference(8, bytes.fromhex("0000010000ff"), 2)
_DEMAND = Reference(5, bytes.fromhex("0100010400ff"), 3)
_WH = structure(integer(-1), enum(30))


def test_scaler_units_are_read_with_the_values() -> None:
    """Once each, not where they are known, and of what has one."""
    asked = with_units([_ENERGY, _CLOCK, _DEMAND, _DEMAND._replace(member=2)])
    members = [(one.reference.class_id, one.reference.member) for one in asked.attributes]
    assert members == [(3, 2), (8, 2), (5, 3), (5, 2), (3, 3), (5, 4)]
    assert len(with_units([_ENERGY], {_SCALER: (0, 30)}).attributes) == 1
    assert len(with_units([_ENERGY, _SCALER]).attributes) == 2


def test_values_are_told_in_their_units() -> None:
    """Number, symbol and text; scalers are there to be kept."""
    results = [PartResult(_ENERGY, double_long_unsigned(123456)), PartResult(_SCALER, _WH)]
    (value,) = in_units([_ENERGY], results)
    assert (value.number, value.unit, value.text) == (Decimal("12345.6"), "Wh", "12.3456 kWh")
    known = scalers_of(results)
    assert known == {_SCALER: (-1, 30)}
    (again,) = in_units([_ENERGY], results[:1], known)
    assert again == value
    (real,) = in_units([_ENERGY], [PartResult(_ENERGY, float64(0.5))], {_SCALER: (0, 30)})
    assert real.number == Decimal("0.5")


def test_what_has_no_unit_stays_as_it_is() -> None:
    """Refusals, other types, scalers that are none."""
    refusal = of_access(3)
    refused, clock, missing = in_units(
        [_ENERGY, _CLOCK, _DEMAND],
        [
            PartResult(_ENERGY, None, refusal),
            PartResult(_CLOCK, octet_string(bytes(12))),
            PartResult(_SCALER, _WH),
        ],
    )
    assert (refused.refusal, refused.number) == (refusal, None)
    assert (clock.value, clock.unit) == (octet_string(bytes(12)), "")
    assert missing.value is None
    absurd = PartResult(_SCALER, structure(integer(100), enum(30)))
    assert scalers_of([absurd, PartResult(_SCALER, enum(1)), PartResult(_SCALER, structure(enum(1)))]) == {}
