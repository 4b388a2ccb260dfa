"""News of a capture that is read, told in the window: progress, damage, and how reading ended."""

from collections.abc import Sequence

from PySide6.QtWidgets import QMainWindow

from cosemscope.capture.records import CaptureProblem
from cosemscope.gui.base.message_bar import MessageBar, MessageSeverity
from cosemscope.gui.document.document import Document
from cosemscope.gui.frame.status_bar import StatusBar
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.panes.expert.item_groups import counts_by_severity
from cosemscope.wording import count

_STOP_FINDING = "Stop reading APDUs for expert items; what was found stays"


class ReadingNews:
    """Tells the news of one document in title, status bar and messages. `problems` are those of its file."""

    def __init__(self, window: QMainWindow, status: StatusBar, messages: MessageBar) -> None:
        self._window = window
        self._status = status
        self._messages = messages
        self._document: Document | None = None
        self.problems: Sequence[CaptureProblem] = ()
        self.clear()

    def begin(self, document: Document) -> None:
        """Say what this document tells from now on."""
        self._document = document
        self.problems = ()
        self._messages.clear()
        document.progressed.connect(self._show_progress)
        document.problemsFound.connect(self._take_problems)
        document.completing.connect(
            lambda done, total: self._status.show_progress(done / total, "Associations", "")
        )
        document.completed.connect(lambda: self._status.show_progress(None))
        document.finding.connect(
            lambda done, total: self._status.show_progress(done / total, "Expert items", _STOP_FINDING)
        )
        document.itemsChanged.connect(self._show_items)
        self._status.clear_all()
        self._status.file.setText(f"Opening {document.title}…")
        self._status.show_progress(None if document.following else 0.0)

    def clear(self) -> None:
        """Nothing is open."""
        self._document = None
        self._window.setWindowModified(False)
        self._window.setWindowTitle("Cosemscope")
        self._status.clear_all()

    def show_file(self, note: str = "") -> None:
        """Say in title and status bar what is open, and `note` about it."""
        document = self._document
        if document is None:
            self.clear()
            return
        self.show_title()
        note = " · ".join(part for part in (note, "not saved" if document.lacks_file else "") if part)
        if document.analysis is not None:
            self._status.show_file(document.title, document.analysis.progress[1], note)
        self._status.file.setToolTip(plain_tip(str(document.path)))

    def show_title(self) -> None:
        """Say in the title what is open, and whether all of it is in a file."""
        document = self._document
        if document is not None:
            unsaved = document.lacks_file or document.lacks_comments
            # Qt puts its sign of what is not saved in the place of [*].
            self._window.setWindowTitle(f"{document.title}{'[*]' if unsaved else ''} – Cosemscope")
            self._window.setWindowModified(unsaved)

    def _show_progress(self, done: int, total: int) -> None:
        document = self._document
        reading = document.reading and not document.following
        self.show_file("live" if document.following else "reading" if reading else "")
        self._status.show_progress(done / total if reading and total else None)

    def _show_items(self) -> None:
        if not self._document.reading:
            self._status.show_progress(None)
        self._status.show_items(counts_by_severity(self._document.analysis.expert_items))

    def _take_problems(self, problems: Sequence[CaptureProblem]) -> None:
        self.problems = problems
        self._status.show_problems(len(problems))
        name = self._document.path.name
        if len(problems) == 1:
            problem = problems[0]
            text = f"{name}: {problem.message.rstrip('.')} (at octet {problem.offset:,} of the file)."
        else:
            text = f"{name} is damaged in several places; what could be read is shown."
            text += " The status bar lists them."
        self._messages.say(MessageSeverity.WARNING, text)

    def say_end(self, *, is_whole: bool) -> None:
        """Say that the file was read to its end, or that reading was cancelled, and what was found."""
        document = self._document
        done, total = document.analysis.progress
        share = f"{100 * done // max(1, total)} %"
        self._status.show_progress(None)
        self.show_file("" if is_whole else f"cancelled at {share}")
        if not is_whole:
            text = f"Reading was cancelled: the first {share} of the file are shown."
            self._messages.say(MessageSeverity.NOTE, f"{text} Reload (Ctrl+R) reads it whole.")
        elif not document.wpdus and not (document.spool is not None and document.spool.is_link):
            self._messages.say(MessageSeverity.NOTE, self._nothing_found())

    def _nothing_found(self) -> str:
        document = self._document
        if not document.packets:
            return f"{document.title} holds no packets."
        return (
            f"No WPDU was found among {count(document.packets, 'packet')}. Where a port or stream is "
            "known to carry DLMS, say so with “Decode as…” in the session tree."
        )

    def say_failure(self, sentence: str) -> None:
        """Say why the file could not be read, or not to its end."""
        self._status.show_progress(None)
        self._messages.say(MessageSeverity.ERROR, sentence)
        self.show_file("not read to its end")
