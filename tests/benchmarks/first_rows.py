"""How soon the real window, offscreen, has painted the first rows of a capture. Part of `capture_benchmark`.

Prints the seconds from the order to open it; the window is there already, as when a file is dropped on it.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")  # the offscreen plugin tells each move

from cosemscope.gui.application import make_application
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.frame.window import Window
from tests.benchmarks.live_window import WATCHED_PANES

_PATIENCE = 60.0
_SIZE = (1500, 950)


def first_rows(path: Path, folder: Path) -> float:
    """Seconds until rows of the capture at `path` are painted; settings are kept in `folder`."""
    settings = Settings(folder / "settings.ini")
    application = make_application([], settings)
    window = Window(settings, WATCHED_PANES)
    window.resize(*_SIZE)
    window.show()
    application.processEvents()
    began = time.monotonic()
    window.open_path(str(path))
    while not window.workspace.table.times:
        if time.monotonic() - began > _PATIENCE:
            sys.exit("no rows came")
        application.processEvents()
        time.sleep(0.0005)
    seconds = window.workspace.table.times[0] - began
    window.close()
    while window.document is not None and window.document.reading:
        application.processEvents()
    return seconds


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="cosemscope-") as name:
        print(first_rows(Path(sys.argv[1]), Path(name)))
