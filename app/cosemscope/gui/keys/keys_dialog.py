"""The dialog of all keys: a table of entries, to be added, edited, loaded, saved and kept.

Changes count at once: the window behind opens what it can now. A cell says that a key is given, never its
octets, unless a person asks to show those of the selected entries; closing the dialog covers them again.
"""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QMessageBox,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from cosemscope.analysis.keys.fleet_keys import FleetKeys
from cosemscope.analysis.keys.key_entry import KeyEntry
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.apdu.names.texts import title_text
from cosemscope.gui.base.message_bar import MessageBar, MessageSeverity
from cosemscope.gui.keys.key_dialog import KeyDialog, entry_fields
from cosemscope.gui.keys.key_keeper import KeyKeeper
from cosemscope.gui.look import theme
from cosemscope.gui.look.icons import icon
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.wording import count

_Index = QModelIndex | QPersistentModelIndex

_TITLES = ("Name", "System title", "Address", "wPort", "Encryption", "Authentication", "Other keys")
_WHO = 4
_SINGLE = ("encryption", "authentication")
_GIVEN = "given"
_FILES = "Key files (*.toml *.csv);;All files (*)"
_DISPLAY = int(Qt.ItemDataRole.DisplayRole)
_FONT = int(Qt.ItemDataRole.FontRole)


