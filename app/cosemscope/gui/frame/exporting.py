"""Exports what is shown, selected or all of a capture into a file, in the background."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QDialog, QFileDialog, QWidget

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.export.exports import FORMATS, Order, asked_fields, export
from cosemscope.analysis.export.tables.out_table import Subject
from cosemscope.analysis.export.whole_file import ExportError
from cosemscope.analysis.notes import NoteKind
from cosemscope.analysis.passes import make_pass
from cosemscope.capture.records import CaptureError
from cosemscope.gui.base.message_bar import MessageSeverity
from cosemscope.gui.base.task import Task, Tell
from cosemscope.gui.dialogs.export_dialog import ExportDialog, Wanted
from cosemscope.gui.document.document import Document
from cosemscope.gui.frame.panes import Workspace
from cosemscope.gui.panes.filter.filter_bar import TYPED

Rows = np.ndarray
Say = Callable[[MessageSeverity, str], None]


class Exporting:
    """One export at a time; `say` tells what came of it, `show_progress` follows its task."""

    def __init__(
        self, window: QWidget, workspace: Workspace, say: Say, show_progress: Callable[[str, Task], None]
    ) -> None:
        self._window, self._workspace = window, workspace
        self._say, self._show_progress = say, show_progress
        self._task: Task | None = None

    def rows_of(self, scope: str) -> Rows | None:
        """The rows of a scope, int64[n] ascending; None for all."""
        workspace = self._workspace
        notes = workspace.traffic.analysis.notes
        if scope == "marked":
            return notes.rows(NoteKind.MARKED)
        if scope == "all":
            if not notes.any(NoteKind.IGNORED):
                return None
            return np.flatnonzero(~notes.has(NoteKind.IGNORED, slice(0, workspace.traffic.total)))
        if scope == "displayed":
            selection = workspace.selection
            return np.flatnonzero(selection.counted()) if selection.filters else self.rows_of("all")
        return np.sort(workspace.table.selected_row_numbers())

    def ask(self, document: Document) -> None:
        """Let a person choose what goes out and where to, and write it."""
        total = self._workspace.traffic.total
        amounts = {"all": total}
        for scope in ("displayed", "selected", "marked"):
            rows = self.rows_of(scope)
            amounts[scope] = total if rows is None else len(rows)
        dialog = ExportDialog(self._window, amounts, document.title)
        chosen = dialog.exec()
        wanted = dialog.wanted
        dialog.deleteLater()
        if chosen != QDialog.DialogCode.Accepted:
            return
        kind = FORMATS[wanted.order.form]
        place = document.path.with_name(f"{document.path.stem}-{wanted.order.what}{kind.suffix}")
        name, _ = QFileDialog.getSaveFileName(
            self._window, "Export", str(place), f"{kind.meaning} (*{kind.suffix});;All files (*)"
        )
        if name:
            self.write(wanted, Path(name), document)

    def write(self, wanted: Wanted, path: Path, document: Document) -> None:
        """Write it in the background; the last export that goes on is stopped."""
        if self._task is not None:
            self._task.cancel()
        rows = self.rows_of(wanted.scope)
        typed = self._workspace.selection.filters.text(TYPED)
        remark = "" if rows is None else f"{len(rows):,} WPDUs {wanted.scope}"
        remark += f", with the filter {typed}" if remark and typed else ""
        order = Order(**{**vars(wanted.order), "remark": remark})
        associations = self._workspace.traffic.associations
        fresh = Associations(associations.analysis, associations.keys)
        task = self._task = Task(partial(_export, fresh, rows, order, path, document.files), self._window)
        task.ended.connect(lambda told: self._tell(task, told, path))
        self._show_progress(f"Exporting {path.name}", task)
        task.start()

    def _tell(self, task: Task, told: tuple[bool, str] | None, path: Path) -> None:
        if task is self._task:
            self._task = None
        done, words = told or (True, f"The export was stopped: {path.name} was not written.")
        self._say(MessageSeverity.NOTE if done else MessageSeverity.ERROR, words)
        task.deleteLater()


def _export(
    associations: Associations, rows: Rows | None, order: Order, path: Path, sources: list[Path], tell: Tell
) -> tuple[bool, str]:
    """Whether it was written, and what is to be told. For the background; raises Cancelled."""
    try:
        make_pass(asked_fields(order), associations, told=tell)
        subject = Subject(associations.analysis, associations, rows, tell)
        lost = export(subject, order, path, sources)
    except ExportError as error:
        return False, str(error)
    except (CaptureError, OSError) as error:
        return False, f"{path.name} was not written: {error}"
    return True, f"{path.name} was written." + (f" {lost}." if lost else "")
