"""The pane of the overview: ten lines on the capture, whose figures lead to what they count.

It is worked out in the background, when it is seen and the pass over all rows has ended.
"""

from html import escape
from urllib.parse import quote

from PySide6.QtCore import QEvent, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.analysis.outcomes.capture_overview import CaptureOverview, capture_overview
from cosemscope.analysis.outcomes.overview_lines import OverviewPart, overview_parts
from cosemscope.capture.records import CaptureError
from cosemscope.gui.base.task import Task, Tell
from cosemscope.gui.base.when_seen import WhenSeen
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.panes.asked_filter import AskedFilter
from cosemscope.gui.panes.pane import Pane, Wishes
from cosemscope.wording import printable

_WAITING = "The overview stands here as soon as the capture has been read."


def _target(part: OverviewPart) -> str:
    """Where a part leads, as an address; "" for nowhere."""
    if part.filter:
        return f"filter:{quote(part.filter)}"
    return f"wpdu:{part.wpdu}" if part.wpdu > 0 else f"stream:{part.stream}" if part.stream >= 0 else ""


class OverviewPane(QTextBrowser, Pane):
    """The pane."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection, self._wishes = selection, wishes
        self._facts_due = WhenSeen(self, self._ask)
        self._task: Task | None = None
        self._found: CaptureOverview | str | None = None
        self.setAccessibleName("Overview")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.document().setDocumentMargin(10)
        self.anchorClicked.connect(self._go)
        self.set_traffic(selection.traffic)

    # What is shown

    def set_traffic(self, traffic: Traffic) -> None:
        """Another capture: what is worked out is not wanted any more."""
        if self._task is not None:
            self._task.cancel()
        self._task, self._found = None, None
        self._facts_due.forget()
        self._show()

    def show_completed(self, early: set[int]) -> None:
        """All rows are known: work it out, if somebody looks."""
        self._facts_due.ask()

    def _ask(self) -> None:
        if self._task is not None:
            self._task.cancel()
        analysis = self._selection.traffic.analysis

        def work(tell: Tell) -> CaptureOverview | str:
            try:
                return capture_overview(analysis, capture_facts(analysis))
            except (CaptureError, OSError) as error:
                return f"The capture cannot be read any more: {error}"

        task = self._task = Task(work, self)
        task.ended.connect(lambda found: self._take(task, found))
        task.start()

    def _take(self, task: Task, found: CaptureOverview | str | None) -> None:
        if task is self._task:
            self._task, self._found = None, found
            self._show()
        task.deleteLater()

    def _show(self) -> None:
        scheme = theme.colours(self.palette())
        if not isinstance(self._found, CaptureOverview):
            self.setHtml(f"<p style='color:{scheme.muted}'>{escape(self._found or _WAITING)}</p>")
            return
        rows = (
            f"<tr><td style='color:{scheme.muted};padding-right:18px;white-space:nowrap'>{line.head}</td>"
            f"<td style='padding-bottom:5px'>{''.join(map(self._html, line.parts))}</td></tr>"
            for line in overview_parts(self._found, self._selection.traffic.name)
        )
        self.setHtml(f"<table cellspacing='0'>{''.join(rows)}</table>")

    def _html(self, part: OverviewPart) -> str:
        text = escape(printable(part.text))
        target = _target(part)
        link = theme.colours(self.palette()).link
        tip = f" title='{escape(part.filter)}'" if part.filter else ""
        return f"<a href='{target}'{tip} style='color:{link}'>{text}</a>" if target else text

    # Where one goes

    def _go(self, url: QUrl) -> None:
        """Show the WPDUs that a figure counts, the one that it is about, or a stream in the session tree."""
        what = url.path(QUrl.ComponentFormattingOption.FullyDecoded)
        if url.scheme() == "filter":
            self._selection.filterAsked.emit(AskedFilter(what))
        elif url.scheme() == "wpdu":
            self._selection.go_to(int(what) - 1)
        else:
            self._wishes.streamAsked.emit(int(what))

    def set_zoom(self, points: int) -> None:
        """Make the text `points` larger than the application's."""
        self.setFont(theme.zoomed(QGuiApplication.font(), points))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the colour scheme."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_found"):
            self._show()
        super().changeEvent(event)
