"""Pictures of the real window: the start page and captures, light and dark.

    python tests/screenshots.py OUT_DIR [CAPTURE...]

Without captures the bundled sample is taken. README's pictures are made so, into
`resources/pictures`. Needs no display: it draws off screen unless told otherwise.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "app"))

import numpy as np
from PySide6.QtWidgets import QApplication

from cosemscope.apdu.tags import DATA_NOTIFICATION, GET_RESPONSE
from cosemscope.gui import application
from cosemscope.gui import settings as options
from cosemscope.gui.settings import Settings
from cosemscope.gui.window import SAMPLE, Window
from cosemscope.resources import resource

SIZE = (1600, 1000)
PATIENCE = 120.0


def wait(until: Callable[[], bool], settle: float = 0.4) -> None:
    """Let the window work until something is so, and a little longer, so that it is painted."""
    application_object = QApplication.instance()
    end = time.monotonic() + PATIENCE
    while not until():
        application_object.processEvents()
        if time.monotonic() > end:
            raise TimeoutError("the window did not get ready")
    end = time.monotonic() + settle
    while time.monotonic() < end:
        application_object.processEvents()


def picture(window: Window, path: Path) -> None:
    """Save what the window looks like."""
    if not window.grab().save(str(path)):
        raise OSError(f"{path} could not be written")
    print(path)


def show_capture(window: Window, capture: Path) -> None:
    """Open a capture and choose what shows most: a short notification or response, and a field of it."""
    window.open_path(str(capture))
    wait(lambda: window.document is None or not window.document.reading)
    table, details = window.workspace.table, window.workspace.details
    wpdus = table.wpdus.traffic.wpdus
    for tag in (DATA_NOTIFICATION, GET_RESPONSE):
        rows = np.flatnonzero((wpdus["apdu_tag"][:500] == tag) & (wpdus["size"][:500] < 200))
        if len(rows):
            table.select_row(int(rows[0]))
            table.scrollTo(table.currentIndex(), table.ScrollHint.PositionAtCenter)
            details.fields.select_octet(0, len(details.view.octets) - 1)
            break
    wait(lambda: True)


def open_window(settings: Settings) -> Window:
    """A new window of the usual size."""
    window = Window(settings)
    window.resize(*SIZE)
    window.workspace.resize(SIZE[0], SIZE[1] - 100)
    window.workspace.lay_out()
    window.show()
    wait(lambda: True)
    return window


def main(words: list[str]) -> int:
    """Make the pictures: of `CAPTURE`s by their names, of the sample as README wants it."""
    if not words:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(words[0])
    folder.mkdir(parents=True, exist_ok=True)
    captures = {Path(word).name.split(".")[0]: Path(word) for word in words[1:]}
    captures = captures or {"window": resource(SAMPLE)}
    with tempfile.TemporaryDirectory() as place:
        settings = Settings(Path(place) / "settings.ini")
        application.make_application([], settings)
        for appearance, ending in (("light", ""), ("dark", "-dark")):
            settings.set(options.APPEARANCE, appearance)
            window = open_window(settings)
            picture(window, folder / f"start{ending}.png")
            for name, capture in captures.items():
                show_capture(window, capture)
                picture(window, folder / f"{name}{ending}.png")
            window.close()
            window.deleteLater()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
