"""Streams of which the snap length left nothing: named so, and not called something else."""

from pathlib import Path

import pytest

from cosemscope.analysis.engine import Analysis
from cosemscope.capture.files.reader import open_capture
from cosemscope.streams.recognition import MAX_SEGMENTS, Recogniser
from cosemscope.streams.tables.framing import Framing
from tests.helpers.shared import shared
from tests.helpers.wire import CLIENT, SERVER, Tcp, Wire, analyse, get_request


def test_the_shared_capture() -> None:
    """Ten WPDUs of which no octet was captured."""
    analysis = Analysis(open_capture(shared("cases/streams/snaplen-54.pcap"))).run()
    assert list(analysis.statistics()["framings"]) == [Framing.NOT_CAPTURED.label]
    assert analysis.statistics()["missing_bytes"] == 2085


@pytest.mark.parametrize("count", [1, MAX_SEGMENTS + 5])
@pytest.mark.parametrize("snap", [40, 41])
def test_one_octet_makes_the_difference(count: int, snap: int, tmp_path: Path) -> None:
    """Headers alone; of UDP the headers are shorter, so that some octets are there."""
    wire = Wire(snap=snap)
    connection = Tcp(wire).handshake()
    for number in range(count):
        connection.say(0, get_request(number))
        wire.udp(("10.0.0.9", 9), SERVER, get_request(number))
    wire.udp(CLIENT, SERVER, b"")
    framings = analyse(wire, tmp_path).streams["framing"].tolist()
    first = Framing.NOT_CAPTURED if snap == 40 else Framing.UNKNOWN
    assert framings[0] == first
    assert Framing.NOT_CAPTURED not in framings[1:]


def test_segments_without_octets_are_not_waited_for_ever() -> None:
    """What is kept of a stream until it is recognised is bounded."""
    recogniser = Recogniser()
    told = [recogniser.add(0, b"", 500) for _ in range(MAX_SEGMENTS)]
    assert set(told[:-1]) == {Framing.UNDECIDED}
    assert told[-1] is Framing.UNKNOWN
