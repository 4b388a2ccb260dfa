"""Places of things in the window: remembered when the window closes, taken back when it opens.

Each place is an option with two functions that the window hands over: one tells it, one takes it back.
"""

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QByteArray, QSize
from PySide6.QtWidgets import QMainWindow

from cosemscope.gui.base import settings as options
from cosemscope.gui.base.settings import Option, Settings

_USUAL, _LEAST = QSize(1600, 1000), QSize(900, 600)


class KeptPlace(NamedTuple):
    """One place: `save` returns what is remembered of it, `restore` takes that back, b"" for nothing."""

    option: Option[bytes]
    save: Callable[[], bytes]
    restore: Callable[[bytes], None]


class Places:
    """All places of a window, in the order in which they are taken back."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._places: list[KeptPlace] = []

    def keep(self, *places: KeptPlace) -> None:
        """Keep these from now on, and take back where they stood."""
        for place in places:
            self._places.append(place)
            place.restore(self._settings.get(place.option))

    def remember(self) -> None:
        """Write all places down for the next time."""
        for place in self._places:
            self._settings.set(place.option, place.save())
        self._settings.flush()

    def remember_one(self, option: Option[bytes]) -> None:
        """Write one place down at once: it must not be lost with the program."""
        for place in self._places:
            if place.option is option:
                self._settings.set(option, place.save())
        self._settings.flush()


def window_places(window: QMainWindow) -> tuple[KeptPlace, KeptPlace]:
    """A main window's size and place, the usual ones where none is remembered, and its tool bars."""

    def restore_geometry(state: bytes) -> None:
        if not (state and window.restoreGeometry(QByteArray(state))):
            window.resize(_USUAL.boundedTo(window.screen().availableSize()).expandedTo(_LEAST))

    def restore_bars(state: bytes) -> None:
        window.restoreState(QByteArray(state))

    return (
        KeptPlace(options.GEOMETRY, lambda: bytes(window.saveGeometry().data()), restore_geometry),
        KeptPlace(options.WINDOW_STATE, lambda: bytes(window.saveState().data()), restore_bars),
    )
