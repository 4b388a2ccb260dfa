"""The real window under live traffic, offscreen: when a WPDU on the wire is a row that is painted, and how
long a page takes to scroll while rows arrive. Part of `live_capture_benchmark`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QPaintEvent
from PySide6.QtWidgets import QWidget

from cosemscope.capture.capturing.capture_job import AUTOMATIC, CaptureJob
from cosemscope.capture.capturing.libpcap import OpenOptions
from cosemscope.gui.application import make_application
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.frame.panes import PANES
from cosemscope.gui.frame.window import Window
from cosemscope.gui.panes.pane import Wishes
from cosemscope.gui.panes.wpdus.wpdu_view import WpduView

SENDER = Path(__file__).with_name("sender.py")
_SIZE = (1500, 950)
_PATIENCE = 60.0
#: Seconds that a person takes at least from page to page.
_PAUSE = 0.02
_STUCK = 5.0


class Watched(WpduView):
    """The window's table, which counts its paintings; `times` has when each row was painted first."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget | None = None) -> None:
        super().__init__(selection, wishes, parent)
        self.times: list[float] = []
        self.paintings = 0

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """Paint, and note."""
        super().paintEvent(event)
        now = time.monotonic()
        self.paintings += 1
        self.times += [now] * (self.wpdus.rowCount() - len(self.times))


#: The window's panes with that table.
WATCHED_PANES = tuple(row._replace(make=Watched) if row.make is WpduView else row for row in PANES)


class Stage:
    """A window that captures datagrams to a port of this computer."""

    def __init__(self, folder: Path, port: int, way: str = "", *, immediate: bool = False) -> None:
        os.environ["COSEMSCOPE_SPOOL"] = str(folder / "spools")
        settings = Settings(folder / "settings.ini")
        self.application = make_application([], settings)
        self.window = Window(settings, WATCHED_PANES)
        self.window.resize(*_SIZE)
        self.window.show()
        job = CaptureJob(
            interfaces=("lo",),
            capture_filter=f"udp port {port}",
            options=OpenOptions(immediate=immediate),
            way=way or AUTOMATIC,
        )
        self.window.live.begin(job)
        self.wait_for(lambda: self.window.document is not None and self.window.document.analysis is not None)

    @property
    def table(self) -> Watched:
        """The window's table."""
        table = self.window.workspace.table
        assert isinstance(table, Watched)
        return table

    @property
    def rows(self) -> int:
        """Rows in the table now."""
        return self.table.wpdus.rowCount()

    def wait_for(self, there: Callable[[], bool], seconds: float = _PATIENCE) -> None:
        """Let the window work until something is there."""
        until = time.monotonic() + seconds
        while not there():
            if time.monotonic() > until:
                told = [message.text for message in self.window.messages.messages]
                sys.exit(f"what was waited for in the window did not come; it says: {told}")
            self.application.processEvents()
            time.sleep(0.0005)

    def rest(self, seconds: float) -> None:
        """Let the window work for so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.application.processEvents()
            time.sleep(0.0005)

    def page(self, key: Qt.Key) -> float:
        """Press a key that scrolls; seconds until the table has been painted by that."""
        bar = self.table.verticalScrollBar()
        place, began, painted = bar.value(), time.monotonic(), self.table.paintings
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            self.application.postEvent(self.table, QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier))
        while bar.value() == place or self.table.paintings == painted:
            if bar.value() == place:
                painted = self.table.paintings
            self.application.processEvents()
            if time.monotonic() - began > _STUCK:
                sys.exit("the table does not scroll")
        return time.monotonic() - began

    def close(self) -> None:
        """End the capture, give it up, close the window."""
        self.window.live.stop()
        document = self.window.document
        assert document is not None
        assert document.spool is not None
        self.wait_for(lambda: not self.window.live.running and not document.reading)
        document.spool.saved_as = document.path  # nobody is asked
        self.window.close()
        self.wait_for(lambda: not self.window.isVisible())


@contextmanager
def sending(*words: object) -> "Iterator[subprocess.Popen[str]]":
    """The sender at work."""
    command = [sys.executable, str(SENDER), *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def delays(stage: Stage, port: int, count: int, octets: bytes) -> list[float]:
    """Seconds from the sending of each of `count` WPDUs to the painting of its row."""
    with sending("single", port, count, 0.105, octets.hex()) as process:
        stage.wait_for(lambda: len(stage.table.times) >= count)
        assert process.stdout is not None
        sent = json.loads(process.stdout.read())
    return [seen - then for then, seen in zip(sent, stage.table.times, strict=True)]


class Scrolling(NamedTuple):
    """Seconds a page, idle and while rows came at `rate` a second."""

    idle: Sequence[float]
    busy: Sequence[float]
    rate: float


def scrolling(stage: Stage, port: int, octets: bytes, *, rate: int, rows: int, pages: int) -> Scrolling:
    """Scroll through a table of `rows` rows, then do it again while more of them come."""
    with sending("burst", port, rows, rate, octets.hex()):
        stage.wait_for(lambda: stage.rows >= rows)
    stage.rest(2)
    idle = _pages(stage, pages)
    with sending("burst", port, rate * 600, rate, octets.hex()):
        stage.wait_for(lambda: stage.rows > rows)
        stage.rest(1)
        before, began = stage.rows, time.monotonic()
        busy = _pages(stage, pages)
        reached = (stage.rows - before) / (time.monotonic() - began)
    return Scrolling(idle, busy, reached)


def _pages(stage: Stage, pages: int) -> list[float]:
    stage.table.select_row(0)
    stage.rest(0.5)
    taken = []
    for _ in range(pages):
        taken.append(stage.page(Qt.Key.Key_PageDown))
        stage.rest(_PAUSE)
    return taken


def quantile(times: Sequence[float], share: float) -> float:
    """The least of `times` that so large a share of them does not exceed."""
    return sorted(times)[max(0, min(len(times), round(share * len(times))) - 1)]


def figures(times: Sequence[float]) -> str:
    """Median, 99 % and the longest, in milliseconds."""
    return (
        f"{median(times) * 1000:.1f} ms (median), {quantile(times, 0.99) * 1000:.1f} ms (99 %), "
        f"{max(times) * 1000:.1f} ms (most)"
    )


__all__ = ("Scrolling", "Stage", "delays", "figures", "median", "quantile", "scrolling", "sending")
