"""wPort pairs: who is the DLMS client on each, and which two are one talk written under one sender."""

from pathlib import Path

import numpy as np
import pytest

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.catalogue.wpdu_checks import wports_not_exchanged
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.capture.files.reader import open_capture
from tests.helpers import traffic_apdus as a
from tests.helpers.shared import shared
from tests.helpers.wire import CLIENT, SERVER, Tcp, Wire, analyse, wpdu

ENERGY = "1.0.1.8.0.255"
ASKED, ANSWERED = a.get_request(0xC1, 3, ENERGY), a.get_error(0xC1, 3)


def said(analysis: Analysis, *names: str) -> list[list[object]]:
    asked = AskedRows(analysis, slice(None))
    return [FIELDS[name].jsons(asked) for name in names]


def test_a_talk_under_one_sender_has_both_roles(tmp_path: Path) -> None:
    """Requests and answers that one end sends in turn are exchanges, with wPorts turned or equal."""
    wire = Wire()
    for port, meter in ((16, 1), (7, 7)):
        wire.udp(CLIENT, SERVER, wpdu(ASKED, port, meter))
        wire.udp(CLIENT, SERVER, wpdu(ANSWERED, meter, port))
    analysis = analyse(wire, tmp_path)
    role, exchange, status = said(analysis, "role", "exchange", "exchange.status")
    assert role == ["client", "server"] * 2
    assert exchange == [1, 1, 2, 2]
    assert status == ["error"] * 4
    client, wport = said(analysis, "client", "wport.client")
    assert len(set(client)) == 1
    assert wport == [16, 16, 7, 7]


def test_pushes_beside_requests_are_no_answers(tmp_path: Path) -> None:
    """An end that reads one device and pushes to it has two pairs, as long as nobody answers."""
    wire = Wire()
    wire.udp(CLIENT, SERVER, wpdu(ASKED, 16, 1))
    wire.udp(CLIENT, SERVER, wpdu(ASKED, 1, 16))
    role, exchange = said(analyse(wire, tmp_path), "role", "exchange")
    assert role == ["client", "client"]
    assert exchange == [1, 2]


def test_a_talk_with_two_senders_goes_by_its_sides(tmp_path: Path) -> None:
    """What the majority says of a side holds for all that it sends."""
    wire = Wire()
    for octets in (ASKED, ANSWERED, ASKED):
        wire.udp(CLIENT, SERVER, wpdu(octets, 16, 1))
    wire.udp(SERVER, CLIENT, wpdu(ANSWERED, 1, 16))
    (role,) = said(analyse(wire, tmp_path), "role")
    assert role == ["client"] * 3 + ["server"]


def test_pairs_are_the_same_whenever_that_is_seen(tmp_path: Path) -> None:
    """Exchanges that were asked for before the answer came are paired again."""
    wire = Wire()
    wire.udp(CLIENT, SERVER, wpdu(ASKED, 16, 1))
    wire.udp(CLIENT, SERVER, wpdu(ANSWERED, 1, 16))
    path = wire.capture(tmp_path / "made.pcap")

    with open_capture(path) as reader:
        analysis = Analysis(reader)
        while analysis.step(1):
            analysis.pair()
        analysis.finish()
        assert analysis.pair().of["exchange"].tolist() == [0, 0]


def test_the_shared_capture_with_one_sender() -> None:
    """A get-response is the server's, and of the request before it, with the wPorts turned."""

    with open_capture(shared("captures/udp-hdlc.pcap")) as reader:
        analysis = Analysis(reader).run()
        role, apdu, exchange = said(analysis, "role", "apdu", "exchange")
    answers = [row for row, name in enumerate(apdu) if name in ("AARE", "get-response", "set-response")]
    assert {role[row] for row in answers} == {"server"}
    assert exchange[2] == exchange[3]


@pytest.mark.parametrize("records", [1, 65_536])
def test_an_answer_whose_wports_were_not_exchanged_belongs_to_its_pair(tmp_path: Path, records: int) -> None:
    """It answers the request, and is marked; pairs of other numbers are not touched."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    for meter in (1, 2, 16):
        connection.say(0, wpdu(ASKED, 16, meter))
        connection.say(1, wpdu(ANSWERED, 16, meter) if meter == 1 else wpdu(ANSWERED, meter, 16))
    analysis = analyse(wire, tmp_path, records=records)
    pairs = list(zip(analysis.pairs["near"].tolist(), analysis.pairs["far"].tolist(), strict=True))
    assert pairs == [(16, 1), (16, 2), (16, 16)]
    assert analysis.pairs["wpdus"].tolist() == [2, 2, 2]
    (status,) = said(analysis, "exchange.status")
    assert status == ["error"] * 6
    rows = np.arange(len(analysis.wpdus))
    assert list(wports_not_exchanged(analysis, rows)["wpdu"]) == [1]
