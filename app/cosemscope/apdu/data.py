"""Data: the values that services carry, each with its type before it (IEC 62056-5-3, Data).

A value becomes a field with the leaves `tag`, `length` or `count` where the type has one, and `value`, or the
elements `[1]`, `[2]`... The field's own `value` is Python's (int, float, bool, str, bytes, tuple, None) and
its `text` what it means; the leaf `value` keeps the bare one. Octet strings that can only be a date-time or a
logical name are read as such, and their text says that this is a reading, not the type.
"""

import math
import re
import struct
from collections.abc import Callable
from typing import Any

from cosemscope.apdu.context import Reference
from cosemscope.apdu.cursor import MAX_DEPTH, Break, Cursor
from cosemscope.apdu.dates import DATE, DATE_TIME, TIME, Form, plausible_date_time, read_form
from cosemscope.apdu.fields import Field
from cosemscope.apdu.naming import (
    member_text,
    obis_text,
    octets_text,
    quoted,
    scaled_text,
    scaler_unit_text,
)
from cosemscope.apdu.shapes import Shape, shape_of

CLAUSE = "IEC 62056-5-3, abstract syntax of Data"

#: Data types by tag.
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

_INVISIBLE = re.compile(rb"[^ -~]")
_new = tuple.__new__
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
    return value == 0 or (math.isfinite(value) and 1e-9 <= abs(value) <= 1e12)


def _real(layout: str, digits: int) -> _Converter:
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


def _form(form: Form) -> _Converter:
    def convert(octets: bytes) -> tuple[Any, str]:
        return octets, form.text(octets)

    return convert


#: Types of a fixed size: tag -> (octets, conversion to value and text).
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
FORMS = {25: DATE_TIME, 26: DATE, 27: TIME}
_FORMS_BY_SIZE = {form.size: form for form in FORMS.values()}
NUMBERS = frozenset({5, 6, 15, 16, 17, 18, 20, 21, 23, 24})

_ELEMENT_NAMES = [f"[{number}]" for number in range(1, 1025)]


def element_name(index: int) -> str:
    """The name of element `index` (from 0) of an array, a structure or a list: "[1]" for the first."""
    return _ELEMENT_NAMES[index] if index < 1024 else f"[{index + 1}]"


def read_data(c: Cursor, name: str, shape: Shape | None = None, depth: int = 0) -> Any:
    """One value with its type: makes the field `name` and returns the value; `shape` names what is inside."""
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
        from cosemscope.apdu.compact import read_compact_array

        value = read_compact_array(c, shape)
        text = f"compact-array of {len(value)}"
    else:
        raise c.unexpected(f"type of {name}", tag, "a tag of Data (0 to 6, 9, 10, 12, 13, 15 to 33, 255)")
    c.close(value, text)
    return value


def read_string(c: Cursor, tag: int, size: int, shape: Shape | None) -> tuple[Any, str]:
    """The octets of a string as the field `value`; its value and text."""
    if tag == OCTET_STRING:
        return _read_octets(c, size, shape)
    octets = c.leaf("value", size)
    if tag == UTF8_STRING:
        words = octets.decode("utf-8", "backslashreplace")
        _check_utf8(c, octets)
    else:
        words = octets.decode("latin-1")
        _check_visible(c, octets)
    text = quoted(words)
    c.children[-1] = c.children[-1]._replace(value=words, text=text)
    return words, text


def _check_utf8(c: Cursor, octets: bytes) -> None:
    """A warning where octets that were just read are no UTF-8."""
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError as reason:
        start = c.position - len(octets)
        at = start + reason.start
        c.warn(
            at,
            start + reason.end,
            f"utf8-string at offset {start}: octet 0x{c.data[at]:02X} at offset {at} is no UTF-8",
            CLAUSE,
        )


def _check_visible(c: Cursor, octets: bytes) -> None:
    """A note where an octet that was just read is no character that a visible-string may have."""
    found = _INVISIBLE.search(octets)
    if found is not None:
        start = c.position - len(octets)
        at = start + found.start()
        c.problem(
            at,
            at + 1,
            f"visible-string at offset {start}: octet 0x{c.data[at]:02X} at offset {at} "
            "is no visible character",
            CLAUSE,
            "note",
        )


