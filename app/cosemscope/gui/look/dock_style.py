"""The style of docks: the buttons in their titles have the project's icons, which follow the colours."""

from typing import Any

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QProxyStyle, QStyle

from cosemscope.gui.look.icons import icon

_ICONS = {
    QStyle.StandardPixmap.SP_TitleBarCloseButton: "close",
    QStyle.StandardPixmap.SP_DockWidgetCloseButton: "close",
    QStyle.StandardPixmap.SP_TitleBarNormalButton: "float",
}


class DockStyle(QProxyStyle):
    """Fusion, whose own pictures of these buttons are made for a light window."""

    def __init__(self) -> None:
        super().__init__("Fusion")

    def standardIcon(self, kind: QStyle.StandardPixmap, option: Any = None, widget: Any = None) -> QIcon:
        """The project's icon where it has one, else Fusion's."""
        name = _ICONS.get(kind)
        return icon(name) if name is not None else super().standardIcon(kind, option, widget)
