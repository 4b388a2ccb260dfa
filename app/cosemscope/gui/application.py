"""Starts the window: the application object, its look, what happens with faults, and the first capture."""

import gc
import logging
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import TracebackType

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QFileOpenEvent, QGuiApplication
from PySide6.QtWidgets import QApplication

from cosemscope import __version__
from cosemscope.apdu.names.blue_book import class_name, obis_name, unit
from cosemscope.gui.base import settings as options
from cosemscope.gui.base.background import wait_for_background
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.dialogs.small_dialogs import show_fault
from cosemscope.gui.frame.window import Window
from cosemscope.gui.look import theme
from cosemscope.gui.look.icons import application_icon
from cosemscope.window_words import WindowWords

_LOG = logging.getLogger("cosemscope")


class Faults(QObject):
    """Turns an exception that nobody caught into a log entry and a dialog; never more than one dialog."""

    met = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._shown = False
        self.window: Window | None = None
        self.met.connect(self._show)  # queued when another thread met it

    def hook(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """For `sys.excepthook`."""
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        text = "".join(traceback.format_exception(kind, error, trace))
        _LOG.error("%s", text)
        self.met.emit(text)

    def _show(self, text: str) -> None:
        if not self._shown:
            self._shown = True
            show_fault(self.window, text)


class FileOpener(QObject):
    """Opens in the window what macOS hands to the program: a double click, or a file dropped on its icon."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the application's events of that kind."""
        if not isinstance(event, QFileOpenEvent) or not event.file():
            return False
        self._window.open_path(event.file())
        return True


def make_application(words: Sequence[str], settings: Settings) -> QApplication:
    """The application object with Cosemscope's look; there may be one a process."""
    present = QApplication.instance()
    application = present if isinstance(present, QApplication) else QApplication(["cosemscope", *words])
    application.setApplicationName("Cosemscope")
    application.setApplicationVersion(__version__)
    application.setDesktopFileName("cosemscope")
    application.setWindowIcon(application_icon())
    application.setStyle("Fusion")
    pg.setConfigOptions(antialias=False, foreground="k", background=None)
    theme.apply_appearance(settings.get(options.APPEARANCE))
    QGuiApplication.styleHints().colorSchemeChanged.connect(
        lambda *_: theme.apply_appearance(settings.get(options.APPEARANCE))
    )
    return application


def make_ready() -> None:
    """Load the names that the first rows need, and take what is there for good out of collections.

    A collection that passes over all modules keeps the window for 80 ms; over what came since, for 15.
    """
    class_name(1)
    obis_name(bytes((1, 0, 1, 8, 0, 255)))
    unit(30)
    gc.collect()
    gc.freeze()


def run(wanted: WindowWords) -> int:
    """Open the window on the capture that is wanted, or on the start page; return the exit status."""
    logging.basicConfig(level=os.environ.get("COSEMSCOPE_LOG", "WARNING").upper())
    settings = Settings()
    application = make_application((), settings)
    faults = Faults()
    sys.excepthook = faults.hook
    window = Window(settings)
    faults.window = window
    application.installEventFilter(FileOpener(window))
    window.show()
    window.start_page.left.look()
    window.open_wanted(wanted)
    window.look_for_updates()
    QTimer.singleShot(0, make_ready)
    # Python sees Ctrl+C in the terminal only when it runs: let it run now and then.
    signal.signal(signal.SIGINT, signal.SIG_DFL if sys.platform == "win32" else lambda *_: application.quit())
    pulse = QTimer()
    pulse.start(500)
    pulse.timeout.connect(lambda: None)
    status = application.exec()
    wait_for_background()
    return status
