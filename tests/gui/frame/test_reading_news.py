"""What is said of a capture while it is read: in title, status bar and messages, each once."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QMainWindow

from cosemscope.gui.base.message_bar import MessageBar, MessageSeverity
from cosemscope.gui.document.document import Document
from cosemscope.gui.document.unsaved_spool import UnsavedSpool
from cosemscope.gui.frame.reading_news import ReadingNews
from cosemscope.gui.frame.status_bar import StatusBar
from tests.helpers.files import NANO, pcap
from tests.helpers.polled import polled_octets


class Told:
    """A window without content, and what is told in it."""

    def __init__(self) -> None:
        self.window = QMainWindow()
        self.status = StatusBar(self.window)
        self.messages = MessageBar(self.window)
        self.news = ReadingNews(self.window, self.status, self.messages)

    @property
    def texts(self) -> list[tuple[MessageSeverity, str]]:
        return [(message.severity, message.text) for message in self.messages.messages]


@pytest.fixture
def told(qtbot, look) -> Told:
    told = Told()
    qtbot.addWidget(told.window)
    return told


@pytest.fixture
def read(qtbot, told: Told, tmp_path: Path):
    documents = []

    def read(octets: bytes, **how: object) -> Document:
        path = tmp_path / "made.pcap"
        path.write_bytes(octets)
        if how.pop("as_link", False):
            how["spool"] = UnsavedSpool(path, "A link", is_link=True)
        document = Document(path, **how)
        documents.append(document)
        told.news.begin(document)
        document.start()
        qtbot.waitUntil(lambda: not document.reading)
        return document

    yield read
    for document in documents:
        document.close()
        assert document.wait()


def test_nothing_open_is_the_programs_name(told):
    """Before the first capture and after the last one."""
    assert told.window.windowTitle() == "Cosemscope"
    assert told.status.file.text() == "No capture"


def test_a_whole_capture_is_named_and_nothing_else_is_said(told, read):
    """Title, size and path; no message."""
    octets = polled_octets(40)
    document = read(octets)
    told.news.say_end(is_whole=True)
    assert told.window.windowTitle() == "made.pcap – Cosemscope"
    assert told.status.file.text() == f"made.pcap ({len(octets) / 1024:.1f} KiB)"
    assert told.status.file.toolTip() == str(document.path)
    assert told.texts == []
    told.news.clear()
    assert told.window.windowTitle() == "Cosemscope"


def test_a_capture_without_wpdus_is_explained(told, read):
    """No packets are another matter than packets of something else; a link just had no time yet."""
    read(pcap([], magic=NANO))
    told.news.say_end(is_whole=True)
    assert told.texts == [(MessageSeverity.NOTE, "made.pcap holds no packets.")]
    read(pcap([], magic=NANO), as_link=True)
    told.news.say_end(is_whole=True)
    assert told.texts == []


def test_an_end_before_the_end_says_how_far_it_is(told, read):
    """In the status bar, and in a message with the way to read the rest."""
    read(polled_octets(40))
    told.news.say_end(is_whole=False)
    ((severity, text),) = told.texts
    assert severity is MessageSeverity.NOTE
    assert text.startswith("Reading was cancelled: the first 100 % of the file are shown.")
    assert told.status.file.text().endswith("· cancelled at 100 %")


def test_damage_is_a_warning_with_its_place(told, read):
    """One place is told, several are counted: the status bar lists them."""
    octets = polled_octets(40)
    read(octets[:-5])
    ((severity, text),) = told.texts
    assert severity is MessageSeverity.WARNING
    assert "made.pcap" in text
    assert "(at octet " in text
    assert [problem.offset for problem in told.news.problems] == [len(octets) - 87]
    assert told.status.problems.text() == "1 problem"


def test_a_failure_is_an_error(told, read):
    """What could be read stays shown, and the status bar says that it is not all."""
    read(polled_octets(40))
    told.news.say_failure("The disk is gone.")
    assert told.texts == [(MessageSeverity.ERROR, "The disk is gone.")]
    assert told.status.file.text().endswith("· not read to its end")
