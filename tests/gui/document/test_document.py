"""A capture and its thread: it reads, then completes what only associations know, until it is closed.

News come in their order, with one end, and nothing after closing.
"""

from pathlib import Path

import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.keys.key_table import NO_KEYS
from cosemscope.gui.document.document import Document
from cosemscope.gui.document.open_documents import OpenDocuments
from cosemscope.gui.document.selection import Filters
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.document.unsaved_spool import Extent, UnsavedSpool
from cosemscope.gui.panes.wpdus.wpdu_model import WpduModel
from cosemscope.streams.tables.expert_items import KINDS
from tests.helpers import apdu_encoder as encode
from tests.helpers.association_ends import KEYS
from tests.helpers.costly_captures import COSTLY
from tests.helpers.polled import polled_octets
from tests.helpers.traffic_random import random_traffic
from tests.helpers.wire import Tcp, Wire, wpdu

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

ENERGY, SCALER = ((3, bytes((1, 0, 1, 8, 0, 255)), member) for member in (2, 3))
SCALED, PLAIN = "500.9 Wh", "5009"


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
    assert ("cancelled",) in told
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


@pytest.fixture
def readings(tmp_path: Path) -> Path:
    """Two connections to one meter: the first tells a scaler, the second a value, in row 3."""
    wire = Wire()
    unit = ("structure", [("integer", -1), ("enum", 30)])
    for number, (reference, answer) in enumerate(((SCALER, unit), (ENERGY, ("double-long-unsigned", 5009)))):
        connection = Tcp(wire, ("10.0.0.1", 50000 + number), isn=(1000, 9000)).handshake()
        connection.say(0, wpdu(encode.get_request(reference), 16, 1))
        connection.say(1, wpdu(encode.get_response(answer), 1, 16))
    return wire.capture(tmp_path / "readings.pcap")


@pytest.fixture
def read(qtbot):
    """Reads captures, each with a document of its own, which is closed at the end."""
    documents = []

    def start(path: Path) -> Document:
        document = Document(path)
        documents.append(document)
        with qtbot.waitSignal(document.finished):
            document.start()
        return document

    yield start
    for document in (one for one in documents if one.analysis is not None):
        with qtbot.waitSignal(document.released):
            document.close()


def test_the_columns_follow_the_keys(tmp_path, read, qtbot) -> None:
    """Rows are completed once it is asked for, and anew with other keys; reading is over all the while."""
    path = tmp_path / "made.pcapng"
    random_traffic(11).write(path)
    document = read(path)
    inner = document.analysis.first_look["inner"]
    assert (inner < 0).all()
    associations = Associations(document.analysis, KEYS)
    with qtbot.waitSignal(document.completed):
        document.complete(associations)
    assert not document.reading
    assert associations.passed == len(document.analysis.wpdus)
    assert (inner >= 0).any()
    associations.keys = NO_KEYS
    with qtbot.waitSignal(document.completed):
        document.complete(associations)
    assert (inner < 0).all()


def test_items_are_those_of_columns_and_in_the_end_of_trees(tmp_path, read, qtbot) -> None:
    """The first table is there when reading ends; the next is complete, or says that the pass was stopped."""
    path = tmp_path / "made.pcapng"
    random_traffic(11).write(path)
    document = read(path)
    analysis = document.analysis
    of_columns, total = analysis.expert_items, len(analysis.wpdus)
    assert of_columns is not analysis.stream_items
    assert of_columns.completed == 0
    associations = Associations(analysis, KEYS)
    document.complete(associations)
    document.cancel()
    with qtbot.waitSignal(document.itemsChanged) as told:
        pass
    assert told.args == [True]
    assert analysis.expert_items.completed == 0
    inner = analysis.first_look["inner"].copy()
    with qtbot.waitSignal(document.itemsChanged) as told:
        document.find_items()
    assert told.args == [False]
    assert analysis.expert_items.completed == total
    assert len(analysis.expert_items) > len(of_columns)
    assert (inner == analysis.first_look["inner"]).all()
    associations.keys = NO_KEYS
    with qtbot.waitSignals([document.itemsChanged, document.itemsChanged]):
        document.complete(associations)
    assert analysis.expert_items.completed == total
    words = {analysis.expert_items.kind(row).word for row in range(len(analysis.expert_items))}
    assert "no-key" in words
    assert "opened" not in words


