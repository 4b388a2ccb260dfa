"""The capture that a window shows, and the thread that reads it.

The thread takes one batch after another into the analysis and says at most
twenty times a second how far it is; the window only ever reads rows below the
last number that it was told. Cancelling ends reading within the present batch;
what has been found stays. A file that somebody writes is followed: at its end the thread
looks again and again, until it is told that the file is complete. What only associations know is
completed when there is nothing to read, and then all trees are read for their expert items; both again when
there are other keys, until the document is closed.
Signals tell what has happened, in the past tense.
"""

import logging
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QThread, Signal, SignalInstance, Slot

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.run import GrowingItems, find_column_items, find_items
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.capture.cancelling import Cancelled, look_at
from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.files.ring_names import ring_number
from cosemscope.capture.files.sequence import CaptureSequence
from cosemscope.capture.records import CaptureError
from cosemscope.gui.base.spare_memory import give_back
from cosemscope.gui.document.unsaved_spool import Extent, UnsavedSpool
from cosemscope.streams.decode_as import DecodeAs

_LOG = logging.getLogger(__name__)

#: Reports a second at most.
REPORTS = 20

#: Seconds between two looks at the sessions while a file is read, and how often their cost must have passed.
_SESSIONS_EVERY = 0.5
_SESSIONS_PATIENCE = 10

#: Seconds between two looks at the end of a file that is followed.
_LOOK_EVERY = 0.03

#: Seconds between two words on how far associations are completed.
_COMPLETING_EVERY = 0.25
#: Rows that are completed between two looks at the end of a file that is followed.
_COMPLETED_AT_ONCE = 128


