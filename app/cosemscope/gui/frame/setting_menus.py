"""Menus whose entries come from the settings: the values of an option, and the recent captures."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from cosemscope.gui.base import settings as options
from cosemscope.gui.base.settings import Option, Settings


class ChoiceMenu(QMenu):
    """The values that an option can have, each with its name; one of them is checked."""

    def __init__(
        self, title: str, settings: Settings, option: Option[str], names: dict[str, str], parent: QWidget
    ) -> None:
        super().__init__(title, parent)
        group = QActionGroup(self)
        for value, text in names.items():
            action = self.addAction(text)
            action.setCheckable(True)
            action.setChecked(settings.get(option) == value)
            action.triggered.connect(lambda checked=False, value=value: settings.set(option, value))
            group.addAction(action)


class RecentMenu(QMenu):
    """The recent captures; those that are gone are greyed. `openAsked` gives the path that was chosen."""

    openAsked = Signal(str)
    clearAsked = Signal()

    def __init__(self, title: str, settings: Settings, parent: QWidget) -> None:
        super().__init__(title, parent)
        self._settings = settings
        self.aboutToShow.connect(self.fill)
        self.fill()

    def fill(self) -> None:
        """List them as they are now."""
        paths = self._settings.get(options.RECENT)
        self.clear()
        for path in paths:
            action = self.addAction(path.replace("&", "&&"))
            action.triggered.connect(lambda checked=False, path=path: self.openAsked.emit(path))
            action.setEnabled(Path(path).is_file())
        self.addSeparator()
        self.addAction("&Clear list", self.clearAsked.emit).setEnabled(bool(paths))
