"""Strings of Data: octet, visible, UTF-8 and bit strings, each as a value and a text.

Octets that can only be a date-time or a logical name are read as such, and the text says so.
"""

import re
from typing import Any

from cosemscope.apdu.cursor import Break, Cursor
from cosemscope.apdu.data.dates import DATE_TIME, plausible_date_time, read_form
from cosemscope.apdu.data.shapes import Shape
from cosemscope.apdu.data.types import CLAUSE, FORMS_BY_SIZE, OCTET_STRING, UTF8_STRING
from cosemscope.apdu.names.texts import obis_text, octets_text, quoted

_INVISIBLE = re.compile(rb"[^ -~]")


def read_string(c: Cursor, tag: int, size: int, shape: Shape | None) -> tuple[Any, str]:
    """The next `size` octets, a string of type `tag`, as the field `value`; gives value and text."""
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
    """An octet string, as its shape or else its octets tell: date, logical name, text or octets."""
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
    elif size == 6 and plausible_name(octets):
        text = f"{obis_text(octets)} (read as logical name)"
    elif size in (4, 5) and not text.startswith('"') and any(octets):
        form = FORMS_BY_SIZE[size]
        if form.plausible(octets):
            text = f"{octets.hex()} (as {form.name}: {form.text(octets)})"
    c.leaf("value", size, octets, text)
    return octets, text


def plausible_name(octets: bytes) -> bool:
    """Whether six octets can be a logical name: a medium the Blue Book knows, and value group F as usual."""
    return (octets[0] <= 15 and octets[5] == 0xFF) or (
        octets[0] <= 9 and octets[5] <= 99 and any(octets[2:5])
    )


def read_bits(c: Cursor) -> tuple[str, str]:
    """A bit string, its length in bits first: the value is a string of 0 and 1, the text the same, cut."""
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
