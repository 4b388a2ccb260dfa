"""The syntax tree of a filter: what was written, with its columns, before anybody asks what it means."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum


class Spelling(Enum):
    """How a literal is written; what it is depends on what it is compared with."""

    WORD = "word"
    STRING = "string"
    NUMBER = "number"
    DURATION = "duration"
    INSTANT = "instant"
    OBIS = "OBIS code"
    ADDRESS = "address"
    OCTETS = "octets"


@dataclass(frozen=True)
class Node:
    """A part of a filter from column `start` to `stop` (exclusive); `depth`: how many are nested in it."""

    start: int
    stop: int
    depth: int = field(default=1, kw_only=True)


@dataclass(frozen=True)
class Literal(Node):
    """A value as it is written; of a string `text` is what stands between the quotes, escapes resolved.

    A word may be the name of a field as well.
    """

    spelling: Spelling
    text: str


@dataclass(frozen=True)
class Call(Node):
    """A function and what it is given."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Slice(Node):
    """Octets of `inner`, one range after the other: first and behind the last, None up to the end.

    Numbers below 0 count from the end.
    """

    inner: Node
    ranges: tuple[tuple[int, int | None], ...]


@dataclass(frozen=True)
class Arithmetic(Node):
    """`left` + - * / % or & `right`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Comparison(Node):
    """`left` compared with `right`: == != === !== < <= > >= contains matches.

    `quantifier` is "any", "all", or "" for what is usual.
    """

    operator: str
    left: Node
    right: Node
    quantifier: str = ""


@dataclass(frozen=True)
class Membership(Node):
    """`left` in a set of values and ranges; a range is a pair, a value a pair of itself and None."""

    left: Node
    items: tuple[tuple[Node, Node | None], ...]
    quantifier: str = ""


@dataclass(frozen=True)
class Not(Node):
    """What `inner` does not leave."""

    inner: Node


@dataclass(frozen=True)
class Junction(Node):
    """Parts with and, or, or xor between them."""

    operator: str
    parts: tuple[Node, ...]


def nodes_of(node: Node) -> Iterator[Node]:
    """A node and all that are nested in it, in the order of the text."""
    pending = [node]
    while pending:
        one = pending.pop()
        yield one
        pending.extend(reversed(_inner(one)))


def _inner(node: Node) -> list[Node]:
    match node:
        case Call(arguments=parts) | Junction(parts=parts):
            return list(parts)
        case Slice(inner=inner) | Not(inner=inner):
            return [inner]
        case Arithmetic(left=left, right=right) | Comparison(left=left, right=right):
            return [left, right]
        case Membership(left=left, items=items):
            return [left, *(one for item in items for one in item if one is not None)]
    return []
