"""Every action of the window, once: what it is called, its keys, its icon and the slot that does it.

Menus, tool bar and the list of keyboard shortcuts are made from these tables.
The keys are those that hands used to Wireshark already know.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from operator import attrgetter
from typing import NamedTuple

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QToolBar

from cosemscope.gui.look.icons import icon


class Needs(Enum):
    """A condition of an action: what must be open, shown or going on."""

    NOTHING = 0
    CAPTURE = 1
    WPDU = 2
    FILTER = 3
    READING = 4
    COMPLETE = 5  # a capture that does not grow
    READ = 6  # one that is read to its end, or as far as it has grown
    UNSAVED = 7  # one that nobody has given a name
    QUIET = 8  # nothing is live
    LIVE = 9
    CAPTURING = 10


#: Needs that are never met together: such actions may share a key.
EXCLUSIVE = (frozenset((Needs.QUIET, Needs.LIVE)), frozenset((Needs.COMPLETE, Needs.CAPTURING)))


class ActionSpec(NamedTuple):
    """One action; `slot` is a method of the window, or of what it has, with a dot."""

    name: str
    text: str
    slot: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    needs: Needs = Needs.NOTHING


ACTIONS = (
    ActionSpec("open", "&Open…", "ask_open", ("Ctrl+O",), "open", "Open a capture file"),
    ActionSpec("sample", "Open the sa&mple", "open_sample", (), "sample", "Open the bundled sample capture"),
    ActionSpec(
        "reload",
        "&Reload",
        "reload",
        ("Ctrl+R",),
        "reload",
        "Read the capture file again",
        Needs.COMPLETE,
    ),
    ActionSpec("save", "&Save", "live.saver.save", ("Ctrl+S",), "save", "Save this capture", Needs.UNSAVED),
    ActionSpec(
        "save-as", "Save &as…", "live.saver.save_as", ("Ctrl+Shift+S",), "", "Save a copy of it", Needs.READ
    ),
    ActionSpec(
        "export",
        "E&xport…",
        "ask_export",
        ("Ctrl+Shift+E",),
        "",
        "Write what is displayed, selected or all into a file: CSV, JSON, pcapng, a report and more",
        Needs.READ,
    ),
    ActionSpec(
        "properties",
        "Capture file &properties…",
        "show_properties",
        (),
        "",
        "What the file is, what made it, and what is in it",
        Needs.CAPTURE,
    ),
    ActionSpec(
        "cancel", "S&top reading", "cancel", (), "close", "Keep what has been read so far", Needs.READING
    ),
    ActionSpec("close", "&Close", "close_capture", ("Ctrl+W",), "", "Close the capture", Needs.CAPTURE),
    ActionSpec("quit", "&Quit", "close", ("Ctrl+Q",)),
    ActionSpec(
        "copy-rows", "Copy &rows as text", "workspace.table.copy", ("Ctrl+Shift+C",), "copy", "", Needs.WPDU
    ),
    ActionSpec(
        "copy-hex",
        "Copy octets as &hex stream",
        "workspace.table.copy_hex",
        ("Ctrl+Shift+H",),
        "",
        "",
        Needs.WPDU,
    ),
    ActionSpec("copy-dump", "Copy octets as hex &dump", "workspace.table.copy_dump", (), "", "", Needs.WPDU),
    ActionSpec("select-all", "Select &all rows", "workspace.select_all", ("Ctrl+A",), "", "", Needs.CAPTURE),
    ActionSpec(
        "find",
        "&Find…",
        "workspace.begin_find",
        ("Ctrl+F",),
        "find",
        "Find a WPDU by display filter, text, octets or regular expression",
        Needs.CAPTURE,
    ),
    ActionSpec("find-next", "Find ne&xt", "workspace.find_next", ("Ctrl+N",), "", "", Needs.CAPTURE),
    ActionSpec(
        "find-previous", "Find pre&vious", "workspace.find_previous", ("Ctrl+B",), "", "", Needs.CAPTURE
    ),
    ActionSpec(
        "mark",
        "&Mark or unmark",
        "noting.mark",
        ("Ctrl+M",),
        "",
        "Mark the selected WPDUs, or not any more",
        Needs.WPDU,
    ),
    ActionSpec(
        "mark-displayed",
        "Mark all &displayed",
        "noting.mark_displayed",
        ("Ctrl+Shift+M",),
        "",
        "",
        Needs.CAPTURE,
    ),
    ActionSpec(
        "unmark-displayed",
        "&Unmark all displayed",
        "noting.unmark_displayed",
        ("Ctrl+Alt+M",),
        "",
        "",
        Needs.CAPTURE,
    ),
    ActionSpec("next-mark", "&Next mark", "noting.next_mark", ("Ctrl+Shift+N",), "", "", Needs.CAPTURE),
    ActionSpec(
        "previous-mark", "&Previous mark", "noting.previous_mark", ("Ctrl+Shift+B",), "", "", Needs.CAPTURE
    ),
    ActionSpec(
        "ignore",
        "&Ignore, or not any more",
        "noting.ignore",
        ("Ctrl+D",),
        "",
        "Set the selected WPDUs aside: counts and exports leave them out",
        Needs.WPDU,
    ),
    ActionSpec("ignore-none", "Ignore n&one", "noting.ignore_none", ("Ctrl+Alt+D",), "", "", Needs.CAPTURE),
    ActionSpec(
        "refer",
        "Set or unset &time reference",
        "noting.refer",
        ("Ctrl+T",),
        "",
        "Count relative times from this WPDU on",
        Needs.WPDU,
    ),
    ActionSpec(
        "refer-to-none",
        "Unset all time &references",
        "noting.refer_to_none",
        ("Ctrl+Alt+T",),
        "",
        "",
        Needs.CAPTURE,
    ),
    ActionSpec(
        "next-reference",
        "Ne&xt time reference",
        "noting.next_reference",
        ("Ctrl+Alt+N",),
        "",
        "",
        Needs.CAPTURE,
    ),
    ActionSpec(
        "previous-reference",
        "Pre&vious time reference",
        "noting.previous_reference",
        ("Ctrl+Alt+B",),
        "",
        "",
        Needs.CAPTURE,
    ),
    ActionSpec(
        "comment",
        "&Comment on the packet…",
        "noting.comment",
        ("Ctrl+Alt+C",),
        "",
        "Write comments on the WPDU's first packet; they go into the pcapng that is saved",
        Needs.WPDU,
    ),
    ActionSpec(
        "undo",
        "Undo no&te",
        "noting.undo",
        ("Ctrl+Z",),
        "",
        "Take the latest mark, comment or reference back",
        Needs.CAPTURE,
    ),
    ActionSpec(
        "filter",
        "Display &filter",
        "workspace.begin_filter",
        ("Ctrl+/",),
        "filter",
        "Type which WPDUs to show",
        Needs.CAPTURE,
    ),
    ActionSpec(
        "back",
        "&Back",
        "selection.go_back",
        ("Alt+Left",),
        "back",
        "The WPDU that was selected before",
        Needs.CAPTURE,
    ),
    ActionSpec(
        "forward",
        "&Forward",
        "selection.go_forward",
        ("Alt+Right",),
        "forward",
        "Undo going back",
        Needs.CAPTURE,
    ),
    ActionSpec(
        "goto", "&Go to…", "ask_go_to", ("Ctrl+G",), "goto", "Go to a WPDU or packet by number", Needs.CAPTURE
    ),
    ActionSpec(
        "previous", "&Previous WPDU", "workspace.go_previous", ("Ctrl+Up", "F7"), "up", "", Needs.CAPTURE
    ),
    ActionSpec("next", "&Next WPDU", "workspace.go_next", ("Ctrl+Down", "F8"), "down", "", Needs.CAPTURE),
    ActionSpec("first", "F&irst WPDU", "workspace.go_first", ("Ctrl+Home",), "first", "", Needs.CAPTURE),
    ActionSpec("last", "&Last WPDU", "workspace.go_last", ("Ctrl+End",), "last", "", Needs.CAPTURE),
    ActionSpec(
        "previous-here",
        "Previous WPDU of this &session",
        "selection.go_previous_here",
        ("Ctrl+,",),
        "",
        "The WPDU before, of the same stream and wPort pair",
        Needs.WPDU,
    ),
    ActionSpec(
        "next-here",
        "N&ext WPDU of this session",
        "selection.go_next_here",
        ("Ctrl+.",),
        "",
        "The WPDU after, of the same stream and wPort pair",
        Needs.WPDU,
    ),
    ActionSpec(
        "counterpart",
        "Ans&wer or request",
        "workspace.go_to_counterpart",
        ("Ctrl+Alt+J",),
        "",
        "From a request to its answer, and back",
        Needs.WPDU,
    ),
    ActionSpec(
        "follow",
        "Fo&llow session",
        "workspace.follow_session",
        ("Ctrl+Alt+Shift+T",),
        "",
        "What client and meter say in turn, in words",
        Needs.WPDU,
    ),
    ActionSpec(
        "this-session",
        "Show this &session only",
        "workspace.show_session",
        ("Ctrl+Alt+Shift+S",),
        "",
        "The WPDUs of the same stream and wPort pair",
        Needs.WPDU,
    ),
    ActionSpec(
        "show-all",
        "Show &all WPDUs",
        "selection.show_all",
        ("Ctrl+Shift+X",),
        "show-all",
        "Take away all display filters: what is typed, a session, a span of time",
        Needs.FILTER,
    ),
    ActionSpec(
        "expand",
        "E&xpand all fields",
        "workspace.details.fields.expandAll",
        ("Ctrl+Right",),
        "expand",
        "",
        Needs.WPDU,
    ),
    ActionSpec(
        "collapse",
        "Coll&apse all fields",
        "workspace.details.fields.collapseAll",
        ("Ctrl+Left",),
        "collapse",
        "",
        Needs.WPDU,
    ),
    ActionSpec("zoom-in", "Zoom &in", "zoom_in", ("Ctrl++",)),
    ActionSpec("zoom-out", "Zoom &out", "zoom_out", ("Ctrl+-",)),
    ActionSpec("zoom-normal", "&Normal size", "zoom_normal", ("Ctrl+=",)),
    ActionSpec(
        "fit-columns", "Fit &columns", "workspace.table.fit_columns", ("Ctrl+Shift+R",), "", "", Needs.CAPTURE
    ),
    ActionSpec(
        "whole-time",
        "&Whole capture in the timing graph",
        "workspace.timing.turn_whole",
        ("Ctrl+Shift+W",),
        "zoom-fit",
        "The time of the whole capture in the timing graph, or of what is displayed again",
        Needs.CAPTURE,
    ),
    ActionSpec(
        "keys", "&Keys…", "opening.show_keys", ("Ctrl+Alt+K",), "key", "Keys that open ciphered APDUs"
    ),
    ActionSpec(
        "decode-octets",
        "Decode &octets…",
        "opening.show_box",
        ("Ctrl+Shift+D",),
        "octets",
        "Decode a WPDU, an APDU or an HDLC frame given in hex",
    ),
    ActionSpec(
        "paste", "&Paste octets", "opening.paste", ("Ctrl+V",), "", "Decode the hex that is on the clipboard"
    ),
    ActionSpec("copy-apdu", "Copy APD&U as hex stream", "workspace.table.copy_apdu", (), "", "", Needs.WPDU),
    ActionSpec(
        "decode-as",
        "&Decode as…",
        "ask_decode_as",
        ("Ctrl+Shift+U",),
        "decode-as",
        "Say what a port or a stream carries",
        Needs.CAPTURE,
    ),
    ActionSpec(
        "capture-options",
        "Capture &options…",
        "live.ask_capture",
        ("Ctrl+K", "F5"),
        "capture-options",
        "Choose interfaces, filter and more, and capture",
    ),
    ActionSpec(
        "capture",
        "&Start capture",
        "live.capture",
        ("Ctrl+E",),
        "capture",
        "Capture with the options used last",
        Needs.QUIET,
    ),
    ActionSpec(
        "stop", "S&top", "live.stop", ("Ctrl+E",), "stop", "Stop the capture, or close the link", Needs.LIVE
    ),
    ActionSpec(
        "restart",
        "&Restart capture",
        "live.again",
        ("Ctrl+R",),
        "restart",
        "Begin anew with the same options",
        Needs.CAPTURING,
    ),
    ActionSpec(
        "connect",
        "&Connect…",
        "live.ask_connect",
        ("Ctrl+Shift+K",),
        "connect",
        "Open a test link to a server",
    ),
    ActionSpec(
        "listen",
        "&Listen…",
        "live.ask_listen",
        ("Ctrl+Shift+L",),
        "listen",
        "Accept connections and datagrams, and answer them",
    ),
    ActionSpec(
        "meter",
        "Be a &meter…",
        "live.ask_meter",
        (),
        "meter",
        "Start a built-in meter that clients can talk to, with faults on demand",
    ),
    ActionSpec(
        "relay",
        "&Relay…",
        "live.ask_relay",
        (),
        "relay",
        "Pass on what a client and its meter say, show it, and hold some of it",
    ),
    ActionSpec(
        "read-meter",
        "Start the &built-in meter and read it",
        "live.read_meter",
        (),
        "meter",
        "A meter on this computer, and a test link that reads it",
    ),
    ActionSpec(
        "counts",
        "&Count by…",
        "workspace.show_counts",
        ("Ctrl+Alt+Shift+B",),
        "",
        "How many WPDUs there are by any fields, and how a number is spread",
        Needs.CAPTURE,
    ),
    ActionSpec(
        "expert",
        "&Expert information",
        "workspace.show_expert",
        ("Ctrl+Alt+Shift+E",),
        "warning",
        "All that is wrong or remarkable in the capture",
        Needs.CAPTURE,
    ),
    ActionSpec(
        "exchanges",
        "E&xchanges",
        "workspace.show_exchanges",
        ("Ctrl+Alt+Shift+X",),
        "",
        "Requests with their answers: how each ended, how long it took",
        Needs.CAPTURE,
    ),
    ActionSpec(
        "response-times",
        "Response &times",
        "workspace.show_response_times",
        ("Ctrl+Alt+Shift+R",),
        "",
        "Response times over time, how they are spread, and percentiles by service, object, meter or result",
        Needs.CAPTURE,
    ),
    ActionSpec(
        "sequence",
        "Se&quence diagram",
        "workspace.show_sequence",
        ("Ctrl+Alt+Shift+Q",),
        "",
        "Who says what to whom in the session of the current WPDU, as arrows over time",
        Needs.CAPTURE,
    ),
    ActionSpec(
        "objects",
        "O&bjects",
        "workspace.show_objects",
        ("Ctrl+Alt+Shift+V",),
        "",
        "Meters, their objects and attributes: last values, and all values over time",
        Needs.CAPTURE,
    ),
    ActionSpec(
        "procedures",
        "Proced&ures",
        "workspace.show_procedures",
        ("Ctrl+Alt+Shift+P",),
        "",
        "What several exchanges did together: how far each procedure came, and what it came to",
        Needs.CAPTURE,
    ),
    ActionSpec(
        "overview",
        "Over&view",
        "workspace.show_overview",
        ("Ctrl+Alt+Shift+O",),
        "",
        "Meters, outcomes, what was slow and what failed; each figure leads to an example",
        Needs.CAPTURE,
    ),
    ActionSpec("shortcuts", "&Keyboard shortcuts", "show_shortcuts", ("F1",)),
    ActionSpec("about", "&About Cosemscope", "show_about"),
)

SEPARATOR = ""
_NO_MENUS: Mapping[str, QMenu] = {}

#: Menus: title, then actions by name; `@` names a submenu that the window fills.
MENUS = (
    (
        "&File",
        (
            "open",
            "@recent",
            "sample",
            SEPARATOR,
            "save",
            "save-as",
            "export",
            SEPARATOR,
            "properties",
            SEPARATOR,
            "reload",
            "cancel",
            "close",
            SEPARATOR,
            "quit",
        ),
    ),
    (
        "&Edit",
        (
            "copy-rows",
            "copy-hex",
            "copy-dump",
            "copy-apdu",
            SEPARATOR,
            "paste",
            SEPARATOR,
            "find",
            "find-next",
            "find-previous",
            SEPARATOR,
            "@notes",
            "comment",
            "undo",
            SEPARATOR,
            "select-all",
        ),
    ),
    (
        "&View",
        (
            "@panes",
            SEPARATOR,
            "@time",
            "@precision",
            "@appearance",
            SEPARATOR,
            "zoom-in",
            "zoom-out",
            "zoom-normal",
            SEPARATOR,
            "expand",
            "collapse",
            "fit-columns",
            "whole-time",
        ),
    ),
    (
        "&Go",
        (
            "back",
            "forward",
            "goto",
            SEPARATOR,
            "previous",
            "next",
            "first",
            "last",
            SEPARATOR,
            "previous-here",
            "next-here",
            "counterpart",
        ),
    ),
    ("&Capture", ("capture-options", "capture", "stop", "restart")),
    ("&Link", ("connect", "listen", SEPARATOR, "relay", "meter", SEPARATOR, "read-meter")),
    (
        "&Analyze",
        (
            "filter",
            "follow",
            "this-session",
            "show-all",
            SEPARATOR,
            "keys",
            "decode-octets",
            SEPARATOR,
            "decode-as",
            SEPARATOR,
            "overview",
            "counts",
            "exchanges",
            "response-times",
            "sequence",
            "procedures",
            "objects",
            "expert",
        ),
    ),
    ("&Help", ("shortcuts", SEPARATOR, "about")),
)

TOOLBAR = (
    "capture",
    "stop",
    "restart",
    "capture-options",
    SEPARATOR,
    "connect",
    "listen",
    SEPARATOR,
    "open",
    "save",
    "reload",
    SEPARATOR,
    "back",
    "forward",
    "previous",
    "next",
    "first",
    "last",
    "goto",
    SEPARATOR,
    "show-all",
    "whole-time",
    SEPARATOR,
    "keys",
    "decode-octets",
    "decode-as",
)


def _native(keys: str) -> str:
    """A key sequence as this system writes it."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


