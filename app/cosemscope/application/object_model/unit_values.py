"""Values with their units: the scaler_unit of a register is read with its value, and both are told as one.

`with_units` adds what is missing to a reading, `in_units` puts the results together (IEC 62056-6-2).
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from cosemscope.apdu.context import Reference
from cosemscope.apdu.data.shapes import SCALER_UNIT_ATTRIBUTE
from cosemscope.apdu.data.types import NUMBERS
from cosemscope.apdu.names.blue_book import unit
from cosemscope.apdu.names.texts import scaled_text
from cosemscope.application.client.refusals import Refusal
from cosemscope.application.client.service_operations import Get, PartResult
from cosemscope.application.encoding.data_values import Data
from cosemscope.application.encoding.service_parts import SelectedAttribute

#: Scaler (power of ten) and unit (code of the Blue Book).
ScalerUnitPair = tuple[int, int]
#: Powers of ten beyond which a scaler is no scaler.
_MOST_SCALER = 30


class UnitValue(NamedTuple):
    """An attribute's value: `number` with the scaler applied, `unit` as a symbol, `text` for people.

    Of what is no number, or has no scaler_unit, `number` is None and `unit` "".
    """

    reference: Reference
    value: Data | None
    number: Decimal | None = None
    unit: str = ""
    text: str = ""
    refusal: Refusal | None = None


def scaler_attribute(reference: Reference) -> Reference | None:
    """The attribute that holds scaler and unit of this one; None where it has none."""
    member = SCALER_UNIT_ATTRIBUTE.get((reference.class_id, reference.member))
    return None if member is None or reference.method else reference._replace(member=member)


def with_units(references: Iterable[Reference], known: dict[Reference, ScalerUnitPair] | None = None) -> Get:
    """The reading of attributes and of the scaler_units that are not `known` yet (by scaler attribute)."""
    wanted = tuple(references)
    scalers = dict.fromkeys(scaler for one in wanted if (scaler := scaler_attribute(one)) is not None)
    further = [one for one in scalers if one not in (known or {}) and one not in wanted]
    return Get(tuple(SelectedAttribute(one) for one in (*wanted, *further)))


def scalers_of(results: Iterable[PartResult]) -> dict[Reference, ScalerUnitPair]:
    """The scaler_units among results, by their attribute: to be kept, they hardly ever change."""
    numbers = {(class_id, member) for (class_id, _), member in SCALER_UNIT_ATTRIBUTE.items()}
    found = {}
    for one in results:
        plain = one.value.plain if one.value is not None else None
        if (one.reference.class_id, one.reference.member) not in numbers or not isinstance(plain, tuple):
            continue
        match plain:
            case (int(scaler), int(code)) if abs(scaler) <= _MOST_SCALER:
                found[one.reference] = (scaler, code)
    return found


def in_units(
    references: Iterable[Reference],
    results: Iterable[PartResult],
    known: dict[Reference, ScalerUnitPair] | None = None,
) -> tuple[UnitValue, ...]:
    """The values of these attributes in their units, out of the results of `with_units`."""
    given = tuple(results)
    scalers = {**(known or {}), **scalers_of(given)}
    by_reference = {one.reference: one for one in given}
    return tuple(_in_unit(by_reference.get(one, PartResult(one)), scalers) for one in references)


def _in_unit(part: PartResult, scalers: dict[Reference, ScalerUnitPair]) -> UnitValue:
    reference, value, refusal = part
    scaler = scaler_attribute(reference)
    pair = scalers.get(scaler) if scaler is not None else None
    if value is None or pair is None or value.tag not in NUMBERS:
        return UnitValue(reference, value, refusal=refusal)
    power, code = pair
    try:
        number = Decimal(repr(value.value)).scaleb(power)
    except ArithmeticError:
        return UnitValue(reference, value, text=str(value.value))
    return UnitValue(reference, value, number, unit(code), scaled_text(value.value, power, code))
