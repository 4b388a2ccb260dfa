"""Texts where an APDU is expected: telegrams of P1 (DSMR) and read-outs of IEC 62056-21, line by line.

Some meters put such a telegram into a ciphered APDU. Each line is a field, with the meaning of its OBIS code;
the check sequence behind the exclamation mark is recomputed.
"""

import re
from typing import Any

from cosemscope.apdu.cursor import Cursor
from cosemscope.apdu.names.texts import obis_text
from cosemscope.wording import count

CLAUSE = "IEC 62056-21, data message"

_LINE = re.compile(rb"[^\n]*\n?")
_OBIS = re.compile(r"(\d{1,3})-(\d{1,3}):(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:[.*](\d{1,3}))?(?=\()")
_CHECK = re.compile(rb"!([0-9A-Fa-f]{4})\s*$")


def read_text(c: Cursor) -> tuple[Any, str]:
    """The lines of a text, one field each, up to the end of the cursor."""
    start, first = c.position, ""
    lines = 0
    while c.position < c.end:
        match = _LINE.match(c.data, c.position, c.end)
        octets = match[0] if match is not None else c.data[c.position : c.end]
        words = octets.decode("latin-1").rstrip("\r\n")
        _read_line(c, start, octets, words)
        first = first or words
        lines += bool(words)
    return None, f'"{first}", {count(lines, "line")}'


def _read_line(c: Cursor, start: int, octets: bytes, words: str) -> None:
    check = _CHECK.match(octets)
    if check is not None:
        wanted = _crc(c.data[start : c.position + 1])
        right = int(check[1], 16) == wanted
        c.leaf("check sequence", len(octets), words, f"{words} ({'right' if right else 'wrong'})")
        if not right:
            stop = c.position
            sentence = f"expected check sequence {wanted:04X} at offset {stop - len(octets) + 1}, found "
            c.warn(stop - len(octets), stop, sentence + check[1].decode().upper(), CLAUSE)
        return
    if not c.children and words.startswith("/"):
        c.leaf("identification", len(octets), words, words)
        return
    code = _OBIS.match(words)
    name = ""
    if code is not None:
        groups = [int(group) if group else 255 for group in code.groups()]
        name = obis_text(bytes(groups)).partition(" ")[2] if max(groups) < 256 else ""
    c.leaf("line", len(octets), words, f"{words}: {name}" if name else words)


def _crc(octets: bytes) -> int:
    """CRC-16/ARC, as P1 has it over everything from the slash to the exclamation mark."""
    register = 0
    for octet in octets:
        register ^= octet
        for _ in range(8):
            register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return register
