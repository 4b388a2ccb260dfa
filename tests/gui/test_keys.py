"""Keys in the window: typed, loaded, edited, saved, kept; and seen nowhere but where they are asked for."""

import logging
import os
import re
import stat
import sys
import types

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMessageBox, QPushButton

from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.gui.base import settings as options
from cosemscope.gui.keys.key_dialog import FIELDS, KeyDialog, _amount
from cosemscope.gui.keys.key_keeper import KeyKeeper, merged
from cosemscope.gui.keys.keys_dialog import KeysDialog
from cosemscope.resources import resource
from tests.gui.frame.test_window import drop
from tests.helpers.shared import shared

EK, AK = "000102030405060708090A0B0C0D0E0F", "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
MASTER = "00112233445566778899AABBCCDDEEFF"
FILE = f"""
[[key]]
name = "Meter 57"
system_title = "43535010000390AB"
address = "198.51.100.57:4059"
wport = 1
encryption = "{EK}"
authentication = "{AK}"

[[key]]
master = "{MASTER}"
"""


@pytest.fixture
def keeper(look, settings) -> KeyKeeper:
    """The window's keys, without the window."""
    keeper = KeyKeeper(settings)
    yield keeper
    assert keeper.wait()


@pytest.fixture
def dialog(qtbot, keeper, window) -> KeysDialog:
    """The dialog, shown."""
    dialog = KeysDialog(window, keeper)
    qtbot.addWidget(dialog)
    with qtbot.waitExposed(dialog):
        dialog.show()
    return dialog


