"""Meters on loopback for tests: the built-in one, and one that answers each APDU as a test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.capture.events import Event
from cosemscope.cli.meters.meter_makers import built_in, published_keys
from cosemscope.live.commands.live_events import Commands
from cosemscope.live.links.addresses import LinkAddress, parse_address
from cosemscope.live.links.faults import LinkError
from cosemscope.live.links.tcp_link import TcpLink
from cosemscope.live.links.tcp_server import serve_tcp
from cosemscope.live.meter.meter_events import MeterListening
from cosemscope.live.meter.meter_job import MeterJob, run_meter


def published(name: str) -> KeySet:
    """The published test keys of this name."""
    return next(entry.keys for entry in KeyTable.load(published_keys()).entries if entry.keys.label == name)


@asynccontextmanager
async def loopback_meter(commands: Commands | None = None, **job: Any) -> AsyncIterator[LinkAddress]:
    """The built-in meter at a free port."""
    ready: asyncio.Future[LinkAddress] = asyncio.get_running_loop().create_future()

    def report(event: Event) -> None:
        if isinstance(event, MeterListening):
            ready.set_result(parse_address(event.addresses[0]))

    asked = MeterJob(**{"address": "127.0.0.1:0"} | job)
    running = asyncio.ensure_future(run_meter(asked, report, built_in(asked, None), commands=commands))
    try:
        await asyncio.wait({ready, running}, return_when=asyncio.FIRST_COMPLETED)
        yield ready.result()
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


@asynccontextmanager
async def answering(answers: Callable[[bytes, TcpLink], list[bytes]]) -> AsyncIterator[LinkAddress]:
    """A server at a free port: what it sends for an APDU is what `answers` says."""

    async def serve(link: TcpLink) -> None:
        with contextlib.suppress(LinkError):
            while True:
                indication = await link.indication(0)
                for answer in answers(indication.data, link):
                    await link.reply(indication, answer)

    async with serve_tcp("127.0.0.1", 0, local_wports=None, handler=serve) as server:
        yield server.address
