"""The session tree: what it shows, how it grows, and which rows its nodes stand for."""

import numpy as np
import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester

from cosemscope.gui.document.selection import Selection
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.panes.pane import Wishes
from cosemscope.gui.panes.sessions.session_view import SESSION, SessionTree
from cosemscope.streams.tables.framing import Framing
from tests.helpers.polled import polled_traffic

ROOT = QModelIndex()


@pytest.fixture
def selection(qapp) -> Selection:
    return Selection()


@pytest.fixture
def tree(qtbot, look, selection):
    tree = SessionTree(selection, Wishes())
    qtbot.addWidget(tree)
    tree.resize(500, 500)
    tree.restore(b"")
    with qtbot.waitExposed(tree):
        tree.show()
    return tree


@pytest.fixture
def fill(tree, selection):
    def show(wpdus: int, streams: int = 2) -> Traffic:
        traffic = polled_traffic(wpdus, streams)
        selection.set_traffic(traffic)
        tree.set_traffic(traffic)
        tree.show_sessions(traffic.analysis.sessions())
        return traffic

    return show


def texts(tree: SessionTree, column: int = 0, parent: QModelIndex = ROOT) -> list[str]:
    model = tree.sessions
    found = []
    for row in range(model.rowCount(parent)):
        found.append(model.data(model.index(row, column, parent)))
        found += texts(tree, column, model.index(row, 0, parent))
    return found


def test_the_tree_names_peers_streams_and_wports(tree, fill):
    """All traffic, then peers with their connections with their pairs, with WPDU counts."""
    fill(10)
    assert texts(tree) == [
        "All traffic",
        "10.0.0.1 ↔ 10.0.1.1",
        "TCP 50000 → 4059",
        "16 ↔ 1  Public Client ↔ Management Logical Device",
        "10.0.0.1 ↔ 10.0.1.2",
        "TCP 49999 → 4059",
        "17 ↔ 1  client SAP ↔ Management Logical Device",
    ]
    assert texts(tree, 1) == ["10", "6", "6", "6", "4", "4", "4"]


def test_other_protocols_are_named(tree):
    """A stream that is no wrapper says what it is."""
    traffic = polled_traffic(4, 1)
    (peers,) = traffic.analysis.sessions()
    stream = peers.streams[0]._replace(framing=Framing.HDLC, wpdus=0, wports=())
    silent = stream._replace(octets=0, framing=Framing.UNDECIDED)
    tree.set_traffic(traffic)
    tree.show_sessions((peers._replace(streams=(stream, silent)),))
    assert texts(tree)[2:] == ["TCP 50000 → 4059  HDLC", "TCP 50000 → 4059  no payload"]


def test_growth_keeps_what_is_open_and_selected(tree, qtbot, fill):
    """New streams come at the end; the rest stays where a person has put it."""
    fill(8, streams=2)
    model = tree.sessions
    tree.collapse(model.index(1, 0))
    tree.setCurrentIndex(model.index(2, 0))
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning, tree)
    bigger = polled_traffic(400, 2)
    with qtbot.waitSignal(model.dataChanged):
        tree.show_sessions(bigger.analysis.sessions())
    assert texts(tree, 1)[0] == "400"
    assert not tree.isExpanded(model.index(1, 0))
    assert tree.currentIndex() == model.index(2, 0)
    with qtbot.waitSignal(model.rowsInserted):
        tree.show_sessions(polled_traffic(400, 4).analysis.sessions())
    assert len(texts(tree)) == 1 + 4 * 3
    assert tree.currentIndex() == model.index(2, 0)


def test_nodes_stand_for_their_rows(tree, selection, fill):
    """Peers, stream and pair give masks over WPDU rows; all traffic gives no restriction."""
    traffic = fill(40, streams=3)
    model = tree.sessions
    peers = model.index(2, 0)
    stream = model.index(0, 0, peers)
    for index in (peers, stream, model.index(0, 0, stream)):
        tree.setCurrentIndex(index)
        mask = selection.filters.matching(0, 40)
        assert list(np.flatnonzero(mask)) == list(np.flatnonzero(traffic.wpdus["stream"] == 1))
        assert list(selection.filters.matching(10, 20)) == list(mask[10:20])
    tree.setCurrentIndex(model.index(0, 0))
    assert SESSION not in selection.filters


