"""Colours by meaning, in a light and a dark pair, and the palettes that Fusion draws with.

No widget names a colour: it asks `colours(palette)` for what the colour is to
say ("a request that reads", "octets of the selected field"). So a change of the
system's colour scheme is one new palette and a repaint.
"""

from dataclasses import dataclass, field

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from cosemscope.gui.look.apdu_kinds import Kind

#: Values of the appearance setting and what the menu calls them.
APPEARANCES = {"system": "As the system", "light": "Light", "dark": "Dark"}


@dataclass(frozen=True)
class Colours:
    """One scheme: `kinds` are strong colours (marks, graphs), `tints` the table's row backgrounds.

    `series` are those of groups in graphs, the largest group first; none looks like an error.
    """

    window: str
    base: str
    alternate: str
    text: str
    muted: str
    line: str
    button: str
    indicator: str
    accent: str
    accent_text: str
    link: str
    error: str
    warning: str
    note: str
    secure: str
    message_error: str
    message_warning: str
    message_note: str
    message_secure: str
    field_octets: str
    selected_octets: str
    selected_octets_text: str
    mark: str
    mark_text: str
    unanswered: str
    series: tuple[str, ...]
    kinds: dict[Kind, str] = field(default_factory=dict)
    tints: dict[Kind, str] = field(default_factory=dict)


LIGHT = Colours(
    window="#f3f4f6",
    base="#ffffff",
    alternate="#f7f8fa",
    text="#1c2128",
    muted="#667080",
    line="#d3d8de",
    button="#f7f8fa",
    indicator="#ffffff",
    accent="#0f6b80",
    accent_text="#ffffff",
    link="#0b6bb5",
    error="#b3261e",
    warning="#8a5a00",
    note="#0b6bb5",
    secure="#1c7038",
    message_error="#fde7e5",
    message_warning="#fff3d6",
    message_note="#e3f0fb",
    message_secure="#e4f5e9",
    field_octets="#ffe9a8",
    selected_octets="#0f6b80",
    selected_octets_text="#ffffff",
    mark="#39424e",
    mark_text="#ffffff",
    unanswered="#fff1cf",
    series=("#1f77b4", "#2a8a4a", "#7a4fbf", "#0d8f8f", "#8a6d3b", "#c060a0"),
    kinds={
        Kind.ASSOCIATION: "#7a4fbf",
        Kind.READ: "#1f77b4",
        Kind.WRITE: "#b8740a",
        Kind.ACTION: "#2a8a4a",
        Kind.NOTIFICATION: "#0d8f8f",
        Kind.CIPHERED: "#5f6b7a",
        Kind.ERROR: "#c0342b",
        Kind.UNKNOWN: "#8c8c8c",
    },
    tints={
        Kind.ASSOCIATION: "#f1ebfb",
        Kind.READ: "#ffffff",
        Kind.WRITE: "#fdf3e2",
        Kind.ACTION: "#e9f6ed",
        Kind.NOTIFICATION: "#e5f5f5",
        Kind.CIPHERED: "#f0f2f4",
        Kind.ERROR: "#fde9e7",
        Kind.UNKNOWN: "#f4f4f4",
    },
)

