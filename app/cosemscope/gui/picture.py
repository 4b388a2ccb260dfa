"""Paints the window on a capture into a file, off screen: `--picture FILE CAPTURE`, which `self-test` uses.

The user's settings are neither read nor written.
"""

import sys
import tempfile
import time
from pathlib import Path

from cosemscope.gui.application import make_application
from cosemscope.gui.base.background import wait_for_background
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.frame.window import Window
from cosemscope.window_words import WindowWords

_SIZE = (1400, 900)
#: Seconds to wait for the capture; seconds to go on once it is read, so that all panes are painted.
_PATIENCE, _SETTLE = 60.0, 0.5


def paint(wanted: WindowWords) -> int:
    """Paint what is wanted; return the exit status."""
    path = Path(wanted.picture)
    with tempfile.TemporaryDirectory(prefix="cosemscope-") as folder:
        settings = Settings(Path(folder, "settings.ini"))
        application = make_application(["-platform", "offscreen"], settings)
        window = Window(settings)
        window.resize(*_SIZE)
        window.show()
        window.open_wanted(wanted)
        end = time.monotonic() + _PATIENCE
        while window.document is not None and window.document.reading and time.monotonic() < end:
            application.processEvents()
        end = time.monotonic() + _SETTLE
        while time.monotonic() < end:
            application.processEvents()
        saved = window.grab().save(str(path))
        window.close()
        wait_for_background()
    if not saved:
        print(f"{path} could not be written.", file=sys.stderr)
    return 0 if saved else 1
