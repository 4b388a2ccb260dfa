"""Pasted octets: shown as they are typed, with the window's keys, opened by Ctrl+V; fields can be copied."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMenu

from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.apdu.fields import Problem
from cosemscope.apdu.opening import Verdict
from cosemscope.gui.dialogs.paste_box import MAX_CHARACTERS, PasteBox, broken_lines, read_typed
from cosemscope.gui.look.hex_text import hex_dump
from tests.helpers.polled import ANSWER
from tests.helpers.shared import shared
from tests.helpers.traffic_apdus import wpdu

WPDU = wpdu(1, 16, ANSWER)
HEX = WPDU.hex()
EK, AK = "000102030405060708090A0B0C0D0E0F", "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
KEYS = KeyTable.parse(
    f'[[key]]\nsystem_title = "4D4D4D0000BC614E"\nencryption = "{EK}"\nauthentication = "{AK}"'
)


@pytest.fixture
def box(qtbot, look) -> PasteBox:
    box = PasteBox()
    qtbot.addWidget(box)
    with qtbot.waitExposed(box):
        box.show()
    return box


def shown(box: PasteBox) -> bytes:
    box.read()
    return box.details.view.octets


@pytest.mark.parametrize(
    "text",
    [
        HEX,
        HEX.upper(),
        WPDU.hex(" "),
        WPDU.hex(":"),
        ", ".join(f"0x{octet:02x}" for octet in WPDU),
        "\n".join(HEX[at : at + 8] for at in range(0, len(HEX), 8)),
        "# from the bench\n" + WPDU.hex(" ") + "  // a response",
        hex_dump(WPDU),
        "00000000  " + WPDU[:16].hex(" ") + "  |................|\n00000010  " + WPDU[16:].hex(" ") + "  |.|",
    ],
)
def test_hex_is_understood_as_people_paste_it(box, text):
    """Spaces, colons, 0x, line breaks, comments, dumps with offsets and characters."""
    box.text.setPlainText(text)
    assert shown(box) == WPDU
    assert box.summary.text().startswith("WPDU, 17 octets: GET response")


def test_fields_come_as_octets_are_typed(box, qtbot):
    """Each key is an octet more or half of one; what is there already does not go away meanwhile."""
    for count in range(1, len(HEX) + 1):
        qtbot.keyClicks(box.text, HEX[count - 1])
        qtbot.waitUntil(lambda: not box.is_waiting)
        assert box.details.view.octets == WPDU[: count // 2]
    assert "GET response" in box.summary.text()
    qtbot.keyClick(box.text, Qt.Key.Key_Backspace)
    qtbot.waitUntil(lambda: not box.is_waiting)
    assert box.details.view.octets == WPDU[:-1]
    assert "half of one" in box.summary.text()
    first = box.details.fields.model().item(box.details.fields.model().index(0, 0))
    assert isinstance(first, Problem)  # the WPDU is cut
    box.text.clear()
    qtbot.waitUntil(lambda: not box.details.view.octets)
    assert box.summary.isHidden()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no hex at all", "Line 1: 'n'"),
        ("0", "one hex digit too many or too few"),
        ("00 0", "half"),
        ("# only words", "No hex"),
    ],
)
def test_what_is_no_hex_is_a_sentence(box, text, words):
    """With the place; never an exception."""
    box.text.setPlainText(text)
    box.read()
    assert words in box.summary.text()


def test_too_much_is_refused(box, qtbot):
    """A capture pasted by mistake does not hold up the window, not even as one line."""
    QGuiApplication.clipboard().setText("00" * (5 * MAX_CHARACTERS))
    qtbot.keyClick(box.text, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    box.read()
    assert "Save it as a capture" in box.summary.text()
    assert box.details.view.octets == b""
    assert max(map(len, box.text.toPlainText().splitlines())) < 1000


@pytest.mark.parametrize("form", ["{:02x}", "{:02X} ", "0x{:02x},", "0x{:02x}, ", "{:02x}:"])
def test_long_lines_are_broken_between_octets(box, qtbot, form):
    """The largest WPDU in one line is laid out at once, and stays what it is."""
    octets = wpdu(1, 16, bytes(range(256)) * 20)
    QGuiApplication.clipboard().setText("".join(form.format(octet) for octet in octets))
    qtbot.keyClick(box.text, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert shown(box) == octets
    assert box.text.blockCount() > 50


def test_an_apdu_and_an_hdlc_frame_are_recognised(box):
    """Octets without a WPDU header."""
    box.text.setPlainText("C0 01 C1 00 08 00 00 01 00 00 FF 02 00")
    box.read()
    assert "GET 0.0.1.0.0.255" in box.summary.text()
    box.text.setPlainText("7E A0 07 03 21 93 0F 01 7E")
    box.read()
    names = [field.name for field in box.details.fields.model().decoded.root.children]
    assert "SNRM" in box.summary.text() or any("frame" in name for name in names)


def test_octets_and_fields_find_each_other(box, qtbot):
    """As below the table of a capture."""
    box.text.setPlainText(HEX)
    box.read()
    view = box.details.view
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.octet_rect(3).center())
    assert box.details.fields.current_item().name == "source-wport"


def test_the_windows_keys_open_what_is_pasted(open_in, qtbot):
    """A ciphered WPDU of a capture, pasted: no key, and with the keys its inner APDU; the selection stays."""
    window = open_in(shared("captures/Output-Ciphered-HLS.pcap"))
    octets = window.workspace.traffic.octets(4)
    box = window.opening.box
    window.opening.box.open_with(octets.hex())
    bar = box.details.verdict
    assert bar.isVisible()
    assert not bar.shown.verdict.opened
    assert box.details.fields.select_octet(0, 12)
    window.opening.keeper.set_keys(KEYS)
    assert bar.shown.verdict is Verdict.OPENED
    assert box.details.tabs.tabText(1) == "decrypted"
    assert "GET 0.0.40.0.0.255" in box.summary.text()
    assert box.details.fields.current_item().name == "invocation-counter"
    box.close()


def test_ctrl_v_in_the_window_opens_the_box(window, qtbot):
    """Also without any capture; what stood in the box comes back with Ctrl+Z."""
    box = window.opening.box
    QGuiApplication.clipboard().setText(hex_dump(WPDU))
    qtbot.keyClick(window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert box.isVisible()
    assert box.text.toPlainText() == hex_dump(WPDU)
    assert box.details.view.octets == WPDU
    box.close()
    QGuiApplication.clipboard().setText("c001c100080000010000ff0200")
    qtbot.keyClick(window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert box.details.view.octets[0] == 0xC0
    qtbot.keyClick(box.text, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: box.details.view.octets == WPDU)
    box.close()


def test_ctrl_v_without_hex_says_so(window, qtbot):
    """No box, but a sentence."""
    QGuiApplication.clipboard().setText("good morning")
    qtbot.keyClick(window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert not window.opening.box.isVisible()
    assert "no hex on the clipboard" in window.messages.messages[-1].text


def test_ctrl_v_in_a_text_field_pastes_there(window, qtbot):
    """A line edit in the window keeps its own keys."""
    line = QLineEdit(window)
    line.show()
    line.setFocus()
    QGuiApplication.clipboard().setText(HEX)
    qtbot.keyClick(line, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert line.text() == HEX
    assert not window.opening.box.isVisible()
    line.deleteLater()


def test_the_menus_open_the_box_and_the_keys(window, qtbot):
    """By action and by key."""
    qtbot.keyClick(
        window, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    assert window.opening.box.isVisible()
    window.actions_by_name["keys"].trigger()
    assert window.opening.dialog.isVisible()
    window.zoom_in()
    points = window.opening.box.text.font().pointSizeF()
    window.zoom_normal()
    assert window.opening.box.text.font().pointSizeF() == points - 1


# Copying fields.


@pytest.mark.parametrize(
    ("offset", "wanted"),
    [
        (3, ["source-wport: Management Logical Device (1)", "1", "Management Logical Device"]),
        (14, ["value: 1234", "1234", "1234"]),
    ],
)
def test_a_field_is_copied_in_several_ways(box, offset, wanted):
    """Line, value, text, octets, path, from the context menu; Ctrl+C is the line."""
    box.text.setPlainText(HEX)
    box.read()
    fields = box.details.fields
    fields.select_octet(0, offset)
    item = fields.current_item()
    menu = QMenu(box)
    fields.menu_actions(menu)
    clipboard = QGuiApplication.clipboard()
    texts = {}
    for action in menu.actions():
        if action.text().startswith("Copy"):
            action.trigger()
            texts[action.text()] = clipboard.text()
    assert list(texts) == ["Copy field", "Copy value", "Copy text", "Copy octets as hex", "Copy field path"]
    assert [texts[name] for name in list(texts)[:3]] == wanted
    assert texts["Copy octets as hex"] == WPDU[item.start : item.stop].hex()
    assert texts["Copy field path"].startswith("WPDU/")
    assert texts["Copy field path"].endswith(f"/{item.name}")


def test_a_problem_is_copied_as_its_sentence_and_octets(box):
    """It has no value and no path."""
    box.text.setPlainText(HEX[:-4])
    box.read()
    fields = box.details.fields
    fields.setCurrentIndex(fields.model().index(0, 0))
    menu = QMenu(box)
    fields.menu_actions(menu)
    texts = [action.text() for action in menu.actions() if action.text().startswith("Copy")]
    assert texts == ["Copy field", "Copy octets as hex"]
    menu.actions()[0].trigger()
    assert QGuiApplication.clipboard().text() == fields.current_item().message


# Whatever is typed.


@given(st.text(st.sampled_from("0123456789abcdefABCDEFxX ,:;|\n\t#/.-'hglo"), max_size=200))
def test_any_text_is_octets_or_a_sentence(text):
    """Never an exception, never neither."""
    pasted, remark = read_typed(text)
    assert pasted.octets if pasted is not None else remark
    assert len(broken_lines(text)) < MAX_CHARACTERS


@given(st.binary(min_size=1, max_size=600), st.sampled_from(["", " ", ", ", ":", ",0x", "\n"]))
@example(b"\xa0\x00", ":")
def test_breaking_lines_changes_no_octet(octets, separator):
    """However the octets are parted."""
    text = ("0x" if "x" in separator else "") + octets.hex(" ").replace(" ", separator)
    pasted, remark = read_typed(broken_lines(text))
    assert (pasted.octets, remark) == (octets, "")


CONVERSATION = "10:11:12.345 TX c001c100030100010800ff0200\n10:11:12.456 RX c401c1000600001391"


def test_several_messages_are_a_list_and_one_conversation(box):
    """Each has its fields; an answer has the object that its request named; what was left out is said."""
    box.text.setPlainText(CONVERSATION)
    box.read()
    assert box.messages.isVisible()
    assert box.messages.line(0)[:4] == ["1", "10:11:12.345000", "client", "13"]
    assert "1.0.1.8.0.255" in box.messages.line(1)[4]
    assert "2 messages" in box.summary.text()
    assert "2 time stamps, 2 labels ignored" in box.summary.text()
    assert shown(box) == bytes.fromhex("c001c100030100010800ff0200")
    box.messages.choose(1)
    assert box.details.view.octets == bytes.fromhex("c401c1000600001391")
    box.text.setPlainText(HEX)
    box.read()
    assert box.messages.isHidden()


def test_pasted_messages_open_as_a_capture(window, qtbot):
    """One button makes a capture of them, which is not saved yet."""
    window.opening.show_box()
    box = window.opening.box
    box.text.setPlainText(CONVERSATION)
    box.read()
    qtbot.mouseClick(box.as_capture, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.workspace.traffic.total == 2, timeout=10_000)
    assert "Pasted octets" in window.windowTitle()


def test_what_is_shown_is_saved_as_a_page(box, qtbot, monkeypatch, tmp_path):
    """One button writes all messages with their trees; a path that cannot be written is said."""
    assert box.as_page.isHidden()
    box.text.setPlainText(CONVERSATION)
    box.read()
    target = tmp_path / "ticket"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *words: (str(target), ""))
    qtbot.mouseClick(box.as_page, Qt.MouseButton.LeftButton)
    page = target.with_suffix(".html").read_text("utf-8")
    assert "GET 1.0.1.8.0.255" in page
    assert "10:11:12.456" in page
    assert "saved as" in box.summary.text()
    box.save_page(tmp_path / "no" / "where.html")
    assert "cannot be written" in box.summary.text()
