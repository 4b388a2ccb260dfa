"""The pane below the table: fields and octets of the current WPDU."""

from PySide6.QtWidgets import QWidget

from cosemscope.analysis.filter.offered_filters import filter_of_octets
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.panes.asked_filter import add_filter_menus
from cosemscope.gui.panes.details.bytes_view import BytesView
from cosemscope.gui.panes.details.details import Details
from cosemscope.gui.panes.pane import Pane, Wishes


class DetailsPane(Details, Pane):
    """Fields, octets and comments of the current WPDU, and what came of opening it."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self.addKeyAsked.connect(wishes.addKeyAsked)
        selection.rowChanged.connect(self._show_row)
        selection.noted.connect(self._show_comments)
        self.fields.menuAsked.connect(
            lambda menu: add_filter_menus(menu, selection, self.fields.filter_offers())
        )
        self.octetsMenuAsked.connect(
            lambda menu, view: add_filter_menus(menu, selection, self.octet_offers(view))
        )

    def octet_offers(self, view: BytesView) -> list[tuple[str, str]]:
        """Display filters of the octets that are selected: where they stand, and anywhere.

        Those of what was opened or joined stand in no WPDU as they are: nothing is offered.
        """
        octets = view.selected_octets()
        if not octets or view is not self.views[0]:
            return []
        start = view.selection[0]
        return [("Here", filter_of_octets(octets, start)), ("Anywhere", filter_of_octets(octets))]

    def _show_row(self, row: int) -> None:
        traffic = self._selection.traffic
        if row >= 0:
            self.show_decoded(*traffic.decode(row), traffic.sender_address(row))
        else:
            self.show_decoded(None)
        self._show_comments()

    def _show_comments(self) -> None:
        row = self._selection.row
        self.comments.show_comments(self._selection.traffic.comments(row) if row >= 0 else ())

    def read_anew(self) -> None:
        """Decode the WPDU again; the selected field stays so."""
        row, traffic = self._selection.row, self._selection.traffic
        if row >= 0:
            self.show_again(*traffic.decode(row), traffic.sender_address(row))

    def show_completed(self, early: set[int]) -> None:
        """Decode the WPDU again if it is among these; the selected field stays so."""
        if self._selection.row in early:
            self.read_anew()
