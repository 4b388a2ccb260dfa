"""The window captures for real; how it ends when the disk, the network, the filter or the rights fail.

The traffic comes from other processes, since a window under test opens no socket.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from cosemscope.capture.capturing.capture_job import CaptureJob
from cosemscope.capture.files.reader import open_capture
from cosemscope.gui.base.message_bar import MessageSeverity
from cosemscope.gui.frame.window import Window
from tests.helpers.capturing import needs, needs_rights, small_disk, spare_link
from tests.helpers.live_window import GET_ANSWER, environment, listener, send_datagrams

CONTROL = Qt.KeyboardModifier.ControlModifier
PORT = 40599

_ORDINARY = Path(__file__).with_name("ordinary_user.py")
_CAPTURING = Path(__file__).with_name("capturing_window.py")


@pytest.fixture(autouse=True)
def _rights() -> None:
    needs_rights()


def begin(window: Window, qtbot, interface: str = "lo") -> None:
    """Capture datagrams to the port, and wait until that is shown."""
    window.live.begin(CaptureJob(interfaces=(interface,), capture_filter=f"udp port {PORT}"))
    qtbot.waitUntil(lambda: window.document is not None and window.document.analysis is not None)


def wait_for_end(window: Window, qtbot) -> None:
    qtbot.waitUntil(lambda: not window.live.running and not window.document.reading, timeout=15_000)


def packets(path: Path) -> int:
    with open_capture(path) as reader:
        count = sum(len(batch) for batch in iter(reader.read, None))
        assert reader.problems == []
    return count


def test_a_real_exchange_on_loopback(window, qtbot):
    """A client talks to a server while the window captures: its WPDUs are rows, in order."""
    with listener("--tcp-only", answers=("--answer", "60=6100", *GET_ANSWER)) as server:
        port = server.address.rpartition(":")[2]
        window.live.begin(CaptureJob(interfaces=("lo",), capture_filter=f"tcp port {port}"))
        qtbot.waitUntil(lambda: window.document is not None and window.document.analysis is not None)
        words = ["--send", "c001c100080000010000ff0200", "--repeat", "3"]
        subprocess.run(
            [sys.executable, "-m", "cosemscope", "connect", server.address, *words],
            env=environment(),
            check=True,
            timeout=20,
            stdout=subprocess.DEVNULL,
        )
        qtbot.waitUntil(lambda: window.document.wpdus == 6)
        qtbot.waitUntil(lambda: "0 dropped" in window.status.counts.text())
        window.live.stop()
        wait_for_end(window, qtbot)
        assert window.document.wpdus == 6
        assert not window.workspace.live_panels["link"].isVisible()


def save(window: Window, qtbot, monkeypatch, target: Path) -> None:
    """Ctrl+S, to this file."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    qtbot.keyClick(window, Qt.Key.Key_S, CONTROL)
    qtbot.waitUntil(lambda: not window.live.saver.is_needed)


def test_a_full_disk(window, qtbot, monkeypatch, tmp_path):
    """The sentence names the file and the disk; the rows stay, and can be saved to another disk."""
    with small_disk(tmp_path / "disk") as disk:
        monkeypatch.setenv("COSEMSCOPE_SPOOL", str(disk))
        begin(window, qtbot)
        send_datagrams("127.0.0.1", PORT, count=400, size=1000)
        wait_for_end(window, qtbot)
        (message,) = window.messages.messages
        assert message.severity is MessageSeverity.ERROR
        assert message.text == (
            f"{window.document.path} cannot be written: the disk is full. "
            "What was captured before is kept in it."
        )
        kept = window.document.packets
        assert kept > 100
        assert kept == window.document.wpdus == window.workspace.table.wpdus.rowCount()
        assert kept == packets(window.document.path)
        save(window, qtbot, monkeypatch, tmp_path / "saved.pcapng")
        assert packets(tmp_path / "saved.pcapng") == kept
        window.close_capture()
        qtbot.waitUntil(lambda: not list(disk.iterdir()))


def test_an_interface_that_vanishes(window, qtbot, monkeypatch, tmp_path):
    """It is named; what it had brought stays, and can be saved."""
    with spare_link(f"cse{os.getpid() % 10**6}") as name:
        begin(window, qtbot, name)
        send_datagrams("255.255.255.255", PORT, count=25, size=40, device=name)
        qtbot.waitUntil(lambda: window.document.wpdus == 25)
        subprocess.run([needs("ip"), "link", "del", name], check=True)
        wait_for_end(window, qtbot)
        (message,) = window.messages.messages
        assert message.severity is MessageSeverity.ERROR
        assert message.text.startswith(f"The capture on {name} ended: ")
        assert message.text.endswith(".")
        assert window.workspace.table.wpdus.rowCount() == 25
        assert window.actions_by_name["capture"].isEnabled()
        save(window, qtbot, monkeypatch, tmp_path / "saved.pcapng")
        assert packets(tmp_path / "saved.pcapng") == 25


