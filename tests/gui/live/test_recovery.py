"""What a Cosemscope that died has left: offered on the start page, opened, removed."""

import json
import subprocess
import sys
import time
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from cosemscope.capture.spool.spool_writer import SpoolWriter
from cosemscope.capture.spool.synthetic_frames import SyntheticTcp
from cosemscope.gui.document.unsaved_spool import UnsavedSpool
from cosemscope.gui.frame.window import Window
from cosemscope.transport.wpdu import Wpdu
from tests.helpers.live_window import FAKE_CAPTURE, environment


def shown(window: Window) -> bool:
    return window.document is not None and window.document.wpdus > 0


def write_spool(path: Path, wpdus: int) -> None:
    frames = SyntheticTcp(("10.0.0.1", 40000), ("10.0.0.2", 4059))
    with SpoolWriter(path) as spool:
        spool.add_interface("test")
        for number in range(wpdus):
            for frame in frames.data(True, Wpdu(16, 1, bytes((0xC0, 1, number))).encode()):
                spool.write(time.time_ns(), frame)


def test_what_a_crash_left_is_offered_and_opened(window, qtbot, spools):
    """A spool that nobody holds is on the start page; opened it is unsaved, given up it is gone."""
    spools.mkdir()
    path = spools / "capture-20260101-120000-99999.pcapng"
    write_spool(path, 4)
    left = window.start_page.left
    left.look()
    qtbot.waitUntil(lambda: len(left.spools) == 1)
    assert left.isVisible()
    left.openAsked.emit(left.spools[0])
    qtbot.waitUntil(lambda: shown(window) and not window.document.reading)
    assert window.document.wpdus == 4
    assert window.live.saver.is_needed
    assert path.exists()
    window.close_capture()  # discarded, by the test's answer
    qtbot.waitUntil(lambda: not path.exists())
    qtbot.waitUntil(lambda: not left.spools)
    assert not left.isVisible()


def test_what_a_crash_left_can_be_removed(window, qtbot, spools):
    """For good, by its button; one that is held by now is not."""
    spools.mkdir()
    paths = [spools / f"capture-20260101-12000{number}-99999.pcapng" for number in range(2)]
    for path in paths:
        write_spool(path, 1)
    left = window.start_page.left
    left.look()
    qtbot.waitUntil(lambda: len(left.spools) == 2)
    left.remove(next(spool for spool in left.spools if spool.path == paths[0]))
    assert not paths[0].exists()
    assert paths[1].exists()
    assert len(left.spools) == 1
    held = UnsavedSpool(paths[1])
    left.remove(left.spools[0])
    assert paths[1].exists()
    assert "in use" in window.messages.messages[-1].text
    held.let_go()


def test_all_that_was_left_can_be_removed(window, qtbot, spools, monkeypatch):
    """Asked once; No keeps them."""
    spools.mkdir()
    for number in range(7):
        write_spool(spools / f"capture-20260101-12000{number}-99999.pcapng", 1)
    left = window.start_page.left
    left.look()
    qtbot.waitUntil(lambda: len(left.spools) == 7)
    for answer, rest in ((QMessageBox.StandardButton.No, 7), (QMessageBox.StandardButton.Yes, 0)):
        monkeypatch.setattr(QMessageBox, "question", lambda *_, answer=answer: answer)
        qtbot.mouseClick(left.remove_all_button, Qt.MouseButton.LeftButton)
        assert len(list(spools.iterdir())) == rest


def test_killed_window_and_process_leave_a_spool(spools, qtbot, look, settings, tmp_path, monkeypatch):
    """What a killed capture process had written opens at the next start."""
    script = tmp_path / "capture.py"
    script.write_text(FAKE_CAPTURE)
    process = subprocess.Popen(
        [sys.executable, str(script), "", "200", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    while json.loads(process.stdout.readline()).get("packets", 0) < 20:
        pass
    process.kill()
    process.communicate()
    window = Window(settings)
    qtbot.addWidget(window)
    window.show()
    window.start_page.left.look()
    qtbot.waitUntil(lambda: len(window.start_page.left.spools) == 1)
    window.live.open_left(window.start_page.left.spools[0])
    qtbot.waitUntil(lambda: shown(window) and not window.document.reading)
    assert window.document.wpdus >= 10
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible() and not window.documents.retiring)