class KeyModel(QAbstractTableModel):
    """Entries of a key table as rows, then its fleets; `shown` are the entries whose octets are shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: tuple[KeyEntry, ...] = ()
        self._fleets: tuple[FleetKeys, ...] = ()
        self.shown: frozenset[int] = frozenset()

    @property
    def entries(self) -> tuple[KeyEntry, ...]:
        """The rows' entries."""
        return self._entries

    def show(self, keys: KeyTable) -> None:
        """Show another table, its keys covered."""
        self.beginResetModel()
        self._entries, self._fleets = keys.entries, keys.fleets
        self.shown = frozenset()
        self.endResetModel()

    def set_shown(self, rows: frozenset[int]) -> None:
        """Show the octets of these rows and of no others."""
        self.shown = rows
        if self._entries:
            self.dataChanged.emit(self.index(0, _WHO), self.index(len(self._entries) - 1, len(_TITLES) - 1))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:
        """Entries and fleets."""
        return 0 if parent.isValid() else len(self._entries) + len(self._fleets)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:
        """Whom it is for, then the keys."""
        return 0 if parent.isValid() else len(_TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """Titles."""
        return _TITLES[section] if role == _DISPLAY and orientation == Qt.Orientation.Horizontal else None

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        """Whom an entry is for, and "given" for a key that it has."""
        if role == _FONT and index.column() >= _WHO and index.row() in self.shown:
            return theme.fixed_font()
        if role != _DISPLAY:
            return None
        return self._text(index.row(), index.column(), covered=index.row() not in self.shown)

    def _text(self, row: int, column: int, *, covered: bool) -> str:
        if row >= len(self._entries):
            return _fleet_cell(self._fleets[row - len(self._entries)], column)
        entry = self._entries[row]
        return _cell(entry, column, {} if covered else entry_fields(entry))

    def line(self, row: int) -> str:
        """A row as text to be copied, its cells separated by tabs; keys are covered in it, shown or not."""
        return "\t".join(self._text(row, column, covered=True) for column in range(len(_TITLES)))


def _fleet_cell(fleet: FleetKeys, column: int) -> str:
    """A cell of a fleet: its file and how many titles; of its keys those that it may have."""
    if column < _WHO:
        return (fleet.name, f"{len(fleet):,} titles", "any", "any")[column]
    if column < _WHO + len(_SINGLE):
        return _GIVEN if _SINGLE[column - _WHO] in fleet.fields else ""
    return ", ".join(f"{name.replace('_', ' ')} {_GIVEN}" for name in fleet.fields if name not in _SINGLE)


def _cell(entry: KeyEntry, column: int, octets: Mapping[str, Any]) -> str:
    """A cell of an entry; `octets` are those of its keys by name, none where they are covered."""
    if column < _WHO:
        return _who(entry)[column]
    if column < _WHO + len(_SINGLE):
        name = _SINGLE[column - _WHO]
        return octets.get(name, _GIVEN) if name in entry.keys.holds() else ""
    others = (name for name in entry.keys.holds() if name not in _SINGLE)
    return ", ".join(f"{name.replace('_', ' ')} {octets.get(name, _GIVEN)}" for name in others)


def _who(entry: KeyEntry) -> tuple[str, str, str, str]:
    """Name, system title, address and wPort, as people write them."""
    fields = entry_fields(entry)
    title = title_text(entry.keys.title) if entry.keys.title is not None else "any"
    return entry.keys.label, title, fields.get("address", "any"), str(fields.get("wport", "any"))


def ask_key(parent: QWidget, keeper: KeyKeeper, title: str, entry: KeyEntry | None = None) -> KeyDialog:
    """Open the dialog of one entry, a new one or one to be edited; what becomes of it is the caller's."""
    dialog = KeyDialog(parent, title, entry, f"key {len(keeper.keys) + 1}")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
    return dialog


class _KeyView(QTableView):
    """A table that leaves copying and removing to its dialog: its own way would copy what is shown."""

    copyAsked = Signal()
    removeAsked = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copyAsked.emit()
        elif event.matches(QKeySequence.StandardKey.Delete):
            self.removeAsked.emit()
        else:
            super().keyPressEvent(event)


class KeysDialog(QDialog):
    """The window's keys."""

    def __init__(self, parent: QWidget, keeper: KeyKeeper) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self._keeper = keeper
        self._model = KeyModel(self)
        self.messages = MessageBar(self)
        self.table = self._make_table()
        self.keep = QCheckBox("&Keep these keys in the operating system's key store", self)
        self.keep.setChecked(keeper.keep)
        self.keep.setEnabled(keeper.keep)
        self.keep_note = PlainLabel(self)
        self.keep_note.setWordWrap(True)
        self.keep_note.setForegroundRole(self.keep_note.palette().ColorRole.PlaceholderText)
        self._make_buttons()
        self._lay_out()
        keeper.changed.connect(self._show_keys)
        keeper.troubled.connect(lambda text: self.messages.say(MessageSeverity.ERROR, text))
        keeper.told.connect(lambda text: self.messages.say(MessageSeverity.NOTE, text))
        keeper.storeAsked.connect(self._show_store)
        self.keep.clicked.connect(keeper.set_keep)
        self._show_keys()
        self.resize(980, 440)

    def _make_table(self) -> QTableView:
        table = _KeyView(self)
        table.setModel(self._model)
        table.setAccessibleName("Keys")
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setShowGrid(False)
        table.setAlternatingRowColors(True)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 9)
        across = table.horizontalHeader()
        across.setHighlightSections(False)
        across.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        across.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        across.setStretchLastSection(True)
        across.setResizeContentsPrecision(50)
        table.doubleClicked.connect(self.edit)
        table.selectionModel().selectionChanged.connect(self._show_state)
        table.removeAsked.connect(self.remove)
        table.copyAsked.connect(self.copy)
        return table

    def _make_buttons(self) -> None:
        self.buttons: dict[str, QPushButton] = {}
        for name, text, picture, slot in (
            ("add", "&Add…", "key", self.add),
            ("edit", "&Edit…", "", self.edit),
            ("remove", "&Remove", "", self.remove),
            ("show", "&Show", "", self._show_octets),
            ("load", "&Load file…", "open", self.ask_load),
            ("save", "Save &file…", "", self.ask_save),
        ):
            button = QPushButton(text, self)
            if picture:
                button.setIcon(icon(picture))
            button.setAutoDefault(False)
            button.clicked.connect(lambda checked=False, slot=slot: slot())
            self.buttons[name] = button
        self.buttons["show"].setToolTip("Show the octets of the selected entries' keys")

    def _lay_out(self) -> None:
        words = PlainLabel(
            "Keys open ciphered APDUs. They are held in memory and forgotten when Cosemscope ends; an entry "
            "that names no system title, address or wPort is tried for all.",
            self,
        )
        words.setWordWrap(True)
        side = QVBoxLayout()
        for name, button in self.buttons.items():
            if name == "load":
                side.addSpacing(12)
            side.addWidget(button)
        side.addStretch(1)
        middle = QHBoxLayout()
        middle.addWidget(self.table, 1)
        middle.addLayout(side)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        close.rejected.connect(self.close)
        close.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(words)
        column.addWidget(self.messages)
        column.addLayout(middle, 1)
        column.addWidget(self.keep)
        column.addWidget(self.keep_note)
        column.addWidget(close)

    def open_anew(self) -> None:
        """Show the dialog, or bring it to the front; and ask whether there is a key store."""
        self._keeper.ask_store()
        self.show()
        self.raise_()
        self.activateWindow()

    # What is shown

    def _show_keys(self) -> None:
        row = self.table.currentIndex().row()
        self._model.show(self._keeper.keys)
        self._fit_columns()
        rows = self._model.rowCount()
        if rows:
            self.table.selectRow(min(max(row, 0), rows - 1))
        self._show_state()

    def _fit_columns(self) -> None:
        self.table.resizeColumnsToContents()
        for column in range(len(_TITLES) - 1):  # the last one takes what is left
            self.table.setColumnWidth(column, min(360, self.table.columnWidth(column) + 14))

    def selected(self) -> list[int]:
        """The selected rows, in order."""
        return sorted(index.row() for index in self.table.selectionModel().selectedRows())

    def _show_state(self) -> None:
        rows = self.selected()
        entries = [row for row in rows if row < len(self._model.entries)]
        for name, there in (
            ("edit", len(rows) == 1 and rows[0] < len(self._model.entries)),
            ("remove", bool(rows)),
            ("show", bool(entries)),
            ("save", bool(self._model.entries)),
        ):
            self.buttons[name].setEnabled(there)
        hidden = not entries or not self._model.shown.issuperset(entries)
        self.buttons["show"].setText("&Show" if hidden else "&Cover")

    def _show_octets(self) -> None:
        rows = frozenset(row for row in self.selected() if row < len(self._model.entries))
        shown = self._model.shown
        self._model.set_shown(shown - rows if shown >= rows else shown | rows)
        self._fit_columns()
        self._show_state()

    def _show_store(self, reason: str) -> None:
        self.keep.setEnabled(not reason or self._keeper.keep)
        self.keep.setChecked(self._keeper.keep)
        words = "Otherwise they are forgotten when Cosemscope ends."
        self.keep_note.setText(f"Not possible here: {reason}." if reason else words)

    # What is done

    def add(self) -> None:
        """Ask for an entry and add it."""
        ask_key(self, self._keeper, "Add key").entryGiven.connect(self._take)

    def _take(self, entry: KeyEntry) -> None:
        if not self._keeper.add(KeyTable([entry])):
            self.messages.say(MessageSeverity.NOTE, "The same entry is there already.")
        self.table.selectRow(len(self._model.entries) - 1)

    def edit(self) -> None:
        """Edit the selected entry."""
        rows = self.selected()
        if len(rows) != 1 or rows[0] >= len(self._model.entries):
            return
        row, entry = rows[0], self._model.entries[rows[0]]
        dialog = ask_key(self, self._keeper, "Edit key", entry)
        dialog.entryGiven.connect(lambda changed: self._replace(row, entry, changed))

    def _replace(self, row: int, old: KeyEntry, new: KeyEntry) -> None:
        entries = list(self._keeper.keys.entries)
        if row < len(entries) and entries[row] is old:
            entries[row] = new
            self._keeper.set_keys(KeyTable(entries, self._keeper.keys.fleets))

    def remove(self) -> None:
        """Remove the selected entries; a button brings them back."""
        rows, before = set(self.selected()), self._keeper.keys
        if not rows:
            return
        left = [entry for row, entry in enumerate(before.entries) if row not in rows]
        fleets = [one for row, one in enumerate(before.fleets, len(before.entries)) if row not in rows]
        self._keeper.set_keys(KeyTable(left, fleets))
        self.messages.clear()
        words = f"{count(len(rows), 'entry', 'entries')} removed."
        self.messages.say(MessageSeverity.NOTE, words, [("Undo", lambda: self._undo(before))])

    def copy(self) -> None:
        """Put the selected rows on the clipboard, never an octet of a key."""
        lines = ["\t".join(_TITLES), *(self._model.line(row) for row in self.selected())]
        QGuiApplication.clipboard().setText("\n".join(lines))

    def _undo(self, before: KeyTable) -> None:
        self.messages.clear()
        self._keeper.set_keys(before)

    def ask_load(self) -> None:
        """Let a person choose key files."""
        names, _ = QFileDialog.getOpenFileNames(self, "Load keys", "", _FILES)
        if names:
            self.messages.clear()
            self._keeper.load_files(names)

    def ask_save(self) -> None:
        """Write a key file, after a warning."""
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("Save keys")
        box.setText("The file will hold the keys in clear.")
        box.setInformativeText(
            f"Whoever can read it can open and forge the traffic of these devices "
            f"({count(len(self._keeper.keys), 'entry', 'entries')}). Keep it where only you can read it."
        )
        box.addButton("Save in clear…", QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.accepted.connect(self._choose_file)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def _choose_file(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save keys", "keys.toml", _FILES)
        if name:
            self.messages.clear()
            self._keeper.save_file(name)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Cover what was shown."""
        self._cover()
        super().closeEvent(event)

    def reject(self) -> None:
        """Escape: cover what was shown, and close."""
        self._cover()
        super().reject()

    def _cover(self) -> None:
        self._model.set_shown(frozenset())
        self._show_state()
        self.messages.clear()
