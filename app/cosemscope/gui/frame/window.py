"""The main window: start page or workspace, menus, tool bar, messages, status bar, and the document shown."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from cosemscope import __version__
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.analysis.pasted.messages import PastedMessage
from cosemscope.analysis.pasted.pasted_capture import write_messages
from cosemscope.capture.capturing.capture_job import CaptureJob
from cosemscope.capture.spool.spool_file import SpoolError
from cosemscope.capture.spool.spool_folder import spool_path
from cosemscope.gui.base import settings as options
from cosemscope.gui.base.background import wait_for_background
from cosemscope.gui.base.message_bar import MessageBar, MessageSeverity
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.base.updates import UpdateNotice
from cosemscope.gui.dialogs.about_dialog import show_about
from cosemscope.gui.dialogs.go_to_dialog import ask_go_to
from cosemscope.gui.dialogs.properties_dialog import show_properties
from cosemscope.gui.dialogs.small_dialogs import ask_decode_as, show_problems
from cosemscope.gui.document.document import Document
from cosemscope.gui.document.open_documents import OpenDocuments
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.document.unsaved_spool import UnsavedSpool
from cosemscope.gui.frame.actions import (
    NOTES,
    Needs,
    enable,
    fill_menu,
    fill_menu_bar,
    fill_tool_bar,
    make_actions,
)
from cosemscope.gui.frame.exporting import Exporting
from cosemscope.gui.frame.keys_and_octets import KEY_FILE_ENDING, KeysAndOctets
from cosemscope.gui.frame.noting import Noting
from cosemscope.gui.frame.panes import PANES, PaneRow, Workspace
from cosemscope.gui.frame.places import KeptPlace, Places, window_places
from cosemscope.gui.frame.reading_news import ReadingNews
from cosemscope.gui.frame.return_place import ReturnPlace
from cosemscope.gui.frame.setting_menus import ChoiceMenu, RecentMenu
from cosemscope.gui.frame.shortcuts import show_shortcuts
from cosemscope.gui.frame.start_page import StartPage
from cosemscope.gui.frame.status_bar import StatusBar
from cosemscope.gui.live.asked_jobs import KINDS
from cosemscope.gui.live.interface_watch import InterfaceWatch
from cosemscope.gui.live.live_control import Live
from cosemscope.gui.live.live_host import LiveHost
from cosemscope.gui.look import theme
from cosemscope.gui.look.formats import PRECISIONS, TIME_FORMATS
from cosemscope.gui.look.icons import application_icon
from cosemscope.resources import resource
from cosemscope.streams.decode_as import DecodeAs
from cosemscope.window_words import WindowWords

SAMPLE = "samples/first-look.pcapng"
_FILES = (
    "Captures (*.pcap *.pcapng *.cap *.pcap.gz *.pcapng.gz *.pcap.zst *.pcapng.zst *.gz *.zst);;All files (*)"
)
_ZOOMS = range(-4, 17)
#: Octets of a file that is shown with its overview first.
_LARGE = 1 << 20
#: Milliseconds for which the status bar says what was done.
_SAID_FOR = 4000


def _files_in(data: QMimeData) -> list[str]:
    """The names of the files that are dragged."""
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]


def _no_rows(packets: int) -> str:
    """What to do about a capture without WPDUs, by its number of packets."""
    if not packets:
        return "No packets in this file: choose another one with Ctrl+O."
    return "No WPDUs in this capture.\nWhere a stream is known to carry DLMS, say so with “Decode as…”."


class Window(QMainWindow):
    """The window of one capture at a time."""

    def __init__(self, settings: Settings, panes: Sequence[PaneRow] = PANES) -> None:
        super().__init__()
        self.settings = settings
        self.documents = OpenDocuments(self)
        self.setAcceptDrops(True)
        self.setWindowIcon(application_icon())
        self.messages = MessageBar(self)
        self.start_page = StartPage(self)
        self.workspace = Workspace(self, panes)
        self.selection = self.workspace.selection
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.start_page)
        self.pages.addWidget(self.workspace)
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.messages)
        column.addWidget(self.pages, 1)
        self.setCentralWidget(body)
        self.status = StatusBar(self)
        self.setStatusBar(self.status)
        self.news = ReadingNews(self, self.status, self.messages)
        self.live = Live(self._live_host(), self.workspace.live_panels)
        self.noting = Noting(self.workspace)
        self.exporting = Exporting(self, self.workspace, self.messages.say, self.status.task.follow)
        self.opening = KeysAndOctets(self, settings, self.messages.say)
        self._leaving = False
        self._return: ReturnPlace | None = None
        self._make_menus()
        self._connect()
        self._places = Places(settings)
        self._take_back_places()
        self._show_recent()
        self._show_state()

    @property
    def document(self) -> Document | None:
        """The capture that is open; None without one."""
        return self.documents.current

    def _live_host(self) -> LiveHost:
        return LiveHost(
            widget=self,
            settings=self.settings,
            messages=self.messages,
            document=lambda: self.document,
            open_spool=self.open_spool,
            say_state=self.status.file.setText,
            show_file=self.news.show_file,
            show_panels=self.workspace.show_live_panes,
        )

    def _make_menus(self) -> None:
        self.actions_by_name = make_actions(self)
        self.recent_menu = RecentMenu("Open r&ecent", self.settings, self)
        panes, notes = QMenu("&Panes", self), QMenu("&Notes", self)
        fill_menu(notes, self.actions_by_name, NOTES)
        self.tool_bar = self.addToolBar("Main tool bar")
        self.tool_bar.setObjectName("main")
        self.tool_bar.setMovable(False)
        fill_tool_bar(self.tool_bar, self.actions_by_name)
        panes.addActions(self.workspace.pane_actions())
        panes.addAction(self.tool_bar.toggleViewAction())
        formats = {name: way.title for name, way in TIME_FORMATS.items()}
        submenus = {
            "recent": self.recent_menu,
            "panes": panes,
            "time": ChoiceMenu("&Time format", self.settings, options.TIME_FORMAT, formats, self),
            "precision": ChoiceMenu("Time p&recision", self.settings, options.TIME_PLACES, PRECISIONS, self),
            "notes": notes,
            "appearance": ChoiceMenu("Co&lours", self.settings, options.APPEARANCE, theme.APPEARANCES, self),
        }
        fill_menu_bar(self, self.actions_by_name, submenus)

    def _connect(self) -> None:
        self.start_page.openAsked.connect(self.ask_open)
        self.start_page.sampleAsked.connect(self.open_sample)
        self.start_page.recentAsked.connect(self.open_path)
        self.start_page.clearAsked.connect(self.clear_recent)
        self.start_page.captureAsked.connect(self.live.ask_capture)
        self.start_page.connectAsked.connect(self.live.ask_connect)
        self.start_page.listenAsked.connect(self.live.ask_listen)
        self.start_page.readMeterAsked.connect(self.live.read_meter)
        self.start_page.meterAsked.connect(self.live.ask_meter)
        self.start_page.relayAsked.connect(self.live.ask_relay)
        self.start_page.pasteAsked.connect(self.opening.show_box)
        self.start_page.left.openAsked.connect(self.live.open_left)
        self.start_page.left.failed.connect(lambda text: self.messages.say(MessageSeverity.ERROR, text))
        self.documents.released.connect(self._look_for_left)
        self.status.cancelAsked.connect(self.cancel)
        self.status.itemsAsked.connect(self.workspace.show_expert)
        self.workspace.wishes.itemsAsked.connect(lambda: self.document.find_items())
        self.status.problemsAsked.connect(lambda: show_problems(self, list(self.news.problems)))
        self.selection.rowChanged.connect(self._show_state)
        self.selection.noted.connect(self.news.show_title)
        self.live.saver.saved.connect(self.news.show_title)
        self.workspace.rowsChanged.connect(self._show_state)
        self.workspace.wishes.decodeAsAsked.connect(self.ask_decode_as)
        self.workspace.wishes.addKeyAsked.connect(self.opening.add_key)
        self.workspace.wishes.taskBegun.connect(self.status.task.follow)
        self.workspace.wishes.said.connect(lambda text: self.status.showMessage(text, _SAID_FOR))
        self.workspace.wishes.warned.connect(lambda text: self.messages.say(MessageSeverity.WARNING, text))
        self.opening.keysChanged.connect(self._take_keys)
        self.opening.captureAsked.connect(self.open_messages)
        self.workspace.table.selectionModel().selectionChanged.connect(self._show_counts)
        self.settings.changed.connect(self._apply_setting)
        self.recent_menu.openAsked.connect(self.open_path)
        self.recent_menu.clearAsked.connect(self.clear_recent)
        self.live.changed.connect(self._show_state)
        self.workspace.wishes.placesChanged.connect(lambda: self._places.remember_one(options.FILTERS))

    # Places

    def _take_back_places(self) -> None:
        workspace, keep = self.workspace, self._places.keep
        keep(*window_places(self))
        workspace.resize(self.width(), self.height() - 100)
        keep(KeptPlace(options.WORKSPACE_STATE, workspace.layout_state, workspace.restore_layout))
        self._apply_setting(options.ZOOM.key)
        self._apply_setting(options.TIME_FORMAT.key)
        keep(*workspace.places())

    # Files

    def ask_open(self) -> None:
        """Let a person choose a file, and open it."""
        folder = self.settings.get(options.LAST_FOLDER)
        name, _ = QFileDialog.getOpenFileName(self, "Open a capture", folder, _FILES)
        if name:
            if Path(name).suffix.lower() != KEY_FILE_ENDING:
                self.settings.set(options.LAST_FOLDER, str(Path(name).parent))
            self.open_path(name)

    def open_sample(self) -> None:
        """Open the capture that comes with Cosemscope."""
        self.live.leave(lambda: self._open(resource(SAMPLE), DecodeAs()))

    def open_path(self, name: str) -> None:
        """Open a capture file and remember it; a key file gives its keys and is not remembered."""
        path = Path(os.path.abspath(name))
        if path.suffix.lower() == KEY_FILE_ENDING:
            self.opening.load_files([str(path)])
            return

        def open_it() -> None:
            self._open(path, DecodeAs())
            # What is no capture is not offered again.
            self.document.opened.connect(lambda: self.settings.add_recent(str(path)))

        self.live.leave(open_it)

    def open_wanted(self, wanted: WindowWords) -> None:
        """Open what the command line wants: keys, a capture, and its WPDUs that pass a display filter."""
        if wanted.keys:
            self.opening.load_files([wanted.keys])
        if wanted.capture:
            self.open_path(wanted.capture)
        if wanted.display_filter and self.document is not None:
            self.document.opened.connect(lambda: self.workspace.filter.show_filter(wanted.display_filter))

    def open_messages(self, messages: Sequence[PastedMessage]) -> None:
        """Open pasted messages as a capture, which is not saved yet."""

        def open_them() -> None:
            try:
                path = spool_path("pasted")
                write_messages(path, messages, time.time_ns())
            except (OSError, SpoolError) as error:
                self.messages.say(
                    MessageSeverity.ERROR, f"The messages cannot be written as a capture: {error}"
                )
            else:
                self.open_spool(UnsavedSpool(path, "Pasted octets", wanted=False))

        self.live.leave(open_them)

    def open_spool(self, spool: UnsavedSpool, *, follow: bool = False) -> None:
        """Open what nobody has given a name yet; with `follow` it grows. What is open must be left before."""
        self._open(spool.path, DecodeAs(), spool, follow=follow)

    def _open(
        self, path: Path, decode_as: DecodeAs, spool: UnsavedSpool | None = None, *, follow: bool = False
    ) -> None:
        self._let_go()
        document = self.documents.current = Document(path, decode_as, self, follow=follow, spool=spool)
        self.news.begin(document)
        document.opened.connect(self._show_document)
        document.rowsAdded.connect(self._take_rows)
        document.sessionsChanged.connect(self.workspace.show_sessions)
        document.finished.connect(lambda: self._end_reading(is_whole=True))
        document.cancelled.connect(lambda: self._end_reading(is_whole=False))
        document.failed.connect(self._fail)
        document.completed.connect(self.workspace.show_completed)
        document.itemsChanged.connect(lambda stopped: self.workspace.show_items(stopped=stopped))
        self.workspace.table.follows_tail = follow
        self.workspace.table.set_hint(self._waiting_words() if follow else "")
        if spool is None:
            self.workspace.show_live_panes(())
        document.start()
        self._show_state()

    def _waiting_words(self) -> str:
        """What to do while live traffic has no WPDU yet."""
        return KINDS[type(self.live.job) if self.live.job is not None else CaptureJob].waiting

    def _let_go(self) -> None:
        """Close the present document, and show nothing of it any more."""
        self._return = None
        if self.documents.let_go():
            self.workspace.set_traffic(Traffic.empty())
            self.news.clear()

    def _look_for_left(self) -> None:
        """A file was let go of: if it is a spool that stays, the start page offers it."""
        if self.document is None and not self._leaving:
            self.start_page.left.look()

    def reload(self) -> None:
        """Read the file again."""
        if self.document is not None:
            self._open_again(self.document.decode_as)

    def _open_again(self, decode_as: DecodeAs) -> None:
        document, place = self.document, ReturnPlace(self.workspace)
        self._open(document.path, decode_as, document.take_spool(), follow=document.following)
        self._return = place

    def cancel(self) -> None:
        """Stop reading, or looking for expert items; what there is stays."""
        if self.document is not None:
            self.document.cancel()

    def close_capture(self) -> None:
        """Back to the start page."""
        self.live.leave(self._close_document)

    def _close_document(self) -> None:
        self._let_go()
        self.messages.clear()
        self._show_recent()
        self.pages.setCurrentWidget(self.start_page)
        self._show_state()

    def clear_recent(self) -> None:
        """Forget the recent files."""
        self.settings.set(options.RECENT, ())

    # The document's news

    def _show_document(self) -> None:
        traffic = Traffic(self.document.analysis, self.document.title)
        self.workspace.set_traffic(traffic)
        self.document.complete(traffic.associations)
        self.pages.setCurrentWidget(self.workspace)
        is_new = self.document.spool is None and self._return is None
        if is_new and self.document.analysis.progress[1] > _LARGE:
            self.workspace.show_overview()
        if self.live.running and self.live.panel is not None:
            self.workspace.show_pane(self.live.pane, True)  # Qt raises nothing in a page that is not shown
            self.live.panel.take_focus()
        else:
            self.workspace.table.setFocus()
        self._show_state()

    def _take_keys(self, keys: KeyTable) -> None:
        self.workspace.set_keys(keys)
        if self.document is not None:
            self.document.complete(self.workspace.traffic.associations)

    def _take_rows(self, packets: int, wpdus: int) -> None:
        self.workspace.take_rows(wpdus, is_live=self.document.following)
        self._go_back_there(is_whole=False)
        self._show_counts()

    def _go_back_there(self, *, is_whole: bool) -> None:
        """The file is read again: go to where somebody was, as soon as that is there."""
        if self._return is not None and self._return.take_back(self.workspace, is_whole=is_whole):
            self._return = None

    def _end_reading(self, *, is_whole: bool) -> None:
        self.workspace.show_growth()
        self._go_back_there(is_whole=True)
        self.news.say_end(is_whole=is_whole)
        self.workspace.table.set_hint(_no_rows(self.document.packets))
        self._show_state()

    def _fail(self, sentence: str) -> None:
        self.workspace.show_growth()
        self.news.say_failure(sentence)
        if self.document.spool is not None:
            self.live.stop()  # nobody sees what it does
        if self.document.analysis is None:
            self._let_go()
            self.pages.setCurrentWidget(self.start_page)
        self._show_state()

    # State of the window

    def _show_state(self) -> None:
        """Bring title, actions and counts up to date."""
        there = {Needs.LIVE if self.live.running else Needs.QUIET}
        if self.live.capturing:
            there.add(Needs.CAPTURING)
        if self.live.saver.is_needed and not self.document.following:
            there.add(Needs.UNSAVED)
        workspace = self.workspace
        if self.document is not None:
            there.add(Needs.CAPTURE)
            following = self.document.following
            there.add(Needs.READING if self.document.reading and not following else Needs.READ)
            if not following:
                there.add(Needs.COMPLETE)
            if self.selection.row >= 0:
                there.add(Needs.WPDU)
            if self.selection.filters:
                there.add(Needs.FILTER)
        enable(self.actions_by_name, there)
        for name, by in (("back", -1), ("forward", 1)):
            self.actions_by_name[name].setEnabled(self.selection.history.can_move(by))
        for action in workspace.pane_actions():
            action.setEnabled(self.document is not None)
        self._show_counts()

    def _show_recent(self) -> None:
        """List the recent files, on the start page and in the menu."""
        self.start_page.show_recent(self.settings.get(options.RECENT))
        self.recent_menu.fill()

    def _show_counts(self, *args: object) -> None:
        if self.document is None:
            return
        selected = sum(len(part) for part in self.workspace.table.selected_rows())
        document, shown = self.document, self.workspace.table.wpdus.rowCount()
        traffic = self.workspace.traffic
        self.status.show_counts(
            document.packets, traffic.counts, shown, selected, self._dropped, self.noting.told
        )

    @property
    def _dropped(self) -> int | None:
        """Packets that a capture of this window has lost, if it is known."""
        document = self.document
        return self.live.dropped if document is not None and document.spool is not None else None

    def _apply_setting(self, key: str) -> None:
        if key in (options.TIME_FORMAT.key, options.TIME_PLACES.key):
            places = self.settings.get(options.TIME_PLACES)
            self.workspace.table.wpdus.set_time_format(
                self.settings.get(options.TIME_FORMAT), int(places) if places in PRECISIONS else 6
            )
            self.workspace.table.header.fit_times()
        elif key == options.APPEARANCE.key:
            theme.apply_appearance(self.settings.get(options.APPEARANCE))
        elif key == options.ZOOM.key:
            self.workspace.set_zoom(self.settings.get(options.ZOOM))
            self.opening.set_zoom(self.settings.get(options.ZOOM))
        elif key == options.RECENT.key:
            self._show_recent()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember, and end reading; what is live is ended, and what is unsaved is asked about before."""
        if not self._leaving and (self.live.running or self.live.saver.is_needed):
            event.ignore()
            self.live.leave(self._close_at_last)
            return
        if not self._leaving:
            self.live.leave(lambda: None)
            self._leaving = True
        self._places.remember()
        self._let_go()
        self.documents.wait_for_all()
        InterfaceWatch.wait_for_all()
        wait_for_background()  # a copy that is being saved, a look for left spools
        self.opening.close()
        event.accept()

    def _close_at_last(self) -> None:
        self._leaving = True
        QTimer.singleShot(0, self.close)  # not within the closing that was refused

    # Drag and drop

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """A file may be dropped."""
        if _files_in(event.mimeData()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the first file that was dropped."""
        names = _files_in(event.mimeData())
        if names:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.open_path(names[0])
            if len(names) > 1:
                text = "One capture at a time: the first of the dropped files is open."
                self.messages.say(MessageSeverity.NOTE, text)

    # What actions do

    def ask_go_to(self) -> None:
        """Go to a WPDU by its number, or by that of a packet."""
        if self.workspace.traffic.total:
            row = ask_go_to(self, self.workspace.traffic, self.selection.row)
            if row >= 0:
                self.selection.go_to(row)

    def _zoom(self, points: int) -> None:
        self.settings.set(options.ZOOM, min(_ZOOMS[-1], max(_ZOOMS[0], points)))

    def zoom_in(self) -> None:
        """Larger text."""
        self._zoom(self.settings.get(options.ZOOM) + 1)

    def zoom_out(self) -> None:
        """Smaller text."""
        self._zoom(self.settings.get(options.ZOOM) - 1)

    def zoom_normal(self) -> None:
        """Text of the usual size."""
        self._zoom(0)

    def ask_decode_as(self, stream: int = -1) -> None:
        """Let a person say what a port or a stream carries, and read the file again."""
        document = self.document
        if document is None or document.analysis is None:
            return
        if stream < 0:
            stream = self.workspace.current_stream
        if stream < 0:
            return
        decode_as = ask_decode_as(self, self.workspace.traffic, document.decode_as, stream)
        if decode_as is not None:
            self._open_again(decode_as)

    def ask_export(self) -> None:
        """Write what of the capture is wanted into a file."""
        if self.document is not None and self.document.analysis is not None:
            self.exporting.ask(self.document)

    def show_properties(self) -> None:
        """Show what the capture file is, what made it, and what is in it."""
        if self.document is not None and self.document.analysis is not None:
            show_properties(self, self.document, self.workspace.traffic, lambda: self._dropped)

    def show_shortcuts(self) -> None:
        """List the keys."""
        show_shortcuts(self)

    def look_for_updates(self) -> None:
        """Ask for a newer version where the user has turned that on, and say so where there is one."""

        def tell(version: str) -> None:
            text = (
                f"Cosemscope {version} is there; this is {__version__}. Help > About turns this notice off."
            )
            self.messages.say(MessageSeverity.NOTE, text)

        UpdateNotice(self.settings, __version__, tell, self).ask_if_due()

    def show_about(self) -> None:
        """Say what this is."""
        show_about(self, self.settings)
