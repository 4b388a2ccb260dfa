"""The columns beside the WPDU table say what a first look at the whole octets of each row says."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosemscope.analysis.engine import Analysis
from cosemscope.apdu.first_look import FIRST_LOOK_FIELDS, ApduKind, look
from cosemscope.capture.files.reader import open_capture
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.row_apdus import apdu_octets
from cosemscope.streams.tables.wpdu_table import Mark
from tests.apdu.hdlc_encoder import COMMAND, RESPONSE, frame, i_control
from tests.helpers import traffic_apdus as a
from tests.helpers.shared import shared
from tests.helpers.traffic_random import random_traffic
from tests.helpers.traffic_samples import CAPTURES
from tests.helpers.wire import CLIENT, SERVER, Tcp, Wire

REQUEST = a.get_request(0xC1, 3, "1.0.1.8.0.255")
ANSWER = bytes.fromhex("c401c100") + b"\x09\x82\x01\x00" + bytes(range(256))


def analysed(path: Path, *, one_by_one: bool = False, max_records: int = 65_536) -> Analysis:
    """The capture, read in batches of so many records."""
    analysis = Analysis(open_capture(path), one_by_one=one_by_one)
    while analysis.step(max_records):
        pass
    analysis.finish()
    return analysis


def check(analysis: Analysis) -> Analysis:
    """The columns against a first look at the whole octets, row by row."""
    apdus = [
        apdu_octets(analysis.octets(row), framing)
        for row, framing in enumerate(analysis.wpdus["framing"].tolist())
    ]
    wanted = look(apdus)
    assert len(analysis.first_look) == len(analysis.wpdus)
    for name in FIRST_LOOK_FIELDS:
        assert analysis.first_look[name].tolist() == wanted[name].tolist(), name
    return analysis


def check_every_way(path: Path) -> None:
    """One by one or not, in batches of any size."""
    for one_by_one, max_records in ((False, 65_536), (False, 7), (False, 1), (True, 65_536), (True, 5)):
        analysis = check(analysed(path, one_by_one=one_by_one, max_records=max_records))
        analysis.reader.close()


@pytest.mark.parametrize("seed", range(6))
def test_random_traffic(tmp_path: Path, seed: int) -> None:
    """Split, swapped, repeated and lost octets: each row tells what was captured of its WPDU."""
    path = tmp_path / "random.pcapng"
    random_traffic(seed, holes=bool(seed & 1)).write(path)
    check_every_way(path)


@pytest.mark.parametrize("name", sorted(CAPTURES))
def test_samples(tmp_path: Path, name: str) -> None:
    """The captures of the start page."""
    CAPTURES[name]().write(tmp_path / name)
    check(analysed(tmp_path / name))


@pytest.mark.parametrize(
    "name",
    ["Output.pcap", "Output-Ciphered-HLS.pcap", "original_data.pcapng", "data7.pcapng", "udp-hdlc.pcap"],
)
def test_real_captures(name: str) -> None:
    """Captures that others made, in the wrapper's framing and in HDLC, and what they ask for."""
    analysis = check(analysed(shared(f"captures/{name}")))
    assert (analysis.first_look["service"] >= 0).all()
    assert ApduKind.ASSOCIATION in analysis.first_look["kind"].tolist()
    analysis.reader.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    cuts=st.sets(st.integers(1, 400), max_size=40),
    snap=st.sampled_from((44, 50, 60, 70, 100, 1 << 18)),
    max_records=st.sampled_from((1, 2, 65_536)),
)
def test_any_pieces(tmp_path: Path, cuts: set[int], snap: int, max_records: int) -> None:
    """However TCP cuts WPDUs, down to single octets, and whatever the snap length leaves of them."""
    wire = Wire(snap=snap)
    connection = Tcp(wire).handshake()
    for side, octets in (
        (0, a.wpdu(16, 1, REQUEST)),
        (1, a.wpdu(1, 16, ANSWER)),
        (0, a.wpdu(16, 1, REQUEST)),
    ):
        connection.say(side, octets, sorted(cut for cut in cuts if cut < len(octets)))
    check(analysed(wire.capture(tmp_path / "made.pcap"), max_records=max_records))


def swapped(octets: bytes) -> bytes:
    """A WPDU with the octets of its header fields exchanged."""
    return b"".join(octets[at : at + 2][::-1] for at in range(0, 8, 2)) + octets[8:]


FRAMED = {
    Framing.SWAPPED: (swapped(a.wpdu(16, 1, REQUEST)), swapped(a.wpdu(1, 16, ANSWER))),
    Framing.BARE: (REQUEST, ANSWER),
    Framing.HDLC: (
        frame(i_control(0), COMMAND + REQUEST, destination=b"\x03", source=b"\x21"),
        frame(i_control(0), RESPONSE + ANSWER, destination=b"\x21", source=b"\x03"),
    ),
    Framing.IEC_61334_4_32: (b"\x90\x01\x10" + REQUEST, b"\x90\x10\x01" + ANSWER),
}


@pytest.mark.parametrize(
    ("framing", "transport"),
    [(framing, "tcp") for framing in FRAMED]
    + [(framing, "udp") for framing in FRAMED if framing is not Framing.BARE],
)
def test_other_framings(tmp_path: Path, framing: Framing, transport: str) -> None:
    """Request and answer in framings other than the wrapper's have the same columns."""
    wire = Wire()
    connection = Tcp(wire).handshake() if transport == "tcp" else None
    for _ in range(4):
        for side, octets in enumerate(FRAMED[framing]):
            if connection is not None:
                connection.say(side, octets)
            else:
                wire.udp(*((CLIENT, SERVER), (SERVER, CLIENT))[side], octets)
    analysis = check(analysed(wire.capture(tmp_path / "made.pcap")))
    columns = analysis.first_look
    assert analysis.wpdus["framing"].tolist() == [framing] * 8
    assert columns["service"].tolist() == [0xC0, 0xC4] * 4
    assert columns["kind"].tolist() == [ApduKind.REQUEST, ApduKind.RESPONSE] * 4
    assert columns["obis"].tolist() == [0x0100010800FF, 0] * 4
    assert columns["result"].tolist() == [-1, 0] * 4


def test_a_truncated_wpdu_keeps_what_was_captured(tmp_path: Path) -> None:
    """Of a WPDU that the snap length cut there is its class, but not its attribute."""
    wire = Wire(snap=20 + 8 + 8 + 8)
    wire.udp(SERVER, CLIENT, a.wpdu(1, 16, bytes.fromhex("c501c100")))
    wire.udp(CLIENT, SERVER, a.wpdu(16, 1, REQUEST))
    analysis = check(analysed(wire.capture(tmp_path / "made.pcap")))
    assert analysis.wpdus["marks"].tolist() == [0, Mark.TRUNCATED]
    assert analysis.first_look["service"].tolist() == [0xC5, 0xC0]
    assert analysis.first_look["invoke_id"].tolist() == [1, 1]
    assert analysis.first_look["class_id"].tolist() == [-1, -1]
