"""Numbers in the scaler and unit that belong to them, as fields of a tree and as texts."""

from cosemscope.apdu.data.types import ENUM, FLOAT32, INTEGER, NUMBERS, STRUCTURE
from cosemscope.apdu.fields import Field
from cosemscope.apdu.names.texts import scaled_text


def tag_of(field: Field) -> int:
    """The type tag of a data field; -1 for what has none."""
    tag = field.children[0] if field.children else field
    return int(tag.value) if tag.name == "tag" else -1


def is_scaler_unit(field: Field) -> bool:
    """Whether a data field is a structure of an integer and an enum, which is what scaler_unit is."""
    parts = field.children
    return (
        len(parts) == 4
        and parts[0].value == STRUCTURE
        and tag_of(parts[2]) == INTEGER
        and tag_of(parts[3]) == ENUM
    )


def scaled(field: Field, scaler: int, unit: int) -> Field:
    """A data field with its number shown in its unit; anything but a number is left as it is."""
    tag = tag_of(field)
    if tag not in NUMBERS:
        return field
    return field._replace(text=scaled_number(tag, field.value, scaler, unit))


def scaled_number(tag: int, value: int | float, scaler: int, unit: int) -> str:
    """The text of a number of this type in its unit."""
    return scaled_text(told_number(tag, value), scaler, unit)


def told_number(tag: int, value: int | float) -> int | float:
    """A number with the digits that its type tells: a float32 has not all of Python's float."""
    return float(f"{value:.7g}") if tag == FLOAT32 else value
