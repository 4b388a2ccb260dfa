"""Rows of HDLC: every APDU that frames carry is a row, whatever carries the frames."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.capture.files.reader import open_capture
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.row_apdus import apdu_octets
from cosemscope.streams.tables.stream_kinds import NO_FRAME
from cosemscope.streams.tables.wpdu_table import Mark
from tests.apdu.hdlc_encoder import COMMAND, GET, RESPONSE, frame, i_control
from tests.helpers.shared import shared
from tests.helpers.wire import CLIENT, SERVER, Tcp, Wire

ANSWER = bytes.fromhex("c401c100") + b"\x09\x82\x01\x00" + bytes(range(256))
METER = {"destination": b"\x21", "source": b"\x03"}


def answer_frames(answer: bytes = ANSWER, size: int = 100) -> list[bytes]:
    """The frames of a response in segments of so many octets, as a meter sends them."""
    information = RESPONSE + answer
    parts = [information[at : at + size] for at in range(0, len(information), size)]
    return [
        frame(i_control(number), part, segmented=part is not parts[-1], **METER)
        for number, part in enumerate(parts)
    ]


def analysed(wire: Wire, folder: Path, *, one_by_one: bool = False) -> Analysis:
    return Analysis(open_capture(wire.capture(folder / "made.pcap")), one_by_one=one_by_one).run()


def rows(analysis: Analysis) -> list[tuple[int, ...]]:
    names = ("direction", "source_wport", "destination_wport", "length", "apdu_tag", "segments", "marks")
    return list(zip(*(analysis.wpdus[name].tolist() for name in names), strict=True))


@pytest.mark.parametrize(
    ("name", "apdus", "frames", "first"),
    [
        ("original_data.pcapng", 150, 198, (0, 16, 1, 31, 0x60, 1, 0)),
        ("data7.pcapng", 142, 188, (0, 16, 1, 31, 0x60, 1, 0)),
        ("udp-hdlc.pcap", 32, 40, (0, 1, 1, 56, 0x60, 1, int(Mark.DAMAGED))),
    ],
)
def test_captures(name: str, apdus: int, frames: int, first: tuple[int, ...]) -> None:
    """Rows of real captures; they are no WPDUs in the counts, their frames are counted beside."""
    with open_capture(shared(f"captures/{name}")) as reader:
        analysis = Analysis(reader).run()
        counts = analysis.statistics()
        assert (counts["wpdus"], counts["other_apdus"], counts["hdlc_frames"]) == (0, apdus, frames)
        assert counts["apdu_tags"] == {}
        assert rows(analysis)[0] == first
        for row in range(len(analysis.wpdus)):
            framing = Framing(int(analysis.wpdus["framing"][row]))
            octets = analysis.octets(row)
            assert len(octets) == analysis.wpdus["size"][row]
            if not analysis.wpdus["marks"][row]:
                apdu = apdu_octets(octets, framing)
                assert len(apdu) == analysis.wpdus["length"][row]
                assert apdu[0] == analysis.wpdus["apdu_tag"][row]


def test_both_kinds_of_frames_in_one_flow() -> None:
    """HDLC and IEC 61334-4-32 side by side: each datagram is what it begins as."""
    with open_capture(shared("captures/udp-hdlc.pcap")) as reader:
        analysis = Analysis(reader).run()
        framings = analysis.wpdus["framing"].tolist()
        assert framings.count(Framing.IEC_61334_4_32) == 10
        assert framings.count(Framing.HDLC) == 22


def test_segments_are_joined_and_requests_known(tmp_path: Path) -> None:
    """A response in three segments between receive-ready frames is one row, with its request's name."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    connection.say(0, frame(i_control(0), COMMAND + GET))
    for part in answer_frames():
        connection.say(1, part)
        connection.say(0, frame(0x31))
    analysis = analysed(wire, tmp_path)
    assert rows(analysis) == [(0, 16, 1, len(GET), 0xC0, 1, 0), (1, 1, 16, len(ANSWER), 0xC4, 3, 0)]
    assert analysis.packets_of(1).tolist() == [4, 6, 8]
    info = Associations(analysis).info(1)
    assert info.startswith("GET response 1.0.1.8.0.255 Active energy import (+A), value = 000102")


