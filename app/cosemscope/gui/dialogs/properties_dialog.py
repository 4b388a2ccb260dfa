"""The properties of a capture file, to read and to copy: file, time, counts, what made it, problems."""

from collections.abc import Callable
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from cosemscope.analysis.annotations import dropped_of
from cosemscope.analysis.engine import Analysis
from cosemscope.capture.files.properties import Figures, Properties, Rows, figures_of, format_rows, origin_of
from cosemscope.capture.records import CaptureProblem
from cosemscope.gui.document.document import Document
from cosemscope.gui.document.traffic import Traffic
from cosemscope.wording import clock, duration, seconds, size

#: Problems told at most; a badly damaged file may have very many.
_PROBLEMS_TOLD = 1000

#: The longest text of a file that is shown whole, in characters.
_LONGEST = 10_000

#: Pixels between names and values.
_GAP = 24

_STYLE = "<style>h3 { margin: 14px 0 4px 0 } td { padding: 1px 0 } td.value { white-space: pre-wrap }</style>"


def properties_of(document: Document, traffic: Traffic, dropped: int | None = None) -> tuple[Properties, ...]:
    """All that is known of a capture now; nothing of one that is not open.

    `traffic` is the document's, `dropped` the packets that a running capture has lost so far.
    """
    analysis = document.analysis
    if analysis is None:
        return ()
    reader = analysis.reader
    figures = figures_of(analysis.packets, document.packets)
    lost = dropped if dropped is not None else dropped_of(reader)
    counts = [
        ("Packets", f"{figures.packets:,}"),
        ("Packets cut short", f"{figures.cut:,}" if figures.cut else ""),
        ("Packets dropped", f"{lost:,}" if lost is not None else ""),
        ("Octets on the wire", f"{figures.octets:,}"),
        ("WPDUs", f"{traffic.counts.wpdus:,}"),
        ("Truncated WPDUs", f"{traffic.counts.truncated:,}"),
        ("APDUs without a WPDU", f"{traffic.counts.others:,}" if traffic.counts.others else ""),
        ("Comments on packets", f"{len(reader.comments):,}" if reader.comments else ""),
    ]
    groups = (
        Properties("File", _file_rows(document, analysis)),
        Properties("Time", _time_rows(figures)),
        Properties("Counts", tuple(row for row in counts if row[1])),
        *origin_of(reader, figures.by_interface),
        Properties("Problems", _problem_rows(list(reader.problems))),
    )
    return tuple(group for group in groups if group.rows or group.title.startswith("and "))


def _file_rows(document: Document, analysis: Analysis) -> Rows:
    files = document.files
    done, octets = analysis.progress
    is_cut = document.spool is not None and document.spool.is_cut
    path = files[-1]
    amount = f"{size(octets)} ({octets:,} octets)" if octets >= 1024 else size(octets)
    if is_cut:
        amount += ", with files that the ring has removed"
    rows = [
        ("Name", document.title),
        ("Path", str(path)),
        ("Files", f"{len(files):,} of a ring; the path is that of the newest" if len(files) > 1 else ""),
        ("Size", amount),
        *format_rows(analysis.reader, path),
        ("State", _state(document, done, octets)),
    ]
    return tuple(row for row in rows if row[1])


def _state(document: Document, done: int, octets: int) -> str:
    share = f"{100 * done // max(1, octets)} %"
    if document.following:
        return "still growing: this is what it has so far"
    if document.reading:
        return f"being read: this is what {share} of it have"
    return f"not read to its end: this is what {share} of it have" if done < octets else ""


def _time_rows(figures: Figures) -> Rows:
    if not figures.last:
        return ()
    lasts = figures.last - figures.first
    exact = f" ({seconds(lasts)} s)" if lasts >= 60_000_000_000 else ""
    return (
        ("First packet", f"{clock(figures.first)} (local time)"),
        ("Last packet", clock(figures.last)),
        ("Duration", duration(lasts) + exact),
    )


def _problem_rows(problems: list[CaptureProblem]) -> Rows:
    rows = [(f"At octet {problem.offset:,}", problem.message) for problem in problems[:_PROBLEMS_TOLD]]
    if len(problems) > _PROBLEMS_TOLD:
        rows.append(("…", f"and {len(problems) - _PROBLEMS_TOLD:,} more"))
    return tuple(rows)


def as_text(groups: tuple[Properties, ...]) -> str:
    """The properties as plain text, a line each."""
    return "\n\n".join(
        "\n".join(
            [group.title, *(f"  {name}: {value}" if name else f"  {value}" for name, value in group.rows)]
        )
        for group in groups
    )


def _as_html(groups: tuple[Properties, ...], width: int) -> str:
    """The properties as a page, whose names stand in a column of `width` pixels."""
    parts = [_STYLE]
    for group in groups:
        parts.append(f"<h3>{escape(group.title)}</h3><table cellspacing='0'>")
        for name, value in group.rows:
            shown = value if len(value) <= _LONGEST else value[:_LONGEST] + "…"
            parts.append(
                f"<tr><td width='{width}'>{escape(name)}</td><td class='value'>{escape(shown)}</td></tr>"
            )
        parts.append("</table>")
    return "".join(parts)


class PropertiesDialog(QDialog):
    """Shows what `look` gives, which is asked again by a button: a capture may grow."""

    def __init__(self, parent: QWidget, look: Callable[[], tuple[Properties, ...]]) -> None:
        super().__init__(parent)
        self.setWindowTitle("Capture file properties")
        self._look = look
        self._groups: tuple[Properties, ...] = ()
        self.text = QTextBrowser(self)
        self.text.setOpenLinks(False)
        self.text.document().setDocumentMargin(10)
        self.text.setAccessibleName("Properties")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.refresh = buttons.addButton("&Refresh", QDialogButtonBox.ButtonRole.ActionRole)
        self.copy = buttons.addButton("&Copy all", QDialogButtonBox.ButtonRole.ActionRole)
        self.refresh.clicked.connect(self.show_properties)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(as_text(self._groups)))
        buttons.button(QDialogButtonBox.StandardButton.Close).setDefault(True)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.text)
        column.addWidget(buttons)
        self.resize(720, 640)
        self.show_properties()

    def show_properties(self) -> None:
        """Look again; what was shown stays when there is nothing any more."""
        self._groups = self._look() or self._groups
        at = self.text.verticalScrollBar().value()
        names = (name for group in self._groups for name, _ in group.rows)
        width = max(map(self.text.fontMetrics().horizontalAdvance, names), default=0)
        self.text.setHtml(_as_html(self._groups, width + _GAP))
        self.text.verticalScrollBar().setValue(at)


def show_properties(
    parent: QWidget, document: Document, traffic: Traffic, dropped: Callable[[], int | None]
) -> None:
    """Show the properties of an open capture; `dropped` tells the packets that were lost by now."""
    dialog = PropertiesDialog(parent, lambda: properties_of(document, traffic, dropped()))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
