"""Compact arrays: the types once, then the values of all elements without their types.

The type description can promise more fields than the contents have octets (an array of 65535 nulls is four
octets long), so the fields that all compact arrays of one APDU expand to are counted against a limit.
"""

from typing import Any

from cosemscope.apdu.cursor import MAX_DEPTH, Break, Cursor
from cosemscope.apdu.data.dates import read_form
from cosemscope.apdu.data.shapes import Shape
from cosemscope.apdu.data.strings import read_bits, read_string
from cosemscope.apdu.data.types import (
    ARRAY,
    BIT_STRING,
    COMPACT_ARRAY,
    DONT_CARE,
    FIXED,
    FORMS,
    NULL,
    STRUCTURE,
    TYPES,
    element_name,
)
from cosemscope.apdu.fields import Field

CLAUSE = "IEC 62056-5-3, abstract syntax of Data, compact-array"

#: A type: (tag, number of elements of an array, types of the elements).
_Type = tuple[int, int, tuple[Any, ...]]
_PLAIN_TYPES: dict[int, _Type] = {
    tag: (tag, 0, ()) for tag in TYPES if tag not in (ARRAY, STRUCTURE, COMPACT_ARRAY)
}
_new = tuple.__new__


def read_compact_array(c: Cursor, shape: Shape | None) -> tuple[Any, ...]:
    """The rest of a compact array after its tag: description and elements; the values of these."""
    clause, c.clause = c.clause, CLAUSE
    kind = _read_type(c, "contents-description", 0)
    size = c.length()
    stop, outer_end = c.position + size, c.end
    each = shape.each if shape is not None else None
    values: list[Any] = []
    c.open("array-contents")
    c.end = stop
    while c.position < stop:
        start = c.position
        values.append(_read_value(c, element_name(len(values)), kind, each))
        if c.position == start:
            raise Break(start, stop, f"expected no octets of elements that have none, found {stop - start}")
    c.end = outer_end
    c.close(tuple(values), f"{len(values)} element{'s'[: len(values) != 1]}")
    c.clause = clause
    return tuple(values)


def _read_type(c: Cursor, name: str, depth: int) -> _Type:
    """A type description: a leaf for a plain type, a field with children for an array or a structure."""
    start = c.position
    if start >= c.end:
        raise c.missing("a type description", 1)
    tag = c.data[start]
    plain = _PLAIN_TYPES.get(tag)
    if plain is not None and depth < MAX_DEPTH:
        c.children.append(_new(Field, (name, tag, start, start + 1, (), TYPES[tag], c.source)))
        c.position = start + 1
        return plain
    if depth >= MAX_DEPTH:
        raise Break(
            start, c.end, f"expected at most {MAX_DEPTH} levels of types, found more at offset {start}"
        )
    if tag == ARRAY:
        c.open(name)
        c.u8("tag", TYPES)
        count = c.uint("number-of-elements", 2)
        inner = _read_type(c, "type-description", depth + 1)
        c.close(tag, f"array of {count}")
        return tag, count, (inner,)
    if tag == STRUCTURE:
        c.open(name)
        c.u8("tag", TYPES)
        count = c.count()
        inners = []
        for index in range(count):
            inners.append(_read_type(c, element_name(index), depth + 1))
        c.close(tag, f"structure of {count}")
        return tag, count, tuple(inners)
    c.u8(name)
    raise c.unexpected("a type description", tag, "a type that a compact array may have")


def _read_value(c: Cursor, name: str, kind: _Type, shape: Shape | None) -> Any:
    """One value of a known type: a leaf, or a field with children; returns the value."""
    c.session.expansion -= 1
    if c.session.expansion < 0:
        raise Break(
            c.position, c.end, "expected fewer elements: this compact array expands to too many fields"
        )
    tag = kind[0]
    fixed = FIXED.get(tag)
    if fixed is not None:
        size, convert = fixed
        start = c.position
        if start + size > c.end:
            raise c.missing(TYPES[tag], size)
        value, text = convert(c.data[start : start + size])
        if shape is not None and shape.text is not None:
            text = shape.text(value) or text
        c.leaf(name, size, value, text)
        return value
    if tag in (ARRAY, STRUCTURE):
        return _read_values(c, name, kind, shape)
    if tag in (NULL, DONT_CARE):
        c.children.append(Field(name, None, c.position, c.position, (), "null", c.source))
        return None
    if tag in FORMS:
        return read_form(c, FORMS[tag], name)
    c.open(name)
    if tag == BIT_STRING:
        value, text = read_bits(c)
    else:
        value, text = read_string(c, tag, c.length(), shape)
    c.close(value, text)
    return value


def _read_values(c: Cursor, name: str, kind: _Type, shape: Shape | None) -> tuple[Any, ...]:
    tag, count, inner = kind
    c.open(name)
    values = []
    if tag == ARRAY:
        each = shape.each if shape is not None else None
        for index in range(count):
            values.append(_read_value(c, element_name(index), inner[0], each))
    else:
        elements = shape.elements if shape is not None and len(shape.elements) >= count else ()
        for index in range(count):
            inner_name, inner_shape = elements[index] if elements else (element_name(index), None)
            values.append(_read_value(c, inner_name, inner[index], inner_shape))
    c.close(tuple(values), f"{TYPES[tag]} of {count}")
    return tuple(values)
