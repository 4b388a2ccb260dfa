"""The dialog of one key entry: whom it is for, and its keys.

Keys are covered like passwords until a person asks to see them. What is typed is read by the key table's own
reader, so that the dialog takes what a key file takes, and its sentences are the reader's.
"""

import re
import tomllib
from typing import Any, NamedTuple

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from cosemscope.analysis.keys.key_entry import KeyEntry, KeyFieldError
from cosemscope.gui.document.protection import WantedKey
from cosemscope.gui.look import theme
from cosemscope.gui.look.icons import icon
from cosemscope.gui.look.plain_label import PlainLabel


class KeyField(NamedTuple):
    """One line of the form: the name in a key file, what it is called here, and what is expected."""

    name: str
    title: str
    hint: str
    secret: bool = True
    file: bool = False


WHO = (
    KeyField("name", "Name", "what messages call it; may be left out", secret=False),
    KeyField("system_title", "System title", "8 octets in hex", secret=False),
    KeyField("address", "Address", "198.51.100.7, with :port or not, or 198.51.100.0/24", secret=False),
    KeyField("wport", "wPort", "of either side", secret=False),
)
SYMMETRIC = (
    KeyField("encryption", "Encryption key", "global unicast key, 16 or 32 octets in hex"),
    KeyField("authentication", "Authentication key", "16 or 32 octets in hex"),
    KeyField("broadcast", "Broadcast key", "16 or 32 octets in hex"),
    KeyField("dedicated", "Dedicated key", "16 or 32 octets in hex"),
    KeyField("master", "Master key", "16 or 32 octets in hex"),
)
SECRET = KeyField("hls_secret", "HLS secret", "of mechanisms 2, 3, 4 and 6")
ELLIPTIC = (
    KeyField("signing_public", "Signing, public", "hex, or a file", file=True),
    KeyField("signing_private", "Signing, private", "hex, or a file", file=True),
    KeyField("agreement_public", "Agreement, public", "hex, or a file", file=True),
    KeyField("agreement_private", "Agreement, private", "hex, or a file", file=True),
    KeyField("ephemeral_private", "Ephemeral, private", "hex, or a file", file=True),
)
FIELDS = (*WHO, *SYMMETRIC, SECRET, *ELLIPTIC)
_CURVES = ("by its size", "P-256", "P-384")


def entry_fields(entry: KeyEntry) -> dict[str, Any]:
    """The fields of an entry as a key file has them, keys in hex."""
    fields: dict[str, Any] = tomllib.loads(entry.text())["key"][0]
    return fields


