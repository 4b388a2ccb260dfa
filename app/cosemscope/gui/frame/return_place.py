"""The place in a capture that is read again: the WPDU that was current, and where it stood in the table.

The WPDU is found by its packet: read in another way, as with "Decode as", the file has other WPDU rows.
"""

import numpy as np

from cosemscope.gui.frame.panes import Workspace


class ReturnPlace:
    """Where somebody was when the capture was read anew."""

    def __init__(self, workspace: Workspace) -> None:
        selection, table = workspace.selection, workspace.table
        self._row = row = selection.row
        self._scrolled = table.verticalScrollBar().value() - table.currentIndex().row()
        if row >= 0:
            packets = workspace.traffic.wpdus["last_packet"]
            self._packet: int = packets.item(row)
            # Of several WPDUs that end in one packet it is this one.
            self._nth = int(np.count_nonzero(packets[:row] == self._packet))

    def take_back(self, workspace: Workspace, *, is_whole: bool) -> bool:
        """Go there, if it is there already or everything is; whether there is no more to be done."""
        selection, traffic = workspace.selection, workspace.traffic
        if self._row < 0 or selection.row > 0:  # somebody is elsewhere already
            return True
        packets = traffic.wpdus["last_packet"][: traffic.total]
        if not len(packets) or (not is_whole and packets.item(-1) <= self._packet):
            return is_whole
        rows = np.flatnonzero(packets == self._packet)
        row = rows.item(min(self._nth, len(rows) - 1)) if len(rows) else traffic.row_at_packet(self._packet)
        selection.history.clear()  # the first row was current only because nothing else was
        if selection.go_to(row):
            table = workspace.table
            table.verticalScrollBar().setValue(table.currentIndex().row() + self._scrolled)
        return True
