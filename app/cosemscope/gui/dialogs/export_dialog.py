"""The export dialog asks what goes into a file, in which format, and of which WPDUs."""

from collections.abc import Mapping
from typing import NamedTuple

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QVBoxLayout,
    QWidget,
)

from cosemscope.analysis.export.exports import FORMATS, TABLES, Order, check
from cosemscope.analysis.export.whole_file import ExportError
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.wording import count

#: What WPDUs are called, in the order in which they are offered.
SCOPES = {"displayed": "displayed", "selected": "selected", "marked": "marked", "all": "all"}


class Wanted(NamedTuple):
    """What a person wants exported: the order, and of which WPDUs (a key of `SCOPES`)."""

    order: Order
    scope: str


class ExportDialog(QDialog):
    """The dialog; `amounts` says how many WPDUs each scope has, `name` what is exported from."""

    def __init__(self, parent: QWidget | None, amounts: Mapping[str, int], name: str = "") -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self._name = name
        self.what = _combo(self, "What", {key: f"{key}: {kind.row} a row" for key, kind in TABLES.items()})
        self.form = _combo(self, "Format", {})
        self.scope = _combo(
            self,
            "Of",
            {
                scope: f"{words} ({count(amounts[scope], 'WPDU')})"
                for scope, words in SCOPES.items()
                if amounts.get(scope)
            },
        )
        self.handshakes = QCheckBox("Packets that open and end the connections, too", self)
        self.passwords = QCheckBox("Passwords that were sent in clear, too", self)
        self.said = PlainLabel(self)
        self.said.setWordWrap(True)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel, self
        )
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        form = QFormLayout()
        form.addRow("Export", self.what)
        form.addRow("as", self.form)
        form.addRow("of", self.scope)
        form.addRow("", self.handshakes)
        form.addRow("", self.passwords)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addLayout(form)
        column.addWidget(self.said)
        column.addWidget(self.buttons)
        self.setMinimumWidth(460)
        self.what.currentIndexChanged.connect(self._offer_formats)
        self.form.currentIndexChanged.connect(self._judge)
        self._offer_formats()

    def _offer_formats(self) -> None:
        """The formats that take what goes out; the chosen one stays if it does."""
        before = self.form.currentData()
        self.form.blockSignals(True)
        self.form.clear()
        for name, kind in FORMATS.items():
            if kind.takes(self.what.currentData()):
                self.form.addItem(f"{name}: {kind.meaning}", name)
        self.form.setCurrentIndex(max(0, self.form.findData(before)))
        self.form.blockSignals(False)
        self._judge()

    def _judge(self) -> None:
        """Offer what the format has, and say what it cannot do."""
        form, what = self.form.currentData(), self.what.currentData()
        self.handshakes.setEnabled(form == "pcapng")
        self.passwords.setEnabled(form == "text" and what in FORMATS[form].of)
        trouble = ""
        try:
            check(self.wanted.order)
        except ExportError as error:
            trouble = str(error)
        self.said.setText(trouble or "Keys are never written.")
        self.buttons.button(QDialogButtonBox.StandardButton.Save).setEnabled(not trouble)

    @property
    def wanted(self) -> Wanted:
        """What is chosen."""
        order = Order(
            self.form.currentData(),
            self.what.currentData(),
            handshakes=self.handshakes.isEnabled() and self.handshakes.isChecked(),
            passwords=self.passwords.isEnabled() and self.passwords.isChecked(),
            name=self._name,
        )
        return Wanted(order, self.scope.currentData() or "all")


def _combo(parent: QWidget, name: str, entries: Mapping[str, str]) -> QComboBox:
    box = QComboBox(parent)
    box.setAccessibleName(name)
    box.view().setAccessibleName(name)
    for key, text in entries.items():
        box.addItem(text, key)
    return box
