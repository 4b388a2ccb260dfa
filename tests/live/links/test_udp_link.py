"""UDP links over real sockets: one WPDU a datagram, and faults in words."""

import asyncio
import socket

import pytest

from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.tcp_sockets import LinkOptions
from cosemscope.live.links.udp_link import UdpServer, connect_udp, serve_udp
from cosemscope.transport.bindings import WpduDiscarded
from cosemscope.transport.errors import RemoteProtocolError
from cosemscope.transport.primitives import Primitive, UdpDataConfirm, UdpDataIndication
from cosemscope.transport.wpdu import Wpdu
from tests.helpers.coroutines import run, until

APDU = bytes.fromhex("c001c1000100002a0000ff0200")


async def answer_one(server: UdpServer) -> UdpDataIndication:
    indication = await server.receive()
    await server.reply(indication, b"\xc4" + indication.data)
    return indication


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_apdu_there_and_back(host: str) -> None:
    """Over IPv4 and IPv6, to a wPort that is not the default."""

    async def work() -> None:
        told: list[object] = []
        async with (
            serve_udp(host, 0, local_wports=(1, 17)) as server,
            connect_udp(*server.address, remote_wport=17, observer=told.append) as link,
        ):
            await link.send(APDU)
            indication = await answer_one(server)
            assert (indication.local_wport, indication.remote_wport) == (17, 16)
            assert await link.receive() == b"\xc4" + APDU
        names = [each.name for each in told if isinstance(each, Primitive)]
        assert names == ["UDP-DATA.request", "UDP-DATA.confirm", "UDP-DATA.indication"]

    run(work())


@pytest.mark.parametrize(("host", "largest"), [("127.0.0.1", 65499), ("::1", 65519)])
def test_the_largest_apdu_and_one_more_octet(host: str, largest: int) -> None:
    """5.2.2: header and APDU fit in one datagram, so the limit depends on the IP version."""

    async def work() -> None:
        async with serve_udp(host, 0) as server, connect_udp(*server.address) as link:
            await link.send(bytes(largest))
            assert len((await server.receive(2)).data) == largest
            with pytest.raises(LinkError, match=str(largest)) as caught:
                await link.send(bytes(largest + 1))
            assert caught.value.fault is Fault.TOO_LARGE

    run(work())


def test_nothing_listens() -> None:
    """The system's refusal, which comes with the next call, is told in words."""

    async def work() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        async with connect_udp("127.0.0.1", port) as link:
            await link.send(APDU)
            with pytest.raises(LinkError, match=f"refused by 127.0.0.1:{port}") as caught:
                await link.receive(2)
            assert caught.value.fault is Fault.REFUSED

    run(work())


def test_silence_is_a_timeout() -> None:
    """UDP knows no connection: only waiting shows that nobody answers."""

    async def work() -> None:
        async with serve_udp(port=0) as server, connect_udp(*server.address) as link:
            await link.send(APDU)
            with pytest.raises(LinkError, match=r"no answer from .* in 0.05 s") as caught:
                await link.receive(0.05)
            assert caught.value.fault is Fault.TIMEOUT

    run(work())


def test_what_is_no_wpdu_is_dropped_and_told() -> None:
    """Junk, a truncated WPDU and one for an unbound wPort get no answer; the next good one does."""

    async def work() -> None:
        told: list[object] = []
        async with serve_udp(port=0, observer=told.append) as server:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
                raw.connect(tuple(server.address))
                good = Wpdu(16, 1, APDU).encode()
                for octets in (b"\x7e\xa0\x07\x03", good[:-1], b"", Wpdu(16, 15, APDU).encode(), good):
                    raw.send(octets)
                assert (await server.receive(2)).data == APDU
        assert sum(isinstance(each, RemoteProtocolError) for each in told) == 3
        assert sum(isinstance(each, WpduDiscarded) for each in told) == 1

    run(work())


def test_all_station_reaches_every_logical_device_and_is_not_answered() -> None:
    """A broadcast is indicated to each bound wPort; a reply to it is refused."""

    async def work() -> None:
        async with (
            serve_udp(port=0, local_wports=(1, 17)) as server,
            connect_udp(*server.address, remote_wport=0x7F) as link,
        ):
            await link.send(APDU)
            both = [await server.receive(2), await server.receive(2)]
            assert [each.local_wport for each in both] == [1, 17]
            with pytest.raises(LinkError, match="broadcast"):
                await server.reply(both[0], APDU)

    run(work())


def test_a_flood_is_dropped_and_counted() -> None:
    """What waits is bounded, and what was dropped is no secret."""

    async def work() -> None:
        options = LinkOptions(waiting_limit=4)
        async with serve_udp(port=0, options=options) as server, connect_udp(*server.address) as link:
            for _ in range(10):
                await link.send(APDU)
            await until(lambda: server.endpoint.dropped >= 6)
            for _ in range(4):
                await server.receive(1)
            assert server.endpoint.dropped == 6

    run(work())


def test_closing_ends_a_wait() -> None:
    """Whoever waits is told, not left waiting."""

    async def work() -> None:
        async with connect_udp("127.0.0.1", 9) as link:
            waiting = asyncio.ensure_future(link.receive(0))
            await asyncio.sleep(0)
            await link.close()
            with pytest.raises(LinkError) as caught:
                await waiting
            assert caught.value.fault is Fault.CLOSED
            with pytest.raises(LinkError):
                await link.send(APDU)

    run(work())


def test_a_confirm_says_that_it_was_sent() -> None:
    """5.2: UDP-DATA.confirm is about sending, not about arrival."""

    async def work() -> None:
        told: list[object] = []
        async with serve_udp(port=0) as server, connect_udp(*server.address, observer=told.append) as link:
            await link.send(APDU)
        confirms = [each for each in told if isinstance(each, UdpDataConfirm)]
        assert [each.result.value for each in confirms] == ["OK"]

    run(work())


def test_every_wait_ends_when_the_socket_is_closed() -> None:
    """All who wait then, and whoever asks later, learn that it is closed; what had come is given first."""

    async def work() -> None:
        async with serve_udp(port=0) as server:
            waits = [asyncio.ensure_future(server.receive()) for _ in range(3)]
            await asyncio.sleep(0)
            server.endpoint.close()
            ends = await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), 2)
            assert [end.fault for end in ends if isinstance(end, LinkError)] == [Fault.CLOSED] * 3
            for _ in range(2):
                with pytest.raises(LinkError) as caught:
                    await asyncio.wait_for(server.receive(), 2)
                assert caught.value.fault is Fault.CLOSED
        told: list[object] = []
        async with serve_udp(port=0) as server, connect_udp(*server.address, observer=told.append) as link:
            await link.send(APDU)
            await server.reply(await server.receive(2), b"\xc4")
            await until(lambda: isinstance(told[-1], UdpDataIndication))  # and nobody took it
            await link.close()
            assert await link.receive(2) == b"\xc4"

    run(work())


def test_a_wport_that_is_none_is_a_matter_of_the_address() -> None:
    """Not of the APDU's size."""

    async def work() -> None:
        async with serve_udp(port=0) as server, connect_udp(*server.address) as link:
            for wports in ({"remote_wport": 65536}, {"local_wport": -1}):
                with pytest.raises(LinkError, match="no wPort") as caught:
                    await link.send(APDU, **wports)
                assert caught.value.fault is Fault.ADDRESS

    run(work())