class KeyDialog(QDialog):
    """Asks for one entry. `entryGiven` gives it when it is complete and right."""

    entryGiven = Signal(object)

    def __init__(
        self, parent: QWidget, title: str, entry: KeyEntry | None = None, label: str = "key"
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._label = label
        self.lines: dict[str, QLineEdit] = {}
        self.show_keys = QCheckBox("&Show what is typed", self)
        self.show_keys.toggled.connect(self._cover)
        self.secret_form = QComboBox(self)
        self.secret_form.addItems(["in hex", "as text"])
        self.secret_form.setAccessibleName("HLS secret is given")
        self.curve = QComboBox(self)
        self.curve.addItems(_CURVES)
        self.problem = PlainLabel(self)
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self
        )
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._lay_out()
        self._fill(entry)
        self._cover(False)
        self.setMinimumWidth(620)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(self._group("For whom (all that is given must fit; nothing: tried for all)", WHO))
        keys = self._group("Keys", (*SYMMETRIC, SECRET))
        column.addWidget(keys)
        self.elliptic = self._group("Signatures and key agreement", ELLIPTIC, Curve=self.curve)
        self.unfold = QCheckBox("Keys for si&gnatures and key agreement (suites 1 and 2)", self)
        self.unfold.toggled.connect(self._fold)
        column.addWidget(self.unfold)
        column.addWidget(self.elliptic)
        column.addWidget(self.show_keys)
        column.addWidget(self.problem)
        column.addWidget(self.buttons)
        self.elliptic.hide()

    def _group(self, title: str, fields: tuple[KeyField, ...], **more: QWidget) -> QGroupBox:
        group = QGroupBox(title, self)
        form = QFormLayout(group)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for field in fields:
            form.addRow(field.title, self._row(field))
        for name, widget in more.items():
            form.addRow(name, widget)
        return group

    def _row(self, field: KeyField) -> QWidget:
        row = QWidget(self)
        across = QHBoxLayout(row)
        across.setContentsMargins(0, 0, 0, 0)
        line = QLineEdit(row)
        line.setPlaceholderText(field.hint)
        line.setAccessibleName(field.title)
        line.textChanged.connect(lambda: self.problem.hide())
        across.addWidget(line, 1)
        self.lines[field.name] = line
        if field is SECRET:
            across.addWidget(self.secret_form)
        elif field.secret and not field.file:
            amount = PlainLabel(row)
            amount.setForegroundRole(amount.palette().ColorRole.PlaceholderText)
            widest = amount.fontMetrics().horizontalAdvance("32 octets ")
            amount.setMinimumWidth(max(widest, self.secret_form.sizeHint().width()))  # one edge for all lines
            line.textChanged.connect(lambda text: amount.setText(amount_text(text)))
            across.addWidget(amount)
        elif field.file:
            browse = QToolButton(row)
            browse.setIcon(icon("open"))
            browse.setToolTip("Take the key from a file (PEM, DER, certificate)")
            browse.setAccessibleName(f"{field.title}: choose a file")
            browse.clicked.connect(lambda: self._browse(field.name))
            across.addWidget(browse)
        return row

    def _browse(self, name: str) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Take a key from a file", "", "All files (*)")
        if path:
            self.lines[name].setText(path)

    def _fold(self, unfolded: bool) -> None:
        """Hide the keys of suites 1 and 2 where nobody wants them."""
        self.elliptic.setVisible(unfolded)
        self.adjustSize()

    def _cover(self, shown: bool) -> None:
        mode = QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password
        for field in FIELDS:
            if field.secret:
                self.lines[field.name].setEchoMode(mode)
                self.lines[field.name].setFont(theme.fixed_font() if shown else self.font())

    def _fill(self, entry: KeyEntry | None) -> None:
        if entry is None:
            return
        for name, value in entry_fields(entry).items():
            self.lines[name].setText(str(value))
        if any(self.lines[field.name].text() for field in ELLIPTIC):
            self.unfold.setChecked(True)

    def want(self, wanted: WantedKey) -> None:
        """Fill in whom a key is wanted for."""
        if wanted.title is not None:
            self.lines["system_title"].setText(wanted.title.hex().upper())
        elif wanted.address:
            self.lines["address"].setText(wanted.address)
        self.lines["encryption"].setFocus()

    def fields(self) -> dict[str, Any]:
        """The typed texts as fields of a `[[key]]` table."""
        unfolded = self.unfold.isChecked()
        given: dict[str, Any] = {
            field.name: text
            for field in FIELDS
            if (text := self.lines[field.name].text().strip()) and (unfolded or field not in ELLIPTIC)
        }
        if "wport" in given and re.fullmatch(r"[0-9]+|0[xX][0-9A-Fa-f]+", given["wport"]):
            given["wport"] = int(given["wport"], 0 if given["wport"][:2] in ("0x", "0X") else 10)
        if "hls_secret" in given and self.secret_form.currentIndex():
            given["hls_secret_text"] = given.pop("hls_secret")
        if unfolded and self.curve.currentIndex():
            given["curve"] = self.curve.currentText()
        return given

    def accept(self) -> None:
        """Give the entry and close, or say what is wrong with it."""
        try:
            entry = KeyEntry.of(self.fields(), self._label)
        except KeyFieldError as reason:
            self._complain(reason)
            return
        self.entryGiven.emit(entry)
        super().accept()

    def _complain(self, reason: KeyFieldError) -> None:
        scheme = theme.colours(self.palette())
        palette = self.problem.palette()
        palette.setColor(self.problem.foregroundRole(), scheme.error)
        self.problem.setPalette(palette)
        name = "hls_secret" if reason.field == "hls_secret_text" else reason.field
        titles = {field.name: field.title for field in FIELDS}
        words = str(reason).removeprefix(reason.field).strip()
        if name in titles:
            words = f"{titles[name]}: {words}."
            self.lines[name].setFocus()
            self.lines[name].selectAll()
        else:
            words = "Give at least one key."
        self.problem.setText(words)
        self.problem.show()


def amount_text(text: str) -> str:
    """Returns the number of octets typed in hex, in words."""
    digits = re.sub(r"^0[xX]|[\s:\-_]", "", text.strip())
    if not digits or not re.fullmatch(r"[0-9A-Fa-f]+", digits):
        return "no hex" if digits else ""
    half = "½" if len(digits) % 2 else ""
    return f"{len(digits) // 2}{half} octets"
