"""The keys of the window: held in memory, and kept in the system's key store only where a person asks for it.

Reading and writing of files and of the key store is work for a thread of its own, one thing after the other:
a store may ask for a password, and nobody shall wait for that. What comes of it is told by signals.
"""

import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal, Slot

from cosemscope.analysis.keys import key_store
from cosemscope.analysis.keys.key_entry import KeyEntry, KeyFileError
from cosemscope.analysis.keys.key_store import KeyStoreError
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.gui.base.settings import KEEP_KEYS, Settings


class Outcome(NamedTuple):
    """The outcome of work on files or on the store: keys found, a problem, a note."""

    keys: KeyTable = NO_KEYS
    problem: str = ""
    note: str = ""


class _Teller(QObject):
    """Carries an outcome from the thread to the window."""

    done = Signal(object, object)


class _Job(QRunnable):
    def __init__(self, teller: _Teller, work: Callable[[], Outcome], then: Callable[[Outcome], None]) -> None:
        super().__init__()
        self._teller, self._work, self._then = teller, work, then

    def run(self) -> None:
        try:
            outcome = self._work()
        except (KeyFileError, KeyStoreError) as reason:
            outcome = Outcome(problem=str(reason))
        except OSError as reason:
            outcome = Outcome(problem=f"{reason.filename} cannot be written: {reason.strerror}")
        self._teller.done.emit(self._then, outcome)


def _content(entry: KeyEntry) -> str:
    """All that an entry says but its name, which may be no more than its number in a file."""
    return entry.text().partition("\nname = ")[2].partition("\n")[2]


def merged(table: KeyTable, other: KeyTable) -> KeyTable:
    """The table with another's keys behind its own, those left out that it has already, by whatever name."""
    known = {_content(entry) for entry in table.entries}
    fresh = []
    for entry in other.entries:
        content = _content(entry)
        if content not in known:
            known.add(content)
            fresh.append(entry)
    fleets = [fleet for fleet in other.fleets if not any(map(fleet.holds_the_same, table.fleets))]
    return table + KeyTable(fresh, fleets) if fresh or fleets else table


def _load_files(paths: Sequence[str]) -> Outcome:
    """The keys of key files; files that cannot be used are named."""
    found = NO_KEYS
    problems = []
    for path in paths:
        try:
            found = found + KeyTable.load(path)
        except KeyFileError as reason:
            problems.append(f"{reason}.")
    return Outcome(found, " ".join(problems))


def _save_file(table: KeyTable, path: str) -> Outcome:
    """Write a key file that only its owner may read: the older one stays until it is whole.

    Raises OSError.
    """
    target = Path(os.path.realpath(path))
    try:
        handle, part = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)  # for the owner alone
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(table.text())
                file.flush()
                os.fsync(handle)
            os.replace(part, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(part)
            raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
    left = "; what came out of files of fleets stays there" if table.fleets else ""
    return Outcome(note=f"{Path(path).name} holds {len(table.entries):,} entries now, in clear{left}.")


class KeyKeeper(QObject):
    """The window's key table.

    `changed` follows every change of `keys`; `troubled` and `told` give sentences for people.
    """

    changed = Signal()
    troubled = Signal(str)
    told = Signal(str)
    storeAsked = Signal(str)

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._keys = NO_KEYS
        self._store_known = False
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._teller = _Teller(self)
        self._teller.done.connect(self._finish)
        if self.keep:
            self._begin(lambda: Outcome(key_store.load()), self._take_stored)

    def _begin(self, work: Callable[[], Outcome], then: Callable[[Outcome], None]) -> None:
        self._pool.start(_Job(self._teller, work, then))

    @Slot(object, object)
    def _finish(self, then: Any, outcome: Any) -> None:
        if outcome.problem:
            self.troubled.emit(outcome.problem)
        if outcome.note:
            self.told.emit(outcome.note)
        then(outcome)

    def wait(self, milliseconds: int = 30_000) -> bool:
        """Wait until what was begun is done: for the end of the program only."""
        return self._pool.waitForDone(milliseconds)

    # The table

    @property
    def keys(self) -> KeyTable:
        """The keys to open with."""
        return self._keys

    def set_keys(self, keys: KeyTable) -> None:
        """Open with these from now on."""
        if keys is not self._keys:
            self._keys = keys
            self.changed.emit()
            if self.keep:
                self._write_store()

    def add(self, keys: KeyTable) -> int:
        """Add what is not there yet; how many key holders those were."""
        before = len(self._keys)
        self.set_keys(merged(self._keys, keys))
        return len(self._keys) - before

    # Files

    def load_files(self, paths: Sequence[str]) -> None:
        """Add what key files hold; their paths are remembered nowhere."""

        def take(outcome: Outcome) -> None:
            added = self.add(outcome.keys)
            if len(outcome.keys):
                old = len(outcome.keys) - added
                known = f"; {old:,} more were there already" if old else ""
                self.told.emit(f"{added:,} {'entry was' if added == 1 else 'entries were'} added{known}.")

        self._begin(lambda: _load_files(tuple(paths)), take)

    def save_file(self, path: str) -> None:
        """Write all keys into a file, in clear: only when a person has asked for it."""
        table = self._keys
        self._begin(lambda: _save_file(table, path), lambda outcome: None)

    # The key store

    @property
    def keep(self) -> bool:
        """Whether the system's key store keeps the keys."""
        return self._settings.get(KEEP_KEYS)

    def set_keep(self, keep: bool) -> None:
        """Keep the keys in the system's key store from now on, or take them out of it."""
        if keep == self.keep:
            return
        self._settings.set(KEEP_KEYS, keep)
        if keep:
            self._write_store()
        else:
            self._store_known = False
            self._begin(self._forget, lambda outcome: None)

    def ask_store(self) -> None:
        """Find out why keys cannot be kept; `storeAsked` gives the reason, "" where they can."""
        reasons: list[str] = []

        def work() -> Outcome:
            reasons.append(key_store.why_not())
            return Outcome()

        self._begin(work, lambda outcome: self.storeAsked.emit(reasons[0]))

    def _write_store(self) -> None:
        """Put the table into the store; what is there and not yet known (it was locked) is taken in first."""
        table, known = self._keys, self._store_known

        def work() -> Outcome:
            whole = table if known else merged(table, key_store.load())
            key_store.save(whole)
            return Outcome(whole)

        self._begin(work, self._take_stored)

    def _take_stored(self, outcome: Outcome) -> None:
        if outcome.problem:
            return
        fresh = not self._store_known
        self._store_known = True
        if fresh and self.keep:
            table = merged(self._keys, outcome.keys)
            if table is not self._keys:
                self._keys = table
                self.changed.emit()

    @staticmethod
    def _forget() -> Outcome:
        key_store.forget()
        return Outcome(note="The system's key store keeps no keys any more.")