class Reading(QObject):
    """The work: reads one capture from its beginning to its end. Lives in the document's thread.

    With `follow` the end is where the file ends when `complete` has been called. `associations` are completed
    beside and behind that, once they are given; then `run` returns only when the thread is to be left.
    """

    opened = Signal(object)
    grew = Signal(int, int, object, object)
    sessionsFound = Signal(object)
    problemsFound = Signal(object)
    ended = Signal(bool)
    failed = Signal(str)
    completing = Signal(int, int)
    completed = Signal()
    finding = Signal(int, int)
    itemsFound = Signal(bool)

    def __init__(self, path: Path, decode_as: DecodeAs, follow: bool, is_ring: bool) -> None:
        super().__init__()
        self._path = path
        self._is_ring = is_ring
        self._decode_as = decode_as
        self._follow = follow
        self._stop = threading.Event()
        self._complete = threading.Event()
        self._left = threading.Event()
        self._unwanted = self._stop.is_set
        self._wanted = threading.Event()
        self._unread = threading.Event()
        self._associations: Associations | None = None
        self._growing: tuple[Associations, KeyTable, GrowingItems] | None = None
        self._trees_told = 0
        if not follow:
            self._complete.set()
        self._next_report = 0.0
        self._next_sessions = 0.0
        self._told_problems = 0
        self._told_packets = 0
        self._next_completing = 0.0

    def stop(self) -> None:
        """End reading soon. May be called from any thread."""
        self._stop.set()

    def complete(self) -> None:
        """The followed file grows no more: read what there is, and end. May be called from any thread."""
        self._complete.set()

    def leave(self) -> None:
        """End all work soon, and return from `run`. May be called from any thread."""
        self._stop.set()
        self._left.set()
        self._wanted.set()

    def take_associations(self, associations: Associations) -> None:
        """Complete these associations; to be called again when their keys change. From any thread."""
        self._associations = associations
        self.read_trees()

    def read_trees(self) -> None:
        """Find the expert items of trees once more, where that was stopped. From any thread."""
        self._unread.clear()
        self._wanted.set()

    def leave_trees(self) -> None:
        """Stop finding the expert items of trees; what was found stays. May be called from any thread."""
        self._unread.set()

    @Slot()
    def run(self) -> None:
        """Read until the end, a failure or `stop`; then complete associations and items until `leave`."""
        try:
            open_path = CaptureSequence if self._is_ring else open_capture
            reader = open_path(self._path, follow=self._follow)
        except (CaptureError, OSError) as error:
            self.failed.emit(str(error))
            return
        try:
            analysis = Analysis(reader, self._decode_as, look=look_at(lambda: self._unwanted()))
            self.opened.emit(analysis)
            self._read(analysis)
        except (CaptureError, OSError) as error:
            self.failed.emit(str(error))
        except Exception as error:  # a fault of ours: say so, keep what there is
            _LOG.exception("reading %s", self._path)
            self.failed.emit(
                f"{self._path.name} could not be read to its end: {error!r}. Please report this."
            )
        while self._wanted.wait() and not self._left.is_set():
            self._wanted.clear()
            try:
                self._complete_rows()
            except (CaptureError, OSError):  # the file is gone: each row says so when it is looked at
                _LOG.exception("completing %s", self._path)

    def _read(self, analysis: Analysis) -> None:
        news = False  # rows that were taken in and not yet told
        while not self._stop.is_set():
            complete = self._complete.is_set()
            if complete:
                analysis.reader.stop_following()
            grew = analysis.step()
            if not grew and complete:
                break
            news |= grew
            now = time.monotonic()
            if news and now >= self._next_report:
                self._next_report = now + 1 / REPORTS
                self._report(analysis)
                news = False
            if self._sessions_due(analysis, now):
                with suppress(Cancelled):
                    self._report_found(analysis, items=self._follow)
                self._put_off_sessions(now)
            if not grew:
                self._use_the_time(analysis)
        if not self._stop.is_set():
            analysis.finish()
        whole = analysis.finished
        self._report(analysis)
        try:
            self._report_found(analysis)
        except Cancelled:  # who cancels is answered before the rest is put in order
            self.ended.emit(whole)
            self._unwanted = self._left.is_set
            with suppress(Cancelled):
                self._report_found(analysis)
        else:
            self._unwanted = self._left.is_set
            self.ended.emit(whole)
        give_back()

    def _use_the_time(self, analysis: Analysis) -> None:
        """There is nothing to read just now: complete some rows, or wait a moment."""
        associations = self._associations
        if associations is None:
            self._stop.wait(_LOOK_EVERY)
        elif associations.go_on(_COMPLETED_AT_ONCE):
            if associations.passed == len(analysis.wpdus):
                self.completed.emit()
        elif self._unread.is_set() or not self._grow_items(associations).go_on(
            associations.passed, _COMPLETED_AT_ONCE
        ):
            self._stop.wait(_LOOK_EVERY)

    def _grow_items(self, associations: Associations) -> GrowingItems:
        """The items of trees that were found with these associations and their keys while the file grew."""
        keys = associations.keys
        if self._growing is None or self._growing[:2] != (associations, keys):
            walk = Associations(associations.analysis, keys, beside=associations)
            self._growing = associations, keys, GrowingItems(walk)
            self._trees_told = 0
        return self._growing[2]

    def _complete_rows(self) -> None:
        """Complete the associations that are wanted, all their rows, then the expert items of their trees."""
        associations = self._associations
        if associations is None:
            return
        self._next_completing = time.monotonic() + _COMPLETING_EVERY
        told = partial(self._tell_far, self.completing)
        if complete(associations, cancelled=self._left.is_set, told=told):
            self.completed.emit()
            give_back()
            self._find_items(associations)
            give_back()

    def _find_items(self, associations: Associations) -> None:
        """Read all trees with the same keys, unless something else is wanted first, or nobody wants it."""
        analysis = associations.analysis

        def cancelled() -> bool:
            return self._wanted.is_set() or self._unread.is_set()

        with suppress(Cancelled):
            stale = self._growing is None or self._growing[1] is not associations.keys
            if analysis.expert_items.completed and stale:  # those were found with other keys
                self._report_items(analysis)
            if not self._wanted.is_set():
                walk = Associations(analysis, associations.keys, beside=associations)
                told = partial(self._tell_far, self.finding)
                find_items(walk, progress=told, cancelled=cancelled, spare=1)
                self.itemsFound.emit(self._unread.is_set())

    def _report_items(self, analysis: Analysis) -> None:
        growing = self._growing
        if growing is not None and growing[1] is growing[0].keys and self._follow:
            growing[2].report()
            self._trees_told = growing[2].done
        else:
            find_column_items(analysis)
        self.itemsFound.emit(False)

    def _tell_far(self, signal: SignalInstance, done: int, total: int) -> None:
        now = time.monotonic()
        if now >= self._next_completing:
            self._next_completing = now + _COMPLETING_EVERY
            signal.emit(done, total)

    def _sessions_due(self, analysis: Analysis, now: float) -> bool:
        done = self._growing[2].done if self._growing is not None else 0
        news = len(analysis.packets) != self._told_packets or done != self._trees_told
        return now >= self._next_sessions and news

    def _report(self, analysis: Analysis) -> None:
        done, total = analysis.progress
        self.grew.emit(len(analysis.packets), len(analysis.wpdus), done, total)
        problems = analysis.reader.problems
        if len(problems) > self._told_problems:
            self._told_problems = len(problems)
            self.problemsFound.emit(list(problems))

    def _report_sessions(self, analysis: Analysis) -> None:
        self._told_packets = len(analysis.packets)
        self.sessionsFound.emit(analysis.sessions())

    def _report_found(self, analysis: Analysis, *, items: bool = True) -> None:
        """Tell the sessions, and the items that need no tree. Raises Cancelled if nobody wants them."""
        analysis.look()
        self._report_sessions(analysis)
        if items:
            self._report_items(analysis)

    def _put_off_sessions(self, began: float) -> None:
        """Sessions, and what came with them, were told since `began`: the next time is due so much later."""
        now = time.monotonic()
        self._next_sessions = now + max(_SESSIONS_EVERY, _SESSIONS_PATIENCE * (now - began))


