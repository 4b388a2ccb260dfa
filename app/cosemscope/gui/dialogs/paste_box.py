"""The box where octets are pasted or typed, and what they are: messages, fields, octets, as of a capture.

Several messages are a list, one conversation; all of them can be opened as a capture.
"""

from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.analysis.pasted.messages import messages_of
from cosemscope.analysis.pasted.pasted_capture import can_be_captured, message_times
from cosemscope.analysis.pasted.pasted_page import pasted_page
from cosemscope.analysis.pasted.pasted_trees import NO_CONVERSATION, PastedTree, decode_each, decode_pasted
from cosemscope.apdu.pasted.pasted_text import read_pasted
from cosemscope.apdu.pasted.pieces import HexError, Pasted
from cosemscope.apdu.summary import summarise
from cosemscope.capture.spool.spool_file import SpoolError
from cosemscope.gui.dialogs.message_list import MessageList
from cosemscope.gui.look import theme
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.gui.panes.details.details import Details
from cosemscope.wording import count, sentence, size

#: Characters that are read at most: the largest WPDU as a dump is about 320,000.
MAX_CHARACTERS = 400_000

#: Lines are laid out as wholes, and long ones take their time: longer ones are broken when they are pasted.
_LONGEST_LINE = 600
_LINE = 96

_PAGES = "HTML pages (*.html *.htm)"
#: Milliseconds without a change after which the text is read.
_PATIENCE = 60

_HINT = (
    "Paste or type WPDUs, APDUs, HDLC frames or whole packets: hex with or without spaces, colons or 0x, "
    "lines of logs with time stamps and TX or RX, hex dumps, CSV, JSON, Python or C literals, decimal "
    "numbers, base64. Several messages are one conversation."
)


def clipboard_hex() -> str:
    """The clipboard's text when it spells octets in hex; "" when it holds anything else."""
    text = QGuiApplication.clipboard().text()
    if not text or len(text) > MAX_CHARACTERS:
        return ""
    try:
        read_pasted(text)
    except HexError:
        return ""
    return text


def broken_lines(text: str) -> str:
    """The text with its very long lines broken, after a separator if there is one; too long a text is cut."""
    lines = []
    for line in text[: MAX_CHARACTERS + 1].splitlines():
        while len(line) > _LONGEST_LINE and not line.lstrip().startswith(("#", "//")):
            split = max(line.rfind(mark, 1, _LINE) for mark in " ,:;\t") + 1 or _LINE
            lines.append(line[:split])
            line = line[split:]
        lines.append(line[:_LONGEST_LINE])
    return "\n".join(lines)


class _HexEdit(QPlainTextEdit):
    """A text field that breaks long lines as they are pasted or dropped."""

    def insertFromMimeData(self, source: QMimeData) -> None:
        self.insertPlainText(broken_lines(source.text()))


