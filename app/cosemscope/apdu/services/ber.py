"""Basic encoding rules (X.690) as far as ACSE needs them: elements of tag, length and content.

Lengths may be short, long or indefinite; one that promises more than there is counts as reaching to the end,
with a problem, so that a truncated association is still taken apart as far as it goes.
"""

from collections.abc import Mapping
from typing import Any

from cosemscope.apdu.cursor import MAX_DEPTH, Break, Cursor, Reader
from cosemscope.apdu.fields import Field
from cosemscope.apdu.names.texts import hex_text, octets_text

CLAUSE = "ITU-T X.690 (BER)"
_INDEFINITE = -1
_TAG_ROOM = 5  # octets of a tag that are looked at for its last one

_UNIVERSAL = {
    0x01: "BOOLEAN",
    0x02: "INTEGER",
    0x03: "BIT STRING",
    0x04: "OCTET STRING",
    0x05: "NULL",
    0x06: "OBJECT IDENTIFIER",
    0x0A: "ENUMERATED",
    0x0C: "UTF8String",
    0x16: "IA5String",
    0x19: "GraphicString",
    0x28: "EXTERNAL",
    0x30: "SEQUENCE",
    0x31: "SET",
}


def read_element(c: Cursor, name: str, read: Reader, expected: int | None = None) -> None:
    """One element becomes the field `name`: `tag`, `length`, and the fields that `read` makes of the content.

    Raises Break, before reading anything, when `expected` is given and another tag stands there.
    """
    start = c.position
    if start >= c.end:
        raise c.missing(f"tag of {name}", 1)
    if expected is not None and c.data[start] != expected:
        kind = _UNIVERSAL.get(expected, "context tag")
        raise Break(
            start,
            start + 1,
            f"expected {kind} (0x{expected:02X}) as tag of {name} at offset {start}, "
            f"found 0x{c.data[start]:02X}",
            CLAUSE,
        )
    c.open(name)
    tag = _read_tag(c)
    size = _read_length(c, tag)
    closed = True
    if size == _INDEFINITE:
        stop = _end_of_contents(c.data, c.position, c.end)
        closed = stop >= 0
        stop = stop if closed else c.end
    else:
        stop = c.position + size
        whole = _element_end(c.data, start, c.end) if tag & 0x20 else -1
        if whole > stop:
            c.warn(
                start + 1,
                start + 2,
                f"length of {name} at offset {start + 1} says {size} octets, the element in it takes "
                f"{whole - c.position}: read to its end",
                CLAUSE,
            )
            stop = whole
    value, text, _ = c.region(stop, read, name)
    if size == _INDEFINITE:
        if closed:
            c.leaf("end-of-contents", 2)
        else:
            _not_closed(c, stop, name)
    c.close(value, text)


def read_elements(c: Cursor, table: Mapping[int, tuple[str, Reader]]) -> None:
    """Elements up to the end, in any order, named and read by `table`; others become unknown elements."""
    seen: set[str] = set()
    while c.position < c.end:
        start = c.position
        name, read = table.get(c.data[start], ("unknown element", read_anything))
        if name == "unknown element":
            c.warn(start, start + 1, f"element 0x{c.data[start]:02X} at offset {start} is not of this APDU")
        elif name in seen:
            c.warn(start, start + 1, f"{name} at offset {start} is there twice")
        seen.add(name)
        read_element(c, name, read)


def _read_tag(c: Cursor) -> int:
    """The identifier octets; a tag number of 31 and more goes on over octets with their top bit set."""
    start = c.position
    tag = c.data[start]
    stop = start + 1
    if tag & 0x1F == 0x1F:
        while stop < c.end and stop < start + _TAG_ROOM and c.data[stop] & 0x80:
            stop += 1
        stop = min(stop + 1, c.end)
    value = int.from_bytes(c.data[start:stop], "big")
    text = f"[{tag & 0x1F}]" if tag & 0xC0 == 0x80 and stop == start + 1 else _UNIVERSAL.get(tag, "")
    c.leaf("tag", stop - start, value, text)
    return tag


def _read_length(c: Cursor, tag: int) -> int:
    """The length octets: a size not beyond the end, or -1 for indefinite."""
    start = c.position
    if start >= c.end:
        raise c.missing("length", 1)
    first = c.data[start]
    if first == 0x80:
        c.leaf("length", 1, first, "indefinite")
        if not tag & 0x20:
            raise Break(
                start, start + 1, f"expected a definite length of a primitive at offset {start}", CLAUSE
            )
        return _INDEFINITE
    size = c.count("length", CLAUSE)
    left = c.end - c.position
    if size > left:
        c.problem(
            start,
            c.end,
            f"length at offset {start} says {size} octets, {left} remain: read to the end",
            CLAUSE,
        )
        return left
    return size


def read_length_to(c: Cursor, name: str) -> int:
    """The length of the element `name`, whose constructed tag was just read; where its content stops."""
    size = _read_length(c, 0x20)
    if size != _INDEFINITE:
        return c.position + size
    stop = _end_of_contents(c.data, c.position, c.end)
    if stop < 0:
        _not_closed(c, c.end, name)
    return stop if stop >= 0 else c.end


