"""The network interfaces and how many packets pass on them, found out in a thread of its own.

Listing opens every interface to see whether we may; that can take a while. The thread is given up, not waited
for, when nobody wants to know any more.
"""

import threading
import time
from typing import ClassVar

from PySide6.QtCore import QObject, QThread, Signal, Slot

from cosemscope.capture.capturing.interfaces import PacketCounts, interfaces
from cosemscope.capture.spool.chunks import SourceError

#: Seconds between two counts.
EVERY = 1.0


class _Work(QObject):
    """Work of the thread: lists interfaces, then counts their packets."""

    listed = Signal(object)
    failed = Signal(str)
    counted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.stopped = threading.Event()

    @Slot()
    def run(self) -> None:
        """List once, then count until `stopped`."""
        try:
            found = interfaces()
        except SourceError as fault:
            self.failed.emit(fault.message)
            return
        self.listed.emit(found)
        counts = PacketCounts([interface.name for interface in found])
        try:
            self._count(counts)
        finally:
            counts.close()

    def _count(self, counts: PacketCounts) -> None:
        before, began = counts.now(), time.monotonic()
        while not self.stopped.wait(EVERY):
            now, at = counts.now(), time.monotonic()
            rates = {name: (now[name] - before[name]) / (at - began) for name in now.keys() & before.keys()}
            self.counted.emit(rates)
            before, began = now, at


class InterfaceWatch(QObject):
    """`listed(interfaces)` or `failed(sentence)` comes once, then `counted(rates)`: packets a second."""

    listed = Signal(object)
    failed = Signal(str)
    counted = Signal(object)

    #: Watches whose thread has not ended yet.
    ending: ClassVar[set["InterfaceWatch"]] = set()

    def __init__(self) -> None:
        super().__init__()
        self._thread = QThread()
        self._thread.setObjectName("interfaces")
        self._work = _Work()
        self._work.moveToThread(self._thread)
        self._thread.started.connect(self._work.run)
        self._work.listed.connect(self.listed)
        self._work.failed.connect(self.failed)
        self._work.counted.connect(self.counted)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """No more news; the thread ends by itself."""
        self._work.stopped.set()
        self.blockSignals(True)
        if self._thread.isRunning():
            self.ending.add(self)
            self._thread.finished.connect(self._end)
            self._thread.quit()

    @Slot()
    def _end(self) -> None:
        self.ending.discard(self)

    @classmethod
    def wait_for_all(cls, milliseconds: int = 5_000) -> bool:
        """Wait for threads that are ending: for the end of the program only."""
        return all(watch._thread.wait(milliseconds) for watch in list(cls.ending))
