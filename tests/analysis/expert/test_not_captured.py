"""What the capture lacks alarms nobody: cut by the snap length, begun late, ended early, or one direction."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.expert.run import find_items
from cosemscope.analysis.keys.key_table import NO_KEYS
from cosemscope.streams.tables.expert_items import Severity
from tests.helpers import traffic_apdus as a
from tests.helpers.planted_faults import CLIENT, PROFILE, SERVER, Plot
from tests.helpers.wire import Tcp, Wire, analyse, wpdu

LONG = a.get_response(0xC1, a.octet_string(bytes(range(100))))
#: What says that octets were not captured, whatever is made of the rest.
_HONEST = {"truncated", "snap-length", "hole", "resynchronised"}


def session(snap: int = 1 << 18) -> Wire:
    """An association with long answers, blocks and errors, in which nothing goes wrong."""
    wire = Wire(snap=snap)
    plot = Plot(wire, 1)
    plot.associate()
    for number in range(6):
        plot.up(a.get_request(0xC1 + number % 3, 3, f"1.0.{number}.8.0.255"))
        plot.tcp.say(SERVER, wpdu(bytes((LONG[0], LONG[1], 0xC1 + number % 3)) + LONG[3:], 1, 16), [60])
    body = a.octet_string(b"x" * 78)
    plot.up(PROFILE)
    for block in range(1, 5):
        plot.down(a.get_block(0xC1, block == 4, block, body[block * 20 - 20 : block * 20]))
        if block < 4:
            plot.up(a.get_next(0xC1, block))
    plot.up(a.set_request(0xC1, 1, "0.0.42.0.0.255", 2, a.octet_string(b"x" * 50)))
    plot.down(a.set_response(0xC1, 0))
    plot.release()
    return wire


def alarms(wire: Wire, folder: Path) -> set[str]:
    """The words of all items that are more than chat."""
    analysis = analyse(wire, folder)
    assert find_items(Associations(analysis, NO_KEYS), workers=0)
    items = analysis.expert_items
    kinds = [items.kind(row) for row in range(len(items))]
    return {kind.word for kind in kinds if kind.severity > Severity.CHAT}


def test_the_whole_session_alarms_nobody(tmp_path: Path) -> None:
    """What the cuts below are held against."""
    assert alarms(session(), tmp_path) == set()


@pytest.mark.parametrize("snap", range(41, 120, 3))
def test_cut_by_the_snap_length(snap: int, tmp_path: Path) -> None:
    """Rows are truncated, whatever their octets break off in; none is ill-formed, odd or unanswered."""
    assert alarms(session(snap), tmp_path) <= _HONEST


@pytest.mark.parametrize("first", range(3, 30))
def test_begun_in_the_middle(first: int, tmp_path: Path) -> None:
    """Answers to what was asked before it, and transfers whose first blocks it lacks."""
    wire = session()
    wire.packets = wire.packets[first:]
    assert alarms(wire, tmp_path) <= _HONEST


@pytest.mark.parametrize("first", range(4))
def test_begun_amid_the_blocks_of_a_request(first: int, tmp_path: Path) -> None:
    """The client's blocks before it are the capture's to lack, too."""
    wire, value = Wire(), a.octet_string(b"x" * 78)
    plot = Plot(wire, 1)
    plot.up(a.set_first_block(0xC1, 1, "0.0.42.0.0.255", 2, value[:20]))
    plot.down(a.set_block_response(0xC1, 1))
    plot.up(a.set_block(0xC1, False, 2, value[20:40]))
    plot.down(a.set_block_response(0xC1, 2))
    plot.up(a.set_block(0xC1, True, 3, value[40:]))
    plot.down(a.set_last_block_response(0xC1, 3))
    wire.packets = wire.packets[first:]
    assert alarms(wire, tmp_path) <= _HONEST


@pytest.mark.parametrize("last", range(4, 30))
def test_ended_early(last: int, tmp_path: Path) -> None:
    """Amid a WPDU or an exchange; it was only just asked."""
    wire = session()
    wire.packets = wire.packets[:last]
    assert alarms(wire, tmp_path) <= _HONEST


@pytest.mark.parametrize("side", [CLIENT, SERVER])
def test_one_direction_alone(side: int, tmp_path: Path) -> None:
    """Nobody knows what the other side said, nor when."""
    wire = session()
    sender = bytes(map(int, Plot(Wire(), 1).tcp.ends[side][0].split(".")))
    wire.packets = [one for one in wire.packets if one[1][12:16] == sender]
    assert alarms(wire, tmp_path) <= _HONEST


def _drop(wire: Wire, wanted: Callable[[int], bool]) -> None:
    wire.packets = [one for number, one in enumerate(wire.packets) if wanted(number)]


@pytest.mark.parametrize("lost", range(5, 32))
def test_a_packet_that_the_capture_lost(lost: int, tmp_path: Path) -> None:
    """A hole, and what cannot be told because of it."""
    wire = session()
    _drop(wire, lambda number: number != lost)
    assert alarms(wire, tmp_path) <= _HONEST | {"block-missing"}


@pytest.mark.parametrize("snap", [70, 76, 80, 1 << 16])
def test_frames_that_the_snap_length_cuts_were_not_cut_by_their_sender(snap: int, tmp_path: Path) -> None:
    """Only who sent half a frame himself is told to have cut it."""
    wire = Wire(snap=snap)
    tcp = Tcp(wire, ("10.0.0.1", 50000), ("10.0.0.2", 4061)).handshake()
    profile = a.get_response(0xC1, a.octet_string(bytes(30)))
    for _ in range(4):
        tcp.say(CLIENT, a.hdlc_frame(1, 16, 0x10, b"\xe6\xe6\x00" + PROFILE))
        tcp.say(SERVER, a.hdlc_frame(16, 1, 0x30, b"\xe6\xe7\x00" + profile))
    found = alarms(wire, tmp_path)
    assert ("snap-length" in found) == (snap < 1000)
    assert "cut-frame" not in found
    tcp.say(SERVER, a.hdlc_frame(16, 1, 0x30, b"\xe6\xe7\x00" + profile)[:-9])
    tcp.close()
    assert ("cut-frame" in alarms(wire, tmp_path)) == (snap > 1000)
