"""Floods of connections: whoever is inside is served, whoever is not is told by a RST, once in words."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Iterator

import pytest

from cosemscope.live.links.accepting import room_for
from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.tcp_link import TcpLink, connect_tcp
from cosemscope.live.links.tcp_server import serve_tcp
from tests.helpers.coroutines import run, until
from tests.live.links.ends import APDU, echo

if sys.platform != "win32":
    import resource

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="descriptors are bounded elsewhere")


@pytest.fixture
def _as_before() -> Iterator[None]:
    """The limit of descriptors is put back."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def limit(soft: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def lowest() -> int:
    """The lowest descriptor that is free."""
    with socket.socket() as handle:
        return handle.fileno()


async def is_reset(client: socket.socket, address: LinkAddress) -> bool:
    """True when the peer breaks the connection, at once or when something is to come."""
    loop = asyncio.get_running_loop()
    client.setblocking(False)
    try:
        await loop.sock_connect(client, tuple(address))
        return await loop.sock_recv(client, 1) == b"never"
    except ConnectionResetError:
        return True


async def answered(link: TcpLink) -> bool:
    await link.send(APDU)
    return await link.receive() == b"\xc4" + APDU


@pytest.mark.usefixtures("_as_before")
def test_the_limit_of_descriptors_is_raised_for_connections() -> None:
    """As far as the system lets it; beyond that fewer connections have room, never more."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limit(lowest() + 40)
    assert room_for(100) == 100
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= lowest() + 100
    limit(lowest() + 40)
    assert room_for(100, 2) == 100
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= lowest() + 200
    if hard != resource.RLIM_INFINITY:
        assert 0 < room_for(hard, 2) < hard / 2
        assert 0 < room_for(hard + 1) < hard


def test_a_full_table_refuses_at_once_and_says_so_once() -> None:
    """A hundred beyond the limit are reset, one sentence is told, those inside are served meanwhile."""
    told: list[LinkError] = []

    async def work() -> None:
        async with (
            serve_tcp(port=0, handler=echo, limit=1, refused=told.append) as server,
            connect_tcp(*server.address) as inside,
        ):
            assert await answered(inside)
            for _ in range(100):
                with socket.socket() as client:
                    assert await is_reset(client, server.address)
            assert await answered(inside)
            assert len(server.links) == 1
            assert server.doorkeeper.rejected == 100

    run(work())
    assert [fault.fault for fault in told] == [Fault.FULL]
    assert "1 connection is open, the most that are taken" in told[0].message


@pytest.mark.usefixtures("_as_before")
def test_without_a_descriptor_left_a_peer_is_refused_not_kept_waiting() -> None:
    """Others may hold them all: the one kept in reserve resets who knocks, and the rest go on."""
    told: list[LinkError] = []

    async def work() -> None:
        async with (
            serve_tcp(port=0, handler=echo, refused=told.append) as server,
            connect_tcp(*server.address) as inside,
        ):
            assert await answered(inside)
            with contextlib.ExitStack() as stack:
                clients = [stack.enter_context(socket.socket()) for _ in range(20)]
                limit(lowest())
                for client in clients:
                    assert await is_reset(client, server.address)
                assert await answered(inside)
            limit(lowest() + 64)
            async with connect_tcp(*server.address) as later:
                assert await answered(later)
            await until(lambda: len(server.links) == 1)

    run(work())
    assert len(told) == 1
    assert "no descriptor" in told[0].message
