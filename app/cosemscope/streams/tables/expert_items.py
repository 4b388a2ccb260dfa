"""The one table of what is wrong or remarkable in a capture: a row an item, and the table of their kinds.

An item names its kind, where it was found (WPDU, packet, stream, direction) and a
span of octets. Its severity, group, sentence and clause are those of its kind, which
is declared once, by the place that finds it. Words of an item's own, as a decoder has
them ("expected ..., found ..."), are kept once each, and the item has their number.
"""

from enum import IntEnum, StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.capture.columns import Columns


class Severity(IntEnum):
    """How bad an item is; what is above CHAT is no part of clean traffic."""

    CHAT = 0  # part of the everyday course of things
    NOTE = 1  # unusual, and nothing was lost
    WARNING = 2  # against the rules, or something is missing
    ERROR = 3  # something cannot be read

    @property
    def word(self) -> str:
        """The name for scripts: "warning"."""
        return self.name.lower()


class Group(StrEnum):
    """What an item is about."""

    WRAPPER = "wrapper"
    TCP = "tcp"
    ASSOCIATION = "association"
    SERVICE = "service"
    SECURITY = "security"
    DATA = "data"
    FILE = "file"
    HDLC = "hdlc"


class Source(IntEnum):
    """The octets in which an item's span lies; byte source n of the WPDU's tree is `WPDU + n`."""

    NONE = 0  # the item has no span
    FILE = 1  # offsets in the (unpacked) file
    STREAM = 2  # of one direction of a TCP stream; octet 0 is the first one behind the SYN, or that was seen
    DATAGRAM = 3  # of the payload of the item's packet
    WPDU = 4  # of the WPDU, header included
    BODY = 5  # of what was made of it: the first opened or joined body of its tree, others follow


class ItemKind(NamedTuple):
    """What all items of a kind have in common.

    `word` is the name for scripts. `sentence` may have the fields `{amount}` and `{octets}`, the amount as a
    number and as a number of octets. `number` stands in the column `kind`; it holds for one process only.
    """

    number: int
    word: str
    severity: Severity
    group: Group
    sentence: str
    clause: str = ""

    def message(self, amount: int) -> str:
        """The sentence with its amount."""
        return self.sentence.format(amount=f"{amount:,}", octets=f"{amount:,} octet{'s'[: amount != 1]}")


#: Every kind that was declared, by its word; and by its number.
KINDS: dict[str, ItemKind] = {}
NUMBERED: list[ItemKind] = []


def declare(word: str, severity: Severity, group: Group, sentence: str, clause: str = "") -> ItemKind:
    """Declare a kind of items; returns it. Raises ValueError when another has this word."""
    if word in KINDS:
        raise ValueError(f"the kind {word} of expert items is declared twice")
    kind = KINDS[word] = ItemKind(len(NUMBERED), word, severity, group, sentence, clause)
    NUMBERED.append(kind)
    return kind


#: Numbers of the kinds that the user does not want to see.
SWITCHED_OFF: set[int] = set()


def rate(word: str, severity: Severity | None) -> None:
    """Give a kind another severity from now on; None switches it off. KeyError for an unknown word."""
    kind = KINDS[word]
    if severity is None:
        SWITCHED_OFF.add(kind.number)
        return
    SWITCHED_OFF.discard(kind.number)
    KINDS[word] = NUMBERED[kind.number] = kind._replace(severity=severity)


class Words(NamedTuple):
    """An item's own sentence and clause, in the place of its kind's."""

    message: str
    clause: str = ""


#: EXPERT columns: `kind` (ItemKind.number); `wpdu`, `packet`, `stream`: rows of their tables, -1 for none;
#: `direction` 0: from the stream's client; `source` (Source), `start`, `stop`: the span; `amount`: what the
#: kind's sentence counts; `words`: the number of the item's own words, 0 for none.
EXPERT_FIELDS: dict[str, str] = {
    "kind": "u2",
    "wpdu": "i8",
    "packet": "i8",
    "stream": "i8",
    "direction": "u1",
    "source": "u4",
    "start": "i8",
    "stop": "i8",
    "amount": "u4",
    "words": "u4",
}
_NOWHERE = {"wpdu": -1, "packet": -1, "stream": -1}
_MOST = 0xFFFFFFFF


class ExpertItems(Columns):
    """The items of a capture, in the order in which they became known.

    Of the first `completed` WPDUs every item is there, also those of trees.
    """

    def __init__(self) -> None:
        super().__init__(EXPERT_FIELDS)
        self.completed = 0
        self._words = [Words("")]
        self._numbers = {self._words[0]: 0}

    def add(self, count: int = 1, **values: npt.ArrayLike) -> slice:
        """Add `count` items: arrays of that length or scalars by column, amounts up to 2^32 - 1.

        Returns the slice of their rows. Raises KeyError for a name that is no column.
        """
        if "amount" in values:
            values["amount"] = np.minimum(values["amount"], _MOST)
        return self.extend(count, **{**_NOWHERE, **values})

    def copy(self) -> "ExpertItems":
        """The same items again, to be gone on with apart from these."""
        other = ExpertItems()
        count = len(self)
        other.reserve(count)
        other.extend(count, **{name: self[name][:count] for name in self.names})
        other._words, other._numbers = list(self._words), dict(self._numbers)
        return other

    def switch_off(self) -> None:
        """Remove the items of kinds that are switched off."""
        self.keep(np.flatnonzero(~np.isin(self["kind"], list(SWITCHED_OFF))))

    def keep(self, wanted: npt.NDArray[np.int64]) -> None:
        """Remove all items but those in these rows, ascending."""
        if len(wanted) < len(self):
            kept = {name: self[name][wanted] for name in self.names}
            self._length = 0
            self.extend(len(wanted), **kept)

    def number(self, words: Words) -> int:
        """The number of words for the column `words`; equal words have one number."""
        number = self._numbers.setdefault(words, len(self._words))
        if number == len(self._words):
            self._words.append(words)
        return number

    def renumbered(self, other: "ExpertItems") -> npt.NDArray[np.int64]:
        """What the numbers of another table's words are here, int64[words of the other]."""
        return np.array([self.number(words) for words in other._words], np.int64)

    def kind(self, row: int) -> ItemKind:
        """The kind of an item."""
        return NUMBERED[int(self["kind"][row])]

    def message(self, row: int) -> str:
        """What an item says: its own words, or the sentence of its kind."""
        return self.sentence(*(int(self[name][row]) for name in ("kind", "amount", "words")))

    def sentence(self, kind: int, amount: int, words: int) -> str:
        """What an item with these columns says."""
        return self._words[words].message or NUMBERED[kind].message(amount)

    def clause(self, row: int) -> str:
        """The clause that an item cites; "" for none."""
        return self._words[int(self["words"][row])].clause or self.kind(row).clause

    def count(self, kind: ItemKind) -> int:
        """How many items of a kind there are."""
        return int(np.count_nonzero(self["kind"] == kind.number))

    def total(self, kind: ItemKind) -> int:
        """The sum of the amounts of all items of a kind."""
        return int(self["amount"][self["kind"] == kind.number].sum(dtype=np.int64))


def severities() -> npt.NDArray[np.uint8]:
    """The severity of each kind, uint8[kind]: `severities()[items["kind"]] >= Severity.WARNING`."""
    return np.array([kind.severity for kind in NUMBERED], np.uint8)
