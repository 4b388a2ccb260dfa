"""The protocol of panes, and the wishes that panes have of the window.

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

    def show_items(self, *, stopped: bool) -> None:
        """Take in another table of expert items; `stopped`: APDUs that were not read will not be, unasked."""

    def set_zoom(self, points: int) -> None:
        """Make the text larger by `points` than the application's."""

    def arrangement(self) -> bytes:
        """Returns the arrangement that a person has made, to be remembered; b"" for none."""
        return b""

    def restore(self, state: bytes) -> None:
        """Take back a remembered arrangement, b"" for none."""


class Wishes(QObject):
    """Wishes of panes to the window, as signals.

    `decodeAsAsked` gives a stream whose content a person wants to name, `addKeyAsked` a `WantedKey`;
    `sessionAsked` asks for the session of the current WPDU alone, `itemsAsked` for the expert items of APDUs
    that were not read, `taskBegun` gives words and a `Task` whose progress is to be shown, `said` tells in
    one sentence what was done, `warned` what could not be done. `tableAsked` gives the table the focus,
    `filterBegun` begins a display filter with a text, `countAsked` gives fields to count by and the number
    whose spread is wanted, "" for none; `placesChanged` says that something is to be remembered at once,
    `counterpartAsked` asks for the answer of the current WPDU or its request, `streamAsked` for one stream,
    `followAsked` for the conversation of a wPort pair.
    """

    decodeAsAsked = Signal(int)
    addKeyAsked = Signal(object)
    sessionAsked = Signal()
    itemsAsked = Signal()
    streamAsked = Signal(int)
    counterpartAsked = Signal()
    followAsked = Signal(int)
    taskBegun = Signal(str, object)
    said = Signal(str)
    warned = Signal(str)
    tableAsked = Signal()
    filterBegun = Signal(str)
    countAsked = Signal(str, str)
    placesChanged = Signal()
