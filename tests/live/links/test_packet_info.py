"""Where a datagram was sent: told by the system, answered from there, and not at all when it was for many."""

import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.udp_link import connect_udp, serve_udp
from cosemscope.transport.wpdu import Wpdu
from tests.helpers.coroutines import run
from tests.helpers.tshark import tshark

APDU = bytes.fromhex("c001c1000100002a0000ff0200")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the networks of loopback are Linux's")


@contextmanager
def sender() -> Iterator[socket.socket]:
    """A plain socket that sends to broadcasts and, on loopback, to groups."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        loopback = struct.pack("@4s4si", bytes(4), bytes(4), socket.if_nametoindex("lo"))
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, loopback)
        raw.bind(("127.0.0.1", 0))
        yield raw


@linux_only
@pytest.mark.parametrize("reached", ["127.255.255.255", "224.0.0.1", "239.1.2.3"])
def test_what_is_sent_to_many_is_told_as_broadcast_and_not_answered(reached: str) -> None:
    """Whoever joined the group, and though the wPort is that of one logical device (5.1)."""

    async def work() -> None:
        async with serve_udp("0.0.0.0", 0, groups=["239.1.2.3"]) as server:
            with sender() as raw:
                raw.sendto(Wpdu(16, 1, APDU).encode(), (reached, server.address.port))
                indication = await server.receive(2)
                assert indication.broadcast
                assert indication.local_ip_address == reached
                with pytest.raises(LinkError, match="broadcast") as caught:
                    await server.reply(indication, APDU)
                assert caught.value.fault is Fault.ADDRESS
                raw.setblocking(False)
                with pytest.raises(BlockingIOError):
                    raw.recv(100)

    run(work())


@linux_only
@pytest.mark.parametrize("asked", ["127.0.0.1", "127.0.0.2", "127.1.2.3"])
def test_the_answer_leaves_from_the_address_that_was_asked(asked: str) -> None:
    """A connected client sees no other; the indication has it as Local_IP_Address (5.2.2.2)."""

    async def work() -> None:
        async with serve_udp("0.0.0.0", 0) as server, connect_udp(asked, server.address.port) as link:
            await link.send(APDU)
            indication = await server.receive(2)
            assert (indication.local_ip_address, indication.broadcast) == (asked, False)
            await server.reply(indication, b"\xc4")
            assert await link.receive(2) == b"\xc4"

    run(work())


def test_ipv6_is_told_too() -> None:
    """On a socket for every IPv6 address."""

    async def work() -> None:
        async with serve_udp("::", 0) as server, connect_udp("::1", server.address.port) as link:
            await link.send(APDU)
            indication = await server.receive(2)
            assert indication.local_ip_address == "::1"
            await server.reply(indication, b"\xc4")
            assert await link.receive(2) == b"\xc4"

    run(work())


def test_every_network_is_that_of_ipv4_too() -> None:
    """`::` listens at both, and shows each peer by the address that it has."""

    async def work() -> None:
        async with serve_udp("::", 0) as server, connect_udp("127.0.0.1", server.address.port) as link:
            await link.send(APDU)
            indication = await server.receive(2)
            assert (indication.local_ip_address, indication.remote_ip_address) == ("127.0.0.1", "127.0.0.1")
            await server.reply(indication, b"\xc4")
            assert await link.receive(2) == b"\xc4"

    run(work())


@linux_only
def test_the_recording_has_the_address_that_was_reached(tmp_path: Path) -> None:
    """Not the loopback address as a guess."""

    async def work() -> None:
        recorder = Recorder(tmp_path / "reached.pcapng")
        async with serve_udp("0.0.0.0", 0, recorder=recorder) as server:
            with sender() as raw:
                for reached in ("127.0.0.2", "127.255.255.255"):
                    raw.sendto(Wpdu(16, 1, APDU).encode(), (reached, server.address.port))
                    indication = await server.receive(2)
                    if not indication.broadcast:
                        await server.reply(indication, b"\xc4")
        recorder.close()

    run(work())
    ends = tshark(tmp_path / "reached.pcapng", "-T", "fields", "-e", "ip.src", "-e", "ip.dst")
    assert [line.split() for line in ends] == [
        ["127.0.0.1", "127.0.0.2"],
        ["127.0.0.2", "127.0.0.1"],
        ["127.0.0.1", "127.255.255.255"],
    ]
