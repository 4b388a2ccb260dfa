"""A window that captures datagrams to a port until somebody ends it: `capturing_window.py PORT FOLDER`.

Says "capturing" when it does; once it has 20 rows, as JSON, how many, and its capture process's number.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtTest import QTest

from cosemscope.capture.capturing.capture_job import CaptureJob
from cosemscope.gui.application import make_application
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.frame.window import Window

_PATIENCE = 60.0


def main(port: int, folder: Path) -> None:
    """Capture, and tell."""
    settings = Settings(folder / "settings.ini")
    make_application([], settings)
    until = time.monotonic() + _PATIENCE

    def wait_for(there: Callable[[], bool]) -> None:
        while not there():
            if time.monotonic() > until:
                sys.exit("what was waited for did not come")
            QTest.qWait(5)

    window = Window(settings)
    window.show()
    window.live.begin(CaptureJob(interfaces=("lo",), capture_filter=f"udp port {port}"))
    wait_for(lambda: window.document is not None and window.document.analysis is not None)
    print("capturing", flush=True)
    wait_for(lambda: window.document.wpdus >= 20)
    print(json.dumps({"rows": window.document.wpdus, "process": window.live.process.number}), flush=True)
    wait_for(lambda: False)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
