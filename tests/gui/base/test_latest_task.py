"""The latest of several tasks: only its result is heard of, and what is cancelled is not."""

import threading

from PySide6.QtCore import QObject

from cosemscope.gui.base.latest_task import LatestTask


def test_only_the_result_of_the_latest_is_heard_of(qtbot):
    """The first may end before or after the second: nobody hears of it."""
    parent, heard, wait = QObject(), [], threading.Event()
    latest = LatestTask(parent)
    first = latest.start(lambda _: wait.wait(5), lambda _: heard.append("first"))
    latest.start(lambda _: "second", heard.append)
    assert latest.is_running
    qtbot.waitUntil(lambda: heard == ["second"])
    ended = []
    first.ended.connect(ended.append)
    wait.set()
    qtbot.waitUntil(lambda: len(ended) == 1)
    assert not latest.is_running
    latest.start(lambda _: "third", heard.append)
    qtbot.waitUntil(lambda: heard == ["second", "third"])


def test_what_is_cancelled_is_not_heard_of(qtbot):
    parent, heard, wait = QObject(), [], threading.Event()
    latest = LatestTask(parent)
    task = latest.start(lambda _: wait.wait(5), lambda _: heard.append("first"))
    ended = []
    task.ended.connect(ended.append)
    latest.cancel()
    wait.set()
    qtbot.waitUntil(lambda: len(ended) == 1)
    assert heard == []
    assert not latest.is_running
