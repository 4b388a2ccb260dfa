"""Saved filters come back as they were; what does not fit counts as nothing."""

import pytest

from cosemscope.gui.panes.filter.saved_filters import SavedFilters


def test_what_is_packed_comes_back():
    """Names and their order, used filters, the latest first and each once."""
    saved = SavedFilters()
    assert saved.packed() == b""
    saved.save("Slow", "response_time > 1s")
    saved.save("Schön", 'info contains "ü"')
    for text in ("a", "b", "a", "", *map(str, range(40))):
        saved.note(text)
    again = SavedFilters()
    again.unpack(saved.packed())
    assert list(again.named.items()) == [("Slow", "response_time > 1s"), ("Schön", 'info contains "ü"')]
    assert again.used == [str(number) for number in range(39, 9, -1)]
    again.forget("Slow")
    again.forget("no such name")
    assert list(again.named) == ["Schön"]


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"[",
        b"[]",
        b"null",
        b'{"named": 3, "used": {"a": 1}}',
        b'{"named": {"a": 1}, "used": [2]}',
        b"\xff",
    ],
)
def test_what_does_not_fit_counts_as_nothing(packed):
    """An older version's file, a person's typing error."""
    saved = SavedFilters()
    saved.save("a", "b")
    saved.unpack(packed)
    assert (saved.named, saved.used) == ({}, [])
