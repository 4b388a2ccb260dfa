"""Captures that nobody has given a name yet: spools of links and captures, how they are saved and removed.

The window holds the spool that it shows, so that no other Cosemscope takes it for left over. Saving copies it
away from the window's thread; the spool itself goes when the window lets go of it, saved or given up.
"""

import os
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from PySide6.QtWidgets import QMessageBox, QWidget

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.export.formats.packet_file import write_packets
from cosemscope.analysis.export.whole_file import ExportError, WholeFile
from cosemscope.capture.files.ring_names import ring_files
from cosemscope.capture.records import CaptureError
from cosemscope.capture.spool.spool_folder import SpoolHold, hold_spool
from cosemscope.wording import count

SAVE, DISCARD, CANCEL = "save", "discard", "cancel"

_COPIED_OCTETS = 1 << 20


class UnsavedSpool:
    """The spool at `path`, or the ring that begins there, behind a capture that the window shows.

    `wanted`: whether it stays on the disk when the window lets go of it, to be offered at the next start.
    `title` is what the window calls it. `is_link`: packets alone are not worth a question.
    """

    def __init__(self, path: Path, title: str = "", *, is_link: bool = False, wanted: bool = True) -> None:
        self.path = path
        self.is_link = is_link
        self.saved_as: Path | None = None
        self.wanted = wanted
        self._title = title
        self._hold: SpoolHold | None = None
        self.hold()

    @property
    def title(self) -> str:
        """The name that the window shows."""
        return self.saved_as.name if self.saved_as else self._title or self.path.name

    @property
    def files(self) -> list[Path]:
        """The spool's files as of now, the oldest first."""
        try:
            return list(ring_files(self.path).values()) or [self.path]
        except CaptureError:
            return [self.path]

    @property
    def is_cut(self) -> bool:
        """Whether its ring has removed its first file by now."""
        return not self.path.exists()

    def hold(self) -> None:
        """Hold its newest file: once at the beginning, and again when a ring has come to its end."""
        held, self._hold = self._hold, None
        with suppress(OSError):
            self._hold = hold_spool(self.files[-1])
        if held is not None:
            held.close()

    def is_worth_a_question(self, packets: int, wpdus: int) -> bool:
        """Whether something would be lost with it."""
        return self.saved_as is None and bool(wpdus if self.is_link else packets)

    def let_go(self) -> None:
        """The window shows it no more: remove it, unless it is to stay."""
        if self._hold is not None:
            self._hold.close()
            self._hold = None
        if not self.wanted or self.saved_as is not None:
            for path in self.files:
                with suppress(OSError):
                    path.unlink(missing_ok=True)


class Extent(NamedTuple):
    """A file, or its first `octets`: all of it where that is None."""

    path: Path
    octets: int | None = None


class Copy(NamedTuple):
    """The outcome of copying to `target`: `trouble` is a sentence, empty when all is there."""

    target: Path
    trouble: str


def copy_files(extents: Sequence[Extent], target: Path) -> Copy:
    """Copy files, one behind the other, into `target`, which is there whole or not at all. May take long.

    pcapng files may follow one another in one file: the files of a ring become one capture. Those that a
    ring has removed meanwhile, which are the oldest, are left out.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        with ExitStack() as stack:
            pieces = []
            for path, octets in extents:
                with suppress(FileNotFoundError):
                    pieces.append((stack.enter_context(open(path, "rb")), octets))
            if not pieces:
                return Copy(target, f"There is nothing to save: {extents[-1].path} has been removed.")
            with open(part, "wb") as whole:
                for piece, octets in pieces:
                    _copy_piece(piece, octets, whole)
        os.replace(part, target)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        return Copy(target, f"{target} could not be written: {error.strerror or error}.")
    return Copy(target, "")


def copy_with_comments(analysis: Analysis, sources: Sequence[Path], target: Path) -> Copy:
    """Write all packets of a capture with the comments that hold now into a pcapng. May take long."""
    try:
        with WholeFile(target, sources) as file:
            lost = write_packets(analysis, np.arange(len(analysis.packets)), file)
    except ExportError as error:
        return Copy(target, str(error))
    except (CaptureError, OSError) as error:
        return Copy(target, f"{target} could not be written: {error}.")
    return Copy(target, f"{count(lost, 'packet')} could not be read any more." if lost else "")


def _copy_piece(piece: BinaryIO, octets: int | None, whole: BinaryIO) -> None:
    while octets is None or octets > 0:
        read = piece.read(_COPIED_OCTETS if octets is None else min(octets, _COPIED_OCTETS))
        if not read:
            return
        whole.write(read)
        octets = None if octets is None else octets - len(read)


def ask_unsaved(parent: QWidget, running: bool, packets: str, wpdus: str) -> str:
    """Ask what is to become of an unsaved capture: SAVE, DISCARD or CANCEL."""
    question = "Stop the live traffic and save it first?" if running else "Save this capture first?"
    texts = ("&Save…", "&Don't save", "&Cancel")
    if running:
        texts = ("Stop and &save…", "Stop and &don't save", "&Go on")
    return _ask(
        parent, "Unsaved capture", question, f"{packets} with {wpdus} are in no file of yours yet.", texts
    )


def ask_unsaved_comments(parent: QWidget) -> str:
    """Ask what is to become of comments that no file has: SAVE, DISCARD or CANCEL."""
    told = "Comments that you wrote are in no file yet. They go into a pcapng."
    texts = ("&Save…", "&Don't save", "&Cancel")
    return _ask(parent, "Unsaved comments", "Save your comments first?", told, texts)


def _ask(parent: QWidget, title: str, question: str, told: str, texts: tuple[str, str, str]) -> str:
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(title)
    box.setText(question)
    box.setInformativeText(told)
    roles = QMessageBox.ButtonRole
    save, discard, cancel = map(
        box.addButton, texts, (roles.AcceptRole, roles.DestructiveRole, roles.RejectRole)
    )
    box.setDefaultButton(save)
    box.setEscapeButton(cancel)
    box.exec()
    clicked = box.clickedButton()
    box.deleteLater()
    if clicked is save:
        return SAVE
    return DISCARD if clicked is discard else CANCEL
