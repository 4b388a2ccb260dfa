"""Switches for what a meter does wrong: one a fault, with how much of it, thrown while the meter runs."""

from collections.abc import Iterable
from typing import NamedTuple

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QGridLayout, QScrollArea, QSpinBox, QWidget

from cosemscope.live.meter.fault_orders import FaultKind, FaultOrder

_TITLES = {
    FaultKind.DELAY: ("Late", "Answers come later"),
    FaultKind.LOSS: ("Lost", "Requests are not answered"),
    FaultKind.WRONG_LENGTH: ("Wrong length", "The header of an answer tells another length"),
    FaultKind.WRONG_TAG: ("Wrong tag", "The authentication tag of a ciphered answer does not fit"),
    FaultKind.COUNTER_REPLAY: ("Old counter", "A ciphered answer has an invocation counter that was used"),
    FaultKind.BLOCK_LOST: ("Block left out", "A block of a long answer is missing"),
    FaultKind.CLOSE_IN_WPDU: ("Closes in a WPDU", "The connection is closed in the middle of an answer"),
    FaultKind.EXCHANGED_WPORTS: ("Exchanged wPorts", "An answer has the wPorts of the request"),
    FaultKind.ONE_CONNECTION: ("One connection", "A second connection is refused"),
}
#: Milliseconds of a delay before a person says how many.
_USUAL_DELAY = 300
#: Seconds of a delay that a person asks for here, at most.
_MOST_DELAY = 60


class _Switch(NamedTuple):
    """The widgets of one fault; `amount` is None for one that is there or not."""

    box: QCheckBox
    amount: QSpinBox | None


class FaultSwitches(QScrollArea):
    """The switches. `ordered` gives the `FaultOrder`s that are wanted from now on."""

    ordered = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Faults of the meter")
        inside = QWidget()
        grid = QGridLayout(inside)
        grid.setContentsMargins(2, 4, 2, 4)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(0, 1)
        self.switches: dict[FaultKind, _Switch] = {}
        for row, kind in enumerate(FaultKind):
            switch = self._make(kind, inside)
            self.switches[kind] = switch
            grid.addWidget(switch.box, row, 0)
            if switch.amount is not None:
                grid.addWidget(switch.amount, row, 1, Qt.AlignmentFlag.AlignRight)
        grid.setRowStretch(len(FaultKind), 1)
        self.setWidget(inside)

    def _make(self, kind: FaultKind, parent: QWidget) -> _Switch:
        title, meaning = _TITLES[kind]
        box = QCheckBox(title, parent)
        box.setToolTip(meaning)
        box.toggled.connect(lambda on: self._order())
        if kind is FaultKind.ONE_CONNECTION:
            return _Switch(box, None)
        amount = QSpinBox(parent)
        amount.setAccessibleName(f"{title}: how much")
        amount.setKeyboardTracking(False)  # a number half typed is not ordered
        if kind is FaultKind.DELAY:
            amount.setRange(1, _MOST_DELAY * 1000)
            amount.setSuffix(" ms")
            amount.setSingleStep(100)
            amount.setValue(_USUAL_DELAY)
        else:
            amount.setRange(1, 100)
            amount.setSuffix(" %")
            amount.setValue(100)
            amount.setToolTip("So many of a hundred answers")
        amount.valueChanged.connect(lambda _: self._order() if box.isChecked() else None)
        return _Switch(box, amount)

    @property
    def orders(self) -> tuple[FaultOrder, ...]:
        """What is switched on."""
        return tuple(
            FaultOrder(kind, self._amount(kind))
            for kind, switch in self.switches.items()
            if switch.box.isChecked()
        )

    def _amount(self, kind: FaultKind) -> float:
        amount = self.switches[kind].amount
        if amount is None:
            return 1.0
        return amount.value() / (1000 if kind is FaultKind.DELAY else 100)

    def show_orders(self, orders: Iterable[FaultOrder]) -> None:
        """Show what is in force, without ordering it."""
        wanted = {order.kind: order.amount for order in orders}
        for kind, switch in self.switches.items():
            with QSignalBlocker(switch.box):
                switch.box.setChecked(kind in wanted)
            if switch.amount is not None and kind in wanted:
                with QSignalBlocker(switch.amount):
                    per = 1000 if kind is FaultKind.DELAY else 100
                    switch.amount.setValue(round(wanted[kind] * per))

    def _order(self) -> None:
        self.ordered.emit(self.orders)