def test_a_capture_process_that_is_killed(window, qtbot, monkeypatch, tmp_path):
    """That is said; what it had received stays, and can be saved."""
    begin(window, qtbot)
    send_datagrams("127.0.0.1", PORT, count=30, size=40)
    qtbot.waitUntil(lambda: window.document.wpdus == 30)
    os.kill(window.live.process.number, signal.SIGKILL)
    wait_for_end(window, qtbot)
    (message,) = window.messages.messages
    assert message.text == "The process with the live traffic was ended from outside."
    assert window.workspace.table.wpdus.rowCount() == 30
    save(window, qtbot, monkeypatch, tmp_path / "saved.pcapng")
    assert packets(tmp_path / "saved.pcapng") == 30


@pytest.mark.parametrize("both", [False, True])
def test_a_window_that_is_killed(window, qtbot, tmp_path, both):
    """Amid traffic, alone or with its capture process: the next window offers all that had come."""
    words = [sys.executable, str(_CAPTURING), str(PORT), str(tmp_path)]
    with subprocess.Popen(
        words, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout.readline() == "capturing\n"
        left = window.start_page.left
        left.look()
        send_datagrams("127.0.0.1", PORT, count=40, size=40)
        seen = json.loads(killed.stdout.readline())
        assert not left.spools  # they are in use
        for process in (killed.pid, *([seen["process"]] if both else [])):
            os.kill(process, signal.SIGKILL)

    def is_offered() -> bool:
        left.look()
        return len(left.spools) == 1

    qtbot.waitUntil(is_offered, timeout=15_000)
    left.openAsked.emit(left.spools[0])
    qtbot.waitUntil(lambda: window.document is not None and not window.document.reading)
    assert seen["rows"] <= window.document.wpdus <= 40
    assert seen["rows"] >= 20
    assert window.document.wpdus == 40 or both
    assert window.live.saver.is_needed


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (
            CaptureJob(interfaces=("lo",), capture_filter="tcp prt 4059"),
            "The capture filter is wrong: can't parse filter expression: syntax error",
        ),
        (CaptureJob(interfaces=("nosuch0",)), "There is no interface nosuch0. There are: "),
    ],
)
def test_what_cannot_begin(window, qtbot, spools, order, sentence):
    """The window stays at the start page and says why; nothing is left behind."""
    window.live.begin(order)
    qtbot.waitUntil(lambda: not window.live.running, timeout=15_000)
    (message,) = window.messages.messages
    assert message.severity is MessageSeverity.ERROR
    assert message.text.startswith(sentence)
    assert [label for label, _ in message.buttons] == ["Capture options…"]
    assert window.document is None
    assert window.actions_by_name["capture"].isEnabled()
    assert not list(spools.glob("*"))


@pytest.fixture
def ordinary() -> list[str]:
    """What runs a script with our packages as a user without rights.

    A Python in another user's home folder is none for him: then one of the system's, of the same version.
    """
    prefix = [needs("setpriv"), "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, shutil.which(version, path="/usr/bin:/usr/local/bin")):
        # Through a shell: setpriv itself may still start what the user may not.
        words = [*prefix, "sh", "-c", '"$0" -c "import cosemscope.gui.frame.window"', str(python)]
        if subprocess.run(words, env=ordinary_environment(), capture_output=True).returncode == 0:
            return [*prefix, str(python)]
    pytest.skip("PYTHON, or the checkout, cannot be read by an ordinary user")


def ordinary_environment() -> dict[str, str]:
    packages = [environment()["PYTHONPATH"], *(path for path in sys.path if path.endswith("-packages"))]
    return {**environment(), "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": os.pathsep.join(packages)}


def test_an_ordinary_user(own, ordinary):
    """His window lists the interfaces, says what to do with a button for it, and offers no start."""
    home = dict.fromkeys(("HOME", "XDG_RUNTIME_DIR", "COSEMSCOPE_SPOOL"), str(own))
    done = subprocess.run(
        [*ordinary, str(_ORDINARY), str(own)],
        env={**ordinary_environment(), **home},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    for text in (seen["dialog"], seen["message"]):
        assert text.startswith("You may not capture on lo. ")
        assert "sudo usermod -a -G wireshark " in text or "sudo setcap cap_net_raw" in text
        assert " root" not in text
    assert not seen["may start"]
    assert seen["dialog copies"] == seen["message copies"]
    assert seen["message copies"].startswith("sudo ")
    assert not seen["document"]
