"""Interfaces: what the system has, who may capture on it, how many packets pass."""

import socket
import sys

import pytest

from cosemscope.capture.capturing import interfaces as module
from cosemscope.capture.capturing import libpcap
from cosemscope.capture.capturing.interfaces import PacketCounts, interfaces
from cosemscope.capture.capturing.libpcap import NO_RIGHTS, Device, LibpcapError
from cosemscope.capture.spool.chunks import SourceError
from tests.helpers.capturing import needs, needs_rights

LOOPBACK = Device("lo", "", ("127.0.0.1", "::1"), True, True, True, False, None)
DOWN = Device("eth1", "spare", (), False, False, False, False, None)
LOOSE = Device("eth2", "", (), True, True, False, False, False)


def test_the_loopback_interface_may_be_captured() -> None:
    """What the list says of an interface that there is everywhere."""
    needs_rights()
    (loopback,) = [each for each in interfaces() if each.name == "lo"]
    assert loopback.may_capture
    assert (loopback.way, loopback.state, loopback.link_type, loopback.reason) == ("libpcap", "up", 1, "")
    assert "127.0.0.1" in loopback.addresses


def refuse(name: str, _: object) -> None:
    raise LibpcapError("Operation not permitted", NO_RIGHTS)


def test_dumpcap_is_the_second_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the library may not, dumpcap may for its group's members; those that are down are told so."""
    monkeypatch.setattr(libpcap, "devices", lambda: [LOOPBACK, DOWN, LOOSE])
    monkeypatch.setattr(libpcap, "open_live", refuse)
    monkeypatch.setattr(module, "find_dumpcap", lambda: "dumpcap")
    monkeypatch.setattr(module, "dumpcap_link_type", lambda _, name: {"lo": 1, "eth1": 113, "eth2": 1}[name])
    found = interfaces()
    assert [(each.way, each.link_type) for each in found] == [
        ("dumpcap", 1),
        ("dumpcap", 113),
        ("dumpcap", 1),
    ]
    assert [each.state for each in found] == ["up", "down", "not connected"]


def test_without_any_rights_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither libpcap nor dumpcap may: the row says why, instead of staying away."""
    monkeypatch.setattr(libpcap, "devices", lambda: [LOOPBACK])
    monkeypatch.setattr(libpcap, "open_live", refuse)
    monkeypatch.setattr(module, "find_dumpcap", lambda: None)
    (found,) = interfaces()
    assert not found.may_capture
    assert found.reason.startswith("You may not capture on lo. ")


def test_without_the_library_dumpcap_lists_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Either of the two ways is enough for a list."""
    needs("dumpcap")
    needs_rights()

    def missing() -> None:
        raise LibpcapError("there is no library")

    monkeypatch.setattr(libpcap, "devices", missing)
    (loopback,) = [each for each in interfaces() if each.name == "lo"]
    assert (loopback.way, loopback.state) == ("dumpcap", "unknown")
    assert "127.0.0.1" in loopback.addresses
    monkeypatch.setattr(module, "find_dumpcap", lambda: None)
    with pytest.raises(SourceError, match="there is no library"):
        interfaces()


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_packets_that_pass_are_counted(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    """By the system where it counts for everybody, else by handles of the library's."""
    needs_rights()
    monkeypatch.setattr(sys, "platform", platform)
    counts = PacketCounts(["lo", "nosuch0"])
    monkeypatch.undo()
    before = counts.now()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        for _ in range(10):
            sink.sendto(b"x", sink.getsockname())
    after = counts.now()
    counts.close()
    assert before.keys() == {"lo"}
    assert after["lo"] - before["lo"] >= 10
