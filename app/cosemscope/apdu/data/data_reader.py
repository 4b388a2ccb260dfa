"""Data: the values that services carry, each with its type before it (IEC 62056-5-3, Data).

A value becomes a field with the leaves `tag`, `length` or `count` where the type has one, and `value`, or the
elements `[1]`, `[2]`... The field's own `value` is Python's (int, float, bool, str, bytes, tuple, None) and
its `text` what it means; the leaf `value` keeps the bare one. Octet strings that can only be a date-time or a
logical name are read as such, and their text says that this is a reading, not the type.
"""

from collections.abc import Callable
from typing import Any

from cosemscope.apdu.context import Reference
from cosemscope.apdu.cursor import MAX_DEPTH, Break, Cursor
from cosemscope.apdu.data.compact import read_compact_array
from cosemscope.apdu.data.dates import read_form
from cosemscope.apdu.data.scaled_fields import is_scaler_unit, scaled, scaled_number, tag_of
from cosemscope.apdu.data.shapes import Shape, shape_of
from cosemscope.apdu.data.strings import plausible_name, read_bits, read_string
from cosemscope.apdu.data.tied_values import named_by_list, named_in_line, pushed_objects
from cosemscope.apdu.data.types import (
    ARRAY,
    BIT_STRING,
    COMPACT_ARRAY,
    DONT_CARE,
    ENUM,
    FIXED,
    FORMS,
    INTEGER,
    NULL,
    NUMBERS,
    OCTET_STRING,
    STRUCTURE,
    TYPES,
    UTF8_STRING,
    VISIBLE_STRING,
    element_name,
)
from cosemscope.apdu.fields import Field
from cosemscope.apdu.names.blue_book import attribute_name
from cosemscope.apdu.names.texts import obis_text, scaler_unit_text

_new = tuple.__new__


def read_data(c: Cursor, name: str, shape: Shape | None = None, depth: int = 0) -> Any:
    """One value with its type, as the field `name`; returns the value. `shape` names its elements."""
    start = c.position
    if start >= c.end:
        raise c.missing(f"the type of {name}", 1)
    tag = c.data[start]
    fixed = FIXED.get(tag)
    if fixed is None:
        return _read_other(c, name, tag, shape, depth)
    size, convert = fixed
    begin = start + 1
    stop = begin + size
    if stop > c.end:
        c.open(name)
        c.u8("tag", TYPES)
        raise c.missing(TYPES[tag], size)
    value, text = convert(c.data[begin:stop])
    source = c.source
    leaf = _new(Field, ("value", value, begin, stop, (), text, source))
    if shape is not None and shape.text is not None:
        text = shape.text(value) or text
    children = (_new(Field, ("tag", tag, start, begin, (), TYPES[tag], source)), leaf)
    c.children.append(_new(Field, (name, value, start, stop, children, text, source)))
    c.position = stop
    return value


def _read_other(c: Cursor, name: str, tag: int, shape: Shape | None, depth: int) -> Any:
    """A value whose type has no fixed size, or is not known."""
    if tag in (NULL, DONT_CARE):
        leaf = (Field("tag", tag, c.position, c.position + 1, (), TYPES[tag], c.source),)
        text = "null" if tag == NULL else "don't care"
        c.children.append(Field(name, None, c.position, c.position + 1, leaf, text, c.source))
        c.position += 1
        return None
    c.open(name)
    c.u8("tag", TYPES)
    if tag in (ARRAY, STRUCTURE):
        return _read_elements(c, name, tag, shape, depth)
    value: Any
    if tag in (OCTET_STRING, VISIBLE_STRING, UTF8_STRING):
        size = c.length()
        value, text = read_string(c, tag, size, shape)
    elif tag == BIT_STRING:
        value, text = read_bits(c)
    elif tag in FORMS:
        value = read_form(c, FORMS[tag], "value")
        text = c.children[-1].text
    elif tag == COMPACT_ARRAY:
        value = read_compact_array(c, shape)
        text = f"compact-array of {len(value)}"
    else:
        raise c.unexpected(f"type of {name}", tag, "a tag of Data (0 to 6, 9, 10, 12, 13, 15 to 33, 255)")
    c.close(value, text)
    return value


def _read_elements(c: Cursor, name: str, tag: int, shape: Shape | None, depth: int) -> tuple[Any, ...]:
    count = c.count()
    if depth >= MAX_DEPTH:
        raise Break(
            c.position,
            c.end,
            f"expected at most {MAX_DEPTH} levels of data, found more at offset {c.position}",
        )
    values = []
    if tag == ARRAY:
        each = shape.each if shape is not None else None
        for index in range(c.possible(count)):
            if index == _BRIEF and c.session.context.brief and _pass_over(c, index, count):
                values += [None] * (count - index)
                break
            values.append(read_data(c, element_name(index), each, depth + 1))
        if len(values) < count:
            raise c.too_many(count, len(values))
        value = tuple(values)
        c.close(value, f"array of {count}")
        return value
    elements = shape.elements if shape is not None and len(shape.elements) >= count else ()
    if count == 2 and c.session.untagged and _read_untagged_descriptor(c):
        return _read_described(c, depth)
    references: tuple[Reference, ...] = ()
    for index in range(c.possible(count)):
        if elements:
            inner, inner_shape = elements[index]
        else:
            inner, inner_shape = element_name(index), shape_of(references[index]) if references else None
        values.append(read_data(c, inner, inner_shape, depth + 1))
        if not index and count > 1 and not elements:
            references = pushed_objects(values[0], count)
    if len(values) < count:
        raise c.too_many(count, len(values))
    value = tuple(values)
    if references:
        c.children[2:] = named_by_list(c.children[2:], references, c.session.context.scaler_unit)
    elif count > 3 and not elements:
        c.children[2:] = named_in_line(c.children[2:]) or c.children[2:]
    text = shape.text(value) if shape is not None and shape.text is not None else ""
    text = text or _structure_text(c, value) or (_named_text(c.children[2:]) if elements else "")
    c.close(value, text or f"structure of {count}")
    return value


