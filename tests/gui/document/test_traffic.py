"""The window's view of an analysis: ends, lines and neighbours of rows, octets read once a question."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.analysis.associations.row_trees import GONE
from cosemscope.gui.document.traffic import Traffic
from cosemscope.transport.wports import Side
from tests.helpers.polled import START, polled_traffic


@pytest.fixture
def traffic() -> Traffic:
    """Three connections in turns: rows 0, 1, 6, 7, 12... are of the first."""
    return polled_traffic(40, 3)


def test_no_capture_is_an_empty_one():
    """Everything that may be asked without a row is answered."""
    nothing = Traffic.empty()
    assert (nothing.total, sum(nothing.counts), nothing.first_time, len(nothing.wpdus)) == (0, 0, 0, 0)
    assert nothing.neighbour(0, 1) == -1
    assert nothing.named("10.0.0.1") == "10.0.0.1"


def test_a_row_says_who_sent_it_to_whom(traffic):
    """Requests go to the meter, answers come from it, by address and by DLMS role."""
    assert traffic.said(2, "source", "destination") == ["10.0.0.1:49999", "10.0.1.2:4059"]
    assert traffic.said(3, "source", "destination") == ["10.0.1.2:4059", "10.0.0.1:49999"]
    assert [traffic.sender(row) for row in (2, 3)] == [Side.CLIENT, Side.SERVER]
    assert traffic.sender_address(3) == "10.0.1.2"
    assert traffic.describe(3).splitlines()[:2] == [
        "WPDU 4: get-response, 9 octets",
        "10.0.1.2:4059 to 10.0.0.1:49999",
    ]
    assert traffic.first_time == START


def test_lines_know_their_association(traffic):
    """At once from a row's own octets; a moment later an answer says what was asked."""
    assert traffic.outline(1) == "GET response, data = 1234"
    line = traffic.info(1)
    assert line.text.startswith("GET response 0.0.1.0.0.255 Clock")
    assert line.sentence == ""


@pytest.mark.parametrize("question", ["decode", "info", "outline"])
def test_the_octets_of_a_row_are_read_once_a_question(traffic, monkeypatch, question):
    """Not by everybody who has a hand in the answer."""
    asked: list[int] = []
    read = traffic.analysis.octets
    traffic.associations.look(7)  # what came before it is another question

    def count(row: int) -> bytes:
        asked.append(row)
        return read(row)

    monkeypatch.setattr(traffic.analysis, "octets", count)
    getattr(traffic, question)(7)
    assert asked == [7]


def test_a_row_without_its_octets_says_so(traffic, monkeypatch):
    """A ring has removed the file: the columns are left, and nothing fails."""
    monkeypatch.setattr(traffic.analysis, "octets", lambda row: b"")
    assert traffic.outline(0) == traffic.info(0).text == GONE
    decoded, openings = traffic.decode(0)
    assert [problem.message for problem in decoded.problems] == [GONE]
    assert openings == []


@given(st.integers(1, 6), st.integers(0, 1200), st.sampled_from([-1, 1]))
def test_neighbours_are_those_of_a_list(streams, row, by):
    """Also further away than the first piece that is searched."""
    traffic = polled_traffic(1200, streams)
    mine = np.flatnonzero(np.arange(1200) // 2 % streams == row // 2 % streams)
    others = mine[mine > row] if by > 0 else mine[mine < row][::-1]
    wanted = int(others[0]) if row < 1200 and len(others) else -1
    assert traffic.neighbour(row, by) == wanted


def test_whole_and_truncated_rows_are_counted_as_they_come(traffic):
    """The status bar tells them apart while the capture grows."""
    fresh = Traffic(traffic.analysis)
    fresh.take_rows(10)
    fresh.take_rows(40)
    assert (fresh.total, fresh.counts) == (40, (40, 0, 0))