def test_segments_in_datagrams(tmp_path: Path) -> None:
    """Over UDP the segments of an APDU come in datagrams of their own."""
    wire = Wire()
    wire.udp(CLIENT, SERVER, frame(i_control(0), COMMAND + GET))
    for part in answer_frames():
        wire.udp(SERVER, CLIENT, part)
    analysis = analysed(wire, tmp_path)
    assert rows(analysis)[1] == (1, 1, 16, len(ANSWER), 0xC4, 3, 0)
    assert apdu_octets(analysis.octets(1), Framing.HDLC) == ANSWER


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.sets(st.integers(1, 400), max_size=12), shared_flags=st.booleans())
def test_any_segmentation_gives_the_same_rows(tmp_path: Path, cuts: set[int], shared_flags: bool) -> None:
    """However TCP cuts the frames, and whether they share their flags: the same APDUs, both ways."""
    parts = answer_frames()
    stream = parts[0] + b"".join(part[shared_flags:] for part in parts[1:])
    wire = Wire()
    connection = Tcp(wire).handshake()
    connection.say(0, frame(i_control(0), COMMAND + GET))
    connection.say(1, stream, sorted(cut for cut in cuts if cut < len(stream)))
    for one_by_one in (False, True):
        analysis = analysed(wire, tmp_path, one_by_one=one_by_one)
        assert [row[:5] for row in rows(analysis)] == [
            (0, 16, 1, len(GET), 0xC0),
            (1, 1, 16, len(ANSWER), 0xC4),
        ]
        assert apdu_octets(analysis.octets(1), Framing.HDLC) == ANSWER
        assert analysis.statistics()["hdlc_frames"] == 4


def test_a_lost_segment(tmp_path: Path) -> None:
    """What has begun and is not all there is marked; what follows is read again."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    connection.say(0, frame(i_control(0), COMMAND + GET))
    first, lost, last = answer_frames()
    connection.say(1, first)
    connection.sent[1] += len(lost)
    connection.say(1, last)
    connection.packet(0, connection.sent[0], ack=connection.sent[1])
    connection.say(1, frame(i_control(4), RESPONSE + ANSWER[:12], **METER))
    analysis = analysed(wire, tmp_path)
    truncated, found = rows(analysis)[1:]
    assert truncated[-1] & Mark.TRUNCATED
    assert found[3:5] == (12, 0xC4)
    assert analysis.statistics()["missing_bytes"] == len(lost)


def test_noise_and_damage(tmp_path: Path) -> None:
    """Octets that are no frame are skipped and counted; a frame with a wrong check sequence is marked."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    good = frame(i_control(0), COMMAND + GET)
    bad = good[:-4] + bytes([good[-4] ^ 1]) + good[-3:]
    connection.say(0, good + b"noise" + bad + good)
    analysis = analysed(wire, tmp_path)
    assert [bool(row[-1] & Mark.DAMAGED) for row in rows(analysis)] == [False, True, False]
    assert analysis.expert_items.count(NO_FRAME) == 1
    assert analysis.statistics()["skipped_bytes"] == 5
    assert "check sequence" in Associations(analysis).info(1)


def test_datagrams_that_are_cut(tmp_path: Path) -> None:
    """What the snap length took from one datagram moves nothing in the next: its row has its own octets."""
    wire = Wire(snap=28 + 40)
    whole = frame(i_control(0), COMMAND + GET)
    long = frame(i_control(1), RESPONSE + ANSWER[:100], **METER)
    assert len(whole) <= 40 < len(long)
    for _ in range(3):
        wire.udp(CLIENT, SERVER, whole)
        wire.udp(CLIENT, SERVER, long)
    analysis = analysed(wire, tmp_path)
    complete = [
        row for row in range(len(analysis.wpdus)) if not analysis.wpdus["marks"][row] & Mark.TRUNCATED
    ]
    assert [analysis.octets(row) for row in complete] == [whole] * 3
    assert analysis.wpdus["first_packet"][complete].tolist() == [0, 2, 4]
    assert analysis.statistics()["missing_bytes"] == 3 * (len(long) - 40)
