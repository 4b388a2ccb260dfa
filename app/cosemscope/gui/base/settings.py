"""The options that the window remembers, each declared once, with type, default and meaning.

Values lie in an INI file of the user's (QSettings); what stands there and does
not fit its option (an older version's, a person's typing error) counts as the default.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, QSettings, Signal

T = TypeVar("T")

#: How many recent files are remembered.
RECENT_FILES = 12


@dataclass(frozen=True)
class Option(Generic[T]):
    """One thing remembered: its key in the file, its default (which gives the type) and its meaning."""

    key: str
    default: T
    meaning: str


RECENT = Option[tuple[str, ...]]("files/recent", (), "Captures opened lately, the newest first")
LAST_FOLDER = Option("files/folder", "", "Folder that the open dialog starts in")
GEOMETRY = Option("window/geometry", b"", "The window's size and place")
WINDOW_STATE = Option("window/state", b"", "The window's tool bars")
WORKSPACE_STATE = Option("window/workspace", b"", "The panes' places and sizes")
DETAIL_SPLITTER = Option("window/details", b"", "Where fields and octets divide their pane")
TABLE_COLUMNS = Option("table/columns", b"", "Order and widths of the WPDU table's columns")
FILTERS = Option("filter/filters", b"", "Display filters that are saved, and those used lately")
COUNTS = Option("counts/asked", b"", "What WPDUs were counted by last")
TIMING = Option("timing/lanes", b"", "What each lane of the timing graph stands for")
TREE_COLUMNS = Option("tree/columns", b"", "Order and widths of the session tree's columns")
TIME_FORMAT = Option("table/time", "relative", "How the WPDU table shows times")
TIME_PLACES = Option("table/places", "6", "Digits behind the point of the WPDU table's times")
APPEARANCE = Option("window/appearance", "system", "Colours: as the system, light or dark")
ADDRESSES = Option[tuple[str, ...]]("link/addresses", (), "Addresses connected to lately, the newest first")
LINK = Option[tuple[str, ...]]("link/connect", (), "Words of the test link asked for last")
LISTEN = Option[tuple[str, ...]]("link/listen", (), "Words of what was listened to last")
METER = Option[tuple[str, ...]]("link/meter", (), "Words of the built-in meter asked for last")
RELAY = Option[tuple[str, ...]]("link/relay", (), "Words of the relay asked for last")
CAPTURE = Option[tuple[str, ...]]("capture/options", (), "Words of the last live capture")
CAPTURE_FILTER = Option("capture/filter", "", "The capture filter typed last")
KEEP_KEYS = Option("keys/keep", False, "Whether the system's key store keeps the keys")
ZOOM = Option("window/zoom", 0, "Points added to the size of the text in the panes")
UPDATE_NOTICE = Option("updates/notice", False, "Whether an address is asked for newer versions")
UPDATE_ADDRESS = Option("updates/address", "", "The address asked, where it is another than the build's")
UPDATE_DAY = Option("updates/day", "", "The day on which it was asked last")

#: All of them.
OPTIONS = tuple(value for value in list(globals().values()) if isinstance(value, Option))


def _encode(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return json.dumps(value)


def _decode(text: str, default: Any) -> Any:
    try:
        if isinstance(default, bytes):
            return base64.b64decode(text, validate=True)
        value = json.loads(text)
    except ValueError:
        return default
    if isinstance(default, tuple):
        fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return tuple(value) if fits else default
    return value if type(value) is type(default) else default


class Settings(QObject):
    """The options' values. `changed` names the key of an option that got another value."""

    changed = Signal(str)

    def __init__(self, path: Path | None = None) -> None:
        """Read and write the INI file at `path`, or the user's own when None."""
        super().__init__()
        if path is None:
            self._store = QSettings(
                QSettings.Format.IniFormat, QSettings.Scope.UserScope, "Cosemscope", "Cosemscope"
            )
        else:
            self._store = QSettings(str(path), QSettings.Format.IniFormat)

    def get(self, option: Option[T]) -> T:
        """The option's value, or its default when none is stored or what is stored does not fit."""
        text = self._store.value(option.key)
        return option.default if not isinstance(text, str) else _decode(text, option.default)

    def set(self, option: Option[T], value: T) -> None:
        """Remember `value`, and tell who listens when it is another than before."""
        if self.get(option) == value:
            return
        self._store.setValue(option.key, _encode(value))
        self.changed.emit(option.key)

    def flush(self) -> None:
        """Write what is not yet written."""
        self._store.sync()

    def add_recent(self, path: str) -> None:
        """Put `path` first in the list of recent files."""
        others = [name for name in self.get(RECENT) if name != path]
        self.set(RECENT, (path, *others)[:RECENT_FILES])
