"""TCP links: who may be answered, what a confirm vouches for, how soon a program that fails is free again."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.tcp_link import TcpLink, connect_tcp
from cosemscope.live.links.tcp_server import serve_tcp
from cosemscope.live.links.tcp_sockets import LinkOptions
from cosemscope.live.links.udp_link import connect_udp, serve_udp
from cosemscope.transport.parameters import ConfirmationType, Result
from cosemscope.transport.primitives import TcpDataConfirm
from tests.helpers.coroutines import run, until
from tests.live.links.ends import APDU, Primitives, echo


@asynccontextmanager
async def silent_peer() -> AsyncIterator[LinkAddress]:
    """Accepts, keeps every connection open, reads nothing and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listening.setblocking(False)
        kept: list[socket.socket] = []
        loop = asyncio.get_running_loop()

        async def keep() -> None:
            while True:
                kept.append((await loop.sock_accept(listening))[0])

        task = asyncio.ensure_future(keep())
        yield LinkAddress(*listening.getsockname())
        task.cancel()
        for each in kept:
            each.close()


def test_all_station_is_not_answered_over_tcp() -> None:
    """Each logical device gets it; neither `reply` nor `send` to whoever sent last answers it (5.3.4)."""

    async def work() -> None:
        refused: list[Fault] = []
        seen: list[tuple[int, bool]] = []

        async def device(link: TcpLink) -> None:
            while True:
                indication = await link.indication()
                seen.append((indication.local_wport, indication.broadcast))
                for answering in (link.reply(indication, b"\xc4"), link.send(b"\xc4")):
                    try:
                        await answering
                    except LinkError as error:
                        refused.append(error.fault)

        async with (
            serve_tcp(port=0, local_wports=(1, 17), handler=device) as server,
            connect_tcp(*server.address, remote_wport=0x7F) as link,
        ):
            await link.send(APDU)
            await until(lambda: len(seen) == 2)
            await link.send(APDU, remote_wport=17)
            assert await link.receive(2) == b"\xc4"
        assert seen == [(1, True), (17, True), (17, False)]
        assert refused == [Fault.ADDRESS] * 4

    run(work())


def test_a_push_says_to_which_wport() -> None:
    """Before anything came there is nobody to send to: wPort 0, No-station, is no one."""

    async def work() -> None:
        async with (
            serve_tcp(port=0) as server,
            connect_tcp(*server.address, local_wport=64) as link,
            await server.accept(2) as pushing,
        ):
            with pytest.raises(LinkError, match="remote_wport") as caught:
                await pushing.send(b"\x0f")
            assert caught.value.fault is Fault.ADDRESS
            await pushing.send(b"\x0f", remote_wport=64)
            assert await link.receive(2) == b"\x0f"

    run(work())


@pytest.mark.parametrize("connect", [connect_tcp, connect_udp])
@pytest.mark.parametrize("port", [70000, 65536, -1, "4059"])
def test_a_port_that_is_none_is_refused(connect, port) -> None:  # type: ignore[no-untyped-def]
    """The system's look-up would take 70000 for 4464."""

    async def work() -> None:
        with pytest.raises(LinkError, match="is no port") as caught:
            async with connect("127.0.0.1", port):
                pass
        assert caught.value.fault is Fault.ADDRESS

    run(work())


@pytest.mark.parametrize("serve", [serve_tcp, serve_udp])
def test_a_server_has_a_port_too(serve) -> None:  # type: ignore[no-untyped-def]
    """No OverflowError."""

    async def work() -> None:
        with pytest.raises(LinkError, match="70001 is no port"):
            async with serve("127.0.0.1", 70001):
                pass

    run(work())


def test_every_network_is_that_of_ipv4_too() -> None:
    """`::` listens at both, as over UDP, at one port."""

    async def work() -> None:
        async with serve_tcp("::", 0) as server:
            for host in ("127.0.0.1", "::1"):
                async with connect_tcp(host, server.address.port) as link, await server.accept(2) as there:
                    assert there.remote.host == host
                    await link.send(APDU)
                    assert await there.receive(2) == APDU

    run(work())


def test_a_group_is_no_place_to_listen_over_tcp() -> None:
    """It says what does."""

    async def work() -> None:
        with pytest.raises(LinkError, match="TCP has none"):
            async with serve_tcp("239.1.2.3", 0):
                pass

    run(work())


@pytest.mark.parametrize("apdu", ["6000", None, 5])
def test_an_apdu_is_octets(apdu: object) -> None:
    """Anything else is a mistake of the program, told as one."""

    async def work() -> None:
        async with serve_tcp(port=0, handler=echo) as server, connect_tcp(*server.address) as link:
            with pytest.raises(TypeError, match="octets"):
                await link.send(apdu)  # type: ignore[arg-type]
            with pytest.raises(TypeError, match="wPort"):
                await link.send(APDU, remote_wport="1")  # type: ignore[arg-type]

    run(work())


def test_a_program_that_fails_is_free_within_a_moment() -> None:
    """By cancelling or by an exception of its own: no peer's FIN is waited for, which would take for ever."""
    made: list[TcpLink] = []

    async def session(peer: LinkAddress, failing: bool) -> None:
        options = LinkOptions(close_timeout=None, send_timeout=None, answer_timeout=None)
        async with connect_tcp(*peer, options=options) as link:
            made.append(link)
            if failing:
                raise ZeroDivisionError
            await link.receive()

    async def work() -> None:
        async with silent_peer() as peer:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(session(peer, failing=False), 0.1)
            with pytest.raises(ZeroDivisionError):
                await session(peer, failing=True)
            assert [link.is_open for link in made] == [False, False]

    run(work())