def _not_closed(c: Cursor, stop: int, name: str) -> None:
    c.problem(stop, stop, f"expected end-of-contents (00 00) of {name}, the octets end", CLAUSE)


def element_ends(data: bytes, position: int, end: int) -> list[int]:
    """Where each of the elements in a row ends that lie whole before `end`; of definite lengths only."""
    ends: list[int] = []
    while (position := _element_end(data, position, end)) >= 0:
        ends.append(position)
    return ends


def _element_end(data: bytes, position: int, end: int) -> int:
    """Where the element at `position` ends; -1 where it does not lie whole before `end`, or does not tell.

    A constructed element reaches as far as the first element in it, should that be further than it says.
    """
    if position + 2 > end:
        return -1
    start, stop = _content(data, position)
    if stop < start or stop > end:
        return -1
    if data[position] & 0x20 and stop - start >= 2:
        inner, inner_stop = _content(data, start)
        if inner_stop >= inner and stop < inner_stop <= end:
            return inner_stop
    return stop


def _content(data: bytes, position: int) -> tuple[int, int]:
    """Where the content of the element at `position` starts and stops; the stop is -1 where none is said."""
    start = position + 1
    if data[position] & 0x1F == 0x1F:
        while start < len(data) and start < position + _TAG_ROOM and data[start] & 0x80:
            start += 1
        start += 1
    if start >= len(data) or data[start] == 0x80:
        return start, -1
    size, start = data[start], start + 1
    if size > 0x80:
        width = size - 0x80
        size = int.from_bytes(data[start : start + width], "big")
        start += width
    return start, start + size


def _end_of_contents(data: bytes, position: int, end: int) -> int:
    """Where the 00 00 stands that closes an indefinite length; -1 when none does."""
    level = 1
    while position + 1 < end:
        tag, position = data[position], position + 1
        if tag & 0x1F == 0x1F:
            while position < end and data[position] & 0x80:
                position += 1
            position += 1
        if position >= end:
            return -1
        first, position = data[position], position + 1
        if tag == 0 and first == 0:
            level -= 1
            if level == 0:
                return position - 2
        elif first == 0x80:
            level += 1
        elif first < 0x80:
            position += first
        else:
            size = first & 0x7F
            position += size + int.from_bytes(data[position : position + size], "big")
    return -1


def read_anything(c: Cursor) -> tuple[Any, str]:
    """Content without a reader of its own: elements below a constructed tag, else octets."""
    return _read_nested(c, 0)


def _read_nested(c: Cursor, depth: int) -> tuple[Any, str]:
    octets = c.data[c.position : c.end]
    constructed = bool(c.children) and bool(int(_first_octet(c)) & 0x20)
    if constructed and depth < MAX_DEPTH // 4:
        while c.position < c.end:
            name = _UNIVERSAL.get(c.data[c.position], "element")
            read_element(c, name, lambda c: _read_nested(c, depth + 1))
        return octets, ""
    c.leaf("value", c.end - c.position, octets, octets_text(octets))
    return octets, octets_text(octets)


def _first_octet(c: Cursor) -> int:
    """The first identifier octet of the element that is open."""
    tag: Field = c.children[0]
    return c.data[tag.start]


def read_octets(c: Cursor) -> tuple[Any, str]:
    """All of the content as octets."""
    octets = c.data[c.position : c.end]
    text = octets_text(octets)
    c.leaf("value", len(octets), octets, text)
    return octets, text


def read_integer(c: Cursor) -> tuple[Any, str]:
    """All of the content as a signed integer of at least one octet; more than eight stay octets."""
    octets = c.data[c.position : c.end]
    if not octets:
        raise c.missing("an integer", 1)
    value = int.from_bytes(octets, "big", signed=True) if len(octets) <= 8 else octets
    shown = str(value) if isinstance(value, int) else hex_text(value)
    c.leaf("value", len(octets), value, shown)
    return value, shown


def read_object_identifier(c: Cursor) -> tuple[Any, str]:
    """All of the content as an object identifier: its value is the arcs in dots."""
    octets = c.data[c.position : c.end]
    arcs: list[int] = []
    arc = 0
    for octet in octets[:32]:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    if not octets or octets[-1] & 0x80 or len(octets) > 32:
        shown = hex_text(octets)
        c.leaf("value", len(octets), octets, shown)
        c.problem(
            c.position - len(octets),
            c.position,
            f"expected an object identifier, found {shown or 'no octets'}",
            CLAUSE,
        )
        return octets, shown
    first = min(arcs[0] // 40, 2)
    dotted = ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))
    c.leaf("value", len(octets), dotted, dotted)
    return dotted, dotted


def read_bit_string(c: Cursor) -> tuple[Any, str]:
    """All of the content as a bit string: unused bits, then the octets; its value is a string of 0 and 1."""
    unused = c.u8("unused bits")
    octets = c.data[c.position : c.end]
    if unused > 7 or (unused and not octets):
        raise c.unexpected("number of unused bits", unused, "0 to 7, fitting the octets")
    bits = "".join(f"{octet:08b}" for octet in octets)
    bits = bits[: len(bits) - unused]
    c.leaf("value", len(octets), bits, bits)
    return bits, bits
