"""Associations as rows: how each is opened, what it came to, each way in which it ends, and who ended it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.analysis.outcomes.association_table import IDLE
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from tests.helpers import traffic_apdus as a
from tests.helpers.association_ends import KEYS
from tests.helpers.ciphered_session import CipheredSession
from tests.helpers.wire import ACK, FIN, MILLISECOND, RST, Tcp, Wire, analyse, wpdu

CLIENT, SERVER = 0, 1
GET = a.get_request(0xC1, 3, "1.0.1.8.0.255")
ANSWER = a.get_response(0xC1, a.double_long_unsigned(5009))
REFUSED = a.aare(result=1, diagnostic=13)
ABRT = bytes.fromhex("6403800100")


def say(tcp: Tcp, side: int, apdu: bytes, client_wport: int = 16) -> None:
    """An APDU from this side, between the client's wPort and 1."""
    tcp.say(side, wpdu(apdu, *((1, client_wport) if side else (client_wport, 1))))


def associate(tcp: Tcp, client_wport: int = 16, answer: bytes | None = None) -> None:
    say(tcp, CLIENT, a.aarq(), client_wport)
    say(tcp, SERVER, a.aare() if answer is None else answer, client_wport)


def release(tcp: Tcp, client_wport: int = 16) -> None:
    say(tcp, CLIENT, a.RLRQ, client_wport)
    say(tcp, SERVER, a.RLRE, client_wport)


def told(analysis: Analysis, *names: str) -> list[tuple[Any, ...]]:
    """What these fields say in JSON of each association."""
    facts = capture_facts(analysis)
    rows = AskedRows(analysis, facts.table.first_rows()[facts.associations.first])
    return list(zip(*(FIELDS[name].jsons(rows) for name in names), strict=True))


def _fin(tcp: Tcp, side: int) -> None:
    tcp.packet(side, tcp.sent[side], flags=FIN | ACK)


def _rst(tcp: Tcp, side: int) -> None:
    tcp.packet(side, tcp.sent[side], flags=RST | ACK)


ENDS: dict[str, tuple[Callable[[Tcp], None], str, str | None]] = {
    "released": (release, "release", "client"),
    "release without an answer": (lambda tcp: say(tcp, CLIENT, a.RLRQ), "release", "client"),
    "aborted by the meter": (lambda tcp: say(tcp, SERVER, ABRT), "abort", "server"),
    "FIN of the client": (lambda tcp: _fin(tcp, CLIENT), "fin", "client"),
    "FIN of the meter": (lambda tcp: _fin(tcp, SERVER), "fin", "server"),
    "RST of the client": (lambda tcp: _rst(tcp, CLIENT), "rst", "client"),
    "RST of the meter": (lambda tcp: _rst(tcp, SERVER), "rst", "server"),
    "another AARQ": (associate, "new-aarq", "client"),
    "another connection between its ports": (
        lambda tcp: associate(Tcp(tcp.wire, isn=(77_000, 99_000)).handshake()),
        "new-connection",
        None,
    ),
    "silence": (
        lambda tcp: Tcp(tcp.wire, ("10.0.0.7", 7000)).packet(0, 0, b"x", wait=IDLE + MILLISECOND),
        "silence",
        None,
    ),
    "the end of the capture": (lambda tcp: None, "end-of-capture", None),
}


@pytest.mark.parametrize("name", ENDS)
def test_each_way_in_which_an_association_ends(name: str, tmp_path: Path) -> None:
    """By what, by whom, in which packet, and how long it was."""
    end, word, who = ENDS[name]
    wire = Wire()
    tcp = Tcp(wire).handshake()
    associate(tcp)
    say(tcp, CLIENT, GET)
    say(tcp, SERVER, ANSWER)
    before = len(wire.packets)
    end(tcp)
    analysis = analyse(wire, tmp_path)
    names = ("association.state", "association.ended", "association.ended_by", "association.exchanges")
    exchanges = 3 if word in ("release", "abort") else 2
    assert told(analysis, *names)[0] == ("accepted", word, who, exchanges)
    ((packet, duration),) = told(analysis, "association.ended_packet", "association.duration")[:1]
    if word in ("silence", "end-of-capture"):
        assert (packet, duration) == (None, "0.003000000")
    elif word == "new-connection":
        assert (packet, duration) == (before + 1, "0.004000000")
    else:
        assert (packet, duration) == (
            len(wire.packets) - (name == "another AARQ"),
            f"0.00{len(wire.packets) - before + 3 - (name == 'another AARQ')}000000",
        )


