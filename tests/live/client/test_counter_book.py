"""Counters are kept so that none comes again: spans, crashes, other processes, files that are none."""

import json
import os
from pathlib import Path

import pytest

from cosemscope.live.client.client_refused import MeterError
from cosemscope.live.client.counter_book import SPAN, CounterBook

_TITLE = b"CLI\0\0\0\0\1"


def test_a_span_that_was_not_given_back_is_lost(state: Path) -> None:
    """As after kill -9: the next one begins behind it."""
    first = CounterBook().reserve(_TITLE, "meter")
    second = CounterBook().reserve(_TITLE, "meter")
    assert second.first == first.end == first.first + SPAN


def test_what_is_given_back_is_used_next() -> None:
    """Only what was used is gone."""
    book = CounterBook()
    span = book.reserve(_TITLE, "meter", 5)
    book.give_back(span, span.first + 3)
    assert book.reserve(_TITLE, "meter").first == 8


def test_what_is_given_back_late_stays_lost() -> None:
    """Another process has counters behind it by then."""
    book = CounterBook()
    first, second = book.reserve(_TITLE, "meter"), book.reserve(_TITLE, "meter")
    book.give_back(first, first.first)
    assert book.reserve(_TITLE, "meter").first == second.end
    with pytest.raises(MeterError, match="another process"):
        book.extend(first)


def test_a_new_meter_begins_above_all_others() -> None:
    """It may be an old one at another address."""
    book = CounterBook()
    span = book.reserve(_TITLE, "meter", 1000)
    assert book.reserve(_TITLE, "other").first == span.end
    assert book.reserve(b"ANOTHER1", "meter").first == 0


def test_a_used_up_counter_is_refused() -> None:
    """Nothing is used above the last one."""
    book = CounterBook()
    assert book.reserve(_TITLE, "meter", 2**32 - 2).end == 2**32
    with pytest.raises(MeterError, match="used up"):
        book.reserve(_TITLE, "meter")


@pytest.mark.skipif(os.name != "posix", reason="rights are otherwise there")
def test_the_file_is_for_its_owner_and_has_numbers_only(state: Path) -> None:
    """Written whole, 0600, no key in it."""
    CounterBook().reserve(_TITLE, "meter")
    path = state / "counters.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text()) == {_TITLE.hex(): {"meter": SPAN}}
    assert sorted(one.name for one in state.iterdir()) == ["counters.json", "counters.json.lock"]


@pytest.mark.parametrize("octets", [b"[]", b"{", b'{"a": {"b": -1}}', b'{"a": 1}', b"\xff"])
def test_a_file_that_holds_no_counters(state: Path, octets: bytes) -> None:
    """Nothing is guessed: whoever begins at 0 would use counters again."""
    state.mkdir()
    (state / "counters.json").write_bytes(octets)
    with pytest.raises(MeterError, match="holds no invocation counters: remove it"):
        CounterBook().reserve(_TITLE, "meter")


def test_a_folder_that_cannot_be_used(state: Path) -> None:
    """It says how to name another."""
    state.write_text("a file")
    with pytest.raises(MeterError, match="COSEMSCOPE_STATE"):
        CounterBook().reserve(_TITLE, "meter")
