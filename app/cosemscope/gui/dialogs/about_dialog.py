"""Help > About: what this is, of what it is made, under which licences; and the notice of newer versions."""

import importlib
import importlib.metadata
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import Qt, QUrl, qVersion
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from cosemscope import __version__
from cosemscope.gui.base import settings as options
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.base.updates import address, refusal
from cosemscope.gui.look.icons import application_icon
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.program import is_frozen

_TEXT = (
    "Inspector for DLMS/COSEM over IP (IEC 62056-4-7), under the Apache License, version 2.0. “DLMS” "
    "and “COSEM” are terms of the DLMS User Association, used here to describe; Cosemscope is not certified "
    "by it."
)


class Part(NamedTuple):
    """Something that Cosemscope runs on: its name, what tells its version, its licence."""

    name: str
    version: Callable[[], str]
    licence: str


def _of(module: str) -> Callable[[], str]:
    """What tells the version of a module; a module that is not there has none."""

    def version() -> str:
        try:
            return str(importlib.import_module(module).__version__)
        except (ImportError, AttributeError):
            return "not installed"

    return version


def _as_installed(distribution: str) -> Callable[[], str]:
    """What tells the version of a distribution whose modules do not say it."""

    def version() -> str:
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            return "not installed"

    return version


#: As NOTICE has them.
PARTS = (
    Part("Python", platform.python_version, "PSF-2.0"),
    Part("Qt", qVersion, "LGPL-3.0-only"),
    Part("PySide6", _of("PySide6"), "LGPL-3.0-only"),
    Part("NumPy", _of("numpy"), "BSD-3-Clause"),
    Part("pyqtgraph", _of("pyqtgraph"), "MIT"),
    Part("dpkt", _of("dpkt"), "BSD-3-Clause"),
    Part("cryptography", _of("cryptography"), "Apache-2.0 OR BSD-3-Clause"),
    Part("zstandard", _of("zstandard"), "BSD-3-Clause"),
    Part("orjson", _of("orjson"), "MPL-2.0 AND (Apache-2.0 OR MIT)"),
    Part("platformdirs", _of("platformdirs"), "MIT"),
    Part("lark", _of("lark"), "MIT"),
    Part("google-re2", _as_installed("google-re2"), "BSD-3-Clause"),
)


def licence_folder() -> Path | None:
    """The folder with the licences' texts in an installed program; None elsewhere."""
    folder = Path(getattr(sys, "_MEIPASS", "")) / "licences"
    return folder if is_frozen() and folder.is_dir() else None


def versions() -> list[tuple[str, str, str]]:
    """Name, version and licence of Cosemscope and of each part."""
    parts = [(part.name, part.version(), part.licence) for part in PARTS]
    return [("Cosemscope", __version__, "Apache-2.0"), *parts]


def as_text() -> str:
    """The versions as text, for a report."""
    lines = [f"{name} {version}" for name, version, _ in versions()]
    return "\n".join([*lines, f"{platform.platform()}, {QApplication.platformName()}"])


class AboutDialog(QDialog):
    """The dialog; `settings` keep what it is told of the notice."""

    def __init__(self, parent: QWidget | None, settings: Settings) -> None:
        super().__init__(parent)
        self._settings = settings
        self.setWindowTitle("About Cosemscope")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        picture = QLabel(self)
        picture.setPixmap(application_icon().pixmap(64, 64))
        picture.setAlignment(Qt.AlignmentFlag.AlignTop)
        text = QLabel(f"<h3>Cosemscope {__version__}</h3><p>{_TEXT}</p>", self)
        text.setWordWrap(True)
        head = QHBoxLayout()
        head.setSpacing(16)
        head.addWidget(picture)
        head.addWidget(text, 1)
        self.table = self._make_table()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.close)
        copy = buttons.addButton("Copy &versions", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: QApplication.clipboard().setText(as_text()))
        folder = licence_folder()
        if folder is not None:
            show = buttons.addButton("&Licence texts", QDialogButtonBox.ButtonRole.ActionRole)
            show.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))))
        column = QVBoxLayout(self)
        column.addLayout(head)
        column.addWidget(self.table, 1)
        column.addLayout(self._make_notice())
        column.addWidget(buttons)
        self.resize(620, 560)

    def _make_table(self) -> QTableWidget:
        rows = versions()
        table = QTableWidget(len(rows), 3, self)
        table.setAccessibleName("Versions and licences")
        table.setHorizontalHeaderLabels(["Part", "Version", "Licence"])
        table.verticalHeader().hide()
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        table.setShowGrid(False)
        for row, texts in enumerate(rows):
            for column, text in enumerate(texts):
                table.setItem(row, column, QTableWidgetItem(text))
        table.resizeColumnsToContents()
        table.horizontalHeader().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        return table

    def _make_notice(self) -> QVBoxLayout:
        self.notice = QCheckBox("Ask once a day whether there is a &newer version; at this address:", self)
        self.notice.setChecked(self._settings.get(options.UPDATE_NOTICE))
        self.address = QLineEdit(address(self._settings), self)
        self.address.setPlaceholderText("https://...; nothing is asked without an address")
        self.address.setAccessibleName("Address to ask for newer versions")
        self.why = PlainLabel(self)
        self.why.setWordWrap(True)
        self.notice.toggled.connect(self._keep)
        self.address.textChanged.connect(self._keep)
        self._keep()
        column = QVBoxLayout()
        for widget in (self.notice, self.address, self.why):
            column.addWidget(widget)
        return column

    def _keep(self) -> None:
        text = self.address.text().strip()
        why = refusal(text) if text or self.notice.isChecked() else ""
        self.why.setText(why)
        self.why.setVisible(bool(why))
        self._settings.set(options.UPDATE_NOTICE, self.notice.isChecked())
        if not why:
            self._settings.set(options.UPDATE_ADDRESS, text)


def show_about(parent: QWidget, settings: Settings) -> None:
    """Show the dialog beside the window."""
    AboutDialog(parent, settings).open()
