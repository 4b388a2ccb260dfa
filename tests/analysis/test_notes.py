"""Notes on rows and packets: given, taken, undone in any order of doing, and never lost by growth."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.analysis.notes import NoteKind, Notes

_ROWS = st.lists(st.integers(0, 3000), min_size=1, max_size=6, unique=True)
_DONE = st.tuples(st.sampled_from(list(NoteKind)), _ROWS, st.sampled_from(["toggle", "give", "take"]))


def _state(notes: Notes) -> list[list[int]]:
    return [notes.rows(note).tolist() for note in NoteKind]


@given(st.lists(_DONE, max_size=12))
def test_what_was_done_is_there_and_undoing_goes_back_the_same_way(
    doing: list[tuple[NoteKind, list[int], str]],
) -> None:
    """Against sets of rows, at each step there and back."""
    notes, sets = Notes(dict), {note: set[int]() for note in NoteKind}
    before = [_state(notes)]
    for note, rows, how in doing:
        mine, array = sets[note], np.array(rows)
        gives = how == "give" or (how == "toggle" and not set(rows) <= mine)
        if how == "toggle":
            assert notes.toggle(note, array) == gives
        else:
            notes.put(note, array, give=gives)
        sets[note] = mine | set(rows) if gives else mine - set(rows)
        before.append(_state(notes))
        assert before[-1] == [sorted(sets[one]) for one in NoteKind]
        assert notes.has(note, array).tolist() == [row in sets[note] for row in rows]
        assert notes.has(note, slice(0, 4000)).sum() == len(sets[note])
        assert notes.any(note) == bool(sets[note])
    for state in reversed(before[:-1]):
        assert notes.undo()
        assert _state(notes) == state
    assert not notes.undo()


def test_comments_hold_over_those_of_the_file_and_say_whether_a_file_has_them() -> None:
    """Own ones first; taken back, the file's hold again; saved and undone is another thing than saved."""
    file = {3: ("of the file",), 5: ("too",)}
    notes = Notes(lambda: file)
    assert notes.comments.get(3) == ("of the file",)
    assert not notes.unsaved
    notes.set_comments(3, ("of the file",))
    assert not notes.unsaved, "nothing was changed"
    notes.set_comments(3, ())
    notes.set_comments(4, ("mine",))
    assert (notes.comments[3], notes.comments[4], notes.comments[5]) == ((), ("mine",), ("too",))
    assert notes.unsaved
    notes.note_saved(notes.changes)
    assert not notes.unsaved
    notes.undo()
    assert notes.unsaved
    assert 4 not in notes.comments
    notes.undo()
    assert notes.comments[3] == ("of the file",)
    assert not notes.has_comments
