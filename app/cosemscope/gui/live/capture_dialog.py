"""Asks what to capture: interfaces with the packets that pass, filter, how, where to, and until when."""

from dataclasses import replace
from operator import attrgetter
from typing import Any, NamedTuple

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from cosemscope.capture.capturing.capture_filters import DLMS_PORT, FilterChecker, FilterVerdict, dlms_filter
from cosemscope.capture.capturing.capture_job import CaptureJob
from cosemscope.capture.capturing.dumpcap import HOLD
from cosemscope.capture.capturing.interfaces import CaptureInterface
from cosemscope.capture.capturing.libpcap import OpenOptions
from cosemscope.capture.job_options import words_of
from cosemscope.capture.spool.spool_ring import RingOptions, StopOptions
from cosemscope.gui.base import settings as options
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.live.asked_jobs import command_in, ports_of, remembered
from cosemscope.gui.live.interface_list import InterfaceList
from cosemscope.gui.live.interface_watch import InterfaceWatch
from cosemscope.gui.look import theme
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.wording import sentence

_SIZE = (860, 700)
_ETHERNET = 1
_MOST = 2**31 - 1

#: What to know of the second way to an interface, where the first may not be gone.
_DUMPCAP = (
    f"dumpcap captures for you. It takes packets every {HOLD} ms, so rows come up to that much late; "
    "where Cosemscope itself may capture, it takes them every 50 ms."
)


class _Number(NamedTuple):
    """A number of a job: its label, unit, least and most, what 0 is called, its explanation."""

    label: str
    unit: str
    least: int
    most: int
    none: str
    tip: str

    @property
    def scale(self) -> int:
        """Amount of the job's unit that is 1 in the dialog."""
        return 1 << 20 if self.unit == " MiB" else 1


_PACKETS = "Of a longer packet only the beginning is kept"
#: The numbers, each by its place in the job.
_NUMBERS = {
    "options.snap_length": _Number("&Snap length", " octets", 64, 262_144, "", _PACKETS),
    "options.buffer": _Number(
        "Kernel &buffer", " MiB", 1, 1024, "", "Where packets wait while the computer is busy"
    ),
    "ring.size": _Number("after", " MiB", 0, 1 << 20, "no limit of size", "Go on in a new file at this size"),
    "ring.seconds": _Number(
        "after", " s", 0, 10**6, "no limit of time", "Go on in a new file after this time"
    ),
    "ring.files": _Number("keep", " files", 0, 10**5, "all files", "Only the newest files are kept"),
    "stop.packets": _Number(
        "after", " packets", 0, _MOST, "no limit of packets", "End after so many packets"
    ),
    "stop.size": _Number("after", " MiB", 0, 1 << 20, "no limit of size", "End before the files are larger"),
    "stop.seconds": _Number("after", " s", 0, 10**7, "no limit of time", "End after this time"),
}


