"""The session tree, and the counts of a whole capture."""

from pathlib import Path

from cosemscope.streams.roles import FROM_CLIENT, FROM_SERVER, ROLES, initiator_side
from cosemscope.streams.tables.framing import Framing
from tests.helpers.wire import MILLISECOND, START, Tcp, Wire, analyse, get_request, get_response, wpdu


def _traffic() -> Wire:
    wire = Wire()
    one = Tcp(wire, ("10.0.0.1", 50001), ("10.0.0.2", 4059)).handshake()
    two = Tcp(wire, ("10.0.0.1", 50002), ("10.0.0.3", 4059)).handshake()
    three = Tcp(wire, ("10.0.0.2", 60000), ("10.0.0.1", 4059)).handshake()
    one.say(0, get_request(1))
    two.say(0, wpdu(b"\x62\x00", 32, 17))
    one.say(1, get_response(1))
    one.say(0, wpdu(b"\x62\x00", 48, 1))
    three.say(0, wpdu(b"\x0f\x00\x00\x00\x01\x00\x00", 1, 64))
    wire.udp(("10.0.0.9", 2), ("10.0.0.8", 1), b"nothing")
    return wire


def test_peers_streams_and_wport_pairs(tmp_path: Path) -> None:
    """Both directions between two addresses are one pair of peers; several wPort pairs share a connection."""
    tree = analyse(_traffic(), tmp_path).sessions()
    assert [(peers.client, peers.server) for peers in tree] == [
        ("10.0.0.1", "10.0.0.2"),
        ("10.0.0.1", "10.0.0.3"),
        ("10.0.0.9", "10.0.0.8"),
    ]
    assert [session.stream for session in tree[0].streams] == [0, 2]
    first, push = tree[0].streams
    assert [(pair.client_wport, pair.server_wport, pair.wpdus) for pair in first.wports] == [
        (16, 1, 2),
        (48, 1, 1),
    ]
    assert first.wports[0].client_name == "Public Client"
    assert first.wports[0].server_name == "Management Logical Device"
    assert [(pair.client_wport, pair.server_wport) for pair in push.wports] == [(64, 1)]
    assert tree[2].streams[0].framing is Framing.UNKNOWN
    assert tree[2].streams[0].wports == ()


def test_counts_and_times_of_a_pair(tmp_path: Path) -> None:
    """Octets include headers; times run from the first octet of its first WPDU to the last of its last."""
    pair = analyse(_traffic(), tmp_path).sessions()[0].streams[0].wports[0]
    assert pair.octets == len(get_request(1)) + len(get_response(1))
    assert pair.first_time == START + 10 * MILLISECOND
    assert pair.last_time == START + 12 * MILLISECOND


def test_the_tree_grows_while_reading(tmp_path: Path) -> None:
    """Whatever the batches, the tree at the end is the same, pair by pair."""
    whole = analyse(_traffic(), tmp_path).sessions()
    assert analyse(_traffic(), tmp_path, records=1).sessions() == whole


def test_every_wpdu_knows_its_pair(tmp_path: Path) -> None:
    """`wpdu_pairs` leads from a row to its pair, for filters and graphs."""
    analysis = analyse(_traffic(), tmp_path)
    pairs = analysis.wpdu_pairs["pair"]
    assert pairs.tolist() == [0, 1, 0, 2, 3]
    assert analysis.pairs["stream"][pairs].tolist() == analysis.wpdus["stream"].tolist()
    assert analysis.dlms_client_is_near(0)
    assert not analysis.dlms_client_is_near(3)


def test_statistics(tmp_path: Path) -> None:
    """Every count that scripts rely on."""
    counts = analyse(_traffic(), tmp_path).statistics()
    assert counts["packets"] == 15
    assert (counts["tcp_streams"], counts["udp_flows"], counts["wpdus"]) == (3, 1, 5)
    assert counts["apdu_tags"] == {"data-notification": 1, "RLRQ": 2, "get-request": 1, "get-response": 1}
    for name in ("retransmissions", "out_of_order", "missing_bytes", "skipped_bytes"):
        assert counts[name] == 0


def test_roles_of_tags() -> None:
    """Requests come from clients, answers and notifications from servers; envelopes say nothing."""
    assert [int(ROLES[tag]) for tag in (0x60, 0xC0, 0xC8, 0xD0)] == [FROM_CLIENT] * 4
    assert [int(ROLES[tag]) for tag in (0x61, 0xC4, 0xCC, 0x0F, 0xC2)] == [FROM_SERVER] * 5
    assert [int(ROLES[tag]) for tag in (0xDB, 0xDD, 0xE0, 0x00)] == [0] * 4


def test_who_is_taken_for_the_initiator() -> None:
    """APDUs first, then the DLMS port, then the higher port, then who spoke first."""
    assert initiator_side(0xC0, 1, (9, 10), 0) == 1
    assert initiator_side(0xC4, 1, (9, 10), 1) == 0
    assert initiator_side(0x0F, 1, (4059, 9), 0) == 1
    assert initiator_side(-1, 1, (9, 10), 0) == 1
    assert initiator_side(0xDB, 1, (9, 9), 0) == 0


def test_who_only_gets_ciphered_pushes_is_the_client(tmp_path: Path) -> None:
    """A general-glo push tells no role by its tag; that it is never answered does."""
    wire = Wire()
    push = wpdu(bytes.fromhex("db084142434445464748051e00000001"), 1, 64)
    for _ in range(2):
        wire.udp(("10.0.0.9", 4059), ("10.0.0.1", 4059), push)
    analysis = analyse(wire, tmp_path)
    (peers,) = analysis.sessions()
    (pair,) = peers.streams[0].wports
    assert (pair.client_wport, pair.server_wport) == (64, 1)
    wire.udp(("10.0.0.1", 4059), ("10.0.0.9", 4059), wpdu(push[8:], 64, 1))
    answered = analyse(wire, tmp_path).sessions()[0].streams[0].wports[0]
    assert (answered.client_wport, answered.server_wport) == (1, 64)


def test_a_stream_without_octets_is_said_to_have_none(tmp_path: Path) -> None:
    """At the end of a capture nothing is "not yet" recognised."""
    wire = Wire()
    Tcp(wire).handshake().close()
    assert analyse(wire, tmp_path).sessions()[0].streams[0].framing is Framing.SILENT
