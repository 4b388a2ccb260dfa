"""Asks for a test link: whom to connect to, or where to listen. wPorts are named as Table 1 has them."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QCompleter,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from cosemscope.capture.job_options import words_of
from cosemscope.gui.base import settings as options
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.live.asked_jobs import address_trouble, remembered
from cosemscope.gui.look import theme
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.live.commands.link_job import ConnectJob
from cosemscope.live.commands.listen_job import ListenJob
from cosemscope.transport.wports import DLMS_PORT, Side, wport_name

_WIDTH = 520


class WPortBox(QWidget):
    """A wPort with the name that it has on its side."""

    def __init__(self, side: Side, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._side = side
        self.number = QSpinBox(self)
        self.number.setRange(0, 0xFFFF)
        self.number.setAccessibleName(f"{side.value} wPort")
        self.number.setMinimumWidth(100)
        self.setFocusProxy(self.number)
        self.meaning = PlainLabel(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(self.number)
        row.addWidget(self.meaning, 1)
        self.number.valueChanged.connect(self._explain)
        self.number.setValue(number)
        self._explain()

    @property
    def value(self) -> int:
        """The number."""
        return self.number.value()

    def _explain(self) -> None:
        number = self.number.value()
        self.meaning.setText(f"0x{number:04X}  {wport_name(number, self._side)}")


class AddressDialog(QDialog):
    """Base of dialogs with an address: those used before, its check as it is typed, buttons."""

    def __init__(self, parent: QWidget | None, title: str, verb: str, explanation: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._host_needed = False
        self.address = QComboBox(self)
        self.address.setEditable(True)
        self.address.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.address.setAccessibleName("Address")
        self.address.setMinimumWidth(300)
        # Addresses used before are offered below the line, and never put into it by themselves.
        completer = self.address.completer()
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.trouble = PlainLabel(self)
        self.trouble.setWordWrap(True)
        words = PlainLabel(explanation, self)
        words.setWordWrap(True)
        self.form = QFormLayout()
        self.form.setHorizontalSpacing(14)
        self.form.setVerticalSpacing(9)
        self.form.setLabelAlignment(Qt.AlignmentFlag.AlignRight)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.go = buttons.addButton(verb, QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(12)
        column.addWidget(words)
        column.addLayout(self.form)
        column.addStretch(1)
        column.addWidget(buttons)
        self.setMinimumWidth(_WIDTH)
        self.address.editTextChanged.connect(self.check)

    def check(self, *_: Any) -> None:
        """Say what is wrong with the address, and allow going on when nothing is."""
        text = self.address.currentText()
        trouble = self._trouble()
        self.trouble.setStyleSheet(f"color: {theme.colours(self.palette()).error}")
        self.trouble.setText(trouble if text.strip() else "")
        self.go.setEnabled(not trouble and self._is_whole())
        layout = self.layout()
        layout.activate()
        needed = layout.totalHeightForWidth(self.width())
        if self.isVisible() and needed > self.height():  # the sentence has more lines than before
            self.resize(self.width(), needed)

    def _trouble(self) -> str:
        """A sentence about what is wrong; empty when nothing is."""
        return address_trouble(self.address.currentText(), host_needed=self._host_needed)

    def _is_whole(self) -> bool:
        return True


class ConnectDialog(AddressDialog):
    """Asks for a link to a server."""

    def __init__(self, parent: QWidget | None, recent: tuple[str, ...], job: ConnectJob) -> None:
        super().__init__(
            parent,
            "Connect",
            "Connect",
            "Opens a test link with the IEC 62056-4-7 wrapper. What goes over it is shown as it happens, and "
            "kept as a capture.",
        )
        self._host_needed = True
        self.address.addItems(list(recent))
        self.address.setCurrentText(job.address)
        self.address.lineEdit().setPlaceholderText(f"host or host:port (port {DLMS_PORT} unless given)")
        self.tcp, self.udp = QRadioButton("TCP", self), QRadioButton("UDP", self)
        (self.udp if job.udp else self.tcp).setChecked(True)
        group = QButtonGroup(self)
        transports = QHBoxLayout()
        transports.setSpacing(18)
        for button in (self.tcp, self.udp):
            group.addButton(button)
            transports.addWidget(button)
        transports.addStretch(1)
        self.client = WPortBox(Side.CLIENT, job.client, self)
        self.server = WPortBox(Side.SERVER, job.server, self)
        self.timeout = QSpinBox(self)
        self.timeout.setRange(1, 3600)
        self.timeout.setSuffix(" s")
        self.timeout.setMinimumWidth(100)
        self.timeout.setValue(round(job.timeout))
        self.timeout.setToolTip("How long to wait for the connection, and for each answer")
        self.form.addRow("&Address", self.address)
        self.form.addRow("", self.trouble)
        self.form.addRow("Transport", transports)
        self.form.addRow("&Client wPort", self.client)
        self.form.addRow("&Server wPort", self.server)
        wait = QHBoxLayout()
        wait.addWidget(self.timeout)
        wait.addStretch(1)
        label = PlainLabel("&Time-out", self)
        label.setBuddy(self.timeout)
        self.form.addRow(label, wait)
        self.address.lineEdit().selectAll()
        self.address.setFocus()
        self.check()

    @property
    def job(self) -> ConnectJob:
        """The job that was asked for."""
        return ConnectJob(
            self.address.currentText().strip(),
            client=self.client.value,
            server=self.server.value,
            udp=self.udp.isChecked(),
            timeout=self.timeout.value(),
            connect_timeout=self.timeout.value(),
        )


class ListenDialog(AddressDialog):
    """Asks where to listen."""

    def __init__(self, parent: QWidget | None, job: ListenJob) -> None:
        super().__init__(
            parent,
            "Listen",
            "Listen",
            "Accepts connections and datagrams with the IEC 62056-4-7 wrapper, shows what comes, and answers "
            "what you tell it to. 127.0.0.1 is this computer only; 0.0.0.0 or [::] is every network.",
        )
        self.tcp, self.udp = QCheckBox("TCP", self), QCheckBox("UDP", self)
        self.address.addItems([f"127.0.0.1:{DLMS_PORT}", f"0.0.0.0:{DLMS_PORT}", f"[::]:{DLMS_PORT}"])
        self.address.setCurrentText(job.address)
        self.tcp.setChecked(job.tcp)
        self.udp.setChecked(job.udp)
        transports = QHBoxLayout()
        transports.setSpacing(18)
        for box in (self.tcp, self.udp):
            box.toggled.connect(self.check)
            transports.addWidget(box)
        transports.addStretch(1)
        self.wport = WPortBox(Side.SERVER, job.wports[0], self)
        self.form.addRow("&Address", self.address)
        self.form.addRow("", self.trouble)
        self.form.addRow("Transport", transports)
        self.form.addRow("&Server wPort", self.wport)
        self.address.setFocus()
        self.check()

    def _is_whole(self) -> bool:
        return self.tcp.isChecked() or self.udp.isChecked()

    @property
    def job(self) -> ListenJob:
        """The job that was asked for."""
        return ListenJob(
            self.address.currentText().strip(),
            wports=(self.wport.value,),
            tcp=self.tcp.isChecked(),
            udp=self.udp.isChecked(),
        )


def ask_connect(parent: QWidget, settings: Settings) -> ConnectJob | None:
    """Ask for a link; None when nothing is to be done. What was typed is remembered."""
    last = remembered(settings.get(options.LINK), ConnectJob(""))
    dialog = ConnectDialog(parent, settings.get(options.ADDRESSES), last)
    accepted = dialog.exec() == QDialog.DialogCode.Accepted
    job = dialog.job
    dialog.deleteLater()
    if not accepted:
        return None
    remember(settings, job)
    return job


def remember(settings: Settings, job: ConnectJob) -> None:
    """Offer this link first the next time."""
    others = [address for address in settings.get(options.ADDRESSES) if address != job.address]
    settings.set(options.ADDRESSES, (job.address, *others)[: options.RECENT_FILES])
    settings.set(options.LINK, tuple(words_of(job)))


def ask_listen(parent: QWidget, settings: Settings) -> ListenJob | None:
    """Ask where to listen; None when nothing is to be done."""
    dialog = ListenDialog(parent, remembered(settings.get(options.LISTEN), ListenJob()))
    accepted = dialog.exec() == QDialog.DialogCode.Accepted
    job = dialog.job
    dialog.deleteLater()
    if not accepted:
        return None
    settings.set(options.LISTEN, tuple(words_of(job)))
    return job