class FilterField(QWidget):
    """DLMS on some ports, or a filter of one's own; what is wrong with it stands below, as it is typed.

    A filter is compiled in a thread: names in it may be looked up in the network. `judged` follows a verdict.
    """

    judged = Signal()
    _answered = Signal(object)

    def __init__(self, job: CaptureJob, typed: str, parent: QWidget | None = None) -> None:
        """`typed` is the filter that stands there unless the job has one."""
        super().__init__(parent)
        self._verdict: FilterVerdict | None = None
        self._link_type = _ETHERNET
        self.dlms = QRadioButton(f"&DLMS, on port {DLMS_PORT} and", self)
        self.ports = QLineEdit(", ".join(map(str, job.further_ports)), self)
        self.ports.setPlaceholderText("further ports, such as 4060, 4061")
        self.ports.setAccessibleName("Further DLMS ports")
        self.own = QRadioButton("&Filter", self)
        self.filter = QLineEdit(typed if job.capture_filter is None else job.capture_filter, self)
        self.filter.setFont(theme.fixed_font())
        self.filter.setPlaceholderText("everything; or for example: host 192.0.2.7 and tcp port 4059")
        self.filter.setAccessibleName("Capture filter")
        self.filter.setClearButtonEnabled(True)
        self.words = PlainLabel(self)
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        group = QButtonGroup(self)
        for button in (self.dlms, self.own):
            group.addButton(button)
        (self.dlms if job.capture_filter is None else self.own).setChecked(True)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(6)
        grid.addWidget(self.dlms, 0, 0)
        grid.addWidget(self.ports, 0, 1)
        grid.addWidget(self.own, 1, 0)
        grid.addWidget(self.filter, 1, 1)
        grid.addWidget(self.words, 2, 0, 1, 2)
        grid.setColumnStretch(1, 1)
        self._answered.connect(self._take)
        self._checker = FilterChecker(self._answered.emit)
        self.dlms.toggled.connect(self.check)
        for line, button in ((self.ports, self.dlms), (self.filter, self.own)):
            line.textEdited.connect(lambda _, button=button: button.setChecked(True))
            line.textChanged.connect(self.check)
        self.check()

    @property
    def trouble(self) -> str:
        """A sentence about the filter's fault; empty when a capture can begin, as far as is known."""
        if self.dlms.isChecked():
            return "" if ports_of(self.ports.text()) is not None else "A port is a number from 1 to 65535."
        known = self._verdict is not None and self._verdict.text == self.filter.text()
        return sentence(self._verdict.error) if known else ""

    @property
    def waiting(self) -> bool:
        """True when what was typed last has not been judged yet."""
        return self.own.isChecked() and (self._verdict is None or self._verdict.text != self.filter.text())

    def use_link_type(self, link_type: int) -> None:
        """Judge for interfaces of this link type."""
        if link_type >= 0 and link_type != self._link_type:
            self._link_type = link_type
            self._verdict = None
            self.check()

    def check(self, *_: Any) -> None:
        """Have what stands there judged."""
        if self.own.isChecked():
            self._checker.check(self.filter.text(), self._link_type)
        self._show()

    def close_checker(self) -> None:
        """No more verdicts."""
        self._checker.close()

    def _take(self, verdict: FilterVerdict) -> None:
        self._verdict = verdict
        self._show()

    def _show(self) -> None:
        scheme = theme.colours(self.palette())
        trouble = self.trouble
        line = self.filter if self.own.isChecked() else self.ports
        for one in (self.filter, self.ports):
            one.setStyleSheet(
                f"QLineEdit {{ background: {scheme.message_error}; }}" if trouble and one is line else ""
            )
        self.words.setStyleSheet(f"color: {scheme.error if trouble else scheme.muted}")
        self.words.setText(trouble or self._explanation())
        self.judged.emit()

    def _explanation(self) -> str:
        if self.dlms.isChecked():
            text = dlms_filter((DLMS_PORT, *(ports_of(self.ports.text()) or ())), 0)
            return f"{text}; the same inside VLAN tags"
        if self.waiting:
            return "…"
        if not self._verdict.checked:
            return "There is no libpcap to check it with: the capture will tell."
        return "The filter is right." if self.filter.text().strip() else "Every packet is captured."


