"""Data without an APDU: a value as attributes have it, which people paste by itself.

Octets are read so where they are one whole value, or the beginning of an array or a structure, and no APDU.
What may be either is said.
"""

from typing import Any

from cosemscope.apdu.context import NO_CONTEXT, Context
from cosemscope.apdu.cursor import Cursor, Session
from cosemscope.apdu.data.data_reader import read_data, skip_data
from cosemscope.apdu.data.shapes import Shape
from cosemscope.apdu.data.types import ARRAY, STRUCTURE
from cosemscope.apdu.decoder import read_apdu
from cosemscope.apdu.fields import ByteSource, Decoded, Problem

CLAUSE = "IEC 62056-5-3, Data"
NAME = "Data"
_LEAST = 2


def is_data(octets: bytes) -> bool:
    """Whether octets are one value of Data, from its tag to its last octet."""
    return len(octets) >= _LEAST and skip_data(octets, 0, len(octets), 1) == len(octets)


def begins_data(octets: bytes) -> bool:
    """Whether octets are the beginning of an array or a structure that goes on behind their end."""
    if octets[:1] not in (bytes((ARRAY,)), bytes((STRUCTURE,))):
        return False
    decoded = decode_data(octets)
    errors = [problem for problem in decoded.problems if problem.severity == "error"]
    whole = [child for child in decoded.root.children if child.name.startswith("[")]
    return bool(errors) and len(whole) > 1 and all(problem.stop == len(octets) for problem in errors)


def decode_data(octets: bytes, context: Context | None = None, shape: Shape | None = None) -> Decoded:
    """The tree of a value by itself, named by its `shape` where that is known; never raises."""
    sources = [ByteSource(NAME, octets)]
    session = Session(context or NO_CONTEXT, sources, read_apdu)
    cursor = Cursor(octets, session)
    cursor.clause = CLAUSE
    cursor.enclosed(NAME, len(octets), lambda c: _read(c, shape))
    root = cursor.children[0]
    if root.children and root.children[0].name == NAME:  # the value, and what could not be read of it
        value, *rest = root.children
        root = value._replace(stop=len(octets), children=(*value.children, *rest)) if rest else value
    return Decoded(root, tuple(session.problems), tuple(sources))


def _read(c: Cursor, shape: Shape | None) -> tuple[Any, str]:
    value = read_data(c, NAME, shape)
    return value, c.children[-1].text


def also_data(decoded: Decoded, octets: bytes) -> Decoded:
    """The tree of an APDU with a note where its octets could as well be a value; said is its text."""
    if not is_data(octets):
        return decoded
    text = decode_data(octets).root.text
    words = f"these octets could be a value without an APDU, too: Data, {text}"
    return decoded._replace(problems=(*decoded.problems, Problem(0, len(octets), words, CLAUSE, "note")))
