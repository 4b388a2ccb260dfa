"""Keys in the window: taken from files that are dropped or opened, and to be found nowhere afterwards."""

import logging

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from cosemscope.gui.base import settings as options
from tests.gui.frame.test_window import drop
from tests.gui.keys.made_keys import AK, EK, FILE, cells, holds_key
from tests.helpers.shared import shared


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
    qtbot.waitUntil(lambda: "GET 0.0.40.0.0.255" in clipboard.text())
    copied.append(clipboard.text())
    for row in (0, 2, 4, 7):
        window.selection.go_to(row)
        details.fields.expandAll()
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
    assert not holds_key(written)
    assert not any(map(holds_key, copied))
    assert not holds_key(caplog.text)


def test_pasting_nothing_says_what_to_copy(window):
    """Ctrl+V with words on the clipboard is no silent nothing."""
    QGuiApplication.clipboard().setText("no octets here, sorry")
    window.opening.paste()
    assert "no hex on the clipboard" in window.messages.messages[-1].text
