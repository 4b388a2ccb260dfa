"""The document's thread: it reads, then completes what only associations know, until it is closed."""

from pathlib import Path

import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.keys.key_table import NO_KEYS
from cosemscope.gui.document.document import Document
from cosemscope.gui.document.selection import Filters
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.panes.wpdus.wpdu_model import WpduModel
from tests.helpers import apdu_encoder as encode
from tests.helpers.association_ends import KEYS
from tests.helpers.traffic_random import random_traffic
from tests.helpers.wire import Tcp, Wire, wpdu

ENERGY, SCALER = ((3, bytes((1, 0, 1, 8, 0, 255)), member) for member in (2, 3))
SCALED, PLAIN = "500.9 Wh", "5009"


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
