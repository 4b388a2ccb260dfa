"""What the window asks of a pane, and what panes ask of the window.

A pane is a widget that derives from `Pane` too and overrides what concerns it. It is made from one row of the
window's table of panes, watches the `Selection`, and knows no other pane.
"""

from PySide6.QtCore import QObject, Signal

from cosemscope.analysis.sessions.session_tree import Peers
from cosemscope.gui.document.traffic import Traffic


class Pane:
    """The protocol of panes; each method does nothing where a pane has nothing to do.

    It is the last base of a pane, so that it hides no method of the widget. Qt's widgets cannot derive from a
    `typing.Protocol`: their metaclasses differ.
    """

    def set_traffic(self, traffic: Traffic) -> None:
        """Show another capture from its beginning."""

    def take_rows(self, total: int) -> None:
        """Take in that the capture has `total` WPDUs now."""

    def show_sessions(self, sessions: tuple[Peers, ...]) -> None:
        """Take in the sessions as they are now."""

    def read_anew(self) -> None:
        """Show anew what APDUs say: there are other keys."""

    def show_completed(self, early: set[int]) -> None:
        """Show anew what these APDUs say: more is known of what came before them."""

    def set_zoom(self, points: int) -> None:
        """Make the text larger by `points` than the application's."""

    def arrangement(self) -> bytes:
        """What a person has arranged, to be remembered; b"" for nothing."""
        return b""

    def restore(self, state: bytes) -> None:
        """Take back what was remembered, b"" for nothing."""


class Wishes(QObject):
    """What panes ask the window for: to say what a stream carries, for a key (`WantedKey`), to show the
    session of the current WPDU alone."""

    decodeAsAsked = Signal(int)
    addKeyAsked = Signal(object)
    sessionAsked = Signal()
