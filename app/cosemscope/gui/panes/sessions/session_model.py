"""Rows of the session tree: peers, their TCP connections and UDP flows, and the wPort pairs on each.

The analysis gives the whole tree again and again while a capture is read; it
only ever grows at the ends of its branches, so rows are inserted there and the
others repainted, and what is open and selected stays.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPalette
from PySide6.QtWidgets import QWidget

from cosemscope.analysis.sessions.session_tree import Peers, StreamSession, WPortPair
from cosemscope.capture.packets.packet_row import TCP
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.look.icons import icon
from cosemscope.streams.tables.framing import Framing
from cosemscope.wording import clock, count, duration, short_duration, short_size

_Index = QModelIndex | QPersistentModelIndex

_DISPLAY = int(Qt.ItemDataRole.DisplayRole)
_DECORATION = int(Qt.ItemDataRole.DecorationRole)
_FOREGROUND = int(Qt.ItemDataRole.ForegroundRole)
_TOOLTIP = int(Qt.ItemDataRole.ToolTipRole)
_ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)
_SERVED = (_DISPLAY, _DECORATION, _FOREGROUND, _TOOLTIP, _ALIGNMENT)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

TITLES = ("Session", "WPDUs", "Octets", "Start", "Duration")
_TITLE_TIPS = (
    "Peers, connections and flows, wPort pairs (client ↔ server)",
    "Whole WPDUs, and APDUs that came without one; with a display filter the displayed ones, and all",
    "Octets of payload; for a wPort pair those of its WPDUs",
    "When it began, counted from the beginning of the first",
    "From the first octet to the last",
)

#: What stands between the addresses of peers.
BETWEEN = " ↔ "


class AllTraffic(tuple[Peers, ...]):
    """The first row: everything there is."""

    __slots__ = ()


Item = AllTraffic | Peers | StreamSession | WPortPair


def parts_of(item: Item) -> Sequence[Item]:
    """The items below an item."""
    if isinstance(item, Peers):
        return item.streams
    return item.wports if isinstance(item, StreamSession) else ()


def streams_of(item: Item) -> list[StreamSession]:
    """The streams of an item that consists of streams."""
    if isinstance(item, AllTraffic):
        return [stream for peers in item for stream in peers.streams]
    if isinstance(item, Peers):
        return list(item.streams)
    return [item] if isinstance(item, StreamSession) else []


def label(item: Item) -> str:
    """Returns the text of an item in the tree."""
    if isinstance(item, AllTraffic):
        return "All traffic"
    if isinstance(item, Peers):
        return f"{item.client}{BETWEEN}{item.server}"
    if isinstance(item, WPortPair):
        return f"{item.client_wport} ↔ {item.server_wport}  {item.client_name} ↔ {item.server_name}"
    kind = "TCP" if item.protocol == TCP else "UDP"
    name = f"{kind} {item.client.port} → {item.server.port}"
    if not item.octets:
        return f"{name}  no payload"
    return name if item.framing == Framing.WRAPPER else f"{name}  {item.framing.label}"


class SessionFigures:
    """The figures of a row: WPDUs, octets, first and last time; summed for rows that have streams below."""

    __slots__ = ("first", "last", "octets", "wpdus")

    def __init__(self, item: Item) -> None:
        parts: Sequence[Any] = [item] if isinstance(item, WPortPair) else streams_of(item)
        self.wpdus = sum(part.wpdus for part in parts)
        self.octets = sum(part.octets for part in parts)
        self.first = min((part.first_time for part in parts), default=0)
        self.last = max((part.last_time for part in parts), default=0)


class _Node:
    __slots__ = ("children", "figures", "item", "parent", "row")

    def __init__(self, item: Item, parent: "_Node | None", row: int) -> None:
        self.item = item
        self.parent = parent
        self.row = row
        self.figures = SessionFigures(item)
        self.children: list[_Node] | None = None  # made when they are first asked for

    def branches(self) -> "list[_Node]":
        if self.children is None:
            self.children = [_Node(part, self, row) for row, part in enumerate(parts_of(self.item))]
        return self.children


class DisplayedCounts:
    """Whole WPDUs that pass the filters: of each wPort pair, `by_pair` int64[pairs], and each stream."""

    def __init__(self, by_pair: npt.NDArray[np.int64], stream_of: npt.NDArray[np.uint32]) -> None:
        self._by_pair = by_pair
        self._by_stream = np.bincount(stream_of, by_pair).astype(np.int64)
        self._of_peers: dict[tuple[str, str], tuple[int, int]] = {}

    def of(self, item: Item) -> int:
        """The count of an item."""
        if isinstance(item, AllTraffic):
            return int(self._by_pair.sum())
        if isinstance(item, WPortPair):
            return self._by_pair.item(item.row) if item.row < len(self._by_pair) else 0
        if isinstance(item, StreamSession):
            return self._by_stream.item(item.stream) if item.stream < len(self._by_stream) else 0
        # Peers of ten thousand streams are summed once, not at each painting.
        streams, total = self._of_peers.get((item.client, item.server), (-1, 0))
        if streams != len(item.streams):
            total = sum(map(self.of, item.streams))
            self._of_peers[item.client, item.server] = len(item.streams), total
        return total


class SessionModel(QAbstractItemModel):
    """The tree's rows: all traffic, then peers with streams with wPort pairs.

    `displayed` has the counts of what passes the filters, None where there are none.
    """

    displayed: DisplayedCounts | None = None

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._top: list[_Node] = []
        self._origin = 0
        self.traffic = Traffic.empty()

    def set_traffic(self, traffic: Traffic) -> None:
        """Another capture: an empty tree."""
        self.beginResetModel()
        self.traffic = traffic
        self.displayed = None
        self._top = []
        self.endResetModel()

    def show_sessions(self, sessions: tuple[Peers, ...]) -> None:
        """Show the tree as the analysis gives it; rows that were there before keep their places."""
        items: list[Item] = [AllTraffic(sessions), *sessions] if sessions else []
        self._origin = min((peers.streams[0].first_time for peers in sessions), default=0)
        self._update(QModelIndex(), self._top, items, None)

    def _update(
        self, index: QModelIndex, nodes: list[_Node], items: Sequence[Item], parent: _Node | None
    ) -> None:
        known = min(len(nodes), len(items))
        for row in range(known):
            node, item = nodes[row], items[row]
            changed = node.item != item
            node.item = item
            if changed:
                node.figures = SessionFigures(item)
            if changed and node.children is not None:
                self._update(self.index(row, 0, index), node.children, parts_of(item), node)
        if known:
            self.dataChanged.emit(self.index(0, 0, index), self.index(known - 1, len(TITLES) - 1, index))
        if len(items) > known:
            self.beginInsertRows(index, known, len(items) - 1)
            nodes.extend(_Node(item, parent, known + row) for row, item in enumerate(items[known:]))
            self.endInsertRows()

    def item(self, index: _Index) -> Item | None:
        """Returns the item at `index`, None for none."""
        return self._node(index).item if index.isValid() else None

    def find(self, stream: int, pair: int) -> QModelIndex:
        """The wPort pair of a stream; the stream where the pair is not known; invalid when neither is."""
        for peers, node in enumerate(self._top):
            if not isinstance(node.item, Peers):
                continue
            numbers = [one.stream for one in node.item.streams]
            if stream in numbers:
                found = self.index(numbers.index(stream), 0, self.index(peers, 0))
                parts = parts_of(self._node(found).item)
                pairs = [part.row for part in parts if isinstance(part, WPortPair)]
                return self.index(pairs.index(pair), 0, found) if pair in pairs else found
        return QModelIndex()

    def path(self, index: _Index) -> list[Item]:
        """Returns the items at `index` and above, the innermost first."""
        node: _Node | None = self._node(index) if index.isValid() else None
        found = []
        while node is not None:
            found.append(node.item)
            node = node.parent
        return found

    def _node(self, index: _Index) -> _Node:
        node: _Node = index.internalPointer()
        return node

    # Qt's side

    def index(self, row: int, column: int, parent: _Index = QModelIndex()) -> QModelIndex:
        """The index of a child."""
        nodes = self._node(parent).branches() if parent.isValid() else self._top
        if not (0 <= row < len(nodes) and 0 <= column < len(TITLES)):
            return QModelIndex()
        return self.createIndex(row, column, nodes[row])

    # QObject has a `parent` without arguments, too: one of them only can be overridden here.
    def parent(self, index: _Index = QModelIndex()) -> QModelIndex:  # type: ignore[override]
        """The index above."""
        node = self._node(index).parent if index.isValid() else None
        return QModelIndex() if node is None else self.createIndex(node.row, 0, node)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:
        """Returns the number of rows below."""
        if parent.column() > 0:
            return 0
        return len(self._node(parent).branches()) if parent.isValid() else len(self._top)

    def hasChildren(self, parent: _Index = QModelIndex()) -> bool:
        """Whether there are rows below, without making them."""
        if not parent.isValid():
            return bool(self._top)
        node = self._node(parent)
        return parent.column() == 0 and bool(node.children or parts_of(node.item))

    def columnCount(self, parent: _Index = QModelIndex()) -> int:
        """Label and figures."""
        return len(TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """Titles, aligned as their columns."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == _ALIGNMENT:
            return _RIGHT if section else None
        return {_DISPLAY: TITLES, _TOOLTIP: _TITLE_TIPS}.get(role, (None,) * len(TITLES))[section]

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        """Text, picture, colour and explanation of a row."""
        if role not in _SERVED or not index.isValid():
            return None
        node, column = self._node(index), index.column()
        if role == _DISPLAY:
            return self._text(node, column)
        if role == _ALIGNMENT:
            return _RIGHT if column else None
        if role == _TOOLTIP:
            return plain_tip(self._tip(node))
        if role == _DECORATION:
            return self._picture(node.item) if column == 0 else None
        quiet = not node.figures.wpdus
        return QGuiApplication.palette().brush(QPalette.ColorRole.PlaceholderText) if quiet else None

    def _text(self, node: _Node, column: int) -> str:
        figures = node.figures
        if column == 0:
            return label(node.item)
        if column == 1:
            if not figures.wpdus:
                return "–"
            shown = f"{self.displayed.of(node.item):,} / " if self.displayed is not None else ""
            return f"{shown}{figures.wpdus:,}"
        if column == 2:
            return short_size(figures.octets)
        if column == 3:
            return short_duration(figures.first - self._origin)
        return short_duration(figures.last - figures.first)

    @staticmethod
    def _picture(item: Item) -> QIcon:
        if isinstance(item, StreamSession):
            return icon("tcp" if item.protocol == TCP else "udp")
        if isinstance(item, WPortPair):
            return icon("wport")
        return icon("peers" if isinstance(item, Peers) else "other")

    def _tip(self, node: _Node) -> str:
        item, figures = node.item, node.figures
        lines = [label(item)]
        if isinstance(item, StreamSession):
            lines = self._stream_lines(item)
        elif isinstance(item, WPortPair):
            lines = [
                f"client wPort {item.client_wport} (0x{item.client_wport:04X}): {item.client_name}",
                f"server wPort {item.server_wport} (0x{item.server_wport:04X}): {item.server_name}",
            ]
        elif isinstance(item, Peers):
            names = [self.traffic.named(end) for end in (item.client, item.server)]
            if names != [item.client, item.server]:
                lines.append(BETWEEN.join(names))
            lines.append(count(len(item.streams), "stream"))
        lines.append(f"{count(figures.wpdus, 'WPDU')}, {figures.octets:,} octets")
        if figures.last:
            lines.append(f"from {clock(figures.first)}")
            lines.append(f"to {clock(figures.last)} ({duration(figures.last - figures.first)})")
        return "\n".join(lines)

    def _stream_lines(self, item: StreamSession) -> list[str]:
        kind = "TCP" if item.protocol == TCP else "UDP"
        lines = [f"{kind} stream {item.stream}: {item.client} → {item.server}", item.framing.label]
        lines.append(count(item.packets, "packet"))
        streams = self.traffic.streams
        for name, text in (
            ("retransmissions", "retransmitted segments"),
            ("out_of_order", "segments out of order"),
            ("conflicts", "retransmissions that differ"),
            ("captured_twice", "packets captured twice"),
            ("missing_octets", "octets missing"),
            ("skipped_octets", "octets skipped: no WPDU"),
            ("frames", "HDLC frames"),
        ):
            amount = streams[name].item(item.stream) if item.stream < len(streams) else 0
            if amount:
                lines.append(f"{amount:,} {text}")
        round_trip = streams["rtt"].item(item.stream) if item.stream < len(streams) else -1
        if round_trip > 0:
            lines.append(f"round trip of the handshake {duration(round_trip)}")
        return lines
