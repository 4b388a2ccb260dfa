"""The pane with the sequence diagram of the current WPDU's session: who says what to whom, and when.

Filters in force restrict it. Beside it is the preview of an APDU, or what tells two of them apart.
"""

import difflib
import time
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from PySide6.QtCore import QBuffer, QIODevice, QRect, Qt, QTimer
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QPainter, QPixmap
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QFileDialog, QMenu, QPlainTextEdit, QSplitter, QVBoxLayout, QWidget

from cosemscope.analysis.export.whole_file import ExportError, WholeFile
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.apdu.fields import walk
from cosemscope.capture.records import CaptureError
from cosemscope.gui.base.latest_task import LatestTask
from cosemscope.gui.base.task import Tell
from cosemscope.gui.base.when_seen import WhenSeen
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.icons import icon
from cosemscope.gui.panes.follow.followed_session import FollowedSession, followed_session
from cosemscope.gui.panes.pane import Pane, Wishes
from cosemscope.gui.panes.sequence.sequence_layout import SequenceLayout, lay_out, mermaid
from cosemscope.gui.panes.sequence.sequence_view import SequenceView
from cosemscope.wording import printable

_HINT = "Choose a WPDU: the diagram of its session stands here."
_NONE_HERE = "No WPDU of this session is displayed. Ctrl+Shift+X displays all."
#: Lines of an APDU that are previewed or compared, and arrows that are copied for Mermaid.
_MOST_LINES, _MOST_COPIED = 400, 2_000
#: Seconds that words may take at once while the diagram is drawn.
_WORDS_EACH = 0.012
#: Pixels of a saved picture's height at most.
_MOST_HEIGHT = 16_000
_FILES = "SVG picture (*.svg);;PNG picture (*.png)"


