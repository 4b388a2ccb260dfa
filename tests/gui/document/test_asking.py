"""Rows are asked at once or in the background; what is not wanted any more is told to nobody."""

import threading

import numpy as np
import pytest

from cosemscope.analysis.filter.display_filter import compile_filter
from cosemscope.gui.document.asking import AT_ONCE, Filtering, Question
from tests.helpers.polled import polled_traffic

NONE = np.zeros(0, np.bool_)


@pytest.fixture
def filtering(qapp) -> Filtering:
    return Filtering()


def answers_of(filtering: Filtering) -> list[tuple[str, list[int]]]:
    told: list[tuple[str, list[int]]] = []
    filtering.answered.connect(
        lambda question, found: told.append((question.name, list(np.flatnonzero(found.mask)[:3])))
    )
    return told


def test_few_rows_are_asked_at_once(filtering):
    """Who filters a small capture sees the rows in the same moment."""
    told = answers_of(filtering)
    filtering.ask(Question("a", compile_filter("role == server"), NONE, 40), polled_traffic(40))
    assert told == [("a", [1, 3, 5])]
    assert "a" not in filtering


def test_many_rows_are_asked_in_the_background(filtering, qtbot):
    """The window's thread asks none of them."""
    told = answers_of(filtering)
    question = Question("a", compile_filter("role == server"), NONE, AT_ONCE + 1)
    with qtbot.waitSignal(filtering.answered):
        filtering.ask(question, polled_traffic(AT_ONCE + 1))
        assert "a" in filtering
        assert not told
    assert told == [("a", [1, 3, 5])]


def test_only_new_rows_are_asked_of_what_is_settled(filtering):
    """What is known of the rows before is kept as it is, right or wrong."""
    told = answers_of(filtering)
    known = np.zeros(30, np.bool_)
    filtering.ask(Question("a", compile_filter("role == server"), known, 40), polled_traffic(40))
    assert told == [("a", [31, 33, 35])]


def test_a_newer_question_takes_the_place_of_an_older_one(filtering, qtbot):
    """Whatever the order in which the answers come."""
    told = answers_of(filtering)
    traffic = polled_traffic(AT_ONCE + 2)
    for text in ("role == server", "role == client"):
        filtering.ask(Question("a", compile_filter(text), NONE, AT_ONCE + 2), traffic)
    qtbot.waitUntil(lambda: bool(told))
    qtbot.wait(50)
    assert told == [("a", [0, 2, 4])]


def test_what_is_given_up_is_not_told(filtering, qtbot):
    """Cancelling ends a question that looks at trees between two of them."""
    told = answers_of(filtering)
    begun = threading.Event()
    ended: list[object] = []

    class Slow(Question):
        def answer(self, traffic, told):
            begun.set()
            ended.append(super().answer(traffic, told))
            return ended[0]

    traffic = polled_traffic(40_000)
    filtering.ask(Slow("a", compile_filter('text contains "no such text"'), NONE, 40_000), traffic)
    assert begun.wait(5)
    filtering.cancel()
    qtbot.waitUntil(lambda: bool(ended), timeout=15_000)
    qtbot.wait(20)
    assert ended == [None]
    assert told == []


def test_how_far_it_is_is_told(filtering, qtbot):
    """Trees take a while; at the end there is nothing to wait for."""
    far: list[tuple[int, int]] = []
    filtering.progressed.connect(lambda done, total: far.append((done, total)))
    with qtbot.waitSignal(filtering.answered, timeout=30_000):
        filtering.ask(
            Question("a", compile_filter('text contains "1234"'), NONE, 2_500), polled_traffic(2_500)
        )
    assert far[-1] == (0, 0)
    assert any(0 < done <= total for done, total in far)