_NAMED_TEXT_SIZE = 160


def _named_text(fields: list[Field]) -> str:
    """The elements of a structure whose names are known, each with its name; cut where they are too many."""
    words = ", ".join(f"{field.name} {field.text}" for field in fields)
    return words if len(words) <= _NAMED_TEXT_SIZE else f"{words[: _NAMED_TEXT_SIZE - 1]}…"


#: Elements of an array that a brief tree has.
_BRIEF = 3


def _pass_over(c: Cursor, index: int, count: int) -> bool:
    """Makes one leaf of the elements from `index` on; False where they must be read to tell a fault."""
    stop = skip_data(c.data, c.position, c.end, count - index)
    if stop < 0:
        return False
    c.leaf(f"{element_name(index)} to {element_name(count - 1)}"[1:], stop - c.position, text="passed over")
    return True


#: How a type is passed over: so many octets behind the tag, or one of these.
_CONTAINER, _STRING, _BITS, _UNKNOWN = -1, -2, -3, -4


def _sizes() -> tuple[int, ...]:
    sizes = [_UNKNOWN] * 256
    for tag, (size, _) in FIXED.items():
        sizes[tag] = size
    for tag, form in FORMS.items():
        sizes[tag] = form.size
    sizes[NULL] = sizes[DONT_CARE] = 0
    sizes[ARRAY] = sizes[STRUCTURE] = _CONTAINER
    sizes[OCTET_STRING] = sizes[VISIBLE_STRING] = sizes[UTF8_STRING] = _STRING
    sizes[BIT_STRING] = _BITS
    return tuple(sizes)


_SIZES = _sizes()


def skip_data(data: bytes, start: int, end: int, count: int) -> int:
    """Where `count` values that begin at `start` end; -1 where they do not end before `end`, or unclearly."""
    sizes, at = _SIZES, start
    while count:
        if at >= end or count > end - at:
            return -1
        size = sizes[data[at]]
        at += 1
        count -= 1
        if size >= 0:
            at += size
            continue
        if size == _UNKNOWN or at >= end:
            return -1
        length, at = data[at], at + 1
        if length >= 0x80:
            wide = length & 0x7F
            length, at = int.from_bytes(data[at : at + wide], "big"), at + wide
        if size == _CONTAINER:
            count += length
        else:
            at += length if size == _STRING else (length + 7) // 8
    return at if at <= end else -1


def _read_described(c: Cursor, depth: int) -> tuple[Any, ...]:
    """The value after a descriptor without tags, which ends the structure of the two."""
    described = c.children[-1]
    value = read_data(c, "[2]", shape_of(described.value), depth + 1)
    c.close((described.value, value), f"{described.text} = {c.children[-1].text}")
    return described.value, value


def fixed_teller(
    reference: Reference | None, scaler_unit: tuple[int, int] | None
) -> Callable[[bytes, int], str | None]:
    """What tells the text that the field of an attribute's value has, from `start` of an APDU to its end.

    It tells None where the value has no fixed size, or more follows.
    """
    shape = shape_of(reference)
    named = shape.text if shape is not None else None
    scaler, code = (scaler_unit if reference is not None else None) or (None, 0)

    def tell(apdu: bytes, start: int) -> str | None:
        tag = apdu[start] if start < len(apdu) else -1
        fixed = FIXED.get(tag)
        if fixed is None or len(apdu) != start + 1 + fixed[0]:
            return None
        value, text = fixed[1](apdu[start + 1 :])
        if scaler is not None and tag in NUMBERS:
            return scaled_number(tag, value, scaler, code)
        return named(value) or text if named is not None else text

    return tell


def _structure_text(c: Cursor, value: tuple[Any, ...]) -> str:
    """The text of a small structure: scaler and unit; or logical name and value; else ""."""
    count = len(value)
    fields = c.children[2:]
    if count == 2 and tag_of(fields[0]) == INTEGER and tag_of(fields[1]) == ENUM and value[1]:
        return scaler_unit_text(*value)
    if not 2 <= count <= 3 or not isinstance(value[0], bytes) or len(value[0]) != 6:
        return ""
    if not plausible_name(value[0]) or fields[1].text.startswith(("structure of", "array of")):
        return ""
    if count == 3:
        if not is_scaler_unit(fields[2]):
            return ""
        c.children[3] = scaled(fields[1], *value[2])
    return f"{obis_text(value[0])} = {c.children[3].text}"


def _read_untagged_descriptor(c: Cursor) -> bool:
    """Class, logical name and attribute as they stand untagged in some pushes; whether they do so here."""
    start = c.position
    octets = c.data[start : start + 9]
    if start + 10 > c.end or octets[0] or not octets[1] or octets[7] != 0xFF or not 1 <= octets[8] <= 40:
        return False
    c.open("[1]")
    class_id = c.uint("class-id", 2)
    instance = c.leaf("instance-id", 6, text=obis_text(octets[2:8]))
    attribute = c.u8("attribute-id")
    name = attribute_name(class_id, attribute) or f"attribute {attribute}"
    c.close(Reference(class_id, instance, attribute), f"{obis_text(instance)}, {name}")
    return True


def read_logical_name(c: Cursor, name: str = "instance-id") -> bytes:
    """Six octets of a logical name."""
    start = c.position
    return c.leaf(name, 6, text=obis_text(c.data[start : start + 6]) if start + 6 <= c.end else "")