def test_items_of_a_capture_that_grows_come_with_its_sessions(make, capture, qtbot) -> None:
    """Whoever follows a capture need not wait for its end."""
    document = make(capture, follow=True)
    with qtbot.waitSignal(document.itemsChanged):
        document.start()
    assert document.following


def test_items_of_trees_come_as_a_capture_grows(tmp_path, make, qtbot) -> None:
    """Whoever follows a capture sees what is ill-formed in it as it goes on, not at its end."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    tcp.say(0, wpdu(bytes.fromhex("c001c1")))
    path = wire.capture(tmp_path / "live.pcap")
    document = make(path, follow=True)
    heard = []

    document.opened.connect(lambda: document.complete(Associations(document.analysis, NO_KEYS)))
    document.itemsChanged.connect(
        lambda stopped: heard.append(document.analysis.expert_items["kind"].tolist())
    )
    document.start()
    number = KINDS["ill-formed-apdu"].number
    qtbot.waitUntil(lambda: bool(heard) and heard[-1].count(number) == 1)
    size = path.stat().st_size
    tcp.say(1, wpdu(bytes.fromhex("c402c1"), 1, 16))
    octets = wire.capture(tmp_path / "more.pcap").read_bytes()
    with path.open("ab") as file:
        file.write(octets[size:])
    qtbot.waitUntil(lambda: heard[-1].count(number) == 2)
    assert document.following
    assert document.analysis.expert_items.completed == 2


def test_closing_ends_the_pass(tmp_path, read) -> None:
    """Nobody waits for rows that nobody looks at: the thread ends within the present part."""
    path = tmp_path / "made.pcapng"
    random_traffic(11, connections=60).write(path)
    document = read(path)
    associations = Associations(document.analysis, KEYS)
    heard = []
    document.completed.connect(lambda: heard.append(True))
    document.complete(associations)
    document.close()
    assert document.wait()
    assert not heard
    assert document.analysis is None


def test_what_was_told_early_is_told_anew(readings, read, qtbot) -> None:
    """A value looked at before the pass came there has no scaler of another connection, and gets it."""
    document = read(readings)
    traffic = Traffic(document.analysis)
    traffic.take_rows(4)
    model = WpduModel(Filters())
    model.set_traffic(traffic)
    model.take_rows(4)
    model.info(3)
    qtbot.waitUntil(lambda: model.cells.settled)
    assert model.info(3).text.endswith(PLAIN)
    with qtbot.waitSignal(document.completed):
        document.complete(traffic.associations)
    early = traffic.take_early()
    assert early == {3}
    assert traffic.take_early() == set()
    model.cells.settle_again(early)
    qtbot.waitUntil(lambda: model.cells.settled)
    assert model.info(3).text.endswith(SCALED)
    traffic.info(3)
    assert traffic.take_early() == set()


def test_the_window_shows_what_another_connection_told(readings, open_in, qtbot) -> None:
    """Lines and fields have it in the end, whoever was first."""
    window = open_in(readings)
    window.workspace.selection.go_to(3)
    model = window.workspace.table.wpdus
    qtbot.waitUntil(lambda: model.info(3).text.endswith(SCALED))
    assert window.workspace.traffic.associations.passed == 4


def test_cancelling_answers_within_a_batch(make, tmp_path, qtbot):
    """A batch that takes long is left where it is; what was found stays, and sessions of it come behind."""
    path = tmp_path / "slow.pcap"
    COSTLY["hdlc-pairs"](path, 30_000)
    document = make(path)
    told = listen(document)
    document.opened.connect(document.cancel)
    document.start()
    qtbot.waitUntil(lambda: not document.reading)
    qtbot.waitUntil(lambda: told[-1][0] == "sessionsChanged")
    assert ("cancelled",) in told
    assert document.analysis.cancelled
    assert document.packets == len(document.analysis.packets)
    assert document.wpdus < 30_000