class CaptureDialog(QDialog):
    """The dialog; `job` is what was asked for."""

    def __init__(self, parent: QWidget | None, job: CaptureJob, typed_filter: str = "") -> None:
        super().__init__(parent)
        self.setWindowTitle("Capture")
        self._wanted = job.interfaces
        self.interfaces = InterfaceList(self)
        self.notice = PlainLabel("Looking for interfaces …", self)
        self.notice.setWordWrap(True)
        self.notice.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.copy_command = QPushButton("Copy the command", self)
        self.copy_command.hide()
        self.filter = FilterField(job, typed_filter, self)
        self.promiscuous = QCheckBox("&Promiscuous: packets for other computers, too", self)
        self.promiscuous.setChecked(job.options.promiscuous)
        self.immediate = QCheckBox("I&mmediate: each packet at once, not every 50 ms", self)
        self.immediate.setToolTip("Rows come a little sooner; on a busy network packets may be lost")
        self.immediate.setChecked(job.options.immediate)
        self.numbers = {name: self._number(name, attrgetter(name)(job)) for name in _NUMBERS}
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.go = buttons.addButton("Start", QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self._arrange(buttons)
        self.watch = InterfaceWatch()
        self.watch.listed.connect(self.show_interfaces)
        self.watch.failed.connect(self._fail)
        self.watch.counted.connect(self.interfaces.show_rates)
        self._connect()
        self._judge()
        self.watch.start()

    def _number(self, name: str, value: float) -> QSpinBox:
        number = _NUMBERS[name]
        box = QSpinBox(self)
        box.setRange(number.least, number.most)
        box.setSuffix(number.unit)
        box.setSpecialValueText(number.none)
        box.setToolTip(number.tip)
        box.setAccessibleName(number.tip)
        box.setGroupSeparatorShown(True)
        box.setValue(round(value) // number.scale)
        return box

    def _arrange(self, buttons: QDialogButtonBox) -> None:
        notice = QHBoxLayout()
        notice.addWidget(self.notice, 1)
        notice.addWidget(self.copy_command)
        what = QGroupBox("What to take", self)
        QVBoxLayout(what).addWidget(self.filter)
        how = QGroupBox("How", self)
        form = QFormLayout(how)
        form.addRow(self.promiscuous)
        form.addRow(self.immediate)
        for name in ("options.snap_length", "options.buffer"):
            form.addRow(_NUMBERS[name].label, self.numbers[name])
        groups = [how]
        for title, names in (
            ("A new file (ring buffer)", ("ring.size", "ring.seconds", "ring.files")),
            ("Stop by itself", ("stop.packets", "stop.size", "stop.seconds")),
        ):
            group = QGroupBox(title, self)
            rows = QFormLayout(group)
            for name in names:
                rows.addRow(_NUMBERS[name].label, self.numbers[name])
            groups.append(group)
        lower = QHBoxLayout()
        lower.setSpacing(12)
        for group, stretch in zip(groups, (5, 4, 4), strict=True):
            lower.addWidget(group, stretch)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(self.interfaces, 1)
        column.addLayout(notice)
        column.addWidget(what)
        column.addLayout(lower)
        column.addWidget(buttons)
        self.resize(*_SIZE)

    def _connect(self) -> None:
        self.interfaces.itemSelectionChanged.connect(self._judge)
        self.interfaces.itemDoubleClicked.connect(lambda *_: self.accept() if self.go.isEnabled() else None)
        self.filter.judged.connect(self._judge)
        self.copy_command.clicked.connect(
            lambda: QGuiApplication.clipboard().setText(command_in(self.notice.text()))
        )
        for name in ("ring.size", "ring.seconds"):
            self.numbers[name].valueChanged.connect(self._judge)

    def show_interfaces(self, found: list[CaptureInterface]) -> None:
        """List these, with those selected that were captured from last."""
        self.notice.setText("" if found else "This computer has no network interface.")
        self.interfaces.show_interfaces(found, self._wanted)

    def _fail(self, trouble: str) -> None:
        self.notice.setText(trouble)
        self._judge()

    def _judge(self, *_: Any) -> None:
        """Say what is in the way of a capture, and allow one when nothing is."""
        chosen = self.interfaces.chosen
        barred = next((interface for interface in chosen if not interface.may_capture), None)
        is_late = not barred and any(interface.way == "dumpcap" for interface in chosen)
        if chosen:
            self.notice.setText(barred.reason if barred else _DUMPCAP if is_late else "")
            self.filter.use_link_type(chosen[0].link_type)
        self.notice.setVisible(bool(self.notice.text()))
        colours = theme.colours(self.palette())
        ink = colours.error if barred else colours.muted if is_late else ""
        self.notice.setStyleSheet(f"color: {ink}" if ink else "")
        self.immediate.setEnabled(not is_late)
        self.copy_command.setVisible(bool(command_in(self.notice.text())))
        is_ring = any(self.numbers[name].value() for name in ("ring.size", "ring.seconds"))
        self.numbers["ring.files"].setEnabled(is_ring)
        may = bool(chosen) and all(interface.may_capture for interface in chosen)
        self.go.setEnabled(may and not self.filter.trouble and not self.filter.waiting)

    @property
    def job(self) -> CaptureJob:
        """The job that was asked for."""
        value = {name: self.numbers[name].value() * number.scale for name, number in _NUMBERS.items()}
        ring = RingOptions(value["ring.size"], value["ring.seconds"])
        return CaptureJob(
            interfaces=tuple(interface.name for interface in self.interfaces.chosen),
            capture_filter=self.filter.filter.text() if self.filter.own.isChecked() else None,
            further_ports=ports_of(self.filter.ports.text()) or (),
            options=OpenOptions(
                promiscuous=self.promiscuous.isChecked(),
                snap_length=value["options.snap_length"],
                buffer=value["options.buffer"],
                immediate=self.immediate.isChecked(),
            ),
            ring=replace(ring, files=value["ring.files"]) if ring.is_ring else ring,
            stop=StopOptions(value["stop.packets"], value["stop.size"], value["stop.seconds"]),
        )

    def done(self, result: int) -> None:
        """End the threads with the dialog."""
        self.filter.close_checker()
        self.watch.close()
        super().done(result)


def ask_capture(parent: QWidget, settings: Settings) -> CaptureJob | None:
    """Ask for a capture; None when nothing is to be done. The options are remembered."""
    last = remembered(settings.get(options.CAPTURE), CaptureJob())
    dialog = CaptureDialog(parent, last, settings.get(options.CAPTURE_FILTER))
    accepted = dialog.exec() == QDialog.DialogCode.Accepted
    job, typed = dialog.job, dialog.filter.filter.text()
    dialog.deleteLater()
    if not accepted:
        return None
    settings.set(options.CAPTURE, tuple(words_of(job)))
    settings.set(options.CAPTURE_FILTER, typed)
    return job
