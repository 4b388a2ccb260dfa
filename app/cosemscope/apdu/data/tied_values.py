"""Values of a list tied to the objects that the same list names: beside them, or in a list at its beginning.

Pushes of many meters are flat: logical name, value and perhaps scaler_unit, again and again. Others begin
with the list of their objects, and the values follow in its order.
"""

from itertools import pairwise
from typing import TypeGuard

from cosemscope.apdu.context import Reference, ScalerUnit
from cosemscope.apdu.data.scaled_fields import is_scaler_unit, scaled
from cosemscope.apdu.data.shapes import SCALER_UNIT_ATTRIBUTE
from cosemscope.apdu.data.strings import plausible_name
from cosemscope.apdu.fields import Field
from cosemscope.apdu.names.blue_book import attribute_name
from cosemscope.apdu.names.texts import obis_text

_NAME_SIZE, _ANY_PERIOD = 6, 0xFF
#: Elements of an entry of push_object_list at least: class, logical name, attribute, data index.
_ENTRY = 4
#: Said of octets that are read as a logical name.
_AS_NAME = " (read as logical name)"


def pushed_objects(value: object, count: int) -> tuple[Reference, ...]:
    """The references of `count` elements, the first of which has this value: a list of all, or of the others.

    Empty where the value is no list of objects, or of others than stand beside it.
    """
    if not isinstance(value, tuple) or len(value) not in (count, count - 1) or not listed_objects(value):
        return ()
    references = [listed_reference(entry) for entry in value]
    missing = count - len(references)
    own = Reference(0, bytes(_NAME_SIZE), 0)
    return (*[own] * missing, *(one for one in references if one is not None))


def listed_objects(value: object) -> int:
    """How many attributes a list names; 0 where the value is no list of objects."""
    entries = value if isinstance(value, tuple) else ()
    return len(entries) if all(listed_reference(entry) is not None for entry in entries) else 0


def listed_reference(entry: object) -> Reference | None:
    """The attribute that an entry of a list of objects names."""
    if not isinstance(entry, tuple) or len(entry) < _ENTRY:
        return None
    class_id, instance, member = entry[:3]
    numbers = isinstance(class_id, int) and isinstance(member, int) and 0 < class_id < 1 << 16
    if not numbers or not isinstance(instance, bytes) or len(instance) != _NAME_SIZE:
        return None
    return Reference(class_id, instance, member)


def named_by_list(
    fields: list[Field], references: tuple[Reference, ...], told: ScalerUnit | None
) -> list[Field]:
    """The elements of a list with the names of their objects, numbers in units beside them or `told`."""
    units = {
        (one.class_id, one.instance, one.member): field.value
        for one, field in zip(references, fields, strict=True)
        if is_scaler_unit(field)
    }
    shown = []
    for reference, field in zip(references, fields, strict=True):
        wanted = SCALER_UNIT_ATTRIBUTE.get((reference.class_id, reference.member), 0)
        known = units.get((reference.class_id, reference.instance, wanted))
        known = known or (told(reference) if told is not None else None)
        value = scaled(field, *known) if known is not None else field
        shown.append(_tied(value, _member(reference)))
    return shown


def _member(reference: Reference) -> str:
    """An attribute for people; "" for none."""
    if not reference.class_id:
        return ""
    name = obis_text(reference.instance)
    if reference.member == 2:
        return name
    return (
        f"{name}, {attribute_name(reference.class_id, reference.member) or f'attribute {reference.member}'}"
    )


def named_in_line(fields: list[Field]) -> list[Field] | None:
    """The elements of a flat list in which logical names stand before values, and scaler_units behind.

    None where they do not: one pair alone is none, unless a scaler_unit stands with it.
    """
    shown, pairs, scalers = list(fields), 0, 0
    for place, (name, value) in enumerate(pairwise(fields)):
        if not is_logical_name(name.value) or is_logical_name(value.value) or is_scaler_unit(value):
            continue
        behind = fields[place + 2] if place + 2 < len(fields) else None
        tied = value
        if behind is not None and is_scaler_unit(behind):
            tied, scalers = scaled(value, *behind.value), scalers + 1
        pairs += 1
        shown[place + 1] = _tied(tied, obis_text(name.value))
    return shown if pairs > 1 or scalers else None


def is_logical_name(value: object) -> TypeGuard[bytes]:
    """Whether a value is a logical name by its looks: six octets with plausible groups, the last one 255."""
    return (
        isinstance(value, bytes)
        and len(value) == _NAME_SIZE
        and value[-1] == _ANY_PERIOD
        and plausible_name(value)
    )


def _tied(field: Field, name: str) -> Field:
    """An element that bears the name of its object behind its number: "[2] 1.0.1.8.0.255 Active energy"."""
    return field._replace(name=f"{field.name} {name}") if name else field


def _object_of(field: Field) -> str:
    """The name of the object that an element is tied to; "" for none."""
    return field.name.partition("] ")[2]


def listed_texts(fields: list[Field]) -> list[str]:
    """The elements of a list for one line: those that are tied with their names, and not these by themselves.

    Scaler_units that are told by the values beside them are left out.
    """
    kept: list[tuple[Field, str]] = []
    for field in fields:
        before = kept[-1][0] if kept else None
        name = _object_of(field)
        if before is not None and is_scaler_unit(field) and _object_of(before) and not name:
            continue
        if before is not None and name and before.text.removesuffix(_AS_NAME) == name:
            kept.pop()
        kept.append((field, f"{name} = {field.text}" if name else field.text))
    return [text for _, text in kept]
