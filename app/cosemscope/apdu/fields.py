"""The tree of fields that a decoder makes of bytes: what stands where.

Every octet belongs to exactly one leaf, so that a click on an octet finds its
field and a click on a field finds its octets. Offsets count from the start of
the byte source that the field names: source 0 is what was given to the
decoder, the others are what was made of it (a decrypted body, joined blocks).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple


class Field(NamedTuple):
    """One field: octets `start` to `stop` (exclusive) of a byte source, and what they mean.

    `value` is the machine's value (int, bytes, str, float, None, a tuple for what has elements), `text`
    the person's. A field with children owns no octets but theirs; children are in order and tile it,
    except that children of another `source` (a decrypted body) tile that source. A leaf may be empty
    (an octet-string of no octets).
    """

    name: str
    value: Any
    start: int
    stop: int
    children: "tuple[Field, ...]" = ()
    text: str = ""
    source: int = 0


class Problem(NamedTuple):
    """A fault in octets `start` to `stop` (exclusive): a sentence on expected and found octets; the clause.

    `item` is the word of the kind of expert items that the problem is; "": the usual kind of its severity.
    """

    start: int
    stop: int
    message: str
    clause: str = ""
    severity: str = "error"  # "error" (decoding broke), "warning" (odd, but readable), "note"
    source: int = 0
    item: str = ""


class ByteSource(NamedTuple):
    """A named run of bytes that fields point into: "WPDU", "decrypted", "joined blocks"."""

    name: str
    data: bytes


class Decoded(NamedTuple):
    """The result of decoding: the root field, the problems met, and the byte sources (0: the input)."""

    root: Field
    problems: tuple[Problem, ...]
    sources: tuple[ByteSource, ...]


def walk(root: Field) -> Iterator[Field]:
    """Every field of the tree, parents before their children, in order."""
    pending = [root]
    while pending:
        field = pending.pop()
        yield field
        pending.extend(reversed(field.children))


def leaves(root: Field, source: int = 0) -> Iterator[Field]:
    """The fields that own the octets of byte source `source`, in order.

    A field whose children all lie in other sources (a ciphered text that was opened) owns its octets.
    """
    for field in walk(root):
        if field.source == source and not any(child.source == source for child in field.children):
            yield field


def find(root: Field, *path: str) -> Field | None:
    """The field reached from `root` by child names, the first of equal names; None when there is none."""
    field = root
    for name in path:
        for child in field.children:
            if child.name == name:
                field = child
                break
        else:
            return None
    return field


def first(root: Field, name: str) -> Field | None:
    """The first field of that name under `root` (itself included), in order; None when there is none."""
    for field in walk(root):
        if field.name == name:
            return field
    return None
