"""Saves a capture that has no name yet, and asks before one is lost."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from cosemscope.gui.base import settings as options
from cosemscope.gui.base.background import in_background
from cosemscope.gui.base.message_bar import MessageSeverity
from cosemscope.gui.document.unsaved_spool import (
    CANCEL,
    DISCARD,
    SAVE,
    Copy,
    UnsavedSpool,
    ask_unsaved,
    ask_unsaved_comments,
    copy_files,
    copy_with_comments,
)
from cosemscope.gui.live.live_host import LiveHost
from cosemscope.wording import count

Then = Callable[[], None]

_CUT = " The oldest packets shown are not in it: the ring has removed their files."
_SAVED_FILES = "pcapng captures (*.pcapng);;All files (*)"


class Saver(QObject):
    """Copies the capture that is open, away from the window's thread; `saved` says that a copy was made."""

    saved = Signal()
    _copied = Signal(object)

    def __init__(self, host: LiveHost, parent: QObject) -> None:
        super().__init__(parent)
        self._host = host
        self._copied.connect(self._finish_copy)

    @property
    def is_needed(self) -> bool:
        """True when closing the document would lose something."""
        document = self._host.document()
        return document is not None and (document.lacks_file or document.lacks_comments)

    def before_leaving(self, then: Then, *, is_live: bool) -> Then | None:
        """Step that leaves the document and then does `then`, after a question where there is one.

        None: stay.
        """
        document = self._host.document()
        spool = document.spool if document is not None else None
        if not self.is_needed:
            if spool is not None:
                spool.wanted = False
            return then
        if document.lacks_file:
            packets, wpdus = count(document.packets, "packet"), count(document.wpdus, "WPDU")
            answer = ask_unsaved(self._host.widget, is_live, packets, wpdus)
        else:
            answer = ask_unsaved_comments(self._host.widget)
        target = self._ask_target() if answer == SAVE else None
        if answer == CANCEL or (answer == SAVE and target is None):
            return None
        if spool is not None:
            spool.wanted = answer != DISCARD
        return partial(self._copy, target, then) if target is not None else then

    def save(self) -> None:
        """Save a capture that has no name yet, or comments that no file has."""
        if self.is_needed:
            self.save_as()

    def save_as(self) -> None:
        """Copy the capture to a file of the user's choice."""
        target = self._ask_target()
        if target is not None:
            self._copy(target, lambda: None)

    def _ask_target(self) -> Path | None:
        document, settings = self._host.document(), self._host.settings
        folder = Path(settings.get(options.LAST_FOLDER) or Path.home())
        usual = folder / document.path.name
        if document.spool is None and document.lacks_comments:
            usual = document.path.with_name(f"{document.path.stem}-commented.pcapng")
        widget = self._host.widget
        name, _ = QFileDialog.getSaveFileName(widget, "Save the capture", str(usual), _SAVED_FILES)
        if not name:
            return None
        target = Path(name)
        settings.set(options.LAST_FOLDER, str(target.parent))
        return target if target.suffix else target.with_suffix(".pcapng")

    def _copy(self, target: Path, then: Then) -> None:
        document = self._host.document()
        if target.exists() and any(path.exists() and target.samefile(path) for path in document.files):
            self._host.messages.say(MessageSeverity.NOTE, f"{target.name} is the file that is open.")
            return
        extents, spool, whole = document.extents, document.spool, not document.following
        analysis, files = document.analysis, list(document.files)
        if analysis is not None and analysis.notes.has_comments and whole:
            changes = analysis.notes.changes

            def write() -> _Saving:
                copy = copy_with_comments(analysis, files, target)
                return _Saving(copy, spool, whole, then, partial(analysis.notes.note_saved, changes))

            in_background(write, self._copied)
            return
        in_background(lambda: _Saving(copy_files(extents, target), spool, whole, then), self._copied)

    def _finish_copy(self, saving: "_Saving") -> None:
        target, trouble = saving.copy
        if trouble:
            self._host.messages.say(MessageSeverity.ERROR, trouble)
            return
        saving.saved()
        self._host.settings.add_recent(str(target))
        text = f"Saved as {target}."
        if not saving.whole:
            text = f"What came so far is saved as {target}. The rest is not: save again when it has ended."
        elif saving.spool is not None:
            saving.spool.saved_as = target
        if saving.spool is not None and saving.spool.is_cut:
            text += _CUT
        document = self._host.document()
        self._host.show_file("live" if document is not None and document.following else "")
        self._host.messages.say(MessageSeverity.NOTE, text)
        self.saved.emit()
        saving.then()


class _Saving(NamedTuple):
    """A copy that has been made: of which spool, whether all of it is there, and what comes after.

    `saved` notes that what it has needs no other file.
    """

    copy: Copy
    spool: UnsavedSpool | None
    whole: bool
    then: Then
    saved: Then = lambda: None
