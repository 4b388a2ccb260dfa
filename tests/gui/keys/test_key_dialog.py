"""One entry of keys, typed in: covered, checked line by line, and taken whole or not at all."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from cosemscope.gui.keys.key_dialog import FIELDS, KeyDialog, amount_text
from cosemscope.gui.keys.keys_dialog import KeysDialog
from tests.gui.keys.made_keys import EK, MASTER, cells


def click(qtbot, dialog: KeysDialog, name: str) -> None:
    qtbot.mouseClick(dialog.buttons[name], Qt.MouseButton.LeftButton)


def test_an_entry_is_typed_in(dialog, keeper, qtbot):
    """Whom it is for and its keys; the table says which keys there are, and no octet of them."""
    click(qtbot, dialog, "add")
    form = dialog.findChild(KeyDialog)
    for name, text in {
        "name": "Meter 57",
        "system_title": "43 53 50 10 00 03 90 AB",
        "address": "198.51.100.57",
        "wport": "0x0001",
        "encryption": EK,
        "master": "0x" + MASTER.lower(),
    }.items():
        qtbot.keyClicks(form.lines[name], text)
    qtbot.keyClick(form.lines["master"], Qt.Key.Key_Return)
    assert cells(dialog) == [
        ["Meter 57", "CSP 43535010000390AB", "198.51.100.57", "1", "given", "", "master given"]
    ]
    entry = keeper.keys.entries[0]
    assert (entry.keys.encryption.hex().upper(), entry.keys.master.hex().upper()) == (EK, MASTER)


def test_keys_are_covered_while_they_are_typed(dialog, qtbot):
    """As passwords are, unless a person wants to see them; whom they are for is always seen."""
    click(qtbot, dialog, "add")
    form = dialog.findChild(KeyDialog)
    for field in FIELDS:
        covered = form.lines[field.name].echoMode() == QLineEdit.EchoMode.Password
        assert covered == field.secret
    qtbot.keyClick(form.show_keys, Qt.Key.Key_Space)
    assert {line.echoMode() for line in form.lines.values()} == {QLineEdit.EchoMode.Normal}
    form.reject()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({}, "at least one key"),
        ({"encryption": EK[:-2]}, "Encryption key: must be 16 or 32 octets in hex, it has 15"),
        ({"encryption": "my secret key"}, "Encryption key: must be"),
        ({"encryption": EK, "system_title": "4142"}, "System title: must be 8 octets"),
        ({"encryption": EK, "address": "meter.example"}, "Address: must be an IP address"),
        ({"encryption": EK, "wport": "70000"}, "wPort: must be a number from 0 to 65535"),
        ({"encryption": EK, "wport": "one"}, "wPort: must be a number"),
    ],
)
def test_what_is_wrong_is_said_beside_it(dialog, keeper, qtbot, typed, words):
    """A sentence that names the line and shows nothing of what was typed there; the dialog stays."""
    click(qtbot, dialog, "add")
    form = dialog.findChild(KeyDialog)
    for name, text in typed.items():
        form.lines[name].setText(text)
    qtbot.mouseClick(form.buttons.button(form.buttons.StandardButton.Ok), Qt.MouseButton.LeftButton)
    assert form.isVisible()
    assert words in form.problem.text()
    assert "secret" not in form.problem.text()
    assert len(keeper.keys) == 0
    qtbot.keyClicks(form.lines["name"], "x")
    assert form.problem.isHidden()
    form.reject()


def test_an_hls_secret_may_be_text(dialog, keeper, qtbot):
    """The choice beside the line."""
    click(qtbot, dialog, "add")
    form = dialog.findChild(KeyDialog)
    qtbot.keyClicks(form.lines["hls_secret"], "a shared secret")
    form.secret_form.setCurrentIndex(1)
    qtbot.keyClick(form.lines["hls_secret"], Qt.Key.Key_Return)
    assert keeper.keys.entries[0].keys.hls_secret == b"a shared secret"


def test_elliptic_keys_are_there_for_whoever_unfolds_them(dialog, keeper, qtbot):
    """A scalar and its curve; editing shows them again; folded away they are no part of the entry."""
    click(qtbot, dialog, "add")
    form = dialog.findChild(KeyDialog)
    assert form.elliptic.isHidden()
    qtbot.keyClick(form.unfold, Qt.Key.Key_Space)
    assert form.elliptic.isVisible()
    form.lines["signing_private"].setText("11" * 32)
    form.curve.setCurrentText("P-256")
    form.accept()
    assert keeper.keys.entries[0].keys.holds() == ("signing_private",)
    assert cells(dialog)[0][-1] == "signing private given"
    click(qtbot, dialog, "edit")
    form = dialog.findChildren(KeyDialog)[-1]
    assert form.unfold.isChecked()
    form.accept()
    assert keeper.keys.entries[0].keys.holds() == ("signing_private",)


@pytest.mark.parametrize(
    ("text", "words"),
    [("", ""), ("00", "1 octets"), ("0x0011", "2 octets"), ("00:1", "1½ octets"), ("xyz", "no hex")],
)
def test_octets_are_counted_as_they_are_typed(text, words):
    """Sixteen are soon miscounted."""
    assert amount_text(text) == words
