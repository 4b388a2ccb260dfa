"""The page shown before there is a capture: first steps, spools left over, recent files."""

from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from cosemscope import __version__
from cosemscope.gui.live.recovery import LeftSpools
from cosemscope.gui.look import theme
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.look.icons import application_icon, icon
from cosemscope.gui.look.plain_label import PlainLabel

_WIDTH = 880

#: The ways to begin, by the signals that ask for them, and how many stand side by side.
_WAYS = {
    "open": ("open", "Open a capture…", "A pcap or pcapng file, of any tool and any size"),
    "capture": ("capture", "Capture…", "Live traffic from a network interface"),
    "connect": ("connect", "Connect…", "A test link to a meter or concentrator"),
    "listen": ("listen", "Listen…", "Accept connections and pushes, and answer them"),
    "paste": ("octets", "Paste octets…", "Decode a WPDU, an APDU or a log given in hex"),
    "sample": ("sample", "Look at the sample", "A small capture with a bit of everything"),
    "readMeter": (
        "meter",
        "Start the built-in meter and read it",
        "No meter at hand? One on this computer, read over a test link",
    ),
    "relay": ("relay", "Relay…", "Between a client and its meter: needs no rights to capture"),
    "meter": ("meter", "Be a meter…", "For a client of yours: with faults on demand, and pushes"),
}
_ACROSS = 3


class RecentButton(QToolButton):
    """A recent file: its name, and its folder in a paler hand; greyed out when it is gone."""

    def __init__(self, path: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.path = path
        self._there = Path(path).is_file()
        self.setAutoRaise(True)
        self.setEnabled(self._there)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumHeight(44)
        self.setToolTip(plain_tip(path if self._there else f"{path} is not there any more"))
        self.setAccessibleName(f"Open {path}")
        self._name, self._folder = PlainLabel(Path(path).name, self), PlainLabel(self)
        self._picture = PlainLabel(self)
        for label in (self._name, self._folder, self._picture):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addWidget(self._name)
        texts.addWidget(self._folder)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 3, 8, 3)
        row.setSpacing(10)
        row.addWidget(self._picture)
        row.addLayout(texts, 1)
        self.setText("")
        self.paint_as_meant()

    def paint_as_meant(self) -> None:
        """Take the colours of the present scheme."""
        scheme = theme.colours(self.parentWidget().palette())
        muted = f"color: {scheme.muted}"
        self._name.setStyleSheet("" if self._there else muted)
        self._folder.setStyleSheet(muted)
        self._picture.setPixmap(icon("recent", scheme.muted).pixmap(18, 18))
        self._elide()

    def _elide(self) -> None:
        folder = str(Path(self.path).parent) if self._there else "not there any more"
        room = max(80, self.width() - 60)
        metrics = QFontMetrics(self._folder.font())
        self._folder.setText(metrics.elidedText(folder, Qt.TextElideMode.ElideMiddle, room))

    def resizeEvent(self, event) -> None:
        """Fit the folder's name."""
        super().resizeEvent(event)
        self._elide()

    def sizeHint(self) -> QSize:
        """Tall enough for two lines."""
        return QSize(200, 46)


