"""Where things stand in the window: remembered when it closes, taken back when it opens."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSize

from cosemscope.gui.base import settings as options

if TYPE_CHECKING:
    from cosemscope.gui.frame.window import Window

_USUAL, _LEAST = QSize(1600, 1000), QSize(900, 600)


def restore_places(window: "Window") -> None:
    """Take back size, places and columns, or the usual ones."""
    get, workspace = window.settings.get, window.workspace
    if not (get(options.GEOMETRY) and window.restoreGeometry(QByteArray(get(options.GEOMETRY)))):
        window.resize(_USUAL.boundedTo(window.screen().availableSize()).expandedTo(_LEAST))
    window.restoreState(QByteArray(get(options.WINDOW_STATE)))
    workspace.resize(window.width(), window.height() - 100)
    if not workspace.restore_layout(get(options.WORKSPACE_STATE)):
        workspace.lay_out()
    window.live.dock.hide()  # there is no link yet
    workspace.set_zoom(get(options.ZOOM))
    window.opening.set_zoom(get(options.ZOOM))
    workspace.table.wpdus.set_time_format(get(options.TIME_FORMAT))
    workspace.table.restore_header(get(options.TABLE_COLUMNS))
    workspace.sessions.restore_header(get(options.TREE_COLUMNS))
    workspace.details.restore(get(options.DETAIL_SPLITTER))


def remember_places(window: "Window") -> None:
    """Keep them for the next time."""
    put, workspace = window.settings.set, window.workspace
    put(options.GEOMETRY, bytes(window.saveGeometry().data()))
    put(options.WINDOW_STATE, bytes(window.saveState().data()))
    put(options.WORKSPACE_STATE, workspace.layout_state())
    put(options.TABLE_COLUMNS, workspace.table.header_state())
    put(options.TREE_COLUMNS, workspace.sessions.header_state())
    put(options.DETAIL_SPLITTER, workspace.details.state())
    window.settings.flush()
