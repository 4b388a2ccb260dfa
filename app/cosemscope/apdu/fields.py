"""The tree of fields that a decoder makes of bytes: what stands where.

Every octet belongs to exactly one leaf, so that a click on an octet finds its
field and a click on a field finds its octets. Offsets count from the start of
the byte source that the field names: source 0 is what was given to the
decoder, the others are what was made of it (a decrypted body, joined blocks).
"""

from typing import Any, NamedTuple


class Field(NamedTuple):
    """One field: octets `start` to `stop` (exclusive) of a byte source, and what they mean.

    `value` is the machine's value (int, bytes, str, float, None), `text` the person's.
    A field with children owns no octets but theirs; children are in order and tile it,
    except that children of another `source` (a decrypted body) tile that source.
    """

    name: str
    value: Any
    start: int
    stop: int
    children: "tuple[Field, ...]" = ()
    text: str = ""
    source: int = 0


class Problem(NamedTuple):
    """Something wrong in the bytes: where, what was expected and what stands there, and the clause if known."""

    start: int
    stop: int
    message: str
    clause: str = ""
    severity: str = "error"  # "error" (decoding broke), "warning" (odd, but readable), "note"
    source: int = 0


class ByteSource(NamedTuple):
    """A named run of bytes that fields point into: "WPDU", "decrypted", "joined blocks"."""

    name: str
    data: bytes


class Decoded(NamedTuple):
    """What decoding gives: the root field, the problems met, and the byte sources (0: the input)."""

    root: Field
    problems: tuple[Problem, ...]
    sources: tuple[ByteSource, ...]
