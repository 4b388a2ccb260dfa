"""A capture and the thread that reads it: news in their order, one end, and nothing after closing."""

from pathlib import Path

import pytest

from cosemscope.gui.document.document import Document
from cosemscope.gui.document.open_documents import OpenDocuments
from cosemscope.gui.document.unsaved_spool import Extent, UnsavedSpool
from tests.helpers.polled import polled_octets

NEWS = (
    "opened",
    "rowsAdded",
    "sessionsChanged",
    "problemsFound",
    "finished",
    "cancelled",
    "failed",
    "released",
)


def listen(document: Document) -> list[tuple[object, ...]]:
    """Every piece of news with what it says, as it comes."""
    told: list[tuple[object, ...]] = []
    for name in NEWS:
        getattr(document, name).connect(lambda *words, name=name: told.append((name, *words)))
    return told


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "made.pcap"
    path.write_bytes(polled_octets(40))
    return path


@pytest.fixture
def make(qapp, qtbot):
    documents = []

    def make(path: Path, **how: object) -> Document:
        document = Document(path, **how)
        documents.append(document)
        return document

    yield make
    for document in documents:
        document.close()
        assert document.wait()


def test_news_come_in_their_order(make, capture, qtbot):
    """Opened first, then rows and sessions, at the end that it has ended; counts are those of the file."""
    document = make(capture)
    told = listen(document)
    document.start()
    assert document.reading
    qtbot.waitUntil(lambda: not document.reading)
    names = [name for name, *_ in told]
    assert names[0] == "opened"
    assert names[-1] == "finished"
    assert set(names) == {"opened", "rowsAdded", "sessionsChanged", "finished"}
    assert [words for name, *words in told if name == "rowsAdded"][-1] == [40, 40]
    assert (document.packets, document.wpdus) == (40, 40)
    assert len([words for name, *words in told if name == "sessionsChanged"][-1][0]) == 2
    assert document.title == "made.pcap"
    assert document.extents == [Extent(capture)]


def test_damage_is_told_once_and_reading_goes_on(make, capture, qtbot):
    """What cannot be read is a problem of the file, not the end of the document."""
    octets = bytearray(capture.read_bytes())
    damaged = (
        24 + 5 * (len(octets) - 24) // 20
    )  # the eleventh of forty records, two and two of the same length
    octets[damaged + 8 : damaged + 12] = b"\xff\xff\xff\x7f"
    capture.write_bytes(octets)
    document = make(capture)
    told = listen(document)
    document.start()
    qtbot.waitUntil(lambda: not document.reading)
    problems = [words[0] for name, *words in told if name == "problemsFound"]
    assert len(problems) == 1
    assert problems[0][0].offset == damaged
    assert told[-1] == ("finished",)
    assert document.wpdus == 39


@pytest.mark.parametrize("content", [None, b"", b"a text, and no capture"])
def test_what_is_no_capture_fails_with_a_sentence(make, tmp_path, qtbot, content):
    """It names the file; nothing was opened."""
    path = tmp_path / "notes.txt"
    if content is not None:
        path.write_bytes(content)
    document = make(path)
    told = listen(document)
    document.start()
    qtbot.waitUntil(lambda: not document.reading)
    ((name, sentence),) = told
    assert name == "failed"
    assert "notes.txt" in sentence
    assert document.analysis is None


def test_a_file_that_grows_is_followed_until_it_is_complete(make, capture, qtbot):
    """Rows come as they are written; the end comes when the document is told that there is one."""
    whole = polled_octets(60)
    document = make(capture, follow=True)
    told = listen(document)
    document.start()
    qtbot.waitUntil(lambda: document.wpdus == 40)
    assert document.reading
    assert document.extents == [Extent(capture, capture.stat().st_size)]
    with capture.open("ab") as file:
        file.write(whole[capture.stat().st_size :])
    qtbot.waitUntil(lambda: document.wpdus == 60)
    document.stop_following()
    qtbot.waitUntil(lambda: not document.reading)
    assert told[-1] == ("finished",)
    assert document.extents == [Extent(capture)]


def test_cancelling_keeps_what_was_read(make, capture, qtbot):
    """The end is then another one."""
    document = make(capture, follow=True)
    told = listen(document)
    document.start()
    qtbot.waitUntil(lambda: document.wpdus == 40)
    document.cancel()
    qtbot.waitUntil(lambda: not document.reading)
    assert told[-1] == ("cancelled",)
    assert document.analysis.octets(39)


def test_nothing_but_its_release_comes_after_closing(make, capture, qtbot):
    """Whoever looked at it may be gone; the file is closed when the thread has ended."""
    document = make(capture, follow=True)
    document.start()
    qtbot.waitUntil(lambda: document.wpdus == 40)
    told = listen(document)
    document.close()
    qtbot.waitUntil(lambda: bool(told))
    assert told == [("released",)]
    assert document.analysis is None


def test_a_spool_goes_with_its_document_unless_it_was_taken(make, capture, qtbot):
    """Reading the same file anew hands the spool on; only the last document lets go of it."""
    spool = UnsavedSpool(capture, "A link", wanted=False)
    first = make(capture, spool=spool)
    assert first.title == "A link"
    second = make(capture, spool=first.take_spool())
    first.close()
    assert capture.exists()
    second.close()
    assert not capture.exists()


def test_documents_let_go_of_are_kept_until_their_threads_end(make, capture, qtbot):
    """The next file may be opened at once, and the window that closes can wait for all."""
    documents = OpenDocuments()
    assert not documents.let_go()
    document = documents.current = make(capture, follow=True)
    document.start()
    qtbot.waitUntil(lambda: document.wpdus == 40)
    assert documents.let_go()
    assert documents.current is None
    assert documents.retiring == {document}
    with qtbot.waitSignal(documents.released):
        pass
    assert documents.retiring == set()
