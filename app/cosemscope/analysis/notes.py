"""What a person notes in a capture: WPDUs marked, ignored, taken as time references; comments on packets.

    notes.toggle(NoteKind.MARKED, rows), notes.has(NoteKind.MARKED, slice(0, n))
    notes.set_comments(packet, ("late",)), notes.undo()

Nothing of it is in the file until somebody writes one. Every change can be undone, the latest first.
"""

from collections import ChainMap
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
#: Changes that can be undone.
_REMEMBERED = 100


class NoteKind(IntEnum):
    """What a WPDU row can be; the value is its bit."""

    MARKED = 1
    IGNORED = 2
    REFERENCE = 4  # relative times behind it count from it


class _Change(NamedTuple):
    """What was before: the bits of some rows, or the comments of a packet, None where the file's held."""

    words: str
    rows: Rows
    bits: npt.NDArray[np.uint8]
    packet: int = -1
    comments: tuple[str, ...] | None = None


class Notes:
    """The notes on one capture. `version` is another number after each change.

    `of_file` gives the comments that the file has, by packet (from 0).
    """

    def __init__(self, of_file: Callable[[], dict[int, tuple[str, ...]]]) -> None:
        self.version = 0
        self._of_file = of_file
        self._bits = np.zeros(0, np.uint8)
        self._own: dict[int, tuple[str, ...]] = {}
        self._done: list[_Change] = []
        #: how often comments were changed, less what was undone; and how often when a file was written last
        self.changes = self._saved = 0

    # Rows

    def has(self, note: NoteKind, rows: slice | Rows) -> Mask:
        """Which of these rows have a note, bool[n]."""
        if isinstance(rows, slice):
            found = np.zeros(len(range(*rows.indices(rows.stop))), np.bool_)
            part = self._bits[rows]
            found[: len(part)] = (part & note) > 0
            return found
        found = np.zeros(len(rows), np.bool_)
        known = rows < len(self._bits)
        found[known] = (self._bits[rows[known]] & note) > 0
        return found

    def bits(self, row: int) -> int:
        """All notes of a row."""
        return int(self._bits[row]) if row < len(self._bits) else 0

    def rows(self, note: NoteKind) -> Rows:
        """The rows with a note, ascending."""
        return np.flatnonzero((self._bits & note) > 0)

    def any(self, note: NoteKind) -> bool:
        """Whether any row has it."""
        return bool((self._bits & note).any())

    def toggle(self, note: NoteKind, rows: Rows) -> bool:
        """Give these rows a note, or take it away where all of them have it; whether they have it now."""
        give = bool(len(rows)) and not self.has(note, rows).all()
        self.put(note, rows, give=give)
        return give

    def put(self, note: NoteKind, rows: Rows, *, give: bool) -> None:
        """Give these rows a note, or take it away."""
        if not len(rows):
            return
        most = int(rows.max()) + 1
        if most > len(self._bits):
            grown = np.zeros(max(most, 2 * len(self._bits)), np.uint8)
            grown[: len(self._bits)] = self._bits
            self._bits = grown
        did = "given" if give else "taken away"
        self._remember(_Change(f"{note.name.lower()}, {did}", rows.copy(), self._bits[rows]))
        self._bits[rows] = self._bits[rows] | note if give else self._bits[rows] & ~np.uint8(note)

    # Comments

    @property
    def comments(self) -> Mapping[int, tuple[str, ...]]:
        """The comments that hold, by packet (from 0)."""
        return ChainMap(self._own, self._of_file()) if self._own else self._of_file()

    def set_comments(self, packet: int, comments: tuple[str, ...]) -> None:
        """These are a packet's comments (from 0); none at all take the file's away."""
        if comments == self.comments.get(packet, ()):
            return
        none = np.zeros(0, np.int64)
        self._remember(_Change("comment", none, none.astype(np.uint8), packet, self._own.get(packet)))
        self._own[packet] = comments
        self.changes += 1

    @property
    def has_comments(self) -> bool:
        """Whether comments are others than those of the file."""
        return bool(self._own)

    @property
    def unsaved(self) -> bool:
        """Whether there are comments that no file has."""
        return self.changes != self._saved

    def note_saved(self, changes: int) -> None:
        """A file has the comments as they were after so many `changes`."""
        self._saved = changes

    # Undoing

    def _remember(self, change: _Change) -> None:
        self._done.append(change)
        del self._done[:-_REMEMBERED]
        self.version += 1

    @property
    def undoable(self) -> str:
        """What undoing would take back, in words; "" for nothing."""
        return self._done[-1].words if self._done else ""

    def undo(self) -> bool:
        """Take the latest change back; False without any."""
        if not self._done:
            return False
        change = self._done.pop()
        self.version += 1
        self._bits[change.rows] = change.bits
        if change.packet >= 0:
            self.changes -= 1
            if change.comments is None:
                del self._own[change.packet]
            else:
                self._own[change.packet] = change.comments
        return True
