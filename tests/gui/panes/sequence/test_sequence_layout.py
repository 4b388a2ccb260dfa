"""The layout of sequence diagrams: order, compressed idle time, what is on the screen, Mermaid's text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.gui.panes.follow.followed_session import FollowedSession, followed_session
from cosemscope.gui.panes.sequence.sequence_layout import (
    LEAST,
    MOST_IDLE,
    SequenceLayout,
    escaped,
    lay_out,
    mermaid,
)
from cosemscope.resources import resource
from tests.helpers.polled import analysis_of, polled_traffic, traffic_of

GAPS = st.lists(st.integers(0, 10**12), min_size=1, max_size=40)


def laid_out(gaps: list[int]) -> SequenceLayout:
    session = followed_session(polled_traffic(len(gaps), 1, times=np.cumsum(gaps).tolist()), 0)
    return lay_out(session, np.zeros(len(session.rows), np.int64), None)


@given(GAPS, st.integers(0, 4000), st.integers(1, 2000))
def test_arrows_keep_their_order_and_a_bounded_distance(gaps, top, height):
    """However long it was silent; and what is on the screen is what a walk finds."""
    layout = laid_out(gaps)
    steps = np.diff(layout.top)
    assert np.all((steps >= LEAST) & (steps <= LEAST + MOST_IDLE))
    seen = layout.shown(top, top + height)
    for arrow in range(len(layout.row)):
        if top <= layout.top[arrow] <= top + height:
            assert arrow in seen
    assert len(seen) <= height // LEAST + 6
    nearest = layout.arrow_at(top)
    assert abs(layout.top[nearest] - top) == np.abs(layout.top - top).min()


def test_ten_thousand_arrows_are_laid_out_and_few_are_seen():
    layout = laid_out([50_000_000] * 10_000)
    assert len(layout.row) == 10_000
    assert len(layout.shown(layout.height // 2, layout.height // 2 + 1000)) < 50


def test_long_silence_is_written():
    layout = laid_out([0, 10_000_000, 90 * 10**9])
    assert [layout.pause(arrow) for arrow in range(3)] == ["", "", "1.5 min idle"]


@pytest.fixture
def session() -> FollowedSession:
    """The session with a request that nobody answers."""
    traffic = traffic_of(analysis_of(resource("samples/faults.pcapng").read_bytes()))
    sessions = [followed_session(traffic, pair) for pair in range(len(traffic.pairs))]
    return next(one for one in sessions if one.unanswered.any())


def test_mermaid_has_each_arrow_by_who_sent_it(session):
    layout = lay_out(session, np.zeros(len(session.rows), np.int64), None)
    text = mermaid(layout, [f"words {arrow};" for arrow in range(len(layout.row))])
    lines = text.splitlines()
    assert lines[0] == "sequenceDiagram"
    arrows = [line for line in lines if ": words" in line]
    assert len(arrows) == len(layout.row)
    by_client = session.by_client[layout.place].tolist()
    assert [line.startswith("  C->>M: ") for line in arrows] == by_client
    assert arrows[0].endswith("words 0#59;")
    assert "  Note over M: no answer" in lines
    assert escaped("a;b#c\nd") == "a#59;b#35;c" + escaped("\n") + "d"
    assert "\n" not in escaped("\n")


def test_only_what_is_displayed_has_an_arrow(session):
    displayed = np.zeros(int(session.rows.max()) + 1, np.bool_)
    displayed[session.rows[1]] = True
    layout = lay_out(session, np.zeros(len(session.rows), np.int64), displayed)
    assert layout.row.tolist() == [session.rows[1]]
    assert layout.arrow_of(session.rows.item(1)) == 0
    assert layout.arrow_of(session.rows.item(0)) == -1
    nothing = lay_out(session, np.zeros(len(session.rows), np.int64), np.zeros_like(displayed))
    assert nothing.height == 0
    assert nothing.arrow_at(5) == -1