DARK = Colours(
    window="#22262b",
    base="#1a1d21",
    alternate="#1f2328",
    text="#e4e7eb",
    muted="#98a2ae",
    line="#3a414a",
    button="#2c3138",
    indicator="#4a535e",
    accent="#2a9db5",
    accent_text="#06181c",
    link="#6cb6f0",
    error="#ff8a80",
    warning="#f2bd5c",
    note="#6cb6f0",
    secure="#7ed99b",
    message_error="#4a2422",
    message_warning="#433514",
    message_note="#1d3a52",
    message_secure="#1b3a27",
    field_octets="#5a4a12",
    selected_octets="#2a9db5",
    selected_octets_text="#06181c",
    mark="#c9d1da",
    mark_text="#1a1d21",
    unanswered="#4a3c12",
    series=("#5eaee6", "#62c583", "#b596ee", "#4cc4c4", "#c9ad7a", "#e08cc4"),
    kinds={
        Kind.ASSOCIATION: "#b596ee",
        Kind.READ: "#5eaee6",
        Kind.WRITE: "#eaa846",
        Kind.ACTION: "#62c583",
        Kind.NOTIFICATION: "#4cc4c4",
        Kind.CIPHERED: "#a3afbd",
        Kind.ERROR: "#ff7b70",
        Kind.UNKNOWN: "#9a9a9a",
    },
    tints={
        Kind.ASSOCIATION: "#2b2438",
        Kind.READ: "#1a1d21",
        Kind.WRITE: "#332a18",
        Kind.ACTION: "#1c2f23",
        Kind.NOTIFICATION: "#17302f",
        Kind.CIPHERED: "#25292e",
        Kind.ERROR: "#3d2220",
        Kind.UNKNOWN: "#272727",
    },
)


def colours(palette: QPalette) -> Colours:
    """The scheme that belongs to `palette`: dark when its base is."""
    return DARK if palette.color(QPalette.ColorRole.Base).lightness() < 128 else LIGHT


def palette_of(scheme: Colours) -> QPalette:
    """A whole Qt palette for `scheme`, disabled group included."""
    role = QPalette.ColorRole
    palette = QPalette()
    for name, colour in (
        (role.Window, scheme.window),
        (role.WindowText, scheme.text),
        (role.Base, scheme.base),
        (role.AlternateBase, scheme.alternate),
        (role.Text, scheme.text),
        (role.Button, scheme.button),
        (role.ButtonText, scheme.text),
        (role.BrightText, scheme.error),
        (role.ToolTipBase, scheme.base),
        (role.ToolTipText, scheme.text),
        (role.PlaceholderText, scheme.muted),
        (role.Highlight, scheme.accent),
        (role.HighlightedText, scheme.accent_text),
        (role.Accent, scheme.accent),
        (role.Link, scheme.link),
        (role.LinkVisited, scheme.link),
        (role.Light, QColor(scheme.button).lighter(115).name()),
        (role.Midlight, QColor(scheme.button).lighter(105).name()),
        (role.Mid, scheme.line),
        (role.Dark, QColor(scheme.line).darker(125).name()),
        (role.Shadow, "#000000"),
    ):
        palette.setColor(name, QColor(colour))
    for name in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, QColor(scheme.muted))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(scheme.line))
    return palette


def apply_appearance(appearance: str) -> None:
    """Give the application the palette of `appearance` ("system", "light" or "dark")."""
    hints = QGuiApplication.styleHints()
    wanted = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}.get(
        appearance, Qt.ColorScheme.Unknown
    )
    hints.setColorScheme(wanted)  # title bars and native dialogs, where the system can
    scheme = hints.colorScheme() if wanted is Qt.ColorScheme.Unknown else wanted
    chosen = DARK if scheme is Qt.ColorScheme.Dark else LIGHT
    QApplication.setPalette(palette_of(chosen))
    # Fusion draws the edge of a box darker than the window: on a dark one it is the inside that must be seen.
    boxes = palette_of(chosen)
    boxes.setColor(QPalette.ColorRole.Base, QColor(chosen.indicator))
    for name in ("QCheckBox", "QRadioButton"):
        # Some versions of the stubs do not know the name of a class here.
        QApplication.setPalette(boxes, name)  # type: ignore[call-overload, arg-type, unused-ignore]


def fixed_font() -> QFont:
    """The system's fixed-width font, at the size of the application's own."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setStyleHint(QFont.StyleHint.Monospace)
    if QApplication.font().pointSizeF() > 0:
        font.setPointSizeF(QApplication.font().pointSizeF())
    return font


def zoomed(font: QFont, points: int) -> QFont:
    """The font made larger by `points`, or smaller as far as it can be read."""
    font = QFont(font)
    font.setPointSizeF(max(5.0, font.pointSizeF() + points))
    return font
