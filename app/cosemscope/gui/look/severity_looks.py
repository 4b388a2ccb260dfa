"""The severities of expert items as people see them: words, a picture, and a colour of the scheme."""

from typing import NamedTuple

from PySide6.QtGui import QGuiApplication, QIcon

from cosemscope.gui.look import theme
from cosemscope.gui.look.icons import icon
from cosemscope.streams.tables.expert_items import Severity


class SeverityLook(NamedTuple):
    """The words for one item and for more, the icon's name, and the colour's name in the scheme."""

    one: str
    more: str
    icon: str
    ink: str

    def counted(self, count: int) -> str:
        """So many items, as in `3 warnings`."""
        return f"{count:,} {self.one if count == 1 else self.more}"


#: The looks by severity, the worst first.
SEVERITY_LOOKS = {
    Severity.ERROR: SeverityLook("error", "errors", "error", "error"),
    Severity.WARNING: SeverityLook("warning", "warnings", "warning", "warning"),
    Severity.NOTE: SeverityLook("note", "notes", "info", "note"),
    Severity.CHAT: SeverityLook("chat", "chat", "point", "muted"),
}


def severity_icon(severity: Severity, name: str = "") -> QIcon:
    """The icon of a severity, or another one, in the severity's colour of the present scheme."""
    look = SEVERITY_LOOKS[severity]
    return icon(name or look.icon, getattr(theme.colours(QGuiApplication.palette()), look.ink))