def make_actions(window: QMainWindow) -> dict[str, QAction]:
    """The actions of the table, each connected to its slot of `window`."""
    made = {}
    for spec in ACTIONS:
        action = QAction(spec.text, window)
        action.setObjectName(spec.name)
        action.setShortcuts([QKeySequence(keys) for keys in spec.keys])
        if spec.icon:
            action.setIcon(icon(spec.icon))
        tip = spec.tip or spec.text.replace("&", "").rstrip("…")
        keys = [f" ({_native(key)})" for key in spec.keys[:1]]
        action.setToolTip(tip + "".join(keys))
        slot = attrgetter(spec.slot)(window)
        action.triggered.connect(lambda checked=False, slot=slot: slot())
        made[spec.name] = action
    return made


def fill_menu_bar(window: QMainWindow, actions: dict[str, QAction], submenus: dict[str, QMenu]) -> None:
    """Make the menus of `MENUS`; `submenus` has those named with `@`."""
    for title, names in MENUS:
        fill_menu(window.menuBar().addMenu(title), actions, names, submenus)


def fill_menu(
    menu: QMenu, actions: dict[str, QAction], names: Iterable[str], submenus: Mapping[str, QMenu] = _NO_MENUS
) -> None:
    """Put these actions, separators and submenus (named with `@`) into a menu."""
    for name in names:
        if name == SEPARATOR:
            menu.addSeparator()
        elif name.startswith("@"):
            menu.addMenu(submenus[name[1:]])
        else:
            menu.addAction(actions[name])


def fill_tool_bar(bar: QToolBar, actions: dict[str, QAction]) -> None:
    """Put the actions of `TOOLBAR` on `bar`."""
    for name in TOOLBAR:
        if name == SEPARATOR:
            bar.addSeparator()
        else:
            bar.addAction(actions[name])


#: The submenu of notes.
NOTES = (
    "mark",
    "mark-displayed",
    "unmark-displayed",
    "next-mark",
    "previous-mark",
    SEPARATOR,
    "ignore",
    "ignore-none",
    SEPARATOR,
    "refer",
    "refer-to-none",
    "next-reference",
    "previous-reference",
)


def enable(actions: dict[str, QAction], there: Iterable[Needs]) -> None:
    """Enable exactly the actions whose needs are met."""
    met = {Needs.NOTHING, *there}
    for spec in ACTIONS:
        actions[spec.name].setEnabled(spec.needs in met)


def shortcut_rows() -> list[tuple[str, str]]:
    """Returns the rows of the list of keyboard shortcuts: action and keys."""
    rows = []
    for spec in ACTIONS:
        if spec.keys:
            rows.append((spec.text.replace("&", "").rstrip("…"), " or ".join(map(_native, spec.keys))))
    return rows