def test_what_a_handler_raises_is_told_at_once_with_its_peer() -> None:
    """Not when its task is collected; the connection ends, and others go on."""

    async def work() -> None:
        told: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

        async def handler(link: TcpLink) -> None:
            await link.receive()
            raise ValueError("in my script")

        async with serve_tcp(port=0, handler=handler) as server, connect_tcp(*server.address) as link:
            await link.send(APDU)
            with pytest.raises(LinkError) as caught:
                await link.receive(2)
            assert caught.value.fault is Fault.CLOSED
            assert len(told) == 1
            assert str(link.local) in str(told[0]["message"])
            assert isinstance(told[0]["exception"], ValueError)

    run(work())


async def _until_full(peer: LinkAddress, options: LinkOptions, told: Primitives, size: int) -> list[int]:
    """Send until nothing more is taken; what stood in a buffer of ours after each `send`."""
    unsent: list[int] = []
    try:
        async with connect_tcp(*peer, options=options, observer=told) as link:
            while True:
                await link.send(bytes(size))
                unsent.append(link.unsent)
    except LinkError as error:
        assert error.fault is Fault.TIMEOUT  # noqa: PT017
    return unsent


def test_local_is_confirmed_when_the_socket_has_taken_all() -> None:
    """Nothing stands in a buffer of ours then, however small the peer's window (6.2.5, 6.3.5.4)."""

    async def work() -> None:
        async with silent_peer() as peer:
            told = Primitives()
            unsent = await _until_full(peer, LinkOptions(send_timeout=0.3), told, 1000)
            assert set(unsent) == {0}
            results = [each.result for each in told.seen if isinstance(each, TcpDataConfirm)]
            assert results == [Result.OK] * len(unsent) + [Result.NOK]

    run(work())


@pytest.mark.skipif(sys.platform not in {"linux", "darwin"}, reason="the system does not tell")
def test_remote_is_confirmed_when_the_peers_tcp_has_acknowledged() -> None:
    """Also where no answer comes; a clean close leaves none unconfirmed that was acknowledged (6.2.5)."""

    async def take(link: TcpLink) -> None:
        while True:
            await link.receive()

    async def work() -> None:
        told = Primitives()
        options = LinkOptions(remote_confirms=True)
        async with (
            serve_tcp(port=0, handler=take) as server,
            connect_tcp(*server.address, options=options, observer=told) as link,
        ):
            await link.send(APDU)
            await until(lambda: len(told.seen) >= 5)
            await link.send(APDU)
        confirms = [each for each in told.seen if isinstance(each, TcpDataConfirm)]
        remote = [each.result for each in confirms if each.confirmation_type is ConfirmationType.REMOTE]
        assert remote == [Result.OK, Result.OK]

    run(work())


@pytest.mark.skipif(sys.platform not in {"linux", "darwin"}, reason="the system does not tell")
def test_remote_is_not_confirmed_while_octets_are_under_way() -> None:
    """A peer whose window is full acknowledges no more; NOK when the connection is given up."""

    async def work() -> None:
        async with silent_peer() as peer:
            told = Primitives()
            options = LinkOptions(send_timeout=0.2, remote_confirms=True)
            await _until_full(peer, options, told, 30000)
            confirms = [each for each in told.seen if isinstance(each, TcpDataConfirm)]
            remote = [each.result for each in confirms if each.confirmation_type is ConfirmationType.REMOTE]
            local = [each.result for each in confirms if each.confirmation_type is ConfirmationType.LOCAL]
            assert len(remote) == len(local)
            assert remote.count(Result.OK) < local.count(Result.OK)

    run(work())


@pytest.mark.skipif(sys.platform not in {"linux", "darwin"}, reason="the system does not tell")
def test_a_timeout_says_how_far_the_request_came() -> None:
    """The device's silence is no loss in the network."""

    async def work() -> None:
        options = LinkOptions(close_timeout=0.1)
        async with silent_peer() as peer, connect_tcp(*peer, options=options) as link:
            await link.send(APDU)
            with pytest.raises(TimeoutError, match="its TCP has acknowledged all that was sent"):
                await link.receive(0.1)

    run(work())


def test_a_slow_peer_that_reads_is_not_given_up() -> None:
    """Parts that the socket takes are progress: `send_timeout` begins anew with each (6.3.5.4)."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            listening.setblocking(False)

            async def read_slowly() -> int:
                handle, _ = await loop.sock_accept(listening)
                total = 0
                with handle:
                    while part := await loop.sock_recv(handle, 4096):
                        total += len(part)
                        await asyncio.sleep(0.03)
                return total

            reading = asyncio.ensure_future(read_slowly())
            options = LinkOptions(send_timeout=0.3, close_timeout=0.3)
            async with connect_tcp(*listening.getsockname(), options=options) as link:
                handle = link._transport.get_extra_info("socket")  # type: ignore[union-attr]
                handle.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
                for _ in range(3):
                    await link.send(bytes(65535))
            assert await reading == 3 * 65543

    run(work())
