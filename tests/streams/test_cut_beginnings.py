"""A connection to the DLMS port whose only WPDU is cut is a DLMS connection: its row is truncated."""

from pathlib import Path

import pytest

from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.wpdu_table import Mark
from tests.helpers import traffic_apdus as a
from tests.helpers.wire import ACK, FIN, PSH, RST, Tcp, Wire, analyse, wpdu

_GET = wpdu(a.get_request(0xC1, 3, "1.0.1.8.0.255"), 16, 1)
_PUSH = wpdu(a.data_notification(1, b"", a.octet_string(b"x" * 200)), 1, 64)


def _reset(tcp: Tcp) -> None:
    tcp.say(0, _GET[:12])
    tcp.packet(0, tcp.sent[0], flags=RST | ACK)


def _closed(tcp: Tcp) -> None:
    tcp.say(0, _GET[:-1])
    tcp.close()


def _hole(tcp: Tcp) -> None:
    tcp.packet(0, 0, _PUSH[:100], flags=PSH | ACK)
    tcp.packet(0, 150, _PUSH[150:], flags=PSH | ACK)
    tcp.packet(0, len(_PUSH), flags=FIN | ACK)


def _still_open(tcp: Tcp) -> None:
    tcp.say(0, _GET[:12])


CUT = {"reset": _reset, "closed": _closed, "hole": _hole, "end of the capture": _still_open}


@pytest.mark.parametrize("one_by_one", [False, True])
@pytest.mark.parametrize("records", [1, 2, 65536])
@pytest.mark.parametrize("name", CUT)
def test_half_a_wpdu_on_its_own_port_is_one(
    name: str, records: int, one_by_one: bool, tmp_path: Path
) -> None:
    """However it was cut, both ways, and in batches of any size."""
    wire = Wire()
    CUT[name](Tcp(wire, ("10.0.0.1", 50_000), ("10.0.0.2", 4059)).handshake())
    analysis = analyse(wire, tmp_path, records=records, one_by_one=one_by_one)
    assert analysis.streams["framing"].tolist() == [Framing.WRAPPER]
    assert len(analysis.wpdus) == 1
    assert analysis.wpdus["marks"][0] & Mark.TRUNCATED


@pytest.mark.parametrize(
    ("port", "begin"),
    [
        (4060, _GET[:12]),
        (4059, b"\x00\x02" + _GET[2:12]),
        (4059, _GET[:9]),
        (4059, b"GET / HTTP/1.0\r\n\r\n"),
    ],
)
def test_what_is_no_half_wpdu_or_not_on_that_port_is_none(port: int, begin: bytes, tmp_path: Path) -> None:
    """Another port, another version, too little to tell an APDU, another protocol."""
    wire = Wire()
    tcp = Tcp(wire, ("10.0.0.1", 50_000), ("10.0.0.2", port)).handshake()
    tcp.say(0, begin)
    tcp.close()
    assert len(analyse(wire, tmp_path).wpdus) == 0