class SequencePane(QWidget, Pane):
    """The pane."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection, self._wishes = selection, wishes
        self._session: FollowedSession | None = None
        self._opened: frozenset[int] = frozenset()
        self._texts: dict[int, str] = {}
        self._moving = False
        self._latest = LatestTask(self)
        self._due = WhenSeen(self, self._look)
        self.view = SequenceView(partial(self.words, hasty=True), self)
        self._more = QTimer(self)  # draws the words that were left for later
        self._more.setSingleShot(True)
        self._more.setInterval(0)
        self._more.timeout.connect(self.view.viewport().update)
        self.preview = QPlainTextEdit(self)
        self.preview.setReadOnly(True)
        self.preview.setAccessibleName("Preview and comparison of APDUs")
        self.preview.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.preview.hide()
        splitter = QSplitter(Qt.Orientation.Horizontal, self)
        splitter.addWidget(self.view)
        splitter.addWidget(self.preview)
        splitter.setSizes([600, 400])
        splitter.setChildrenCollapsible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(splitter)
        self.setFocusProxy(self.view)
        self.view.moved.connect(self._go)
        self.view.previewed.connect(self.show_preview)
        self.view.opened.connect(self.turn_fold)
        self.view.left.connect(self.end_preview)
        selection.rowChanged.connect(lambda _: self._due.ask())
        selection.filtersChanged.connect(lambda _: self._arrange())
        self.set_traffic(selection.traffic)

    # What is shown

    def set_traffic(self, traffic: Traffic) -> None:
        """Another capture."""
        self._latest.cancel()
        self._session = None
        self._texts.clear()
        self.end_preview()
        self.view.show_layout(None, _HINT)

    def read_anew(self) -> None:
        """There are other keys: APDUs say other things."""
        self._texts.clear()
        self.end_preview()
        self.view.viewport().update()

    def show_completed(self, early: set[int]) -> None:
        """More is known: of the session, too."""
        self._session = None
        self._texts.clear()
        self._due.ask()

    @property
    def layout_shown(self) -> SequenceLayout | None:
        """The arrows that are shown."""
        return self.view.layout_shown

    def _look(self) -> None:
        """Show the session of the current WPDU, with the cursor at that."""
        selection = self._selection
        row, traffic = selection.row, selection.traffic
        if row < 0 or self._latest.is_running:
            return
        if self._session is not None and self._session.place(row) >= 0:
            self._follow()
            return
        pair = traffic.pair(row)

        def work(tell: Tell) -> FollowedSession | None:
            try:
                return followed_session(traffic, pair)
            except (CaptureError, OSError):
                return None

        self._latest.start(work, self._take)

    def _take(self, session: FollowedSession | None) -> None:
        self._session, self._opened = session, frozenset()
        self._arrange()
        if session is not None and session.place(self._selection.row) < 0:
            self._due.ask()  # somebody went on meanwhile

    def _arrange(self) -> None:
        session, selection = self._session, self._selection
        if session is None:
            return
        wpdus = selection.traffic.wpdus
        last = selection.traffic.analysis.packets["time"][wpdus["last_packet"][session.rows]]
        sent = np.maximum(last.astype(np.int64) - session.times, 0)
        displayed = selection.filters.matching(0, selection.traffic.total) if selection.filters else None
        self.view.show_layout(lay_out(session, sent, displayed, self._opened), _NONE_HERE)
        self.preview.hide()
        self._follow()

    def _follow(self) -> None:
        if not self._moving and self.layout_shown is not None:
            self.view.set_cursor(self.layout_shown.arrow_of(self._selection.row))

    def words(self, rows: list[int], *, hasty: bool = False) -> list[str]:
        """What these WPDUs say, in a line each; `hasty`: of some only the APDU's name, the rest soon."""
        traffic, session = self._selection.traffic, self._session
        if len(self._texts) > 10_000:
            self._texts.clear()
        until = time.monotonic() + (_WORDS_EACH if hasty else 3600.0)
        for row in rows:
            if row not in self._texts:
                if time.monotonic() > until:
                    break
                one = np.array([row])
                self._texts[row] = printable(traffic.infos(one, traffic.looks(one))[0])
        missing = [row for row in rows if row not in self._texts]
        names = FIELDS["apdu"].texts(traffic.asked(np.array(missing))) if missing else []
        if missing:
            self._more.start()
        told_now = self._texts | dict(zip(missing, names, strict=True))
        told = [told_now[row] for row in rows]
        if session is None:
            return told
        places = [session.place(row) for row in rows]
        folded = [self._is_folded(place) for place in places]
        return [
            session.prefix(place) + text if fold else text
            for text, place, fold in zip(told, places, folded, strict=True)
        ]

    def _is_folded(self, place: int) -> bool:
        session = self._session
        return (
            session is not None
            and session.fold.item(place) >= 0
            and session.fold.item(place) not in self._opened
        )

    # Hands

    def _go(self, arrow: int) -> None:
        """Make the WPDU at the cursor the current one."""
        if self.layout_shown is not None:
            self._moving = True
            self._selection.go_to(self.layout_shown.row.item(arrow))
            self._moving = False

    def turn_fold(self, arrow: int) -> None:
        """Open the transfer in blocks that an arrow stands for or is part of, or fold it."""
        layout, session = self.layout_shown, self._session
        if layout is None or session is None:
            return
        fold = session.fold.item(layout.place.item(arrow))
        if fold >= 0:
            self._opened = self._opened ^ {fold}
            self._arrange()

    def _lines(self, row: int) -> list[str]:
        decoded, _ = self._selection.traffic.decode(row)
        fields = islice(walk(decoded.root), _MOST_LINES)
        return [f"{field.name}: {printable(field.text)}" if field.text else field.name for field in fields]

    def show_preview(self, arrow: int) -> None:
        """Preview the APDU of an arrow; where another one is previewed, tell both apart."""
        layout = self.layout_shown
        if layout is None:
            return
        if len(self.view.marked) == 1 and self.view.marked != (arrow,):
            self.view.marked = (*self.view.marked, arrow)
            rows = [layout.row.item(one) for one in self.view.marked]
            head = f"WPDU {rows[0] + 1:,} (−) and WPDU {rows[1] + 1:,} (+)"
            before, after = (self._lines(row) for row in rows)
            told = difflib.unified_diff(before, after, n=_MOST_LINES, lineterm="")
            same = "Both say the same."
            text = "\n".join(islice(told, 3, None)) or same
        else:
            self.view.marked = (arrow,)
            row = layout.row.item(arrow)
            head = f"WPDU {row + 1:,}; Space at another arrow compares both, Esc ends"
            text = "\n".join(self._lines(row))
        self.preview.setPlainText(f"{head}\n\n{text}")
        self.preview.show()
        self.view.viewport().update()

    def end_preview(self) -> None:
        """End preview and comparison."""
        self.view.marked = ()
        self.preview.hide()
        self.view.viewport().update()

    def copy_mermaid(self) -> None:
        """Put the diagram on the clipboard for Mermaid: the first arrows of very many."""
        layout = self.layout_shown
        if layout is None or not len(layout.row):
            return
        told = self.words(layout.row[:_MOST_COPIED].tolist())
        QGuiApplication.clipboard().setText(mermaid(layout, told))
        more = f", the first {_MOST_COPIED:,} arrows" if len(layout.row) > _MOST_COPIED else ""
        self._wishes.said.emit(f"The diagram was copied for Mermaid{more}.")

    def ask_save(self) -> None:
        """Save the diagram as a picture where a person says."""
        name, _ = QFileDialog.getSaveFileName(self, "Save diagram", "sequence.svg", _FILES)
        if name:
            self.write(Path(name))

    def write(self, path: Path) -> None:
        """Write the diagram as SVG or PNG, by the ending, from the first arrow on screen where it is long."""
        layout = self.layout_shown
        if layout is None or not len(layout.row):
            self._wishes.warned.emit("There is no diagram to be saved: choose a WPDU first.")
            return
        is_long = layout.height > _MOST_HEIGHT
        offset = self.view.verticalScrollBar().value() if is_long else 0
        rect = QRect(
            0, 0, max(900, self.view.viewport().width()), min(layout.height - offset, _MOST_HEIGHT) + 24
        )
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        if path.suffix.lower() == ".svg":
            svg = QSvgGenerator()
            svg.setOutputDevice(buffer)
            svg.setSize(rect.size())
            svg.setViewBox(rect)
            svg.setTitle("Sequence diagram")
            self._draw_on(QPainter(svg), rect, offset)
        else:
            image = QPixmap(rect.size())
            self._draw_on(QPainter(image), rect, offset)
            image.save(buffer, "PNG")
        try:
            with WholeFile(path) as file:
                file.write(bytes(buffer.data().data()))
        except ExportError as error:
            self._wishes.warned.emit(str(error))
        else:
            part = ", from what is on the screen on" if is_long else ""
            self._wishes.said.emit(f"The diagram was written to {path.name}{part}.")

    def _draw_on(self, painter: QPainter, rect: QRect, offset: int) -> None:
        layout = self.layout_shown
        if layout is not None:
            self.words([layout.row.item(arrow) for arrow in layout.shown(offset, offset + rect.height())])
        self.view.draw(painter, rect, offset)
        painter.end()

    def menu_actions(self, menu: QMenu) -> None:
        """Fill the context menu."""
        menu.addAction(icon("copy"), "Copy for Mermaid", self.copy_mermaid)
        menu.addAction(icon("save"), "Save as picture…", self.ask_save)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Copy and save."""
        menu = QMenu(self)
        self.menu_actions(menu)
        menu.exec(event.globalPos())
        menu.deleteLater()

    def set_zoom(self, points: int) -> None:
        """Make the text `points` larger than the application's."""
        font = theme.zoomed(QGuiApplication.font(), points)
        self.view.setFont(font)
        self.preview.setFont(font)
