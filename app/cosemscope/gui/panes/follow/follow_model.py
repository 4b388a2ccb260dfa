"""Qt's side of a conversation: a row a line, whose words are made when it is painted."""

from collections import OrderedDict
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QBrush, QColor, QGuiApplication

from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.apdu_kinds import Kind
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.panes.follow.followed_session import FollowedSession, Numbers, is_trouble
from cosemscope.wording import printable, seconds

_Index = QModelIndex | QPersistentModelIndex

_DISPLAY = int(Qt.ItemDataRole.DisplayRole)
_TOOLTIP = int(Qt.ItemDataRole.ToolTipRole)
_ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)
_BACKGROUND = int(Qt.ItemDataRole.BackgroundRole)
#: Whether the client says a line, and the colour of what it says.
CLIENT_ROLE, BUBBLE_ROLE = int(Qt.ItemDataRole.UserRole), int(Qt.ItemDataRole.UserRole) + 1
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

#: Titles of the columns, what they mean, and a text as wide as each should be.
COLUMNS = (
    ("No.", "Number of the WPDU", "000,000"),
    ("Time", "Seconds since the first WPDU of the capture", "00000.000000"),
    ("After", "How long after the line before it came", "999 min"),
    ("Conversation", "Client on the left, meter on the right", ""),
)
NUMBER, TIME, AFTER, WORDS = range(4)
_KEPT = 4096
_CLOSED, _OPEN = "▸ ", "▾ "


class FollowModel(QAbstractTableModel):
    """The lines of a conversation; `opened` are the transfers that are not folded."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.conversation: FollowedSession | None = None
        self.opened: frozenset[int] = frozenset()
        self._traffic = Traffic.empty()
        self._lines: Numbers = np.zeros(0, np.int64)
        self._words: OrderedDict[int, str] = OrderedDict()

    def show_conversation(self, traffic: Traffic, conversation: FollowedSession | None) -> None:
        """Show another conversation, or the same one with more; transfers stay open where it is the same."""
        before = self.conversation
        same = before is not None and conversation is not None and before.pair == conversation.pair
        if not same or traffic is not self._traffic:
            self.opened = frozenset()
        self._words.clear()
        self._traffic = traffic
        self._show(conversation)

    def _show(self, conversation: FollowedSession | None) -> None:
        self.beginResetModel()
        self.conversation = conversation
        self._lines = conversation.lines(self.opened) if conversation is not None else np.zeros(0, np.int64)
        self.endResetModel()

    def turn(self, line: int) -> None:
        """Open the transfer that a line stands for or is part of, or fold it."""
        conversation = self.conversation
        fold = conversation.fold.item(self.place(line)) if conversation is not None else -1
        if fold >= 0:
            self.opened = self.opened ^ {fold}
            self._show(conversation)

    def place(self, line: int) -> int:
        """The place in the conversation of what a line shows."""
        return self._lines.item(line)

    def row(self, line: int) -> int:
        """The WPDU row that a line shows."""
        assert self.conversation is not None
        return self.conversation.rows.item(self.place(line))

    def line_of(self, place: int) -> int:
        """The line of the WPDU at a place, or of the one that stands for it; -1 for none."""
        if self.conversation is None or place < 0:
            return -1
        for wanted in (place, self.conversation.standing(place)):
            line = int(np.searchsorted(self._lines, wanted))
            if line < len(self._lines) and self._lines.item(line) == wanted:
                return line
        return -1

    def words(self, place: int) -> str:
        """What the WPDU at a place says."""
        assert self.conversation is not None
        row = self.conversation.rows.item(place)
        known = self._words.get(row)
        if known is None:
            if len(self._words) >= _KEPT:
                self._words.popitem(last=False)
            known = self._words[row] = printable(self._traffic.info(row).text)
        return known

    def text(self, line: int, column: int) -> str:
        """The text of a cell."""
        conversation, place = self.conversation, self.place(line)
        assert conversation is not None
        if column == NUMBER:
            return f"{conversation.rows.item(place) + 1:,}"
        if column == TIME:
            return seconds(conversation.times.item(place) - self._traffic.first_time)
        if column == AFTER:
            return conversation.delay(place, self.place(line - 1) if line else -1)
        sign = ""
        if conversation.stands.item(place):
            is_open = conversation.fold.item(place) in self.opened
            sign = _OPEN if is_open else _CLOSED + conversation.prefix(place)
        note = "  (not answered)" if conversation.unanswered.item(place) else ""
        return sign + self.words(place) + note

    # Qt's side

    def rowCount(self, parent: _Index = QModelIndex()) -> int:
        """Lines shown."""
        return 0 if parent.isValid() else len(self._lines)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:
        """Columns shown."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """Titles and what they mean."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(COLUMNS):
            return None
        title, meaning, _ = COLUMNS[section]
        alignment = _LEFT if section == WORDS else _RIGHT
        return {_DISPLAY: title, _TOOLTIP: meaning, _ALIGNMENT: alignment}.get(role)

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        """Text, alignment and ground of a cell; of what is said also who says it, and its colour."""
        line, column = index.row(), index.column()
        if role == _DISPLAY:
            return self.text(line, column)
        if role == _ALIGNMENT:
            return _LEFT if column == WORDS else _RIGHT
        if role == _BACKGROUND:
            return QBrush(QColor(theme.colours(QGuiApplication.palette()).base))
        if role == BUBBLE_ROLE:
            return self._bubble(self.place(line))
        if role == CLIENT_ROLE and self.conversation is not None:
            return bool(self.conversation.by_client.item(self.place(line)))
        if role == _TOOLTIP and column == WORDS and self.conversation is not None:
            return plain_tip(f"{self.conversation.speaker(self.place(line))}\n{self.text(line, column)}")
        return None

    def _bubble(self, place: int) -> QColor:
        scheme, conversation = theme.colours(QGuiApplication.palette()), self.conversation
        assert conversation is not None
        if is_trouble(conversation, place):
            return QColor(scheme.message_error)
        if conversation.unanswered.item(place):
            return QColor(scheme.message_warning)
        kind = Kind(conversation.kinds.item(place))
        if kind is not Kind.READ:
            return QColor(scheme.tints[kind])
        return QColor(scheme.message_note if conversation.by_client.item(place) else scheme.window)
