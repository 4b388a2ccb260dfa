"""A session as a conversation, on real captures: who says what, folding, selecting, find, save."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QMenu

from cosemscope.gui.document.unsaved_spool import UnsavedSpool
from cosemscope.gui.frame.window import SAMPLE, Window
from cosemscope.gui.look import theme
from cosemscope.gui.panes.follow.follow_model import AFTER, BUBBLE_ROLE, CLIENT_ROLE, WORDS
from cosemscope.gui.panes.follow.follow_pane import FollowPane
from cosemscope.gui.panes.follow.followed_session import followed_session
from cosemscope.resources import resource
from tests.helpers import traffic_apdus as a
from tests.helpers.wire import Tcp, Wire, wpdu

#: A WPDU of the sample that asks for a profile in blocks, and the last one of these.
IN_BLOCKS, LAST_BLOCK = 55, 64


@pytest.fixture
def followed(open_in, qtbot):
    """The window on a sample with the session of one of its WPDUs, by the key."""

    def follow(name: str, row: int) -> tuple[Window, FollowPane]:
        window = open_in(resource(name))
        window.selection.go_to(row)
        window.actions_by_name["follow"].trigger()
        pane = window.workspace.panes["follow"]
        qtbot.waitUntil(lambda: pane.model.rowCount() > 0)
        window.workspace.traffic.associations.look(row)
        return window, pane

    return follow


def rows(pane: FollowPane) -> list[int]:
    return [pane.model.row(line) for line in range(pane.model.rowCount())]


def words(pane: FollowPane) -> list[str]:
    return [pane.model.text(line, WORDS) for line in range(pane.model.rowCount())]


def test_it_has_the_info_of_each_wpdu_of_the_pair_and_who_says_it(followed):
    """Clients left, meters right, with the time that passed since the line before."""
    window, pane = followed("samples/faults.pcapng", 0)
    traffic = window.workspace.traffic
    assert (
        rows(pane) == np.flatnonzero(traffic.wpdu_pairs["pair"][: traffic.total] == traffic.pair(0)).tolist()
    )
    assert words(pane) == [traffic.info(row).text for row in rows(pane)]
    by_client = [pane.model.index(line, WORDS).data(CLIENT_ROLE) for line in range(4)]
    assert by_client == [True, False, True, False]
    assert [pane.model.text(line, AFTER) for line in range(3)] == ["", "114 ms", "10.7 ms"]
    assert "198.51.100.101" in pane.title.text()
    assert "Public Client" in pane.title.text()


def test_blocks_fold_into_one_line_that_opens(followed, qtbot):
    """The request stays a line; Enter on what stands for the blocks shows them all, and folds them again."""
    window, pane = followed(SAMPLE, IN_BLOCKS)
    folded = rows(pane)
    assert IN_BLOCKS in folded
    assert LAST_BLOCK in folded
    line = folded.index(LAST_BLOCK)
    assert "7 WPDUs in blocks: " in pane.model.text(line, WORDS)
    found = pane.model.conversation
    inner = found.rows[np.flatnonzero(found.fold == found.fold[found.place(LAST_BLOCK)])].tolist()
    window.selection.go_to(inner[2])
    assert pane.lines.currentIndex().row() == line  # the line that stands for it
    pane.lines.setFocus()
    qtbot.keyClick(pane.lines, Qt.Key.Key_Return)
    assert len(inner) == 7
    assert set(folded) & set(inner) == {LAST_BLOCK}
    assert set(inner) <= set(rows(pane))
    assert pane.model.row(pane.lines.currentIndex().row()) == LAST_BLOCK
    qtbot.keyClick(pane.lines, Qt.Key.Key_Return)
    assert rows(pane) == folded


def test_a_line_leads_to_its_wpdu_and_the_other_way_round(followed, qtbot):
    window, pane = followed(SAMPLE, IN_BLOCKS)
    view = pane.lines
    assert pane.model.row(view.currentIndex().row()) == IN_BLOCKS
    view.scrollToTop()
    index = pane.model.index(1, WORDS)
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(index).center())
    assert window.selection.row == pane.model.row(1)
    window.selection.go_to(pane.model.row(6))
    assert view.currentIndex().row() == 6
    other = next(row for row in range(142) if window.workspace.traffic.pair(row) != pane.followed)
    window.selection.go_to(other)
    assert not view.currentIndex().isValid()


def test_refusals_are_red_and_what_nobody_answered_amber(followed):
    _, pane = followed(SAMPLE, 47)  # read-write-denied
    scheme = theme.colours(pane.palette())
    colour = pane.model.index(rows(pane).index(47), WORDS).data(BUBBLE_ROLE)
    assert colour.name() == scheme.message_error
    _, pane = followed("samples/faults.pcapng", 92)  # a request that nobody answers
    line = rows(pane).index(92)
    assert pane.model.index(line, WORDS).data(BUBBLE_ROLE).name() == scheme.message_warning
    assert pane.model.text(line, WORDS).endswith("(not answered)")


def test_it_is_opened_from_the_table_and_from_the_tree(open_in, qtbot):
    window = open_in(resource(SAMPLE))
    pane = window.workspace.panes["follow"]
    window.selection.go_to(IN_BLOCKS)
    menu = QMenu(window)
    window.workspace.table.menu_actions(menu, IN_BLOCKS)
    next(action for action in menu.actions() if action.text() == "Follow session").trigger()
    pair = window.workspace.traffic.pair(IN_BLOCKS)
    assert pane.followed == pair
    assert pane.isVisible()
    sessions = window.workspace.sessions
    index = sessions.sessions.find(window.workspace.traffic.stream(IN_BLOCKS), pair)
    assert sessions.pair_at(index) == pair
    assert sessions.pair_at(index.parent()) == sessions.pair_at(index.parent().parent()) >= 0
    assert sessions.pair_at(sessions.sessions.index(0, 0)) == -1  # all traffic


def test_octets_stand_beside_the_line_on_demand(followed, qtbot):
    window, pane = followed(SAMPLE, IN_BLOCKS)
    assert not pane.octets.isVisible()
    qtbot.mouseClick(pane.show_octets, Qt.MouseButton.LeftButton)
    octets = window.workspace.traffic.octets(IN_BLOCKS)
    assert pane.octets.toPlainText().splitlines()[0].split("  ")[1] == octets[:16].hex(" ")
    pane.lines.setCurrentIndex(pane.model.index(0, WORDS))
    octets = window.workspace.traffic.octets(pane.model.row(0))
    assert pane.octets.toPlainText().splitlines()[0].split("  ")[1] == octets[:16].hex(" ")


def test_ctrl_f_finds_within_the_session(followed, qtbot):
    """In the pane it is the pane's; Enter goes on and round the end, with Shift back."""
    window, pane = followed(SAMPLE, IN_BLOCKS)
    pane.lines.setFocus()
    qtbot.keyClick(pane.lines, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert pane.wanted.hasFocus()
    qtbot.keyClicks(pane.wanted, "supply frequency")
    said = [
        row for row in rows(pane) if "supply frequency" in window.workspace.traffic.info(row).text.lower()
    ]
    assert len(said) > 2
    window.selection.go_to(said[0])
    pane.wanted.setFocus()
    for row in (*said[1:], said[0]):
        qtbot.keyClick(pane.wanted, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda row=row: window.selection.row == row)
    qtbot.keyClick(pane.wanted, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: window.selection.row == said[-1])
    pane.wanted.setText("no meter says this")
    qtbot.keyClick(pane.wanted, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: pane.state.text() == "not found")


@pytest.mark.parametrize("name", ["session.txt", "session.html"])
def test_it_is_saved_whole_as_text_or_html(followed, qtbot, tmp_path, name):
    """Every WPDU, folded or not, with its number and words."""
    window, pane = followed(SAMPLE, IN_BLOCKS)
    path = tmp_path / name
    with qtbot.waitSignal(window.workspace.wishes.said) as said:
        pane.write(path)
    found = pane.model.conversation
    assert said.args == [f"{len(found.rows)} WPDUs written to {name}."]
    text = path.read_text()
    for row in found.rows.tolist():
        assert str(row + 1) in text
    assert "Load profile with recording period 1" in text
    assert text.count("<p class=") == (len(found.rows) if name.endswith("html") else 0)


def test_what_cannot_be_saved_is_told(followed, qtbot, tmp_path):
    window, pane = followed(SAMPLE, IN_BLOCKS)
    with qtbot.waitSignal(window.workspace.wishes.warned) as warned:
        pane.write(tmp_path / "nowhere" / "session.txt")
    assert "session.txt" in warned.args[0]


def test_a_session_that_grows_shows_more_and_stays_at_its_end(window, qtbot, tmp_path):
    talk = Wire()
    meter = Tcp(talk).handshake()

    def read(times: int) -> None:
        for value in range(times):
            meter.say(0, wpdu(a.get_request(0xC1, 3, "1.0.1.8.0.255"), 16, 1))
            meter.say(1, wpdu(a.get_response(0xC1, a.long_unsigned(value)), 1, 16))

    read(40)
    path = talk.capture(tmp_path / "growing.pcap")
    known = path.read_bytes()
    read(10)
    more = talk.capture(tmp_path / "more.pcap").read_bytes()[len(known) :]
    window.open_spool(UnsavedSpool(path, "A test's"), follow=True)
    qtbot.waitUntil(lambda: window.workspace.traffic.total == 80)
    window.workspace.follow_session()
    pane = window.workspace.panes["follow"]
    qtbot.waitUntil(lambda: pane.model.rowCount() == 80)
    bar = pane.lines.verticalScrollBar()
    pane.lines.scrollToBottom()
    with path.open("ab") as file:
        file.write(more)
    qtbot.waitUntil(lambda: pane.model.rowCount() == 100)
    assert bar.value() == bar.maximum()
    window.document.stop_following()
    qtbot.waitUntil(lambda: not window.document.reading)


def test_the_model_keeps_qts_rules_and_lines_are_copied(followed, qtbot):
    window, pane = followed(SAMPLE, IN_BLOCKS)
    tester = QAbstractItemModelTester(pane.model, QAbstractItemModelTester.FailureReportingMode.Warning)
    pane.turn(pane.model.index(rows(pane).index(LAST_BLOCK), WORDS))
    assert tester.model() is pane.model
    pane.lines.setCurrentIndex(pane.model.index(0, WORDS))
    qtbot.keyClick(pane.lines, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().split("\t")[3] == pane.model.text(0, WORDS)
    window.close_capture()
    assert pane.model.rowCount() == 0
    assert "Follow session" in pane.lines.hint


def test_written_blocks_fold_on_the_side_of_the_client(open_in, window, qtbot, tmp_path):
    """Of a SET in three blocks these are one line of the client, and the last answer one of the meter."""
    talk = Wire()
    meter = Tcp(talk).handshake()
    data = a.octet_string(bytes(90))
    meter.say(0, wpdu(a.set_first_block(0xC1, 1, "0.0.96.1.0.255", 2, data[:40]), 16, 1))
    meter.say(1, wpdu(a.set_block_response(0xC1, 1), 1, 16))
    meter.say(0, wpdu(a.set_block(0xC1, False, 2, data[40:80]), 16, 1))
    meter.say(1, wpdu(a.set_block_response(0xC1, 2), 1, 16))
    meter.say(0, wpdu(a.set_block(0xC1, True, 3, data[80:]), 16, 1))
    meter.say(1, wpdu(a.set_last_block_response(0xC1, 3), 1, 16))
    open_in(talk.capture(tmp_path / "set.pcap"))
    found = followed_session(window.workspace.traffic, 0)
    assert found.lines(frozenset()).tolist() == [4, 5]
    assert found.by_client[[4, 5]].tolist() == [True, False]
    assert found.lines(frozenset({0})).tolist() == [0, 1, 2, 3, 4, 5]
    assert found.prefix(4) == "5 WPDUs in blocks: "
