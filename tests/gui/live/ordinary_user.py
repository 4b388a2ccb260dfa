"""What a user without rights to capture sees, as a line of JSON: `ordinary_user.py FOLDER`, run as that user.

The capture dialog as it lists this computer's interfaces, and the window after a capture that cannot begin.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from cosemscope.capture.capturing.capture_job import CaptureJob
from cosemscope.gui.application import make_application
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.frame.window import Window
from cosemscope.gui.live.capture_dialog import CaptureDialog
from cosemscope.gui.live.interface_watch import InterfaceWatch

_PATIENCE = 20.0


def main(folder: Path) -> None:
    """Look, and tell."""
    settings = Settings(folder / "settings.ini")
    make_application([], settings)

    def wait_for(there: Callable[[], bool]) -> None:
        until = time.monotonic() + _PATIENCE
        while not there():
            if time.monotonic() > until:
                sys.exit("what was waited for did not come")
            QTest.qWait(5)

    window = Window(settings)
    window.show()
    dialog = CaptureDialog(window, CaptureJob(interfaces=("lo",)))
    dialog.show()
    wait_for(lambda: bool(dialog.interfaces.chosen))
    seen = {"dialog": dialog.notice.text(), "may start": dialog.go.isEnabled()}
    dialog.copy_command.click()
    seen["dialog copies"] = QGuiApplication.clipboard().text()
    dialog.grab().save(str(folder / "dialog.png"))
    QGuiApplication.clipboard().clear()
    dialog.reject()
    window.live.begin(CaptureJob(interfaces=("lo",)))
    wait_for(lambda: not window.live.running)
    (message,) = window.messages.messages
    seen["message"] = message.text
    ((_, copy),) = message.buttons
    copy()
    seen["message copies"] = QGuiApplication.clipboard().text()
    window.grab().save(str(folder / "window.png"))
    seen["document"] = window.document is not None
    window.close()
    InterfaceWatch.wait_for_all()
    print(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