class PasteBox(QDialog):
    """A window of its own beside the main one; `addKeyAsked` gives the `WantedKey`.

    `captureAsked` gives the list of messages that are to be opened as a capture.
    """

    addKeyAsked = Signal(object)
    captureAsked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Decode octets")
        self.setWindowFlags(Qt.WindowType.Window)
        self._keys = NO_KEYS
        self._pasted: Pasted | None = None
        self._trees: list[PastedTree] = []
        self.text = _HexEdit(self)
        self.text.setPlaceholderText(_HINT)
        self.text.setAccessibleName("Octets in hex")
        self.text.setTabChangesFocus(True)
        self.summary = PlainLabel(self)
        self.summary.setWordWrap(True)
        self.summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.summary.setAccessibleName("What it is")
        self.messages = MessageList(self)
        self.messages.rowChosen.connect(self._show_message)
        self.as_capture = QPushButton("Open as capture", self)
        self.as_capture.setAutoDefault(False)
        self.as_capture.clicked.connect(self._ask_for_capture)
        self.as_page = QPushButton("Save page…", self)
        self.as_page.setToolTip("Write fields and octets into an HTML page, to put into a ticket")
        self.as_page.setAutoDefault(False)
        self.as_page.clicked.connect(self._ask_for_page)
        self.details = Details(self)
        self.details.addKeyAsked.connect(self.addKeyAsked)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PATIENCE)
        self._timer.timeout.connect(self.read)
        self.text.textChanged.connect(self._timer.start)
        self._lay_out()
        self.set_zoom(0)
        self.resize(1100, 720)
        self.read()

    def _lay_out(self) -> None:
        lower = QWidget(self)
        below = QVBoxLayout(lower)
        below.setContentsMargins(0, 0, 0, 0)
        line = QHBoxLayout()
        line.setContentsMargins(4, 2, 4, 2)
        line.addWidget(self.summary, 1)
        line.addWidget(self.as_page)
        line.addWidget(self.as_capture)
        below.addLayout(line)
        below.addWidget(self.details, 1)
        splitter = QSplitter(Qt.Orientation.Vertical, self)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.text)
        splitter.addWidget(self.messages)
        splitter.addWidget(lower)
        splitter.setSizes([170, 110, 420])
        splitter.setStretchFactor(2, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(splitter)

    def set_zoom(self, points: int) -> None:
        """Make text and octets larger by `points`."""
        font = theme.zoomed(theme.fixed_font(), points)
        self.text.setFont(font)
        self.details.set_zoom(points)

    @property
    def is_waiting(self) -> bool:
        """Whether what was typed last is not read yet."""
        return self._timer.isActive()

    def set_keys(self, keys: KeyTable) -> None:
        """Open with these keys from now on."""
        self._keys = keys
        self._show(again=True)

    def open_with(self, text: str = "") -> None:
        """Show the box, or bring it to the front, with this text, or with what stands in it."""
        if text:
            self.text.selectAll()
            self.text.insertPlainText(broken_lines(text))  # so that Ctrl+Z brings back what was there
            self.text.moveCursor(QTextCursor.MoveOperation.Start)
            self.read()
        self.show()
        self.raise_()
        self.activateWindow()
        self.text.setFocus()

    def read(self) -> None:
        """Read what stands in the box, and show it."""
        self._timer.stop()
        text = self.text.toPlainText()
        self._pasted, problem = None, ""
        if len(text) > MAX_CHARACTERS:
            problem = f"This is more than {MAX_CHARACTERS:,} characters. Save it as a capture and open that."
        elif text.strip():
            self._pasted, problem = read_typed(text)
        self._show(problem)

    def _show(self, problem: str = "", *, again: bool = False) -> None:
        """Show messages, fields and octets, `again` when only the keys are others."""
        self._trees, trouble = self._decoded()
        problem = problem or trouble
        current = max(0, self.messages.row) if again else 0
        self.messages.show_messages(self._trees, current)
        self.messages.setVisible(len(self._trees) > 1)
        messages = messages_of(self._pasted) if self._pasted is not None else []
        self.as_capture.setVisible(can_be_captured(messages))
        self.as_page.setVisible(bool(messages))
        if messages:
            _, times = message_times(messages, 0)
            self.as_capture.setToolTip(
                f"Write the messages into a capture and open it in the window. {times}"
            )
        if self._pasted is None:
            self.details.show_decoded(None)
            self._say(problem)
            return
        self._show_message(current, again=again)
        remark = " ".join(filter(None, (problem, self._pasted.remark)))
        self._say(remark, f"{self._heading()}, {size(len(self._pasted.octets))}{self._only_line()}")

    def _decoded(self) -> tuple[list[PastedTree], str]:
        """The trees of what stands in the box, and a sentence where they are no conversation."""
        if self._pasted is None:
            return [], ""
        try:
            return decode_pasted(self._pasted, self._keys), ""
        except (SpoolError, OSError) as error:
            trees = decode_each(messages_of(self._pasted), self._keys)
            return trees, sentence(f"{NO_CONVERSATION}: {error}")

    def _heading(self) -> str:
        one = self._trees[0].decoded.sources[0].name
        return one if len(self._trees) == 1 else count(len(self._trees), "message")

    def _only_line(self) -> str:
        """Name the one message; of several the list tells."""
        tree = self._trees[0]
        return f": {summarise(tree.decoded, tree.look.context)}" if len(self._trees) == 1 else ""

    def _show_message(self, row: int, *, again: bool = False) -> None:
        """Show fields and octets of one message."""
        if 0 <= row < len(self._trees):
            tree = self._trees[row]
            show = self.details.show_again if again else self.details.show_decoded
            show(tree.decoded, tree.look.openings)

    def _ask_for_capture(self) -> None:
        if self._pasted is not None:
            self.captureAsked.emit(messages_of(self._pasted))

    def _ask_for_page(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save the page", "octets.html", _PAGES)
        if name and self._pasted is not None:
            self.save_page(Path(name) if Path(name).suffix else Path(name).with_suffix(".html"))

    def save_page(self, path: Path) -> None:
        """Write what is shown into an HTML page, and say so, or why not."""
        if self._pasted is None:
            return
        try:
            with path.open("w", encoding="utf-8") as file:
                file.writelines(pasted_page(self._trees, self._pasted))
        except OSError as error:
            self._say(f"{path} cannot be written: {error.strerror}.")
        else:
            self._say("", f"The page is saved as {path}.")

    def _say(self, problem: str, words: str = "") -> None:
        scheme = theme.colours(self.palette())
        palette = self.summary.palette()
        palette.setColor(self.summary.foregroundRole(), scheme.text if words else scheme.warning)
        self.summary.setPalette(palette)
        self.summary.setText(
            " ".join(filter(None, (words, problem and f"({problem})" if words else problem)))
        )
        self.summary.setVisible(bool(words or problem))


def read_typed(text: str) -> tuple[Pasted | None, str]:
    """The octets that a text spells and a remark; None where it spells none.

    The last digit may still be waiting for its other half: whoever types is not to see all fields go.
    """
    try:
        return read_pasted(text), ""
    except HexError as reason:
        trouble = sentence(str(reason))
    bare = text.rstrip()
    try:
        pasted = read_pasted(bare[:-1])
    except HexError:
        return None, trouble
    if bare[-1] not in "0123456789abcdefABCDEFxX":
        return None, trouble
    return pasted, f"after {count(len(pasted.octets), 'octet')} half of one is typed"