def cells(dialog: KeysDialog) -> list[list[str]]:
    model = dialog.table.model()
    return [
        [model.data(model.index(row, column)) for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def click(qtbot, dialog: KeysDialog, name: str) -> None:
    qtbot.mouseClick(dialog.buttons[name], Qt.MouseButton.LeftButton)


def choose_row(qtbot, dialog: KeysDialog, row: int) -> None:
    where = dialog.table.visualRect(dialog.table.model().index(row, 0)).center()
    qtbot.mouseClick(dialog.table.viewport(), Qt.MouseButton.LeftButton, pos=where)


@pytest.fixture
def store(monkeypatch):
    """A key store in memory in place of the system's; `locked` refuses."""
    kept: dict[tuple[str, str], str] = {}
    module = types.ModuleType("keyring")
    module.locked = False

    def ask(function):
        def asked(*words):
            if module.locked:
                raise RuntimeError(f"locked {words}")
            return function(*words)

        return asked

    module.get_keyring = lambda: types.SimpleNamespace(priority=5)
    module.set_password = ask(lambda service, name, text: kept.__setitem__((service, name), text))
    module.get_password = ask(lambda service, name: kept.get((service, name)))
    module.delete_password = ask(lambda service, name: kept.pop((service, name)))
    module.kept = kept
    monkeypatch.setitem(sys.modules, "keyring", module)
    return module


# The dialog.


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


def test_entries_are_edited_and_removed_and_brought_back(dialog, keeper, qtbot):
    """A double click edits, Delete removes, and what was removed by mistake comes back."""
    keeper.set_keys(KeyTable.parse(FILE))
    where = dialog.table.visualRect(dialog.table.model().index(0, 0)).center()
    choose_row(qtbot, dialog, 0)
    qtbot.mouseDClick(dialog.table.viewport(), Qt.MouseButton.LeftButton, pos=where)
    form = dialog.findChild(KeyDialog)
    assert form.lines["address"].text() == "198.51.100.57:4059"
    assert form.lines["encryption"].text().upper() == EK
    form.lines["wport"].setText("")
    form.accept()
    assert cells(dialog)[0][3] == "any"
    assert len(keeper.keys) == 2
    choose_row(qtbot, dialog, 1)
    qtbot.keyClick(dialog.table, Qt.Key.Key_Delete)
    assert [row[0] for row in cells(dialog)] == ["Meter 57"]
    undo = next(button for button in dialog.messages.findChildren(QPushButton) if button.text() == "Undo")
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    assert len(keeper.keys) == 2


def test_octets_are_shown_of_the_chosen_entry_only_and_covered_again(dialog, keeper, qtbot):
    """Show, cover; and closing the dialog covers too."""
    keeper.set_keys(KeyTable.parse(FILE))
    choose_row(qtbot, dialog, 1)
    click(qtbot, dialog, "show")
    shown = cells(dialog)
    assert shown[0][4:6] == ["given", "given"]
    assert MASTER.lower() in shown[1][6]
    click(qtbot, dialog, "show")
    assert cells(dialog)[1][6] == "master given"
    choose_row(qtbot, dialog, 0)
    click(qtbot, dialog, "show")
    assert cells(dialog)[0][4] == EK.lower()
    qtbot.keyClick(dialog.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().splitlines()[1].startswith("Meter 57\tCSP 43535010000390AB\t")
    assert not _holds_key(QGuiApplication.clipboard().text())
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert cells(dialog)[0][4:6] == ["given", "given"]


def test_buttons_are_there_when_they_make_sense(dialog, keeper, qtbot):
    """Nothing to edit, remove, show or save in an empty table."""
    names = ("edit", "remove", "show", "save")
    assert not any(dialog.buttons[name].isEnabled() for name in names)
    keeper.set_keys(KeyTable.parse(FILE))
    assert all(dialog.buttons[name].isEnabled() for name in names)
    dialog.table.selectAll()
    assert not dialog.buttons["edit"].isEnabled()


# Files.


def test_files_are_loaded_together_and_twice_is_once(dialog, keeper, qtbot, tmp_path, monkeypatch):
    """Several files at a time; what is there already is not there twice; what is wrong is named by line."""
    first, second, bad = tmp_path / "a.toml", tmp_path / "b.toml", tmp_path / "c.toml"
    first.write_text(FILE)
    second.write_text(f'[[key]]\ndedicated = "{MASTER}"\n' + FILE)
    bad.write_text(f'[[key]]\nencryption = "{EK}00"\n')
    names = [str(path) for path in (first, second, bad)]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *words: (names, ""))
    click(qtbot, dialog, "load")
    qtbot.waitUntil(lambda: len(dialog.messages.messages) == 2)
    assert len(keeper.keys) == 3
    texts = [message.text for message in dialog.messages.messages]
    assert "c.toml, line 2" in texts[0]
    assert EK not in texts[0]
    assert texts[1] == "3 entries were added; 2 more were there already."


def test_a_file_is_written_after_a_warning_and_for_its_owner_only(
    dialog, keeper, qtbot, tmp_path, monkeypatch
):
    """Nothing is written before the warning is answered; the file makes the same table."""
    keeper.set_keys(KeyTable.parse(FILE))
    path = tmp_path / "saved.toml"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *words: (str(path), ""))
    click(qtbot, dialog, "save")
    box = dialog.findChild(QMessageBox)
    assert "in clear" in box.text()
    qtbot.mouseClick(box.button(QMessageBox.StandardButton.Cancel), Qt.MouseButton.LeftButton)
    assert not path.exists()
    click(qtbot, dialog, "save")
    box = dialog.findChildren(QMessageBox)[-1]
    agree = next(button for button in box.buttons() if button.text().startswith("Save in clear"))
    qtbot.mouseClick(agree, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(dialog.messages.messages))
    assert KeyTable.load(path).text() == keeper.keys.text()
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_is_a_sentence(keeper, qtbot, tmp_path):
    """No such folder."""
    keeper.set_keys(KeyTable.parse(FILE))
    with qtbot.waitSignal(keeper.troubled) as told:
        keeper.save_file(str(tmp_path / "nowhere" / "keys.toml"))
    assert "cannot be written" in told.args[0]
    assert EK not in told.args[0]


def test_a_key_file_that_is_dropped_or_opened_is_no_capture(window, qtbot, tmp_path):
    """Its keys are taken; neither it nor its folder is remembered."""
    path = tmp_path / "secret keys.toml"
    path.write_text(FILE)
    drop(window, path)
    qtbot.waitUntil(lambda: len(window.opening.keeper.keys) == 2)
    assert window.document is None
    assert window.settings.get(options.RECENT) == ()
    assert window.settings.get(options.LAST_FOLDER) == ""
    window.open_path(str(tmp_path / "no-such.toml"))
    qtbot.waitUntil(lambda: any("does not exist" in one.text for one in window.messages.messages))


# The key store.


def test_nothing_is_kept_unless_it_is_asked_for(store, dialog, keeper, qtbot):
    """Off by default; on, every change goes to the store; off again, it forgets."""
    keeper.set_keys(KeyTable.parse(FILE))
    keeper.wait()
    assert store.kept == {}
    dialog.open_anew()
    qtbot.waitUntil(dialog.keep.isEnabled)
    assert not dialog.keep.isChecked()
    dialog.keep.click()
    qtbot.waitUntil(lambda: any(EK.lower() in text for text in store.kept.values()))
    keeper.wait()
    QGuiApplication.processEvents()
    keeper.set_keys(KeyTable(keeper.keys.entries[1:]))
    qtbot.waitUntil(lambda: not any(EK.lower() in text for text in store.kept.values()))
    dialog.keep.click()
    qtbot.waitUntil(lambda: store.kept == {})


def test_kept_keys_are_there_at_the_next_start(store, look, settings, qtbot):
    """Also when the store is locked at first: then nothing in it is lost by what is added meanwhile."""
    first = KeyKeeper(settings)
    first.set_keys(KeyTable.parse(FILE))
    first.set_keep(True)
    first.wait()
    second = KeyKeeper(settings)
    qtbot.waitUntil(lambda: len(second.keys) == 2)
    store.locked = True
    third = KeyKeeper(settings)
    with qtbot.waitSignal(third.troubled) as told:
        pass
    assert "locked" in told.args[0]
    assert EK.lower() not in told.args[0].lower()
    store.locked = False
    third.add(KeyTable.parse(f'[[key]]\ndedicated = "{AK}"').entries)
    qtbot.waitUntil(lambda: len(third.keys) == 3)
    third.wait()
    fourth = KeyKeeper(settings)
    qtbot.waitUntil(lambda: len(fourth.keys) == 3)


def test_a_system_without_a_store_says_so(monkeypatch, dialog, qtbot):
    """The box cannot be ticked, and a sentence says why."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    dialog.open_anew()
    qtbot.waitUntil(lambda: "Not possible here" in dialog.keep_note.text())
    assert not dialog.keep.isEnabled()


# Secrecy.


def _holds_key(text: str) -> bool:
    bare = re.sub(r"[\s:\-_]", "", text).upper()
    return any(key in bare for key in (EK, AK))


def test_after_a_whole_session_no_key_stands_anywhere(open_in, qtbot, tmp_path, caplog):
    """Load, open, look, copy everything, make mistakes, close: settings, log, clipboard hold no key."""
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "very secret.toml"
    path.write_text(f'[[key]]\nencryption = "{EK}"\nauthentication = "{AK}"\n')
    bad = tmp_path / "mistyped secret.toml"
    bad.write_text(f'[[key]]\nencryption = "{EK}"\nauthentication = "{AK}"\noops = {EK}\n')
    window = open_in(shared("captures/Output-Ciphered-HLS.pcap"))
    window.open_path(str(path))
    qtbot.waitUntil(lambda: len(window.opening.keeper.keys) == 1)
    window.open_path(str(bad))
    qtbot.waitUntil(lambda: any("mistyped" in one.text for one in window.messages.messages))
    table, details = window.workspace.table, window.workspace.details
    copied = []
    clipboard = QGuiApplication.clipboard()
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied.append(clipboard.text())
    assert "GET 0.0.40.0.0.255" in copied[0]
    for row in (0, 2, 4, 7):
        window.selection.go_to(row)
        details.fields.expand_all()
        for copy in (table.copy_hex, table.copy_dump, table.copy_plaintext, details.fields.copy):
            copy()
            copied.append(clipboard.text())
        copied.append(details.verdict.sentence.text())
        copied.append(details.verdict.sentence.toolTip())
    dialog = window.opening.dialog
    window.opening.show_keys()
    qtbot.keyClick(dialog.table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(dialog.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied.append(clipboard.text())
    copied.append("\n".join("\t".join(row) for row in cells(dialog)))
    copied += [one.text for one in (*window.messages.messages, *dialog.messages.messages)]
    copied += [repr(window.opening.keeper.keys), repr(window.opening.keeper.keys.entries)]
    dialog.close()
    window.close()
    window.settings.flush()
    written = (tmp_path / "settings.ini").read_text(encoding="utf-8")
    assert "[window]" in written
    assert "secret" not in written
    assert not _holds_key(written)
    assert not any(map(_holds_key, copied))
    assert not _holds_key(caplog.text)


def test_merging_leaves_the_table_alone_when_there_is_nothing_new():
    """So that nothing is opened anew for nothing."""
    table = KeyTable.parse(FILE)
    assert merged(table, KeyTable.parse(FILE).entries) is table
    assert len(merged(table, KeyTable.parse(f'[[key]]\ndedicated = "{AK}"').entries)) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [("", ""), ("00", "1 octets"), ("0x0011", "2 octets"), ("00:1", "1½ octets"), ("xyz", "no hex")],
)
def test_octets_are_counted_as_they_are_typed(text, words):
    """Sixteen are soon miscounted."""
    assert _amount(text) == words


def test_the_bundled_key_files_can_be_shown(dialog, keeper):
    """Every field of the example, elliptic keys included, has its cell."""
    keeper.set_keys(KeyTable.load(resource("keys-example.toml")))
    rows = cells(dialog)
    assert rows[0][0] == "Meter 57"
    assert "broadcast given, master given" in rows[0][6]
    assert all(cell is not None for row in rows for cell in row)