class WayButton(QPushButton):
    """One way to begin: a picture, its name, and a line or two on what it does."""

    def __init__(self, picture: str, title: str, words: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.setAccessibleName(title)
        self.setAccessibleDescription(words)
        self._icon = icon(picture)
        self._picture, self._title, self._words = (PlainLabel(self) for _ in range(3))
        font = self._title.font()
        font.setBold(True)
        self._title.setFont(font)
        self._title.setText(title)
        self._words.setText(words)
        self._words.setWordWrap(True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignTop)
        for label in (self._picture, self._title, self._words):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._title.setWordWrap(True)
        texts = QVBoxLayout()
        texts.setSpacing(3)
        texts.addWidget(self._title)
        texts.addWidget(self._words, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 12, 12, 12)
        row.setSpacing(12)
        row.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(texts, 1)
        self.paint_as_meant()

    def paint_as_meant(self) -> None:
        """Take the colour of the present scheme."""
        self._picture.setPixmap(self._icon.pixmap(24, 24))

    def sizeHint(self) -> QSize:
        """As large as what is in it."""
        return self.layout().sizeHint().expandedTo(self.minimumSizeHint())

    def minimumSizeHint(self) -> QSize:
        """Room for the words, which wrap."""
        return self.layout().minimumSize()

    def hasHeightForWidth(self) -> bool:
        """The narrower, the more lines."""
        return True

    def heightForWidth(self, width: int) -> int:
        """What the lines need."""
        return self.layout().totalHeightForWidth(width)


class StartPage(QScrollArea):
    """The page. Its signals say what was asked for."""

    openAsked = Signal()
    sampleAsked = Signal()
    captureAsked = Signal()
    connectAsked = Signal()
    listenAsked = Signal()
    pasteAsked = Signal()
    readMeterAsked = Signal()
    meterAsked = Signal()
    relayAsked = Signal()
    recentAsked = Signal(str)
    clearAsked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        #: The button of each way to begin, by its name.
        self.ways: dict[str, WayButton] = {}
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Start page")
        page = QWidget()
        outer = QHBoxLayout(page)
        outer.addStretch(1)
        body = QWidget(page)
        body.setMaximumWidth(_WIDTH)
        body.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        outer.addWidget(body, 6)
        outer.addStretch(1)
        column = QVBoxLayout(body)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(14)
        column.addStretch(1)
        column.addLayout(self._heading(body))
        column.addSpacing(10)
        column.addLayout(self._buttons(body))
        self._drop = PlainLabel(
            "or drop a .pcap or .pcapng file (also .gz or .zst) anywhere on this window", body
        )
        column.addWidget(self._drop)
        column.addSpacing(14)
        self.left = LeftSpools(body)
        column.addWidget(self.left)
        self._recent_title = PlainLabel("Recent captures", body)
        self._clear = QPushButton("Clear list", body)
        self._clear.setFlat(True)
        self._clear.clicked.connect(self.clearAsked)
        titles = QHBoxLayout()
        titles.addWidget(self._recent_title, 1)
        titles.addWidget(self._clear)
        column.addLayout(titles)
        self._recent_column = QVBoxLayout()
        self._recent_column.setSpacing(2)
        column.addLayout(self._recent_column)
        column.addStretch(2)
        self.setWidget(page)
        self._recents: list[RecentButton] = []
        self._paint_as_meant()
        self.show_recent(())

    def _heading(self, body: QWidget) -> QHBoxLayout:
        mark = PlainLabel(body)
        mark.setPixmap(application_icon().pixmap(64, 64))
        title = PlainLabel("Cosemscope", body)
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 2.2)
        font.setBold(True)
        title.setFont(font)
        self._subtitle = PlainLabel(f"DLMS/COSEM over IP, WPDU by WPDU · version {__version__}", body)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(title)
        texts.addWidget(self._subtitle)
        row = QHBoxLayout()
        row.setSpacing(18)
        row.addWidget(mark)
        row.addLayout(texts, 1)
        return row

    def _buttons(self, body: QWidget) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(12)
        for place, (name, (picture, title, words)) in enumerate(_WAYS.items()):
            button = WayButton(picture, title, words, body)
            button.clicked.connect(lambda checked=False, name=name: getattr(self, f"{name}Asked").emit())
            self.ways[name] = button
            grid.addWidget(button, *divmod(place, _ACROSS))
        for column in range(_ACROSS):
            grid.setColumnStretch(column, 1)
        self.ways["open"].setDefault(True)
        return grid

    def show_recent(self, paths: tuple[str, ...]) -> None:
        """List `paths`; files that are gone are greyed out."""
        for button in self._recents:
            button.hide()
            button.deleteLater()
        self._recents = []
        for path in paths:
            button = RecentButton(path, self.widget())
            button.clicked.connect(lambda checked=False, path=path: self.recentAsked.emit(path))
            self._recent_column.addWidget(button)
            self._recents.append(button)
        self._recent_title.setVisible(bool(paths))
        self._clear.setVisible(bool(paths))

    @property
    def recent_buttons(self) -> tuple[RecentButton, ...]:
        """The buttons of the recent files, the newest first."""
        return tuple(self._recents)

    def _paint_as_meant(self) -> None:
        muted = f"color: {theme.colours(self.palette()).muted}"
        for label in (self._subtitle, self._drop, self._recent_title):
            label.setStyleSheet(muted)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the colour scheme."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_recents"):
            self._paint_as_meant()
            self.left.paint_as_meant()
            for way in self.ways.values():
                way.paint_as_meant()
            for button in self._recents:
                button.paint_as_meant()
        super().changeEvent(event)
