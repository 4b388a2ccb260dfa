"""The window under test: settings of its own, no network, nothing left running."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cosemscope.gui.application import make_application
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.frame.window import Window


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window opens no socket."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the window opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)


@pytest.fixture(autouse=True)
def spools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder for spools of the test's own."""
    folder = tmp_path / "spools"
    monkeypatch.setenv("COSEMSCOPE_SPOOL", str(folder))
    return folder


@pytest.fixture(autouse=True)
def unsaved_answer(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is answered to the question about an unsaved capture: its last item, again and again."""
    answers = ["discard"]
    for question in ("ask_unsaved", "ask_unsaved_comments"):
        monkeypatch.setattr(f"cosemscope.gui.live.saver.{question}", lambda *_: answers[-1])
    return answers


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings in a file of the test's own."""
    return Settings(tmp_path / "settings.ini")


@pytest.fixture
def look(qapp, settings: Settings):
    """The application with Cosemscope's look."""
    return make_application([], settings)


@pytest.fixture
def window(qtbot, look, settings: Settings, unsaved_answer: list[str]) -> Iterator[Window]:
    """The shown main window; closed afterwards, with no thread left."""
    threads = set(threading.enumerate())
    window = Window(settings)
    window.resize(1500, 950)
    window.workspace.resize(1500, 850)
    window.workspace.lay_out()
    with qtbot.waitExposed(window):
        window.show()
    yield window
    unsaved_answer.append("discard")
    window.close()
    ended = lambda: not (window.isVisible() or window.documents.retiring or window.live.running)  # noqa: E731
    qtbot.waitUntil(ended, timeout=15_000)
    window.deleteLater()
    look.processEvents()
    # A QThread that once asked for its name stays in Python's list for ever, as a dummy.
    left = [
        thread
        for thread in set(threading.enumerate()) - threads
        if not isinstance(thread, threading._DummyThread)
    ]
    assert not left, f"threads left running: {left}"


@pytest.fixture
def open_in(window: Window, qtbot):
    """Opens a capture in the window and waits until it is read."""

    def open_capture(path: Path) -> Window:
        window.open_path(str(path))
        document = window.document
        qtbot.waitUntil(lambda: not document.reading, timeout=20_000)
        return window

    return open_capture
