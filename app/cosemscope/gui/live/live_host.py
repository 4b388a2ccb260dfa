"""Values and calls of a window that its live side uses; it knows nothing else of the window."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtWidgets import QWidget

from cosemscope.gui.base.message_bar import MessageBar
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.document.document import Document
from cosemscope.gui.document.unsaved_spool import UnsavedSpool


class OpenSpool(Protocol):
    """A call that opens a spool in the window."""

    def __call__(self, spool: UnsavedSpool, *, follow: bool = False) -> None:
        """Open it; with `follow` it grows. What is open has been left before."""


@dataclass(frozen=True)
class LiveHost:
    """A window as its live side sees it; `widget` is the parent of dialogs."""

    widget: QWidget
    settings: Settings
    messages: MessageBar
    document: Callable[[], Document | None]
    """The capture that is open now."""
    open_spool: OpenSpool
    say_state: Callable[[str], None]
    """Shows a text where the name of the file stands."""
    show_file: Callable[[str], None]
    """Shows the name of the file there again, with a note."""
    show_panels: Callable[[Collection[str]], None]
    """Shows the panes of what is live that have these names, and hides the others."""