def test_what_came_of_the_aarq(tmp_path: Path) -> None:
    """Accepted, refused with result and diagnostic, refused by an exception, unanswered, and none at all."""
    wire = Wire()
    for port, answers in enumerate(
        ([a.aare()], [REFUSED], [a.exception_response(1, 2)], [a.INITIATE_REFUSED], [])
    ):
        tcp = Tcp(wire, ("10.0.0.1", 50_000 + port)).handshake()
        say(tcp, CLIENT, a.aarq())
        for answer in answers:
            say(tcp, SERVER, answer)
        _fin(tcp, CLIENT)
    begun = Tcp(wire, ("10.0.0.1", 51_000))
    say(begun, CLIENT, GET)
    say(begun, SERVER, ANSWER)
    states = told(analyse(wire, tmp_path), "association.state", "association.opened", "association.result")
    assert [state[:2] for state in states] == [
        ("accepted", "AARQ"),
        ("refused", "AARQ"),
        ("refused", "AARQ"),
        ("refused", "AARQ"),
        ("unanswered", "AARQ"),
        ("not-seen", None),
    ]
    assert [state[2] for state in states[:2]] == ["accepted", "rejected-permanent"]
    assert told(analyse(wire, tmp_path), "association.diagnostic")[1] == (
        "the password or the authentication is wrong (authentication-failure)",
    )


def test_an_aare_alone_tells_of_its_association(tmp_path: Path) -> None:
    """A capture may begin between AARQ and AARE."""
    wire = Wire()
    tcp = Tcp(wire)
    say(tcp, SERVER, REFUSED)
    assert told(analyse(wire, tmp_path), "association.state", "association.opened") == [("refused", "AARE")]


@pytest.mark.parametrize("between", [0, 1])
def test_answers_to_an_aarq_that_was_sent_again_open_one_association(between: int, tmp_path: Path) -> None:
    """Both AARQs may be answered, the second answer before or behind the first request."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    say(tcp, CLIENT, a.aarq())
    associate(tcp)
    if between:
        say(tcp, CLIENT, GET)
    say(tcp, SERVER, a.aare())
    if not between:
        say(tcp, CLIENT, GET)
    say(tcp, SERVER, ANSWER)
    release(tcp)
    names = ("association.opened", "association.state", "association.ended", "association.exchanges")
    assert told(analyse(wire, tmp_path), *names) == [
        ("AARQ", "unanswered", "new-aarq", 1),
        ("AARQ", "accepted", "release", 4),
    ]


def test_a_copy_of_an_aare_opens_nothing(tmp_path: Path) -> None:
    """Datagrams may come twice."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    associate(tcp)
    say(tcp, SERVER, a.aare())
    release(tcp)
    names = ("association.state", "association.ended", "association.exchanges")
    assert told(analyse(wire, tmp_path), *names) == [("accepted", "release", 3)]


