"""Pieces: the octets that a pasted text spells, with what the text says around them."""

import enum
from typing import NamedTuple

from cosemscope.apdu.pasted.time_stamps import Stamp
from cosemscope.wording import count


class HexError(ValueError):
    """Text that spells no octets: a sentence for people."""


class Way(enum.Enum):
    """Direction of octets in a log, as the one who wrote the log saw them."""

    SENT = "sent"
    RECEIVED = "received"


class Piece(NamedTuple):
    """Octets of a line, or of a whole dump: the `way` they went as far as told, and the first line, from 1.

    `begins`: something in the text (a heading, a stamp, an empty line) says that another message begins here.
    `stamp` is the time that the text tells of them.
    """

    octets: bytes
    way: Way | None
    line: int
    begins: bool = True
    stamp: Stamp | None = None


#: Kinds of what is left out whose plural is not made by an s.
_SEVERAL = {"address": "addresses", "column of characters": "columns of characters"}


class Pasted(NamedTuple):
    """The pieces of a text in order; `left_out`: how many of each kind are no octets; `notes`: sentences."""

    pieces: tuple[Piece, ...]
    left_out: dict[str, int]
    notes: tuple[str, ...]

    @property
    def octets(self) -> bytes:
        """All octets of the text, one behind the other."""
        return b"".join(piece.octets for piece in self.pieces)

    @property
    def remark(self) -> str:
        """Sentences about the reading: what was left out, what is ambiguous; "" for neither."""
        counted = [count(number, kind, _SEVERAL.get(kind, "")) for kind, number in self.left_out.items()]
        ignored = [f"{', '.join(counted)} ignored."] if counted else []
        return " ".join([*ignored, *self.notes])
