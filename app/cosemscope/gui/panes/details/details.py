"""The pane below the table: the fields of the selected WPDU beside its octets, each showing the other."""

from collections.abc import Sequence

from PySide6.QtCore import QByteArray, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QMenu, QSplitter, QTabWidget, QVBoxLayout, QWidget

from cosemscope.apdu.fields import Decoded
from cosemscope.apdu.opening import Opening
from cosemscope.gui.document.protection import WantedKey
from cosemscope.gui.panes.details.bytes_view import BytesView
from cosemscope.gui.panes.details.comment_line import CommentLine
from cosemscope.gui.panes.details.field_tree import FieldTree
from cosemscope.gui.panes.details.verdict_bar import VerdictBar

#: Digits' widths that the fields keep beside lines of sixteen octets.
_LEAST_FIELDS = 52


class Details(QWidget):
    """Field tree and one octets view for every byte source, in tabs where there are several.

    Above them stand the comments on the WPDU's packets, and what came of opening a protected APDU.
    `addKeyAsked` gives the `WantedKey`, `octetsMenuAsked` the context menu of octets and their view, for
    others to add to it.
    """

    addKeyAsked = Signal(object)
    octetsMenuAsked = Signal(QMenu, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.comments = CommentLine(self)
        self.verdict = VerdictBar(self)
        self.fields = FieldTree(self)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setAccessibleName("Octets of")
        self.tabs.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # else Tab ends here where the bar of tabs is hidden
        self.tabs.tabBar().setAutoHide(True)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.fields)
        self.splitter.addWidget(self.tabs)
        self.splitter.splitterMoved.connect(self._note_division)
        self._divided = False
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.comments)
        layout.addWidget(self.verdict)
        layout.addWidget(self.splitter, 1)
        self._zoom = 0
        self._sender = ""
        self._views: list[BytesView] = []
        self._choosing = False
        self.fields.fieldSelected.connect(self._show_octets)
        self.fields.addKeyAsked.connect(self._ask_for_key)
        self.verdict.addKeyAsked.connect(lambda: self._ask_for_key(self.verdict.shown.title))
        self.show_decoded(None)

    def show_decoded(
        self, decoded: Decoded | None, openings: Sequence[Opening] = (), sender: str = ""
    ) -> None:
        """Show a decoded WPDU, or nothing; `sender` is the address that its keys may be given for."""
        self._sender = sender
        self.verdict.show_openings(openings)
        self.fields.show_decoded(decoded, openings)
        sources = decoded.sources if decoded is not None else ()
        while len(self._views) < max(1, len(sources)):
            self._add_view()
        while len(self._views) > max(1, len(sources)):
            view = self._views.pop()
            self.tabs.removeTab(self.tabs.indexOf(view))
            view.deleteLater()
        for number, view in enumerate(self._views):
            source = sources[number] if number < len(sources) else None
            view.set_octets(source.data if source is not None else b"")
            if source is not None:
                self.tabs.setTabText(number, source.name)
        self.tabs.setCurrentIndex(0)

    def show_again(self, decoded: Decoded, openings: Sequence[Opening] = (), sender: str = "") -> None:
        """Show the same WPDU read anew, as with other keys; the selected field stays so."""
        place, tab = self.fields.place(), self.tabs.tabText(self.tabs.currentIndex())
        self.show_decoded(decoded, openings, sender)
        if not self.fields.select_place(place):
            names = [self.tabs.tabText(number) for number in range(self.tabs.count())]
            self.tabs.setCurrentIndex(names.index(tab) if tab in names else 0)

    def _ask_for_key(self, title: bytes | None) -> None:
        self.addKeyAsked.emit(WantedKey(title, "" if title is not None else self._sender))

    def _add_view(self) -> None:
        view = BytesView(self.tabs)
        view.set_zoom(self._zoom)
        number = len(self._views)
        view.octetSelected.connect(lambda offset: self._choose(number, offset))
        view.menuAsked.connect(lambda menu: self.octetsMenuAsked.emit(menu, view))
        self._views.append(view)
        self.tabs.addTab(view, "")

    @property
    def views(self) -> tuple[BytesView, ...]:
        """The octets views, one a byte source."""
        return tuple(self._views)

    @property
    def view(self) -> BytesView:
        """The octets view in front."""
        return self._views[self.tabs.currentIndex()]

    def _choose(self, source: int, offset: int) -> None:
        """An octet was chosen: select its field, without leaving the tab."""
        self._choosing = True
        self.fields.select_octet(source, offset)
        self._choosing = False

    def _show_octets(self, source: int, start: int, stop: int) -> None:
        for number, view in enumerate(self._views):
            view.show_field(*((start, stop) if number == source else (0, 0)))
        if not self._choosing and source < len(self._views):
            self.tabs.setCurrentIndex(source)

    def set_zoom(self, points: int) -> None:
        """Make the text of fields and octets larger by `points`."""
        self._zoom = points
        self.fields.set_zoom(points)
        for view in self._views:
            view.set_zoom(points)
        self._divide()

    def _note_division(self) -> None:
        self._divided = True

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Divide the new width between fields and octets, unless a person has done so."""
        super().resizeEvent(event)
        self._divide()

    def _divide(self) -> None:
        """Lines of sixteen octets where enough is left for the fields, else of eight."""
        if not self._divided:
            room = self.splitter.width() - self.splitter.handleWidth()
            wide, narrow = (self._views[0].width_of(octets) for octets in (16, 8))
            least = self.fields.fontMetrics().horizontalAdvance("0") * _LEAST_FIELDS
            octets = wide if room - wide >= least else narrow
            self.splitter.setSizes([max(1, room - octets), octets])

    def arrangement(self) -> bytes:
        """The division of fields and octets, to be remembered; b"" where no person has moved it."""
        return bytes(self.splitter.saveState().data()) if self._divided else b""

    def restore(self, state: bytes) -> None:
        """Take back a remembered division."""
        self._divided = bool(state) and self.splitter.restoreState(QByteArray(state))
