"""Asks for a built-in meter: its address, how its managing client associates, how many, where it pushes."""

from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QHBoxLayout, QLineEdit, QSpinBox, QWidget

from cosemscope.apdu.names.codes import MECHANISMS
from cosemscope.capture.job_options import words_of
from cosemscope.gui.base import settings as options
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.live.asked_jobs import remembered
from cosemscope.gui.live.connect_dialog import AddressDialog
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.live.meter.meter_job import MOST_METERS, MeterJob
from cosemscope.transport.wports import DLMS_PORT
from cosemscope.wording import sentence

_HLS = range(2, 8)
_ECDSA = 7


class MeterDialog(AddressDialog):
    """Asks for a meter, with `job` as it begins."""

    def __init__(self, parent: QWidget | None, job: MeterJob) -> None:
        super().__init__(
            parent,
            "Built-in meter",
            "Start",
            "A meter to talk to, on this computer only (127.0.0.1) unless you give another address. Public "
            "client at wPort 16, one with a password at 17, the managing one at 18; its keys are published "
            "test keys.",
        )
        self.address.setToolTip("Port 0: one that is free")
        self.tcp, self.udp = QCheckBox("TCP", self), QCheckBox("UDP", self)
        self.tcp.setChecked(job.tcp)
        self.udp.setChecked(job.udp)
        self.mechanism, self.suite = QComboBox(self), QComboBox(self)
        for number in _HLS:
            self.mechanism.addItem(MECHANISMS[number], number)
        for number in range(3):
            self.suite.addItem(f"suite {number}", number)
        self.mechanism.setAccessibleName("Mechanism of the managing client")
        self.suite.setAccessibleName("Security suite")
        self.mechanism.setCurrentIndex(self.mechanism.findData(job.mechanism))
        self.suite.setCurrentIndex(self.suite.findData(job.suite))
        self.ciphered = QCheckBox("ciphered", self)
        self.ciphered.setChecked(job.ciphered)
        self.fleet = QSpinBox(self)
        self.fleet.setRange(1, MOST_METERS)
        self.fleet.setValue(job.fleet)
        self.fleet.setToolTip("So many meters, at ports counted up")
        self.push_to = QLineEdit(job.push_to, self)
        self.push_to.setPlaceholderText("nobody; or host:port of a listener")
        self.push_every = QSpinBox(self)
        self.push_every.setRange(0, 86_400)
        self.push_every.setSuffix(" s")
        self.push_every.setSpecialValueText("when told to")
        self.push_every.setValue(round(job.push_every))
        self.push_udp = QCheckBox("over UDP", self)
        self.push_udp.setChecked(job.push_udp)
        self.push_ciphered = QCheckBox("ciphered", self)
        self.push_ciphered.setAccessibleName("Pushes are ciphered")
        self.push_ciphered.setChecked(job.push_ciphered)
        self.address.addItems([f"127.0.0.1:{DLMS_PORT}", "127.0.0.1:0", f"0.0.0.0:{DLMS_PORT}"])
        self.address.setCurrentText(job.address)
        self._arrange()
        self.push_to.textChanged.connect(self._follow_push)
        self._follow_push(job.push_to)
        for signal in (
            self.tcp.toggled,
            self.udp.toggled,
            self.mechanism.currentIndexChanged,
            self.suite.currentIndexChanged,
            self.fleet.valueChanged,
            self.push_to.textChanged,
        ):
            signal.connect(self.check)
        self.address.setFocus()
        self.check()

    def _arrange(self) -> None:
        self.form.addRow("&Address", self.address)
        self.form.addRow("", self.trouble)
        self.form.addRow("Transport", _side_by_side(self.tcp, self.udp))
        self._add_row("&Managing client", self.mechanism, self.suite, self.ciphered)
        self._add_row("M&eters", self.fleet)
        self.form.addRow("&Push to", self.push_to)
        self._add_row("Push e&very", self.push_every, self.push_udp, self.push_ciphered)

    def _add_row(self, text: str, *widgets: QWidget) -> None:
        """Widgets side by side; the key of the label leads to the first of them."""
        label = PlainLabel(text, self)
        label.setBuddy(widgets[0])
        self.form.addRow(label, _side_by_side(*widgets))

    def _trouble(self) -> str:
        job = self.job
        if job.mechanism == _ECDSA and not job.suite:
            return "HLS-ECDSA has signatures, which suite 0 has not: choose suite 1 or 2."
        return super()._trouble() or sentence(job.trouble())

    def _follow_push(self, to: str) -> None:
        """How to push matters where there is somebody to push to."""
        for widget in (self.push_every, self.push_udp, self.push_ciphered):
            widget.setEnabled(bool(to.strip()))

    def _is_whole(self) -> bool:
        return self.tcp.isChecked() or self.udp.isChecked()

    @property
    def job(self) -> MeterJob:
        """The job that was asked for."""
        push_to = self.push_to.text().strip()
        return MeterJob(
            self.address.currentText().strip(),
            tcp=self.tcp.isChecked(),
            udp=self.udp.isChecked(),
            mechanism=self.mechanism.currentData(),
            suite=self.suite.currentData(),
            ciphered=self.ciphered.isChecked(),
            fleet=self.fleet.value(),
            push_to=push_to,
            push_every=self.push_every.value() if push_to else 0,
            push_udp=self.push_udp.isChecked(),
            push_ciphered=self.push_ciphered.isChecked(),
        )


def _side_by_side(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(14)
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return row


def ask_meter(parent: QWidget, settings: Settings) -> MeterJob | None:
    """Ask for a meter; None when nothing is to be done. What was chosen is remembered."""
    dialog = MeterDialog(parent, remembered(settings.get(options.METER), MeterJob()))
    accepted = dialog.exec() == QDialog.DialogCode.Accepted
    job = dialog.job
    dialog.deleteLater()
    if not accepted:
        return None
    settings.set(options.METER, tuple(words_of(job)))
    return job