class Document(QObject):
    """One capture file as the window knows it: its path, its analysis, how far it is read.

    With `follow` it is one that is being written; `spool` is what it is when nobody has given it a name yet.

    `opened` comes first, then `rowsAdded(packets, wpdus)`, `progressed(done, total)` (octets),
    `sessionsChanged(sessions)` and `problemsFound(problems)` as often as there is news, and
    one of `finished`, `cancelled` and `failed(sentence)` at the end; behind `cancelled` the last
    `sessionsChanged` comes, as answering goes first. Behind that, whenever `complete` has been
    called, come `completing(rows, total)` from time to time, and `completed`; then likewise
    `finding(rows, total)`. `itemsChanged(stopped)` says that the analysis has another table of expert items;
    `stopped`: not all APDUs were read for it, and nobody reads the rest.
    """

    opened = Signal()
    rowsAdded = Signal(int, int)
    progressed = Signal(object, object)
    sessionsChanged = Signal(object)
    problemsFound = Signal(object)
    finished = Signal()
    cancelled = Signal()
    failed = Signal(str)
    completing = Signal(int, int)
    completed = Signal()
    finding = Signal(int, int)
    itemsChanged = Signal(bool)
    released = Signal()

    def __init__(
        self,
        path: Path,
        decode_as: DecodeAs | None = None,
        parent: QObject | None = None,
        *,
        follow: bool = False,
        spool: UnsavedSpool | None = None,
    ) -> None:
        super().__init__(parent)
        self.path = path
        self.spool = spool
        self.decode_as = decode_as or DecodeAs()
        self.analysis: Analysis | None = None
        self.packets = self.wpdus = 0
        self.reading = False
        self.following = follow
        self._closed = self._released = False
        self._thread = QThread()
        self._thread.setObjectName(f"reading {path.name}")
        self._work = Reading(
            path, self.decode_as, follow, spool is not None and ring_number(path) is not None
        )
        self._work.moveToThread(self._thread)
        self._thread.started.connect(self._work.run)
        self._thread.finished.connect(self._release)
        self._work.opened.connect(self._open)
        self._work.grew.connect(self._grow)
        self._work.sessionsFound.connect(self._take_sessions)
        self._work.problemsFound.connect(self._take_problems)
        self._work.ended.connect(self._end)
        self._work.failed.connect(self._fail)
        self._work.completing.connect(self._tell_completing)
        self._work.completed.connect(self._tell_completed)
        self._work.finding.connect(self._tell_finding)
        self._work.itemsFound.connect(self._tell_items)

    @property
    def lacks_file(self) -> bool:
        """Whether something would be lost with it: packets of a spool that nobody has saved."""
        return self.spool is not None and self.spool.is_worth_a_question(self.packets, self.wpdus)

    @property
    def lacks_comments(self) -> bool:
        """Whether it has comments that no file has."""
        return self.analysis is not None and self.analysis.notes.unsaved

    @property
    def title(self) -> str:
        """The name that the window shows: that of the file, or of the program that made the capture."""
        return self.spool.title if self.spool is not None else self.path.name

    @property
    def files(self) -> list[Path]:
        """The files that it is made of, the oldest first."""
        return self.spool.files if self.spool is not None else [self.path]

    @property
    def extents(self) -> list[Extent]:
        """The capture's files, the oldest first; of a growing file the octets read so far: whole packets."""
        reader = self.analysis.reader if self.analysis is not None else None
        if not self.following or reader is None:
            return [Extent(path) for path in self.files]
        if not isinstance(reader, CaptureSequence):
            return [Extent(self.path, reader.position)]
        last, octets = reader.extent()
        files = self.files
        return [*map(Extent, files[: files.index(last)] if last in files else ()), Extent(last, octets)]

    def take_spool(self) -> UnsavedSpool | None:
        """The spool, for a document that reads the same file anew; this one has none any more."""
        spool, self.spool = self.spool, None
        return spool

    def start(self) -> None:
        """Begin to read."""
        self.reading = True
        self._thread.start()

    def stop_following(self) -> None:
        """The file is complete: what is left of it is read, then comes `finished`."""
        self.following = False
        self._work.complete()
        if self.spool is not None:
            self.spool.hold()

    def complete(self, associations: Associations) -> None:
        """Complete what associations know of all rows, in the background; again when their keys change."""
        self._work.take_associations(associations)

    def cancel(self) -> None:
        """End reading soon, or finding the expert items of trees; what there is stays."""
        (self._work.stop if self.reading else self._work.leave_trees)()

    def find_items(self) -> None:
        """Find the expert items of trees after all."""
        self._work.read_trees()

    def close(self) -> None:
        """Let go of the file, as soon as the thread has ended; no signal but `released` comes after this."""
        self._closed = True
        self._work.leave()
        if self._thread.isRunning():
            self._thread.quit()
        else:
            self._release()

    def wait(self, milliseconds: int = 10_000) -> bool:
        """Wait for the thread to end: for the end of the program only."""
        self._work.leave()
        self._thread.quit()
        ended = self._thread.wait(milliseconds)
        if ended:
            self._release()
        return ended

    @Slot(object)
    def _open(self, analysis: Analysis) -> None:
        self.analysis = analysis
        if not self._closed:
            self.opened.emit()

    @Slot(int, int, object, object)
    def _grow(self, packets: int, wpdus: int, done: int, total: int) -> None:
        if not self._closed:
            self.packets, self.wpdus = packets, wpdus
            self.rowsAdded.emit(packets, wpdus)
            self.progressed.emit(done, total)

    @Slot(object)
    def _take_sessions(self, sessions: object) -> None:
        if not self._closed:
            self.sessionsChanged.emit(sessions)

    @Slot(object)
    def _take_problems(self, problems: object) -> None:
        if not self._closed:
            self.problemsFound.emit(problems)

    @Slot(int, int)
    def _tell_completing(self, done: int, total: int) -> None:
        if not self._closed:
            self.completing.emit(done, total)

    @Slot()
    def _tell_completed(self) -> None:
        if not self._closed:
            self.completed.emit()

    @Slot(int, int)
    def _tell_finding(self, done: int, total: int) -> None:
        if not self._closed:
            self.finding.emit(done, total)

    @Slot(bool)
    def _tell_items(self, stopped: bool) -> None:
        if not self._closed:
            self.itemsChanged.emit(stopped)

    @Slot(bool)
    def _end(self, whole: bool) -> None:
        self.reading = self.following = False
        if not self._closed:
            (self.finished if whole else self.cancelled).emit()

    @Slot(str)
    def _fail(self, sentence: str) -> None:
        self._thread.quit()
        self.reading = self.following = False
        if not self._closed:
            self.failed.emit(sentence)

    @Slot()
    def _release(self) -> None:
        """The thread has ended; close the file if nobody shows it any more."""
        if not self._closed or self._released:
            return
        self._released = True
        if self.analysis is not None:
            self.analysis.reader.close()
            self.analysis.derived.clear()  # which have it, too: it need not wait for a collection
            self.analysis = None
            give_back()
        spool = self.take_spool()
        if spool is not None:
            spool.let_go()
        self.released.emit()
