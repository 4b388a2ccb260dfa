"""Requests over links: the right answer to each, the right time, and a name for what is none."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cosemscope.live.links.answers import Standing
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.tcp_link import TcpLink, connect_tcp
from cosemscope.live.links.tcp_server import serve_tcp
from cosemscope.live.links.tcp_sockets import DEFAULT_OPTIONS, LinkOptions
from cosemscope.live.links.udp_link import UdpServer, connect_udp, serve_udp
from tests.helpers.coroutines import run, until

GET, GOT = bytes.fromhex("c001c1000100002a0000ff0200"), bytes.fromhex("c401c100090100")
GET2, GOT2 = bytes.fromhex("c001c2000100002a0000ff0200"), bytes.fromhex("c401c200090100")
PUSH = bytes.fromhex("0f00000001000203")
Answers = Callable[[bytes], list[bytes]]


@asynccontextmanager
async def linked(kind: str, answers: Answers, options: LinkOptions = DEFAULT_OPTIONS) -> AsyncIterator[Any]:
    """A link to a server that sends these APDUs at each request."""
    if kind == "tcp":

        async def handler(link: TcpLink) -> None:
            while True:
                indication = await link.indication()
                for apdu in answers(indication.data):
                    await link.reply(indication, apdu)

        async with (
            serve_tcp(port=0, handler=handler) as tcp,
            connect_tcp(*tcp.address, options=options) as link,
        ):
            yield link
        return

    async def serve(server: UdpServer) -> None:
        while True:
            indication = await server.receive()
            for apdu in answers(indication.data):
                await server.reply(indication, apdu)

    async with serve_udp(port=0) as udp, connect_udp(*udp.address, options=options) as link:
        serving = asyncio.ensure_future(serve(udp))
        yield link
        serving.cancel()


both = pytest.mark.parametrize("kind", ["tcp", "udp"])


@both
def test_a_request_gets_its_own_answer(kind: str) -> None:
    """Pushes and doubled answers are left for whoever receives, each with its name."""

    async def work() -> None:
        async with linked(kind, lambda apdu: [PUSH, GOT, GOT] if apdu == GET else [GOT2]) as link:
            assert await link.request(GET) == GOT
            assert await link.request(GET2) == GOT2
            others = [await link.arrived(2) for _ in range(2)]
            assert [each.indication.data for each in others] == [PUSH, GOT]
            assert [each.came.standing for each in others] == [Standing.UNASKED, Standing.DOUBLED]
            assert all(each.remark and each.seconds is None for each in others)

    run(work())


@both
def test_requests_under_way_at_once_are_told_apart(kind: str) -> None:
    """Though the answers come in the other order."""
    held: list[bytes] = []

    def answers(apdu: bytes) -> list[bytes]:
        held.append(apdu)
        return [GOT2, GOT] if len(held) == 2 else []

    async def work() -> None:
        async with linked(kind, answers) as link:
            both = await asyncio.gather(link.exchange(GET), link.exchange(GET2))
            assert [each.indication.data for each in both] == [GOT, GOT2]
            assert all(each.seconds > 0 for each in both)

    run(work())


@both
def test_a_late_answer_is_named_and_shifts_nothing(kind: str) -> None:
    """The first request is given up, its answer comes with the second's."""
    seen: list[bytes] = []

    def answers(apdu: bytes) -> list[bytes]:
        seen.append(apdu)
        return [GOT, GOT2] if len(seen) == 2 else []

    async def work() -> None:
        async with linked(kind, answers) as link:
            with pytest.raises(TimeoutError, match="no answer") as caught:
                await link.request(GET, 0.05)
            assert isinstance(caught.value, LinkError)
            assert await link.request(GET2, 2) == GOT2
            late = await link.arrived(2)
            assert (late.indication.data, late.came.standing) == (GOT, Standing.LATE)

    run(work())


@both
def test_no_response_time_is_told_that_may_be_another_ones(kind: str) -> None:
    """Two requests that look the same, the first without an answer in time."""
    seen: list[bytes] = []

    def answers(apdu: bytes) -> list[bytes]:
        seen.append(apdu)
        return [GOT] if len(seen) == 2 else []

    async def work() -> None:
        async with linked(kind, answers) as link:
            with pytest.raises(TimeoutError):
                await link.request(GET, 0.2)
            answered = await link.exchange(GET, 2)
            assert answered.seconds is None
            assert "may be the late answer" in answered.remark

    run(work())


@both
def test_what_nobody_takes_does_not_keep_an_answer_away(kind: str) -> None:
    """A flood of pushes before the answer: the oldest are dropped, and counted."""

    async def work() -> None:
        options = LinkOptions(waiting_limit=4)
        async with linked(kind, lambda apdu: [PUSH] * 20 + [GOT], options) as link:
            assert await link.request(GET, 2) == GOT
            assert await link.request(GET, 2) == GOT
            assert (link.dropped if kind == "tcp" else link.endpoint.dropped) > 20

    run(work())


@both
def test_apdus_are_iterated_until_the_end(kind: str) -> None:
    """In order, and the end is no error."""

    async def work() -> None:
        async with linked(kind, lambda apdu: [PUSH, apdu, PUSH]) as link:
            await link.send(GOT)
            taken = []
            async for apdu in link:
                taken.append(apdu)
                if len(taken) == 3:
                    await link.close()
            assert taken == [PUSH, GOT, PUSH]

    run(work())


def test_iterating_ends_when_the_peer_closes_and_raises_what_is_no_end() -> None:
    """A FIN is an end, a reset is not."""

    async def work() -> None:
        async def once(link: TcpLink) -> None:
            indication = await link.indication()
            await link.reply(indication, GOT)
            if indication.data == GET2:
                link.abort()

        async with serve_tcp(port=0, handler=once) as server:
            async with connect_tcp(*server.address) as link:
                await link.send(GET)
                assert [apdu async for apdu in link] == [GOT]
            async with connect_tcp(*server.address) as link:
                await link.send(GET2)
                with pytest.raises(ConnectionResetError):
                    [apdu async for apdu in link]

    run(work())


def test_requests_that_wait_end_with_the_link() -> None:
    """Each is told why; over UDP the system's refusal is one."""

    async def work() -> None:
        async def bye(link: TcpLink) -> None:
            await link.receive()

        async with serve_tcp(port=0, handler=bye) as server, connect_tcp(*server.address) as link:
            with pytest.raises(ConnectionError) as caught:
                await link.request(GET, 0)
            assert caught.value.fault is Fault.CLOSED  # type: ignore[attr-defined]
        async with serve_udp(port=0) as there:
            where = there.address
        async with connect_udp(*where) as datagrams:
            with pytest.raises(ConnectionRefusedError):
                await datagrams.request(GET, 2)

    run(work())


@both
def test_what_nobody_answers_is_no_request(kind: str) -> None:
    """A program would wait in vain for it."""

    async def work() -> None:
        async with linked(kind, lambda apdu: []) as link:
            with pytest.raises(ValueError, match="nobody answers"):
                await link.request(PUSH)

    run(work())


@both
def test_a_cancelled_request_is_given_up(kind: str) -> None:
    """Its answer is late then."""

    async def work() -> None:
        async with linked(kind, lambda apdu: [GOT, GOT2] if apdu == GET2 else []) as link:
            asking = asyncio.ensure_future(link.request(GET, 0))
            await asyncio.sleep(0.02)
            asking.cancel()
            await until(asking.done)
            assert await link.request(GET2, 2) == GOT2
            assert (await link.arrived(2)).came.standing is Standing.LATE

    run(work())
