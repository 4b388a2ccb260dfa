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

from PySide6.QtWidgets import QApplication

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
    """Open a capture and choose what shows most: a response with a value, and its field."""
    window.open_path(str(capture))
    wait(lambda: window.document is None or not window.document.reading)
    table = window.workspace.table
    tags = table.wpdus.traffic.wpdus["apdu_tag"]
    responses = [row for row in range(min(len(tags), 500)) if tags[row] == 0xC4]
    if responses:
        table.select_row(responses[len(responses) // 3])
        window.workspace.details.fields.select_octet(0, len(window.workspace.details.view.octets) - 1)
    wait(lambda: True)


def main(words: list[str]) -> int:
    """Make the pictures."""
    if not words:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(words[0])
    folder.mkdir(parents=True, exist_ok=True)
    captures = [Path(word) for word in words[1:]] or [resource(SAMPLE)]
    with tempfile.TemporaryDirectory() as place:
        settings = Settings(Path(place) / "settings.ini")
        qt = application.make_application([], settings)
        for appearance in ("light", "dark"):
            settings.set(options.APPEARANCE, appearance)
            settings.set(
                options.RECENT, ("/home/user/captures/meter-room.pcapng", str(captures[0].resolve()))
            )
            window = Window(settings)
            window.resize(*SIZE)
            window.workspace.resize(SIZE[0], SIZE[1] - 100)
            window.workspace.lay_out()
            window.show()
            wait(lambda: True)
            picture(window, folder / f"start-{appearance}.png")
            for capture in captures:
                show_capture(window, capture)
                picture(window, folder / f"{capture.name.split('.')[0]}-{appearance}.png")
            window.close()
            window.deleteLater()
            qt.processEvents()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
