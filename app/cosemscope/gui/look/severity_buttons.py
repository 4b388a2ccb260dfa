"""A row of buttons, one a severity, with the number of its items beside a coloured point."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from cosemscope.gui.look.severity_looks import SEVERITY_LOOKS, severity_icon
from cosemscope.streams.tables.expert_items import Severity


class SeverityButtons(QWidget):
    """The buttons of severities with items, the worst first.

    `asked` is a click on any of them. Those that are `choices` say in words what they count, and each can be
    switched off: `wanted` are the severities that are on, and `asked` tells that these have changed.
    """

    asked = Signal()

    def __init__(self, parent: QWidget | None = None, *, choices: bool = False, tip: str = "") -> None:
        super().__init__(parent)
        self._choices = choices
        self._tip = tip
        self.buttons: dict[Severity, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for severity in SEVERITY_LOOKS:
            button = self.buttons[severity] = QToolButton(self)
            button.setAutoRaise(True)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setCheckable(choices)
            button.setChecked(choices)
            button.clicked.connect(self.asked)
            row.addWidget(button)
        self._paint()
        self.show_counts({})

    @property
    def wanted(self) -> frozenset[Severity]:
        """The severities that are switched on."""
        return frozenset(severity for severity, button in self.buttons.items() if button.isChecked())

    def show_counts(self, counts: Mapping[Severity, int]) -> None:
        """Show how many items of each severity there are; what has none is hidden."""
        for severity, button in self.buttons.items():
            count = counts.get(severity, 0)
            said = SEVERITY_LOOKS[severity].counted(count)
            button.setText(said if self._choices else f"{count:,}")
            button.setToolTip(f"{said}{self._tip}")
            button.setAccessibleName(said)
            button.setVisible(count > 0)

    def _paint(self) -> None:
        for severity, button in self.buttons.items():
            button.setIcon(severity_icon(severity, "point"))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the colour scheme."""
        if event.type() == QEvent.Type.PaletteChange:
            self._paint()
        super().changeEvent(event)
