"""A meter in the test's own loop, with what it tells; and the plain octets of its client."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

from cosemscope.application.encoding.acse_apdus import Aarq
from cosemscope.application.encoding.apdus import encode
from cosemscope.application.encoding.get_set_action import GetRequestNormal
from cosemscope.application.encoding.initiate_apdus import InitiateRequest
from cosemscope.application.meter.built_in_meter import BuiltInMeter
from cosemscope.capture.events import Command, Event
from cosemscope.live.commands.live_events import Commands
from cosemscope.live.links.addresses import LinkAddress, parse_address
from cosemscope.live.links.recording import Recorder
from cosemscope.live.meter.meter_endpoint import MeterMaker
from cosemscope.live.meter.meter_events import MeterListening
from cosemscope.live.meter.meter_job import MeterJob, run_meter
from tests.application.meter_session import PASSWORD, name, plan
from tests.helpers.coroutines import until

E = TypeVar("E", bound=Event)
AARQ = encode(Aarq(1, encode(InitiateRequest(0xFFFFFF, 0xFFFF))))
READING_AARQ = encode(
    Aarq(1, encode(InitiateRequest(0xFFFFFF, 500)), mechanism=1, calling_authentication_value=PASSWORD)
)
GET_CLOCK = encode(GetRequestNormal(0xC1, name(8, "0.0.1.0.0.255", 2)))
GET_NAME = encode(GetRequestNormal(0xC1, name(1, "0.0.42.0.0.255", 2)))


def maker(**changes: Any) -> MeterMaker:
    return MeterMaker(lambda number, now: BuiltInMeter(replace(plan(**changes), number=number), now), (1, 2))


class RunningMeters:
    """What meters told, and how they are told something."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.commands: Commands = asyncio.Queue()

    def events(self, kind: type[E]) -> list[E]:
        return [event for event in self.told if isinstance(event, kind)]

    async def event(self, kind: type[E], number: int = 0) -> E:
        """That one of its kind, once it is told."""
        await until(lambda: len(self.events(kind)) > number)
        return self.events(kind)[number]

    def tell(self, command: Command) -> None:
        self.commands.put_nowait(command)

    @property
    def addresses(self) -> list[LinkAddress]:
        return list(map(parse_address, self.events(MeterListening)[0].addresses))


@asynccontextmanager
async def metering(
    *, recorder: Recorder | None = None, made_by: MeterMaker | None = None, **words: Any
) -> AsyncIterator[RunningMeters]:
    """Meters that are ready, at any free port; they are ended in order, and their failure is the test's."""
    meters = RunningMeters()
    job = MeterJob(**{"address": "127.0.0.1:0"} | words)
    running = run_meter(job, meters.told.append, made_by or maker(), recorder, meters.commands)
    work = asyncio.ensure_future(running)
    try:
        await until(lambda: work.done() or meters.events(MeterListening))
        if work.done():
            work.result()
        yield meters
        meters.commands.put_nowait(None)
        await work
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
