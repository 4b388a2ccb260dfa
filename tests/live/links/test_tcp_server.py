"""TCP servers over real sockets: connections taken one by one or by a handler, how many, who misbehaves."""

import asyncio
import socket
import struct

import pytest

from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.tcp_link import connect_tcp
from cosemscope.live.links.tcp_server import TcpServer, serve_tcp
from cosemscope.live.links.tcp_sockets import LinkOptions
from cosemscope.transport.parameters import ReasonOfFailure
from cosemscope.transport.primitives import TcpAbortIndication, TcpDataIndication
from tests.benchmarks.transport_benchmark import more_files
from tests.helpers.coroutines import run, until
from tests.helpers.proxy import FaultProxy, Harm, Then
from tests.live.links.ends import APDU, Primitives, echo, fault_of

QUICK = LinkOptions(
    connect_timeout=2, answer_timeout=2, wpdu_timeout=0.2, send_timeout=0.5, close_timeout=0.3
)


def test_accept_gives_connections_one_by_one() -> None:
    """A server may be written as a loop instead of a handler."""

    async def work() -> None:
        async with (
            serve_tcp(port=0, local_wports=(1, 17)) as server,
            connect_tcp("127.0.0.1", server.address.port, local_wport=32, remote_wport=17) as link,
        ):
            await link.send(APDU)
            async with await server.accept(2) as served:
                indication = await served.indication()
                assert (indication.local_wport, indication.remote_wport) == (17, 32)
                await served.send(b"\x01")
                assert await link.receive() == b"\x01"

    run(work())


@pytest.mark.parametrize("then", Then, ids=lambda then: then.name.lower())
def test_a_server_gets_over_a_client_that_breaks_off(then: Then) -> None:
    """The request breaks off: the link ends in an abort and is let go, and the next client is served."""

    async def work() -> None:
        told = Primitives()
        async with serve_tcp(port=0, handler=echo, options=QUICK, observer=told) as server:
            harm = Harm(after=12, then=then)
            async with (
                FaultProxy(("127.0.0.1", server.address.port), upstream=harm) as proxy,
                connect_tcp("127.0.0.1", proxy.port, options=QUICK) as link,
            ):
                await link.send(APDU)
                await until(lambda: any(isinstance(each, TcpAbortIndication) for each in told.seen))
            await until(lambda: not server.links)
            assert not any(isinstance(each, TcpDataIndication) for each in told.seen)
            assert await many(server, 1, 1) == 1

    run(work())


def test_connections_that_nobody_accepts_are_bounded() -> None:
    """Those that came and went do not pile up, and those that stay are as many as the limit at the most."""

    async def work() -> None:
        async with serve_tcp(port=0, limit=5) as server:
            for _ in range(20):
                _, writer = await asyncio.open_connection("127.0.0.1", server.address.port)
                reset = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                writer.transport.abort()
            await until(lambda: not server.links)
            stay = [await asyncio.open_connection("127.0.0.1", server.address.port) for _ in range(8)]
            await until(lambda: server.doorkeeper.rejected >= 3)
            assert len(server.links) <= 5
            for _ in range(len(server.links)):
                await server.accept(2)
            with pytest.raises(LinkError):
                await server.accept(0.05)
            for _, writer in stay:
                writer.close()

    run(work())


def test_inactivity_ends_a_connection() -> None:
    """Server side: a client that is gone holds no connection for ever."""

    async def work() -> None:
        told = Primitives()
        options = LinkOptions(inactivity_timeout=0.1, answer_timeout=None, close_timeout=0.3)
        async with (
            serve_tcp(port=0, handler=echo, options=options, observer=told) as server,
            connect_tcp("127.0.0.1", server.address.port) as link,
        ):
            for _ in range(3):
                await asyncio.sleep(0.06)
                await link.send(APDU)
                await link.receive()
            error = await fault_of(link)
            assert error.fault in {Fault.RESET, Fault.CLOSED}
        aborts = [each.reason for each in told.seen if isinstance(each, TcpAbortIndication)]
        assert aborts == [ReasonOfFailure.INACTIVE]

    run(work())


def test_over_the_limit_is_accepted_and_reset() -> None:
    """So that the client learns of it and no socket stays; those inside are not disturbed."""

    async def work() -> None:
        async with serve_tcp(port=0, handler=echo, limit=2) as server:
            address = ("127.0.0.1", server.address.port)
            async with connect_tcp(*address) as one, connect_tcp(*address) as two:
                with pytest.raises(LinkError) as refused:
                    async with connect_tcp(*address) as three:
                        raise await fault_of(three)
                assert refused.value.fault is Fault.RESET
                for link in (one, two):
                    await link.send(APDU)
                    assert await link.receive() == b"\xc4" + APDU
            assert server.doorkeeper.rejected == 1
            async with connect_tcp(*address) as again:
                await again.send(APDU)
                assert await again.receive() == b"\xc4" + APDU

    run(work())


def test_a_port_in_use_is_said_in_words() -> None:
    """The sentence names the port and the reason."""

    async def work() -> None:
        async with serve_tcp(port=0) as server:
            with pytest.raises(LinkError, match="in use by another program") as caught:
                async with serve_tcp(port=server.address.port):
                    pass
        assert caught.value.fault is Fault.IN_USE

    run(work())


async def many(server: TcpServer, connections: int, rounds: int) -> int:
    """Exchange APDUs on many connections at once; how many answers were right."""

    async def one(number: int) -> int:
        right = 0
        async with connect_tcp("127.0.0.1", server.address.port) as link:
            for turn in range(rounds):
                apdu = number.to_bytes(4, "big") + turn.to_bytes(4, "big")
                await link.send(apdu)
                right += await link.receive() == b"\xc4" + apdu
        return right

    return sum(await asyncio.gather(*(one(number) for number in range(connections))))


def test_many_connections_lose_nothing() -> None:
    """Two hundred at once, every APDU answered, no link left over."""
    more_files()

    async def work() -> None:
        async with serve_tcp(port=0, handler=echo) as server:
            assert await many(server, 200, 5) == 1000
            assert not [each for each in server.links if each.is_open and each.ended is None]

    run(work())


def test_a_peer_that_is_gone_before_it_is_known_harms_nobody() -> None:
    """Reset between SYN and accept: the system has no peer's address any more; the server goes on."""

    async def work() -> None:
        async with serve_tcp(port=0, handler=echo) as server:
            for _ in range(20):
                with socket.create_connection(tuple(server.address)) as hasty:
                    hasty.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            assert await many(server, 3, 2) == 6
            assert not server.links

    run(work())