def test_a_restriction_taken_away_elsewhere_selects_all_traffic(tree, selection, fill):
    """The tree never marks a node that is not in force; other filters are no business of it."""
    fill(40, streams=3)
    node = tree.sessions.index(2, 0)
    tree.setCurrentIndex(node)
    selection.restrict("other", "wpdu.number > 0")
    assert tree.currentIndex() == node
    selection.show_all()
    assert tree.currentIndex() == tree.sessions.index(0, 0)


def test_a_restriction_to_peers_takes_in_their_new_streams(tree, selection, fill):
    """While reading goes on, a restriction means what it says."""
    traffic = fill(40, streams=2)
    first, second = traffic.analysis.sessions()
    tree.set_traffic(traffic)
    tree.show_sessions((first,))
    tree.setCurrentIndex(tree.sessions.index(1, 0))
    grown = first._replace(streams=first.streams + second.streams)
    tree.show_sessions((grown,))
    assert selection.filters.text(SESSION) == f"ip.addr == {first.client} && ip.addr == {first.server}"


def test_a_click_selects_and_ctrl_c_copies(tree, selection, qtbot, fill):
    """The mouse chooses a node, the key copies its line."""
    fill(10)
    index = tree.sessions.index(1, 0)
    with qtbot.waitSignal(selection.filtersChanged):
        qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=tree.visualRect(index).center())
    qtbot.keyClick(tree, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().split("\t")[:2] == ["10.0.0.1 ↔ 10.0.1.1", "6"]


def test_tool_tips_tell_the_rest(tree, fill):
    """Full endpoints, the framing, and what went wrong on the way."""
    traffic = fill(10)
    traffic.streams["retransmissions"][0] = 3
    traffic.streams["rtt"][0] = 25_000_000
    stream = tree.sessions.index(0, 0, tree.sessions.index(1, 0))
    tip = tree.sessions.data(stream, int(Qt.ItemDataRole.ToolTipRole))
    for words in ("10.0.0.1:50000 → 10.0.1.1:4059", "DLMS wrapper", "3 retransmitted segments", "25.0 ms"):
        assert words in tip


def test_labels_keep_room_in_a_narrow_pane(tree):
    """Who talks to whom says more than when: figures go first, and come back."""
    tree.show_sessions(polled_traffic(400).analysis.sessions())
    header = tree.header()
    for width, hidden in ((700, set()), (400, {3, 4}), (260, {2, 3, 4}), (700, set())):
        tree.resize(width, 400)
        assert {column for column in range(5) if header.isSectionHidden(column)} == hidden
        assert header.sectionSize(0) > 150


@pytest.mark.parametrize("width", [260, 700])
def test_large_sums_are_not_cut_off(tree, width):
    """Half a million WPDUs have seven places; the column grows with them, hidden or not."""
    tree.resize(width, 400)
    peers = polled_traffic(40).analysis.sessions()
    stream = peers[0].streams[0]._replace(wpdus=2_751_708, octets=1_023 * 2**30)
    tree.show_sessions((peers[0]._replace(streams=(stream,)),))
    header, model = tree.header(), tree.sessions
    for column in range(1, 5):
        text = model.data(model.index(0, column))
        room = header.sectionSize(column)
        assert header.isSectionHidden(column) or room > tree.fontMetrics().horizontalAdvance(text), text
    assert header.sectionSize(1) > tree.fontMetrics().horizontalAdvance("2,751,708")
    assert header.isSectionHidden(2) == (width == 260)


def test_a_column_that_was_hidden_keeps_its_width(tree):
    """Remembered while the pane was narrow, it comes back as it was, and so it returns from the settings."""
    tree.resize(700, 400)
    usual = [tree.header().sectionSize(column) for column in range(1, 5)]
    tree.resize(260, 400)
    tree.restore(b"")
    tree.resize(700, 400)
    assert [tree.header().sectionSize(column) for column in range(1, 5)] == usual
    tree.resize(260, 400)
    tree.restore(tree.arrangement())
    tree.resize(700, 400)
    assert [tree.header().sectionSize(column) for column in range(1, 5)] == usual
