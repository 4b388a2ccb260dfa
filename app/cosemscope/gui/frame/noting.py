"""What the keys of notes do: WPDUs marked, ignored, taken as time references; comments on packets; undo.

The notes themselves are those of the capture (`analysis.notes`); marks and references go with the window, and
comments into the pcapng that is saved.
"""

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.notes import NoteKind, Notes
from cosemscope.gui.dialogs.comment_dialog import CommentDialog
from cosemscope.gui.frame.panes import Workspace

Rows = npt.NDArray[np.int64]
_WORDS = {NoteKind.MARKED: "mark", NoteKind.IGNORED: "ignored WPDU", NoteKind.REFERENCE: "time reference"}


class Noting:
    """Notes on the rows of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @property
    def _notes(self) -> Notes:
        return self._workspace.traffic.analysis.notes

    def _selected(self) -> Rows:
        return np.sort(self._workspace.table.selected_row_numbers())

    def _displayed(self) -> Rows:
        return np.sort(self._workspace.table.wpdus.order.rows.astype(np.int64))

    def _toggle(self, note: NoteKind, rows: Rows) -> None:
        self._notes.toggle(note, rows)
        self._workspace.selection.tell_noted()

    def _put(self, note: NoteKind, rows: Rows, *, give: bool) -> None:
        self._notes.put(note, rows, give=give)
        self._workspace.selection.tell_noted()

    def _go(self, note: NoteKind, by: int) -> None:
        """Go to the next displayed row with a note, or the one before; at the end from the other one."""
        order = self._workspace.table.wpdus.order
        rows = self._notes.rows(note)
        places = np.sort([place for place in map(order.position, rows.tolist()) if place >= 0])
        word = _WORDS[note]
        if not len(places):
            self._workspace.wishes.said.emit(f"No {word} among the WPDUs displayed.")
            return
        here = order.position(self._workspace.selection.row)
        at = int(np.searchsorted(places, here, "right")) if by > 0 else int(np.searchsorted(places, here)) - 1
        if not 0 <= at < len(places):
            self._workspace.wishes.said.emit(f"From the {'first' if by > 0 else 'last'} {word} again.")
        self._workspace.selection.go_to(order.row(int(places[at % len(places)])))

    # Marks

    def mark(self) -> None:
        """Mark the selected WPDUs, or take the marks away where all have one."""
        self._toggle(NoteKind.MARKED, self._selected())

    def mark_displayed(self) -> None:
        """Mark all that are displayed."""
        self._put(NoteKind.MARKED, self._displayed(), give=True)

    def unmark_displayed(self) -> None:
        """Take the marks of all that are displayed away."""
        self._put(NoteKind.MARKED, self._displayed(), give=False)

    def next_mark(self) -> None:
        """Go to the next mark."""
        self._go(NoteKind.MARKED, 1)

    def previous_mark(self) -> None:
        """Go to the mark before."""
        self._go(NoteKind.MARKED, -1)

    # Ignored ones

    def ignore(self) -> None:
        """Set the selected WPDUs aside, or take them back: counts and exports leave them out."""
        self._toggle(NoteKind.IGNORED, self._selected())

    def ignore_none(self) -> None:
        """Take all back."""
        self._put(NoteKind.IGNORED, self._notes.rows(NoteKind.IGNORED), give=False)

    # Time references

    def refer(self) -> None:
        """Count relative times from the current WPDU, or not any more."""
        row = self._workspace.selection.row
        if row >= 0:
            self._toggle(NoteKind.REFERENCE, np.array([row]))

    def refer_to_none(self) -> None:
        """Count all relative times from the first WPDU again."""
        self._put(NoteKind.REFERENCE, self._notes.rows(NoteKind.REFERENCE), give=False)

    def next_reference(self) -> None:
        """Go to the next time reference."""
        self._go(NoteKind.REFERENCE, 1)

    def previous_reference(self) -> None:
        """Go to the time reference before."""
        self._go(NoteKind.REFERENCE, -1)

    # Comments

    def comment(self) -> None:
        """Let a person write comments on the first packet of the current WPDU."""
        row, traffic = self._workspace.selection.row, self._workspace.traffic
        if row < 0:
            return
        packet, notes = int(traffic.analysis.packets_of(row)[0]), self._notes

        def take(text: str) -> None:
            lines = tuple(part.strip() for part in text.split("\n\n") if part.strip())
            notes.set_comments(packet, lines)
            self._workspace.selection.tell_noted()

        before = "\n\n".join(notes.comments.get(packet, ()))
        dialog = CommentDialog(self._workspace.window(), packet + 1, before)
        dialog.written.connect(take)
        dialog.open()

    # Undoing

    def undo(self) -> None:
        """Take the latest note back."""
        words = self._notes.undoable
        if self._notes.undo():
            self._workspace.selection.tell_noted()
            self._workspace.wishes.said.emit(f"Undone: {words}.")
        else:
            self._workspace.wishes.said.emit("No mark, comment or time reference is left to undo.")

    @property
    def told(self) -> str:
        """What is noted, for the status bar: "3 marked, 1 ignored"; "" for nothing."""
        notes = self._notes
        numbers = {note: len(notes.rows(note)) for note in (NoteKind.MARKED, NoteKind.IGNORED)}
        parts = [f"{number:,} {note.name.lower()}" for note, number in numbers.items() if number]
        if notes.unsaved:
            parts.append("comments not saved")
        return ", ".join(parts)
