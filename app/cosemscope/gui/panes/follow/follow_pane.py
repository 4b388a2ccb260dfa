"""The pane that follows a session: what client and meter say in turn, in words, octets beside it on demand.

A line that is selected makes its WPDU current, and the current WPDU's line is marked. Enter opens a transfer
in blocks or folds it. Words are looked for in the background: each WPDU is read for that.
"""

from pathlib import Path

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    Qt,
    QTimer,
)
from PySide6.QtGui import QFontDatabase, QGuiApplication, QKeyEvent, QKeySequence, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QSizePolicy,
    QSplitter,
    QStyle,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from cosemscope.analysis.export.whole_file import ExportError
from cosemscope.capture.records import CaptureError
from cosemscope.gui.base.latest_task import LatestTask
from cosemscope.gui.base.task import Tell
from cosemscope.gui.base.when_seen import WhenSeen
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.cells import CELL_PADDING, CellDelegate, elided_halves
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.look.hex_text import hex_dump
from cosemscope.gui.look.icons import icon
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.gui.panes.follow.follow_model import BUBBLE_ROLE, CLIENT_ROLE, COLUMNS, WORDS, FollowModel
from cosemscope.gui.panes.follow.followed_session import FollowedSession, followed_session
from cosemscope.gui.panes.follow.saved_session import save_session
from cosemscope.gui.panes.pane import Pane, Wishes
from cosemscope.gui.panes.row_table import RowTable
from cosemscope.wording import count, printable, size

_Index = QModelIndex | QPersistentModelIndex
_ROWS = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
_SELECTED = QStyle.StateFlag.State_Selected
_HINT = (
    "No session is followed. Choose a WPDU and press Ctrl+Alt+Shift+T, or take\n"
    "“Follow session” from the context menu of a WPDU or a session."
)
_NO_WPDU = "Nothing has been said in this session yet."
#: What stands between the two ends of a session.
BETWEEN = " ↔ "
#: What a line may be wide, of its column; and octets that are shown of one WPDU.
_SHARE, _MOST_OCTETS = 0.86, 1 << 14
#: Milliseconds between two looks at a session that grows, WPDUs between two words on how far a search is.
_GROWTH_EVERY, _AT_ONCE = 500, 64
_FILES = "Text (*.txt);;HTML (*.html);;All files (*)"


class TurnDelegate(CellDelegate):
    """What the client says stands at the left, what the meter says at the right, each on its own ground."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one cell."""
        if index.column() != WORDS:
            super().paint(painter, option, index)
            return
        scheme, text = theme.colours(option.palette), index.data()
        is_selected = bool(option.state & _SELECTED)
        painter.fillRect(option.rect, index.data(Qt.ItemDataRole.BackgroundRole))
        room = option.rect.width()
        width = min(option.fontMetrics.horizontalAdvance(text) + 3 * CELL_PADDING, round(room * _SHARE))
        left = option.rect.left() + (4 if index.data(CLIENT_ROLE) else room - width - 4)
        bubble = QRectF(left, option.rect.top() + 1, width, option.rect.height() - 2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(option.palette.highlight() if is_selected else index.data(BUBBLE_ROLE))
        painter.drawRoundedRect(bubble, 6, 6)
        painter.setPen(option.palette.highlightedText().color() if is_selected else scheme.text)
        painter.setFont(option.font)
        inner = bubble.adjusted(CELL_PADDING, 0, -CELL_PADDING, 0)
        words = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, round(inner.width()))
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)
        painter.restore()


class EndsLabel(PlainLabel):
    """Who speaks with whom; of both ends as much as there is room for, all in the tip."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._ends = ""
        self.setMinimumWidth(1)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_ends(self, text: str) -> None:
        """Show another text with both ends."""
        self._ends = text
        self.setToolTip(plain_tip(text))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """There is other room."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = self.width()
        self.setText(elided_halves(self._ends, BETWEEN, self.fontMetrics(), room) if self._ends else "")


