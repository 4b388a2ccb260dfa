"""Small dialogs: decode as, problems of a file, keyboard shortcuts, about, an unexpected fault."""

from dataclasses import replace
from typing import NamedTuple, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHeaderView,
    QPlainTextEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from cosemscope.capture.packets.packet_row import TCP
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.streams.decode_as import WORDS, DecodeAs
from cosemscope.streams.tables.framing import Framing

#: Problems listed at most; a badly damaged file may have very many.
_PROBLEMS_LISTED = 1000

Key = TypeVar("Key")


class Target(NamedTuple):
    """The subject of a "decode as": one stream, or a port of a protocol."""

    text: str
    stream: int = -1
    protocol: int = 0
    port: int = -1


def targets_of(traffic: Traffic, stream: int) -> list[Target]:
    """Returns the subjects of a stream: both ports, the server's first, and the stream itself."""
    protocol = traffic.streams["protocol"].item(stream)
    kind = "TCP" if protocol == TCP else "UDP"
    client, server = traffic.analysis.endpoints(stream)
    ports = [end.port for end in (server, client)]
    targets = [
        Target(f"{kind} port {port}, all streams", -1, protocol, port) for port in dict.fromkeys(ports)
    ]
    return [*targets, Target(f"this stream only ({client} → {server})", stream)]


def _put(rules: dict[Key, Framing], key: Key, framing: Framing | None) -> None:
    rules.pop(key, None)
    if framing is not None:
        rules[key] = framing


def with_rule(decode_as: DecodeAs, target: Target, framing: Framing | None) -> DecodeAs:
    """The overrides with one more, or with that one taken away (None)."""
    ports, streams = dict(decode_as.ports), dict(decode_as.streams)
    if target.stream >= 0:
        _put(streams, target.stream, framing)
    else:
        _put(ports, (target.protocol, target.port), framing)
    return replace(decode_as, ports=ports, streams=streams)


class DecodeAsDialog(QDialog):
    """Asks what a port or a stream carries. `result_rules` are the overrides that follow."""

    def __init__(self, parent: QWidget, traffic: Traffic, decode_as: DecodeAs, stream: int) -> None:
        super().__init__(parent)
        self.setWindowTitle("Decode as")
        self._decode_as = decode_as
        self._targets = targets_of(traffic, stream)
        self._framings: list[Framing | None] = [None, *WORDS.values()]
        self.target = QComboBox(self)
        self.target.addItems([target.text for target in self._targets])
        self.framing = QComboBox(self)
        self.framing.addItems(
            [
                "recognise by content",
                *(framing.label for framing in WORDS.values()),
            ]
        )
        explanation = PlainLabel(
            "Cosemscope recognises DLMS by content, on any port. Where that is wrong, say here what the "
            "octets are; the capture is then read again.",
            self,
        )
        explanation.setWordWrap(True)
        form = QFormLayout()
        form.addRow("Decode", self.target)
        form.addRow("as", self.framing)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addWidget(explanation)
        column.addLayout(form)
        column.addWidget(buttons)
        self.setMinimumWidth(480)
        self.target.currentIndexChanged.connect(self._show_rule)
        self._show_rule()

    def _show_rule(self) -> None:
        """Show what is in force for the chosen target."""
        target = self._targets[self.target.currentIndex()]
        if target.stream >= 0:
            rule = self._decode_as.streams.get(target.stream)
        else:
            rule = self._decode_as.ports.get((target.protocol, target.port))
        self.framing.setCurrentIndex(self._framings.index(rule) if rule in self._framings else 0)

    @property
    def result_rules(self) -> DecodeAs:
        """The overrides as chosen."""
        target = self._targets[self.target.currentIndex()]
        return with_rule(self._decode_as, target, self._framings[self.framing.currentIndex()])


def ask_decode_as(parent: QWidget, traffic: Traffic, decode_as: DecodeAs, stream: int) -> DecodeAs | None:
    """Ask about a stream; the new overrides, or None when nothing is to change."""
    dialog = DecodeAsDialog(parent, traffic, decode_as, stream)
    accepted = dialog.exec() == QDialog.DialogCode.Accepted
    rules = dialog.result_rules
    dialog.deleteLater()
    return rules if accepted and rules != decode_as else None


def show_table(parent: QWidget, title: str, heads: tuple[str, str], rows: list[tuple[str, str]]) -> None:
    """Show a dialog with a table of two columns, whose text can be copied."""
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    table = QTableWidget(len(rows), 2, dialog)
    table.setHorizontalHeaderLabels(list(heads))
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 8)
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    table.horizontalHeader().setHighlightSections(False)
    table.setShowGrid(False)
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
    for number, row in enumerate(rows):
        for place, text in enumerate(row):
            table.setItem(number, place, QTableWidgetItem(text))
    table.resizeColumnToContents(0)
    table.setColumnWidth(0, table.columnWidth(0) + 24)
    table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, dialog)
    buttons.rejected.connect(dialog.reject)
    column = QVBoxLayout(dialog)
    column.addWidget(table)
    column.addWidget(buttons)
    dialog.resize(560, 600)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()


def show_problems(parent: QWidget, problems: list) -> None:
    """List what could not be read in a capture file."""
    rows = [(f"{problem.offset:,}", problem.message) for problem in problems[:_PROBLEMS_LISTED]]
    if len(problems) > _PROBLEMS_LISTED:
        rows.append(("…", f"and {len(problems) - _PROBLEMS_LISTED:,} more"))
    show_table(parent, "Problems in this file", ("At octet", "What is wrong"), rows)


def show_fault(parent: QWidget | None, trace: str) -> None:
    """Show a fault of the program with its trace, to be copied into a report."""
    dialog = QDialog(parent)
    dialog.setWindowTitle("Something went wrong in Cosemscope")
    text = PlainLabel(
        "This is a fault of Cosemscope, not of your capture. You can go on working; if it comes again, "
        "please report it with the text below.",
        dialog,
    )
    text.setWordWrap(True)
    details = QPlainTextEdit(trace, dialog)
    details.setReadOnly(True)
    details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, dialog)
    buttons.rejected.connect(dialog.reject)
    column = QVBoxLayout(dialog)
    column.addWidget(text)
    column.addWidget(details)
    column.addWidget(buttons)
    dialog.resize(680, 360)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
