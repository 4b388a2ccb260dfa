"""The octets view: every octet can be found, chosen by mouse and key, and copied, at any width."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication

from cosemscope.gui.look.hex_text import hex_dump
from cosemscope.gui.panes.details.bytes_view import BytesView


@pytest.fixture
def view(qtbot, look):
    view = BytesView()
    qtbot.addWidget(view)
    view.resize(800, 300)
    view.set_octets(bytes(range(256)) * 20)
    with qtbot.waitExposed(view):
        view.show()
    return view


def test_dragging_selects_octets_to_copy(view, qtbot):
    """Ctrl+C after a drag is a hex stream of what was dragged over, also over lines."""
    port = view.viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=view.octet_rect(3).center())
    qtbot.mouseMove(port, view.octet_rect(10).center())
    qtbot.mouseMove(port, view.octet_rect(18).center())
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=view.octet_rect(18).center())
    assert view.selection == (3, 19)
    qtbot.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == bytes(range(3, 19)).hex()
    view.copy_hex_dump()
    assert QGuiApplication.clipboard().text() == hex_dump(bytes(range(3, 19)), 3)


def test_digits_and_characters_find_the_same_octet(view):
    """Both halves of a line can be clicked; the margin and the gap below the end are nothing."""
    for offset in (0, 7, 8, 15, 33):
        digits = view.octet_rect(offset)
        assert view.octet_at(digits.center()) == offset
        assert view.octet_at(view.character_rect(offset).center()) == offset
    assert view.octet_at(QPoint(2, 10)) == -1
    view.set_octets(b"ab")
    assert view.octet_at(view.octet_rect(2).center()) == -1


def test_keys_move_and_extend(view, qtbot):
    """Arrows by octets and lines, Home and End, Shift extends, Ctrl+A takes all."""
    chosen = []
    view.octetSelected.connect(chosen.append)
    for key in ("Right", "Down", "Left", "Up", "End", "Home"):
        qtbot.keyClick(view, Qt.Key[f"Key_{key}"])
    assert chosen == [1, 17, 16, 0, 5119, 0]
    qtbot.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert view.selection == (0, 17)
    qtbot.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert view.selection == (0, 5120)


def test_a_field_far_down_comes_into_view(view):
    """Choosing a field scrolls to its first octet."""
    view.show_field(4000, 4004)
    assert view.viewport().rect().contains(view.octet_rect(4000))
    assert view.field_range == (4000, 4004)


def test_narrow_views_have_eight_octets_a_line(view, qtbot):
    """Nothing is cut off where there is little room."""
    view.resize(420, 300)
    assert view.octet_rect(8).top() > view.octet_rect(7).top()
    view.resize(900, 300)
    assert view.octet_rect(8).top() == view.octet_rect(7).top()


def test_what_is_in_view_stays_when_lines_get_longer(view):
    """A field shown in a narrow view, or in a tab that was never seen, is in view when there is room."""
    view.resize(420, 60)
    view.show_field(1000, 1004)
    assert view.viewport().rect().contains(view.octet_rect(1000))
    view.resize(900, 300)
    assert view.viewport().rect().contains(view.octet_rect(1000))