def test_two_associations_on_one_connection_and_two_after_one_another(tmp_path: Path) -> None:
    """Each wPort pair has its own; what comes behind a release is another, also without an AARQ."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    associate(tcp, 16)
    associate(tcp, 1)
    for wport in (16, 1, 16):
        say(tcp, CLIENT, GET, wport)
        say(tcp, SERVER, ANSWER, wport)
    release(tcp, 16)
    associate(tcp, 16)
    release(tcp, 16)
    say(tcp, CLIENT, GET, 16)
    _fin(tcp, SERVER)
    found = told(
        analyse(wire, tmp_path),
        "wport.client",
        "association.state",
        "association.ended",
        "association.exchanges",
        "association.unanswered",
    )
    assert found == [
        (16, "accepted", "release", 4, 0),
        (1, "accepted", "fin", 2, 0),
        (16, "accepted", "release", 2, 0),
        (16, "not-seen", "fin", 1, 0),
    ]


def test_what_was_agreed(tmp_path: Path) -> None:
    """Context, mechanism, conformance asked and agreed, and sizes of APDUs; LLS in clear."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    say(tcp, CLIENT, a.aarq(a.initiate_request(1200, 0x000010), mechanism=1, authentication=b"12345678"))
    say(tcp, SERVER, a.aare(a.initiate_response(256, 0x000010), mechanism=1))
    names = ("context", "mechanism", "conformance", "conformance_asked", "client_pdu_size", "server_pdu_size")
    ((context, mechanism, *rest),) = told(
        analyse(wire, tmp_path), *(f"association.{name}" for name in (*names, "hls", "hls_passes"))
    )
    assert (context, mechanism) == ("LN referencing, no ciphering (1)", "LLS (1)")
    assert rest == [["get"], ["get"], 1200, 256, None, None]


def walked(session: CipheredSession, folder: Path, keys: KeyTable) -> Analysis:
    """The capture of a session, walked with keys."""
    analysis = analyse(session.wire, folder)
    complete(Associations(analysis, keys))
    return analysis


SECURITY = ("client_title", "server_title", "hls", "hls_passes", "security", "suite")


@pytest.mark.parametrize("wrong", [False, True])
def test_hls_and_security_with_keys(wrong: bool, tmp_path: Path) -> None:
    """Titles, all four passes and whether they are right, the policy seen, counters of both sides."""
    ((*found, client, meter, conformance),) = told(
        walked(CipheredSession(wrong=wrong), tmp_path, KEYS),
        *(f"association.{name}" for name in SECURITY),
        "association.client_ic_to",
        "association.server_ic_from",
        "association.conformance_asked",
    )
    assert found == [
        "CSH 4353480000000001",
        "CSP 4353501000000001",
        "wrong" if wrong else "right",
        4,
        ["authenticated-encrypted"],
        0,
    ]
    assert client > 0x100
    assert meter == 0x202
    assert "get" in conformance


def test_hls_and_security_without_keys(tmp_path: Path) -> None:
    """What is ciphered stays unknown, and is not guessed; other keys make it known later."""
    analysis = walked(CipheredSession(), tmp_path, NO_KEYS)
    names = tuple(f"association.{name}" for name in (*SECURITY, "conformance_asked"))
    ((*_, hls, passes, security, suite, conformance),) = told(analysis, *names)
    assert (hls, passes, security, suite, conformance) == (None, 2, ["authenticated-encrypted"], 0, [])
    associations = Associations(analysis, NO_KEYS)
    associations.keys = KEYS
    complete(associations)
    analysis.pair_anew()
    ((_, _, hls, passes, *_, conformance),) = told(analysis, *names)
    assert (hls, passes, "get" in conformance) == ("right", 4, True)
    associations.keys = NO_KEYS
    complete(associations)
    analysis.pair_anew()
    ((_, _, hls, _, *_, conformance),) = told(analysis, *names)
    assert (hls, conformance) == (None, [])


def test_rows_are_the_same_live_and_offline(tmp_path: Path) -> None:
    """Asked after every packet, the associations end up as when asked once."""
    wire = Wire()
    for port in range(3):
        tcp = Tcp(wire, ("10.0.0.1", 50_000 + port)).handshake()
        associate(tcp)
        say(tcp, CLIENT, GET)
        say(tcp, SERVER, ANSWER)
        (release, lambda tcp: _rst(tcp, SERVER), lambda tcp: None)[port](tcp)
    names = ("association.state", "association.ended", "association.duration", "association.exchanges")
    whole = told(analyse(wire, tmp_path), *names)
    assert [one[1] for one in whole] == ["release", "rst", "end-of-capture"]
    growing = analyse(Wire(), tmp_path)
    assert told(growing, *names) == []
    assert told(analyse(wire, tmp_path, records=1), *names) == whole
