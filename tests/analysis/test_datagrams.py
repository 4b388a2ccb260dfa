"""UDP: one WPDU a datagram, and what becomes of datagrams that hold something else."""

from pathlib import Path

import pytest

from cosemscope.analysis.findings import FindingKind
from cosemscope.analysis.framing import Framing
from cosemscope.analysis.wpdus import Mark
from tests.analysis.wire import CLIENT, SERVER, Wire, analyse, contents, get_request, get_response, rows, wpdu

ONE, TWO = get_request(1), get_response(1)


def _wire(*datagrams: bytes, snap: int = 1 << 18) -> Wire:
    wire = Wire(snap=snap)
    wire.udp(CLIENT, SERVER, ONE)
    wire.udp(SERVER, CLIENT, TWO)
    for octets in datagrams:
        wire.udp(CLIENT, SERVER, octets)
    return wire


def test_a_wpdu_a_datagram(tmp_path: Path) -> None:
    """Both directions of a flow; who sends requests is its client."""
    analysis = analyse(_wire(), tmp_path)
    assert contents(analysis) == [ONE, TWO]
    assert analysis.wpdus["direction"].tolist() == [0, 1]
    assert analysis.statistics()["udp_flows"] == 1


def test_several_wpdus_and_trailing_octets_are_decoded_and_marked(tmp_path: Path) -> None:
    """Against the rule of one WPDU a datagram, yet each is shown."""
    analysis = analyse(_wire(ONE + TWO, ONE + b"xyz"), tmp_path)
    assert contents(analysis) == [ONE, TWO, ONE, TWO, ONE]
    assert analysis.wpdus["marks"].tolist() == [0, 0, Mark.SHARED, Mark.SHARED, Mark.TRAILING]
    assert analysis.findings["kind"].tolist() == [FindingKind.SEVERAL, FindingKind.TRAILING]
    assert analysis.findings["amount"].tolist() == [2, 3]
    assert analysis.statistics()["skipped_bytes"] == 3


def test_a_truncated_datagram_is_a_truncated_wpdu(tmp_path: Path) -> None:
    """The sender's length is more than came."""
    analysis = analyse(_wire(ONE[:-4]), tmp_path)
    assert contents(analysis)[2:] == [ONE[:-4]]
    assert analysis.wpdus["marks"].tolist() == [0, 0, Mark.TRUNCATED]
    assert analysis.statistics()["wpdus"] == 2


def test_the_snap_length_costs_octets(tmp_path: Path) -> None:
    """What it cut off is missing."""
    long = get_request(1, 200)
    analysis = analyse(_wire(long, snap=28 + 60), tmp_path)
    assert analysis.wpdus["size"].tolist() == [len(ONE), len(TWO), 60]
    assert analysis.statistics()["missing_bytes"] == len(long) - 60


def test_what_is_no_wpdu_is_skipped(tmp_path: Path) -> None:
    """A bad version, or too few octets for a header."""
    analysis = analyse(_wire(wpdu(b"\x62\x00", version=2), b"\x00\x01\x00"), tmp_path)
    assert len(analysis.wpdus) == 2
    assert analysis.statistics()["skipped_bytes"] == 10 + 3


def test_an_unknown_tag_counts_in_a_flow_that_is_recognised(tmp_path: Path) -> None:
    """But does not make one: before the first believable WPDU nothing is claimed."""
    odd = wpdu(b"\x54\x01")
    wire = Wire()
    wire.udp(CLIENT, SERVER, odd)
    wire.udp(CLIENT, SERVER, ONE)
    wire.udp(CLIENT, SERVER, odd)
    for records in (1, 2, 65536):
        analysis = analyse(wire, tmp_path, records=records)
        assert contents(analysis) == [ONE, odd]


@pytest.mark.parametrize("octets", [bytes.fromhex("000100002112a442") + bytes(12), bytes(40), b"M-SEARCH *"])
def test_other_protocols_are_left_alone(octets: bytes, tmp_path: Path) -> None:
    """Also on 4059."""
    wire = Wire()
    for _ in range(50):
        wire.udp(CLIENT, SERVER, octets)
    analysis = analyse(wire, tmp_path)
    assert not len(analysis.wpdus)
    assert analysis.streams["framing"][0] >= Framing.UNKNOWN


def test_batches_make_no_difference(tmp_path: Path) -> None:
    """The same rows however the file is cut into batches."""
    wire = _wire(ONE + TWO, TWO[:-1], ONE, b"??", ONE + b"x", TWO)
    assert rows(analyse(wire, tmp_path, records=1)) == rows(analyse(wire, tmp_path))
