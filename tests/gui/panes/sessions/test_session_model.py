"""Rows of the session tree: labels, sums, and a growth that leaves every row where it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex
from PySide6.QtTest import QAbstractItemModelTester

from cosemscope.analysis.sessions.session_tree import Peers, StreamSession, WPortPair
from cosemscope.gui.panes.sessions.session_model import (
    AllTraffic,
    SessionFigures,
    SessionModel,
    label,
    parts_of,
    streams_of,
)
from cosemscope.streams.tables.framing import Framing
from tests.helpers.polled import polled_traffic

ROOT = QModelIndex()


@pytest.fixture
def sessions() -> tuple[Peers, ...]:
    return polled_traffic(40, 3).analysis.sessions()


def items(model: SessionModel, parent: QModelIndex = ROOT) -> list[object]:
    """All items, from top to bottom."""
    found = []
    for row in range(model.rowCount(parent)):
        index = model.index(row, 0, parent)
        found += [model.item(index), *items(model, index)]
    return found


def test_labels_say_who_and_what(sessions):
    """Peers by address, streams by port and what they carry, pairs by number and name."""
    peers = sessions[0]
    stream = peers.streams[0]
    assert label(AllTraffic(sessions)) == "All traffic"
    assert label(peers) == "10.0.0.1 ↔ 10.0.1.1"
    assert label(stream) == "TCP 50000 → 4059"
    assert label(stream._replace(protocol=17)) == "UDP 50000 → 4059"
    assert label(stream._replace(framing=Framing.HDLC)) == "TCP 50000 → 4059  HDLC"
    assert label(stream._replace(octets=0)) == "TCP 50000 → 4059  no payload"
    assert label(stream.wports[0]) == "16 ↔ 1  Public Client ↔ Management Logical Device"


def test_figures_are_sums_of_what_lies_below(sessions):
    """WPDUs and octets add up; the span reaches from the earliest to the latest."""
    whole = SessionFigures(AllTraffic(sessions))
    parts = [SessionFigures(peers) for peers in sessions]
    assert whole.wpdus == sum(part.wpdus for part in parts) == 40
    assert whole.octets == sum(part.octets for part in parts) == 20 * (21 + 17)
    assert whole.first == min(part.first for part in parts)
    assert whole.last == max(part.last for part in parts)
    assert SessionFigures(sessions[0]).wpdus == SessionFigures(sessions[0].streams[0].wports[0]).wpdus
    assert SessionFigures(AllTraffic(())).wpdus == 0


def test_parts_and_streams_of_items(sessions):
    """Only streams have pairs, only peers and all traffic have streams."""
    peers = sessions[1]
    assert parts_of(AllTraffic(sessions)) == ()
    assert parts_of(peers) == peers.streams
    assert parts_of(peers.streams[0]) == peers.streams[0].wports
    assert [one.stream for one in streams_of(AllTraffic(sessions))] == [0, 1, 2]
    assert streams_of(peers.streams[0]) == [peers.streams[0]]
    assert streams_of(peers.streams[0].wports[0]) == []


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(2, 60)), min_size=1, max_size=4))
def test_a_tree_that_grew_is_the_tree_made_at_once(qapp, steps):
    """Whatever was there between; Qt's own checks watch the way."""
    streams = wpdus = 0
    grown = SessionModel()
    tester = QAbstractItemModelTester(grown, QAbstractItemModelTester.FailureReportingMode.Fatal)
    for more_streams, more_wpdus in steps:
        streams, wpdus = streams + more_streams, wpdus + more_wpdus
        now = polled_traffic(wpdus, streams).analysis.sessions()
        grown.show_sessions(now)
        items(grown)  # as a view that has every branch open asks for
    made = SessionModel()
    made.show_sessions(now)
    assert items(grown) == items(made)
    assert tester.model() is grown


def test_a_pair_is_found_by_its_stream_and_number(sessions, qapp):
    """And the stream where the pair is not there yet."""
    model = SessionModel()
    model.show_sessions(sessions)
    pair = sessions[2].streams[0].wports[0]
    found = model.find(2, pair.row)
    assert model.item(found) == pair
    kinds = [type(item) for item in model.path(found)]
    assert kinds == [WPortPair, StreamSession, Peers]
    assert model.item(model.find(2, 99)) == sessions[2].streams[0]
    assert not model.find(99, 0).isValid()


def test_no_sessions_are_no_rows(qapp):
    """Not even "all traffic" before there is any."""
    model = SessionModel()
    model.show_sessions(())
    assert model.rowCount() == 0
    assert not model.hasChildren()
