"""Processes of the window: nothing that lies in the current folder is run by them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cosemscope.capture.capturing.capture_events import CAPTURE_EVENTS
from cosemscope.gui.live.live_process import LiveProcess
from tests.helpers.scripts import CHECKOUT

#: A module that tells that it was imported, under names that Python or Cosemscope imports early.
_TRAP = "import pathlib\npathlib.Path(__file__).with_name('sprung').touch()\n"
_TRAPS = (
    "argparse",
    "json",
    "numpy",
    "cosemscope",
    "encodings",
    "asyncio",
    "orjson",
    "multiprocessing",
    "pickle",
)


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """The folder of an unpacked archive: beside the capture lie modules that must not run."""
    folder = tmp_path / "unpacked"
    folder.mkdir()
    for name in _TRAPS:
        (folder / f"{name}.py").write_text(_TRAP)
    return folder


def test_a_live_process_imports_nothing_from_the_current_folder(qtbot, unpacked, monkeypatch) -> None:
    """Whoever opens a capture from an archive and presses Capture runs nothing of that archive."""
    monkeypatch.chdir(unpacked)
    process = LiveProcess(["interfaces", "--json"], CAPTURE_EVENTS)
    with qtbot.waitSignal(process.ended, timeout=20_000):
        process.start()
    assert not (unpacked / "sprung").exists()


def test_workers_of_a_command_import_nothing_from_the_current_folder(unpacked) -> None:
    """Spawned workers are Pythons too: the program tells them not to look where it was started."""
    script = unpacked.parent / "start.py"
    script.write_text(
        "import contextlib, multiprocessing\n"
        "from cosemscope.__main__ import main\n"
        "if __name__ == '__main__':\n"
        "    with contextlib.suppress(SystemExit):\n"
        "        main(['--version'])\n"
        "    worker = multiprocessing.get_context('spawn').Process(target=print, args=('worked',))\n"
        "    worker.start()\n"
        "    worker.join(20)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "app")}
    environment.pop("PYTHONSAFEPATH", None)
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=unpacked,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "worked" in done.stdout, done.stderr
    assert not (unpacked / "sprung").exists()
