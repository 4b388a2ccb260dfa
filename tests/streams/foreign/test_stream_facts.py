"""Facts that foreign streams tell in clear: names, certificates, equipment; from few octets, never raised."""

import random
import ssl
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.streams.foreign import stream_facts
from cosemscope.streams.foreign.tls_facts import tls_facts
from tests.helpers.foreign_traffic import (
    SERVER_NAME,
    TALKS,
    client_hello,
    dtls_certificate,
    dtls_handshake,
    dtls_record,
    put_on,
    tls_talk,
)
from tests.helpers.wire import Tcp, Wire, analyse


def told(name: str, tmp_path: Path, seed: int = 1) -> list[str]:
    """The facts of one talk that was captured."""
    wire = Wire()
    put_on(wire, TALKS[name](random.Random(seed)), 1)
    return analyse(wire, tmp_path).foreign_facts().get(0, [])


def test_tls_names_server_and_certificate(tmp_path: Path) -> None:
    """Of version 1.2; of 1.3 the certificate is encrypted."""
    server, subject = f"server name {SERVER_NAME}", f"certificate of CN={SERVER_NAME}"
    facts = told("TLS 1.2", tmp_path)
    assert facts[:2] == [server, subject]
    assert facts[2].startswith("records of application data with ")
    new = told("TLS 1.3", tmp_path)
    assert new[0] == server
    assert subject not in new


def test_dtls_joins_fragments(tmp_path: Path) -> None:
    """A certificate in three of them."""
    facts = told("DTLS", tmp_path)
    assert facts[:2] == [f"server name {SERVER_NAME}", f"certificate of CN={SERVER_NAME}"]
    gap = dtls_handshake(11, dtls_certificate(), 1, (100, 200))
    assert tls_facts(([], [gap[0], gap[2]]), datagrams=True) == []


@pytest.mark.parametrize(
    ("name", "begin"),
    [
        ("DSMR alarm over TCP", "E"),
        ("DSMR alarm over UDP", "E"),
        ("P1", "identification /ISk5\\2MT382-1000"),
        ("DLMS over CoAP", "path /dlms"),
        ("CoAP", "path /.well-known/core"),
    ],
)
def test_others(name: str, begin: str, tmp_path: Path) -> None:
    """The equipment of alarms, what a telegram begins with, paths."""
    facts = told(name, tmp_path)
    assert facts
    assert facts[0].startswith(begin)


def test_alarms_tell_register_or_logical_name(tmp_path: Path) -> None:
    """As it was sent: bits by number, a name by its six values."""
    wire = Wire()
    for port, tail in ((1, b"\0\0\0\2"), (2, b"\0\0\x19\x09\0\xff")):
        wire.udp(("10.0.0.1", port), ("10.0.0.2", 9), b"E0026000059790003," + tail)
    assert list(analyse(wire, tmp_path).foreign_facts().values()) == [
        ["E0026000059790003: alarm register 00000002"],
        ["E0026000059790003: logical name 0.0.25.9.0.255"],
    ]


@pytest.mark.parametrize("name", ["Modbus", "HTTP", "SML", "PRIME"])
def test_others_have_none(name: str, tmp_path: Path) -> None:
    """Nothing is read of them."""
    assert told(name, tmp_path) == []


def test_segments_out_of_order_and_sent_again(tmp_path: Path) -> None:
    """The octets in order, each once; a gap ends what can be told."""
    hello = tls_talk(ssl.TLSVersion.TLSv1_2)[0][1]
    wire = Wire()
    connection = Tcp(wire).handshake()
    connection.packet(0, 0, hello[:60], flags=0x18)
    connection.packet(0, 100, hello[100:], flags=0x18)
    connection.packet(0, 60, hello[60:100], flags=0x18)
    connection.packet(0, 0, hello[:80], flags=0x18)
    other = Tcp(wire, ("10.0.0.9", 7)).handshake()
    other.packet(0, 0, hello[:60], flags=0x18)
    other.packet(0, 100, hello[100:], flags=0x18)
    assert analyse(wire, tmp_path).foreign_facts() == {0: [f"server name {SERVER_NAME}"]}


def test_few_octets_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the stream is."""
    monkeypatch.setattr(stream_facts, "MAX_SEGMENTS", 1)
    assert told("TLS 1.2", tmp_path) == [f"server name {SERVER_NAME}", f"certificate of CN={SERVER_NAME}"]


@given(st.integers(0, 400), st.integers(0, 255), st.booleans())
def test_damage_raises_nothing(at: int, value: int, cut: bool) -> None:
    """Any octet changed, or cut there."""
    sides = [[octets for side, octets in tls_talk(ssl.TLSVersion.TLSv1_2) if side == one] for one in (0, 1)]
    datagrams = [*dtls_handshake(1, client_hello(), 0), *dtls_handshake(11, dtls_certificate(), 1, (90,))]
    for octets, is_datagram in ((sides[0][0], False), (sides[1][0], False), (b"".join(datagrams), True)):
        changed = bytearray(octets)
        changed[at % len(changed)] = value
        tls_facts(([bytes(changed[:at] if cut else changed)], []), datagrams=is_datagram)
    assert tls_facts(([dtls_record(22, b"\1\0")], [b""]), datagrams=True) == []
