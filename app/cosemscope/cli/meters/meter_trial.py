"""The built-in meter is started and read, once: whether this installation can be a meter and talk to one."""

import asyncio

from cosemscope.application.meter.built_in_meter import MANAGEMENT, PUBLIC_CLIENT
from cosemscope.capture.events import Event
from cosemscope.cli.meters.meter_makers import built_in
from cosemscope.live.commands.ready_made import get_request, public_aarq
from cosemscope.live.links.faults import LinkError
from cosemscope.live.links.tcp_link import connect_tcp
from cosemscope.live.meter.meter_endpoint import MeterMaker
from cosemscope.live.meter.meter_events import MeterListening
from cosemscope.live.meter.meter_job import MeterJob, run_meter

_JOB = MeterJob(address="127.0.0.1:0", udp=False)
_REQUESTS = public_aarq(), get_request(1, "0.0.42.0.0.255", 2), get_request(15, "0.0.40.0.0.255", 2)
#: 1 December 2025, 04:00:00 UTC: any time will do.
_NOW = 1_764_561_600.0


def read_once() -> tuple[str, list[bytes]]:
    """How the meter was read, and what it answered to AARQ, GET of its name, GET of its object list.

    Over a loopback socket, or in memory where there can be none.
    """
    maker = built_in(_JOB, None)
    try:
        return "over a loopback socket", asyncio.run(_over_a_socket(maker))
    except LinkError as fault:
        meter = maker.make(1, _NOW)
        answers = [meter.receive(apdu, PUBLIC_CLIENT, MANAGEMENT, _NOW)[0] for apdu in _REQUESTS]
        return f"in memory, since there is no socket for it: {fault.message}", answers


async def _over_a_socket(maker: MeterMaker) -> list[bytes]:
    ready: asyncio.Queue[str] = asyncio.Queue()

    def tell(event: Event) -> None:
        if isinstance(event, MeterListening):
            ready.put_nowait(event.addresses[0])

    running = asyncio.ensure_future(run_meter(_JOB, tell, maker))
    address = asyncio.ensure_future(ready.get())
    try:
        await asyncio.wait({running, address}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        host, _, port = (await address).rpartition(":")
        async with connect_tcp(host, int(port)) as link:
            return [await link.request(apdu) for apdu in _REQUESTS]
    finally:
        for task in (running, address):
            task.cancel()
        await asyncio.gather(running, address, return_exceptions=True)