class FollowPane(QWidget, Pane):
    """The pane. `followed` is the pair that it follows, -1 for none."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection, self._wishes = selection, wishes
        self.followed = -1
        self._filling = False
        self._building, self._searching, self._saving = LatestTask(self), LatestTask(self), LatestTask(self)
        self._due = WhenSeen(self, self._build)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._due.ask)
        self.model = FollowModel(self)
        self.lines = RowTable(self.model, "Conversation", self)
        self.lines.hint = _HINT
        self.lines.setItemDelegate(TurnDelegate(self.lines))
        self.octets = QPlainTextEdit(self)
        self.octets.setAccessibleName("Octets of the line")
        self.octets.setReadOnly(True)
        self.octets.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.octets.hide()
        self._make_line()
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.addWidget(self.lines)
        self.splitter.addWidget(self.octets)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        self.splitter.setChildrenCollapsible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._line)
        column.addWidget(self.splitter, 1)
        self._connect()
        self.set_zoom(0)

    def _make_line(self) -> None:
        self.title = EndsLabel(self)
        self.wanted = QLineEdit(self)
        self.wanted.setPlaceholderText("Find in this session (Ctrl+F)")
        self.wanted.setAccessibleName("Find in this session")
        self.wanted.setClearButtonEnabled(True)
        self.state = PlainLabel(self)
        self.show_octets = self._button("Octets", "octets", "Show the octets of the line beside it")
        self.show_octets.setCheckable(True)
        self.save = self._button("Save…", "save", "Save the whole session as text or HTML")
        self._line = QHBoxLayout()
        self._line.setContentsMargins(6, 3, 6, 3)
        self._line.setSpacing(6)
        self._line.addWidget(self.title, 3)
        self._line.addWidget(self.wanted, 2)
        for widget in (self.state, self.show_octets, self.save):
            self._line.addWidget(widget)

    def _button(self, text: str, name: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setIcon(icon(name))
        button.setToolTip(tip)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setAutoRaise(True)
        return button

    def _connect(self) -> None:
        self.lines.selectionModel().currentChanged.connect(self._go)
        self.lines.activated.connect(self.turn)
        self.lines.customContextMenuRequested.connect(self._open_menu)
        self.wanted.textChanged.connect(lambda _: self.state.setText(""))
        self.show_octets.toggled.connect(self._turn_octets)
        self.save.clicked.connect(self.ask_save)
        self._selection.rowChanged.connect(self._follow_row)
        self._wishes.followAsked.connect(self.follow)
        for widget in (self.lines, self.wanted):
            widget.installEventFilter(self)

    # What is shown

    def set_traffic(self, traffic: Traffic) -> None:
        """Another capture: nothing is followed."""
        self.followed = -1
        for task in (self._building, self._searching, self._saving):
            task.cancel()
        self._due.forget()
        self._show(None)

    def take_rows(self, total: int) -> None:
        """The session may have more, if somebody looks."""
        known = self.model.conversation
        if self.followed >= 0 and known is not None and not self._rest.isActive():
            self._rest.start(self._building.rest(_GROWTH_EVERY))

    def read_anew(self) -> None:
        """Show anew what is said: there are other keys."""
        self._due.ask()

    def show_completed(self, early: set[int]) -> None:
        """Show anew what is said: more is known of what came before."""
        self._due.ask()

    def follow(self, pair: int) -> None:
        """Follow a pair, by its row in the analysis' table of pairs."""
        if pair != self.followed:
            self._building.cancel()
        self.followed = pair
        self._due.ask()
        self.lines.setFocus()

    def _build(self) -> None:
        traffic, pair = self._selection.traffic, self.followed
        if self._building.is_running:  # what is going on is shown first
            self._rest.start(self._building.rest(_GROWTH_EVERY))
        elif 0 <= pair < len(traffic.pairs):
            self._building.start(lambda _: followed_session(traffic, pair), self._take)

    def _take(self, found: FollowedSession | None) -> None:
        if found is not None:
            self._show(found)

    def _show(self, found: FollowedSession | None) -> None:
        bar = self.lines.verticalScrollBar()
        before, at, was_at_end = self.model.conversation, bar.value(), bar.value() == bar.maximum()
        self._filling = True
        self.model.show_conversation(self._selection.traffic, found)
        self._filling = False
        self.lines.hint = _HINT if found is None else _NO_WPDU
        self.title.show_ends(self._title(found) if found is not None else "")
        self.state.setText("")
        for button in (self.save, self.wanted, self.show_octets):
            button.setEnabled(found is not None)
        self._follow_row(self._selection.row)
        # What a person reads stays where it is, unless that is the end of what goes on.
        if before is not None and found is not None and before.pair == found.pair:
            if was_at_end and len(before.rows) < len(found.rows):
                self.lines.scrollToBottom()
            else:
                bar.setValue(at)

    def _title(self, found: FollowedSession) -> str:
        return f"{found.client}{BETWEEN}{found.server} · {count(len(found.rows), 'WPDU')}"

    # Where one goes

    def _go(self, index: QModelIndex) -> None:
        if index.isValid():
            if not self._filling:
                self._selection.go_to(self.model.row(index.row()))
            self._show_octets_of(index.row())

    def _follow_row(self, row: int) -> None:
        """Mark the line of the WPDU that has become current, or none."""
        found = self.model.conversation
        if self._filling or found is None:
            return
        line = self.model.line_of(found.place(row)) if row >= 0 else -1
        if line == self.lines.currentIndex().row():
            return
        self._filling = True
        if line < 0:
            self.lines.setCurrentIndex(QModelIndex())
            self.lines.clearSelection()
            self.octets.clear()
        else:
            self.lines.selectionModel().setCurrentIndex(self.model.index(line, 0), _ROWS)
            self.lines.scrollTo(self.model.index(line, 0))
        self._filling = False

    def turn(self, index: QModelIndex) -> None:
        """Open the transfer that a line stands for or is part of, or fold it."""
        if not index.isValid() or self.model.conversation is None:
            return
        place = self.model.place(index.row())
        self._filling = True
        self.model.turn(index.row())
        line = self.model.line_of(place)
        self.lines.selectionModel().setCurrentIndex(self.model.index(line, 0), _ROWS)
        self.lines.scrollTo(self.model.index(line, 0))
        self._filling = False

    def _turn_octets(self, is_wanted: bool) -> None:
        self.octets.setVisible(is_wanted)
        if is_wanted and self.lines.currentIndex().isValid():
            self._show_octets_of(self.lines.currentIndex().row())

    def _show_octets_of(self, line: int) -> None:
        if not self.octets.isVisibleTo(self):
            return
        octets = self._selection.traffic.octets(self.model.row(line))
        more = f"\n… {size(len(octets))} in all" if len(octets) > _MOST_OCTETS else ""
        self.octets.setPlainText(hex_dump(octets[:_MOST_OCTETS]) + more)

    # Finding

    def find_words(self, by: int) -> None:
        """Go to the next WPDU (by 1) or the one before (-1) that says what is wanted, and round the end."""
        found, wanted, traffic = self.model.conversation, self.wanted.text().lower(), self._selection.traffic
        if found is None or not wanted or not len(found.rows):
            return
        row = self._selection.row
        start = max(0, found.place(row)) if row >= 0 else 0
        places = [(start + by * step) % len(found.rows) for step in range(1, len(found.rows) + 1)]

        def work(tell: Tell) -> int:
            for done, place in enumerate(places):
                if done % _AT_ONCE == 0:
                    tell(done, len(places))
                if wanted in printable(traffic.info(found.rows.item(place)).text).lower():
                    return place
            return -1

        task = self._searching.start(work, lambda place: self._show_found(found, place))
        self.state.setText("…")
        if len(places) > _AT_ONCE:
            self._wishes.taskBegun.emit("Finding", task)

    def _show_found(self, found: FollowedSession, place: int | None) -> None:
        self.state.setText(
            "" if place is not None and place >= 0 else "not found" if place == -1 else "stopped"
        )
        if place is not None and place >= 0 and found is self.model.conversation:
            self._selection.go_to(found.rows.item(place))

    # Saving

    def ask_save(self) -> None:
        """Write the session into a file that a person names."""
        name, _ = QFileDialog.getSaveFileName(self, "Save session", "session.txt", _FILES)
        if name:
            self.write(Path(name))

    def write(self, path: Path) -> None:
        """Write the session into a file, in the background; what cannot be is told."""
        found, traffic = self.model.conversation, self._selection.traffic
        if found is None:
            return

        def work(tell: Tell) -> int | str:
            def text(row: int) -> str:
                return printable(traffic.info(row).text)

            try:
                return save_session(path, found, text, tell)
            except (CaptureError, ExportError, OSError) as error:
                return str(error)

        def take(result: int | str | None) -> None:
            if isinstance(result, int):
                self._wishes.said.emit(f"{count(result, 'WPDU')} written to {path.name}.")
            else:
                self._wishes.warned.emit(result or "Saving was stopped: there is no file.")

        self._wishes.taskBegun.emit("Saving", self._saving.start(work, take))

    # Hands

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ctrl+F, F3 and Enter find here while the pane has the focus."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if event.matches(QKeySequence.StandardKey.Find):
                event.accept()
                return True
        elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._take_key(watched, event)
        return super().eventFilter(watched, event)

    def _take_key(self, watched: QObject, event: QKeyEvent) -> bool:
        is_back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if event.matches(QKeySequence.StandardKey.Find):
            self.wanted.setFocus()
            self.wanted.selectAll()
        elif event.key() == Qt.Key.Key_F3 or (is_enter and watched is self.wanted):
            self.find_words(-1 if is_back else 1)
        elif event.key() == Qt.Key.Key_Escape and watched is self.wanted:
            self.lines.setFocus()
        else:
            return False
        return True

    def _open_menu(self, point: QPoint) -> None:
        index = self.lines.indexAt(point)
        if index.isValid() and self.model.conversation is not None:
            menu = QMenu(self)
            if self.model.conversation.fold.item(self.model.place(index.row())) >= 0:
                menu.addAction("Open or fold the transfer", lambda: self.turn(index))
            menu.addAction(icon("copy"), "Copy line", self.lines.copy)
            menu.addAction(icon("save"), "Save session…", self.ask_save)
            menu.exec(self.lines.viewport().mapToGlobal(point))
            menu.deleteLater()

    def set_zoom(self, points: int) -> None:
        """Make the text `points` larger than the application's."""
        self.lines.set_zoom(points)
        self.lines.set_samples([sample for _, _, sample in COLUMNS])
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        fixed.setPointSizeF(theme.zoomed(QGuiApplication.font(), points).pointSizeF())
        self.octets.setFont(fixed)
