"""Asks for a relay: where clients connect, and to which meter what they say goes on."""

from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QHBoxLayout, QWidget

from cosemscope.capture.job_options import words_of
from cosemscope.gui.base import settings as options
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.live.asked_jobs import remembered
from cosemscope.gui.live.connect_dialog import AddressDialog
from cosemscope.live.links.faults import LinkError
from cosemscope.live.relay.relay_job import RelayJob
from cosemscope.transport.wports import DLMS_PORT
from cosemscope.wording import sentence


class RelayDialog(AddressDialog):
    """Asks for one route. `recent` are addresses of meters used before."""

    def __init__(self, parent: QWidget | None, recent: tuple[str, ...], job: RelayJob) -> None:
        super().__init__(
            parent,
            "Relay",
            "Start",
            "A client connects to this computer in the place of its meter; what it says goes on to the meter "
            "and back, unchanged, and is shown as it happens. No rights to capture are needed.",
        )
        self._host_needed = True
        self.listen = QComboBox(self)
        self.listen.setEditable(True)
        self.listen.setAccessibleName("Listen at")
        self.listen.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.listen.addItems([f"127.0.0.1:{DLMS_PORT}", f"0.0.0.0:{DLMS_PORT}", "127.0.0.1:0"])
        self.listen.setCurrentText(job.listen or f"127.0.0.1:{DLMS_PORT}")
        self.listen.setToolTip("127.0.0.1 is this computer only, 0.0.0.0 every network; port 0: a free one")
        self.tcp, self.udp = QCheckBox("TCP", self), QCheckBox("UDP", self)
        self.tcp.setChecked(job.tcp)
        self.udp.setChecked(job.udp)
        self.address.addItems(list(recent))
        self.address.setCurrentText(job.target)
        self.address.setAccessibleName("Meter")
        self.address.lineEdit().setPlaceholderText(f"host or host:port (port {DLMS_PORT} unless given)")
        transports = QHBoxLayout()
        transports.setSpacing(18)
        for box in (self.tcp, self.udp):
            box.toggled.connect(self.check)
            transports.addWidget(box)
        transports.addStretch(1)
        self.form.addRow("&Listen at", self.listen)
        self.form.addRow("&Meter", self.address)
        self.form.addRow("", self.trouble)
        self.form.addRow("Transport", transports)
        self.listen.editTextChanged.connect(self.check)
        self.address.setFocus()
        self.check()

    def _trouble(self) -> str:
        wrong = super()._trouble()
        if wrong:
            return wrong
        try:
            self.job.all_routes()
        except LinkError as error:
            return sentence(error.message)
        return ""

    def _is_whole(self) -> bool:
        return self.tcp.isChecked() or self.udp.isChecked()

    @property
    def job(self) -> RelayJob:
        """The job that was asked for."""
        return RelayJob(
            self.listen.currentText().strip(),
            self.address.currentText().strip(),
            tcp=self.tcp.isChecked(),
            udp=self.udp.isChecked(),
        )


def ask_relay(parent: QWidget, settings: Settings) -> RelayJob | None:
    """Ask for a relay; None when nothing is to be done. What was typed is remembered."""
    last = remembered(settings.get(options.RELAY), RelayJob())
    dialog = RelayDialog(parent, settings.get(options.ADDRESSES), last)
    accepted = dialog.exec() == QDialog.DialogCode.Accepted
    job = dialog.job
    dialog.deleteLater()
    if not accepted:
        return None
    settings.set(options.RELAY, tuple(words_of(job)))
    return job
