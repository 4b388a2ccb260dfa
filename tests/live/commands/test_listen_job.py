"""A listener: who is answered, who is not, and what it says of APDUs that it does not take."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cosemscope.capture.events import Event
from cosemscope.live.commands.listen_job import Answer, ListenJob, run_listen
from cosemscope.live.commands.live_events import ApduDiscarded, ApduReceived, ApduSent, Listening
from cosemscope.live.links.addresses import LinkAddress, parse_address
from cosemscope.live.links.tcp_link import connect_tcp
from cosemscope.live.links.udp_link import connect_udp
from tests.helpers.coroutines import run, settled, until

PUSH = bytes.fromhex("0f00000001000203")
ANSWER = Answer(None, b"\x63\x00")
CONNECT: dict[str, Any] = {"tcp": connect_tcp, "udp": connect_udp}
both = pytest.mark.parametrize("transport", ["tcp", "udp"])


@asynccontextmanager
async def listening(transport: str, **wishes: Any) -> AsyncIterator[tuple[LinkAddress, list[Event]]]:
    """A listener at a port of its own, and what it tells."""
    events: list[Event] = []
    only = {"udp": transport == "udp", "tcp": transport == "tcp"}
    job = ListenJob(address="127.0.0.1:0", **only, **wishes)
    work = asyncio.ensure_future(run_listen(job, events.append))
    await until(lambda: work.done() or any(isinstance(each, Listening) for each in events))
    (told,) = [each for each in events if isinstance(each, Listening)]
    try:
        yield parse_address(told.address), events
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


def of(kind: type[Event], events: list[Event]) -> list[Any]:
    return [each for each in events if isinstance(each, kind)]


@both
def test_all_station_is_shown_and_not_answered(transport: str) -> None:
    """Once for each logical device; the next APDU for one of them is answered."""

    async def work() -> None:
        async with (
            listening(transport, wports=(1, 17), answers=(ANSWER,)) as (where, events),
            CONNECT[transport](*where, remote_wport=127) as link,
        ):
            await link.send(b"\x62\x00")
            await until(lambda: len(of(ApduReceived, events)) == 2)
            assert await link.request(b"\x62\x00", 2, remote_wport=17) == b"\x63\x00"
            assert await settled(lambda: len(of(ApduSent, events))) == 1
            remarks = [each.remark for each in of(ApduReceived, events)]
            assert remarks == ["sent to many: not answered"] * 2 + [None]

    run(work())


@both
def test_a_push_to_a_wport_that_nobody_has_says_what_takes_it(transport: str) -> None:
    """The option and its number."""

    async def work() -> None:
        async with (
            listening(transport) as (where, events),
            CONNECT[transport](*where, remote_wport=64) as link,
        ):
            await link.send(PUSH)
            await until(lambda: of(ApduDiscarded, events))
            (discarded,) = of(ApduDiscarded, events)
            assert "--wport 64" in discarded.advice
            assert "--any-wport" in discarded.advice

    run(work())


@both
def test_a_listener_to_every_wport_takes_pushes_as_a_client_does(transport: str) -> None:
    """Also at wPort 127, which is All-station for servers only; wPort 0 is remarked."""

    async def work() -> None:
        async with (
            listening(transport, any_wport=True, as_client=True, answers=(ANSWER,)) as (where, events),
            CONNECT[transport](*where, local_wport=1) as link,
        ):
            for wport in (64, 127, 0):
                await link.send(PUSH, remote_wport=wport)
            await until(lambda: len(of(ApduReceived, events)) == 3)
            told = [(each.local_wport, each.remark) for each in of(ApduReceived, events)]
            assert told == [(64, None), (127, None), (0, "wPort 0 is No-station, which means nobody")]
            assert [await link.receive(2) for _ in range(3)] == [b"\x63\x00"] * 3

    run(work())