def _read_octets(c: Cursor, size: int, shape: Shape | None) -> tuple[bytes, str]:
    start = c.position
    octets = c.data[start : start + size]
    form, mark = None, ""
    if shape is not None and shape.form is not None and size == shape.form.size:
        form = shape.form
    elif size == 12 and plausible_date_time(octets):
        form, mark = DATE_TIME, " (read as date-time)"
    if form is not None:
        read_form(c, form, "value", mark)
        return octets, c.children[-1].text
    text = octets_text(octets)
    if shape is not None and shape.text is not None:
        text = shape.text(octets) or text
    elif size == 6 and _plausible_name(octets):
        text = f"{obis_text(octets)} (read as logical name)"
    elif size in (4, 5) and not text.startswith('"') and any(octets):
        form = _FORMS_BY_SIZE[size]
        if form.plausible(octets):
            text = f"{octets.hex()} (as {form.name}: {form.text(octets)})"
    c.leaf("value", size, octets, text)
    return octets, text


def _plausible_name(octets: bytes) -> bool:
    """Whether six octets can be a logical name: a medium the Blue Book knows, and value group F as usual."""
    return (octets[0] <= 15 and octets[5] == 0xFF) or (
        octets[0] <= 9 and octets[5] <= 99 and any(octets[2:5])
    )


def read_bits(c: Cursor) -> tuple[str, str]:
    """A bit string, its length in bits first: the bits as a string of 0 and 1, and its text."""
    start = c.position
    count = c.count()
    size = (count + 7) // 8
    if size > c.end - c.position:
        raise Break(
            start,
            c.end,
            f"count at offset {start} says {count} bits ({size} octets), {c.end - c.position} octets remain",
            CLAUSE,
        )
    octets = c.data[c.position : c.position + size]
    bits = bin(int.from_bytes(b"\1" + octets, "big"))[3 : 3 + count]
    text = bits or "empty"
    if count > 64:
        text = f"{bits[:64]}… ({count} bits)"
    c.leaf("value", size, bits, text)
    return bits, text


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
    for index in range(c.possible(count)):
        if elements:
            inner, inner_shape = elements[index]
        else:
            inner, inner_shape = element_name(index), None
        values.append(read_data(c, inner, inner_shape, depth + 1))
    if len(values) < count:
        raise c.too_many(count, len(values))
    value = tuple(values)
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
    """Makes one leaf of the elements from `index` on; False where only reading them tells what is wrong."""
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


def _tag_of(field: Field) -> int:
    """The type tag of a data field; -1 for what has none."""
    tag = field.children[0] if field.children else field
    return int(tag.value) if tag.name == "tag" else -1


def is_scaler_unit(field: Field) -> bool:
    """Whether a data field is a structure of an integer and an enum, which is what scaler_unit is."""
    parts = field.children
    return (
        len(parts) == 4
        and parts[0].value == STRUCTURE
        and _tag_of(parts[2]) == INTEGER
        and _tag_of(parts[3]) == ENUM
    )


def scaled(field: Field, scaler: int, unit: int) -> Field:
    """A data field with its number shown in its unit; anything but a number is left as it is."""
    tag = _tag_of(field)
    if tag not in NUMBERS:
        return field
    # A float32 is kept as Python's float, whose further digits it does not have.
    number = float(f"{field.value:.7g}") if tag == FLOAT32 else field.value
    return field._replace(text=scaled_text(number, scaler, unit))


def _structure_text(c: Cursor, value: tuple[Any, ...]) -> str:
    """What small structures say: scaler and unit; logical name and value, with scaler and unit or without."""
    count = len(value)
    fields = c.children[2:]
    if count == 2 and _tag_of(fields[0]) == INTEGER and _tag_of(fields[1]) == ENUM and value[1]:
        return scaler_unit_text(*value)
    if not 2 <= count <= 3 or not isinstance(value[0], bytes) or len(value[0]) != 6:
        return ""
    if not _plausible_name(value[0]) or fields[1].text.startswith(("structure of", "array of")):
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
    name = member_text(class_id, attribute, False) or f"attribute {attribute}"
    c.close(Reference(class_id, instance, attribute), f"{obis_text(instance)}, {name}")
    return True


def read_logical_name(c: Cursor, name: str = "instance-id") -> bytes:
    """Six octets of a logical name."""
    start = c.position
    return c.leaf(name, 6, text=obis_text(c.data[start : start + 6]) if start + 6 <= c.end else "")
