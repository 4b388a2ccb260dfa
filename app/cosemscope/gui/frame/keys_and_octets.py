"""The means to open octets in the window: keys, their dialog, and the box for pasted hex.

The keys belong to the window and not to a capture: whatever is opened next is opened with them too.
"""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from cosemscope.analysis.keys.key_entry import KeyEntry
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.gui.base.message_bar import MessageSeverity
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.dialogs.paste_box import PasteBox, clipboard_hex
from cosemscope.gui.document.protection import WantedKey
from cosemscope.gui.keys.key_dialog import KeyDialog
from cosemscope.gui.keys.key_keeper import KeyKeeper
from cosemscope.gui.keys.keys_dialog import KeysDialog, ask_key

#: How a key file is told from a capture by its name.
KEY_FILE_ENDING = ".toml"


class KeysAndOctets(QObject):
    """The keys of a window and what they open. `keysChanged` gives the `KeyTable` to open with from now on.

    `captureAsked` gives the pasted messages that are to be opened as a capture. `say(severity, text)` says a
    message in the window.
    """

    keysChanged = Signal(object)
    captureAsked = Signal(object)

    def __init__(
        self, window: QWidget, settings: Settings, say: Callable[[MessageSeverity, str], None]
    ) -> None:
        super().__init__(window)
        self._window = window
        self._say_in_window = say
        self.keeper = KeyKeeper(settings, self)
        self.dialog = KeysDialog(window, self.keeper)
        self.box = PasteBox(window)
        self.box.addKeyAsked.connect(lambda wanted: self.add_key(wanted, self.box))
        self.box.captureAsked.connect(self.captureAsked)
        self.keeper.changed.connect(self._use_keys)
        self.keeper.troubled.connect(lambda text: self._say(MessageSeverity.ERROR, text))
        self.keeper.told.connect(lambda text: self._say(MessageSeverity.NOTE, text))

    def _use_keys(self) -> None:
        self.keysChanged.emit(self.keeper.keys)
        self.box.set_keys(self.keeper.keys)

    def _say(self, severity: MessageSeverity, text: str) -> None:
        """Say it in the window, unless the dialog is there and says it."""
        if not self.dialog.isVisible():
            self._say_in_window(severity, text)

    def show_keys(self) -> None:
        """Show the keys."""
        self.dialog.open_anew()

    def add_key(self, wanted: WantedKey, above: QWidget | None = None) -> KeyDialog:
        """Ask for a key that is wanted, in a dialog above the window or another one."""
        dialog = ask_key(above or self._window, self.keeper, "Add key")
        dialog.want(wanted)
        dialog.entryGiven.connect(self._take)
        return dialog

    def _take(self, entry: KeyEntry) -> None:
        if not self.keeper.add(KeyTable([entry])):
            self._say(MessageSeverity.NOTE, "The same keys are there already: they were tried.")

    def load_files(self, paths: Sequence[str]) -> None:
        """Take the keys out of files; no path of them is remembered."""
        self.keeper.load_files(paths)

    def show_box(self) -> None:
        """Show the box for octets."""
        self.box.open_with()

    def paste(self) -> None:
        """Decode the octets that stand on the clipboard in hex."""
        text = clipboard_hex()
        if text:
            self.box.open_with(text)
        else:
            self._say_in_window(
                MessageSeverity.NOTE,
                "There is no hex on the clipboard: copy a WPDU, an APDU or an HDLC frame first.",
            )

    def set_zoom(self, points: int) -> None:
        """Make the octets' text larger by `points`."""
        self.box.set_zoom(points)

    def close(self) -> None:
        """The window closes: let the key store get what it is to keep."""
        self.box.close()
        self.dialog.close()
        self.keeper.wait()
