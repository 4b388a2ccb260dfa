"""All keys in a dialog: edited, loaded, saved and kept; no octet is shown that nobody asked for."""

import os
import stat
import sys

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMessageBox, QPushButton

from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.gui.keys.key_dialog import KeyDialog
from cosemscope.gui.keys.keys_dialog import KeysDialog
from cosemscope.resources import resource
from tests.gui.keys.made_keys import EK, FILE, MASTER, cells, holds_key


def click(qtbot, dialog: KeysDialog, name: str) -> None:
    qtbot.mouseClick(dialog.buttons[name], Qt.MouseButton.LeftButton)


def choose_row(qtbot, dialog: KeysDialog, row: int) -> None:
    where = dialog.table.visualRect(dialog.table.model().index(row, 0)).center()
    qtbot.mouseClick(dialog.table.viewport(), Qt.MouseButton.LeftButton, pos=where)


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
    assert not holds_key(QGuiApplication.clipboard().text())
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


def test_a_system_without_a_store_says_so(monkeypatch, dialog, qtbot):
    """The box cannot be ticked, and a sentence says why."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    dialog.open_anew()
    qtbot.waitUntil(lambda: "Not possible here" in dialog.keep_note.text())
    assert not dialog.keep.isEnabled()


def test_the_bundled_key_files_can_be_shown(dialog, keeper):
    """Every field of the example, elliptic keys included, has its cell."""
    keeper.set_keys(KeyTable.load(resource("keys-example.toml")))
    rows = cells(dialog)
    assert rows[0][0] == "Meter 57"
    assert "broadcast given, master given" in rows[0][6]
    assert all(cell is not None for row in rows for cell in row)


def test_a_fleet_is_a_row_that_can_be_removed_and_comes_once(dialog, keeper, qtbot, tmp_path, monkeypatch):
    """The keys of a CSV file of thousands are told by their number, and are not shown or edited each."""
    path = tmp_path / "fleet.csv"
    path.write_text("title,encryption\n" + "".join(f"{n:016x},{EK}\n" for n in range(1, 2001)))
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *words: ([str(path)], ""))
    keeper.set_keys(KeyTable.parse(FILE))
    click(qtbot, dialog, "load")
    qtbot.waitUntil(lambda: len(keeper.keys) == 2002)
    assert cells(dialog)[2][:6] == ["fleet.csv", "2,000 titles", "any", "any", "given", ""]
    choose_row(qtbot, dialog, 2)
    assert [dialog.buttons[one].isEnabled() for one in ("edit", "remove", "show")] == [False, True, False]
    qtbot.keyClick(dialog.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert not holds_key(QGuiApplication.clipboard().text())
    click(qtbot, dialog, "load")
    qtbot.waitUntil(
        lambda: any("2,000 more were there already" in one.text for one in dialog.messages.messages)
    )
    assert len(keeper.keys) == 2002
    choose_row(qtbot, dialog, 2)
    click(qtbot, dialog, "remove")
    assert len(keeper.keys) == 2
