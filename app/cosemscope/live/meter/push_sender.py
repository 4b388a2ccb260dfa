"""Sends the pushes of meters that are due, each in a link of its own, and only where that was allowed.

A client that has authenticated may name any destination; pushes leave this computer only for the one that
the user has named.
"""

import asyncio
import ipaddress
import time
from collections.abc import Sequence
from dataclasses import replace

from cosemscope.application.meter.objects.push_objects import TCP, DuePush
from cosemscope.live.commands.live_events import Report, trouble_of
from cosemscope.live.links.addresses import LinkAddress, parse_address
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_link import connect_tcp
from cosemscope.live.links.tcp_sockets import DEFAULT_OPTIONS
from cosemscope.live.links.udp_link import connect_udp
from cosemscope.live.meter.meter_endpoint import MeterEndpoint
from cosemscope.live.meter.meter_events import MeterPushed
from cosemscope.transport.wports import MANAGEMENT_LOGICAL_DEVICE

#: Seconds between looks for pushes that are due; of connecting; pushes under way at once.
_LOOK, _CONNECT, _AT_ONCE = 0.1, 5.0, 32


class PushSender:
    """Looks for pushes that are due. `allowed` is the destination off this computer, empty for none."""

    def __init__(
        self,
        endpoints: Sequence[MeterEndpoint],
        allowed: str,
        wport: int,
        report: Report,
        recorder: Recorder | None,
    ) -> None:
        self._endpoints, self._wport = endpoints, wport
        self._allowed = parse_address(allowed) if allowed else None
        self._report, self._recorder = report, recorder
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Send pushes until cancelled."""
        try:
            while True:
                await asyncio.sleep(_LOOK)
                now = time.time()
                for endpoint in self._endpoints:
                    for push in endpoint.due(now):
                        task = asyncio.ensure_future(self._send(endpoint.address, push))
                        self._tasks.add(task)
                        task.add_done_callback(self._tasks.discard)
        finally:
            for task in self._tasks:
                task.cancel()

    async def _send(self, address: LinkAddress, push: DuePush) -> None:
        try:
            async with self._room:
                remote = self._checked(push.destination)
                await self._hand_over(remote, push)
        except LinkError as error:
            self._report(trouble_of(error, push.destination))
            return
        over = "tcp" if push.service == TCP else "udp"
        pushed = MeterPushed(address=str(address), remote=str(remote), transport=over, octets=len(push.apdu))
        self._report(pushed)

    async def _hand_over(self, remote: LinkAddress, push: DuePush) -> None:
        options = replace(DEFAULT_OPTIONS, connect_timeout=_CONNECT)
        connect = connect_tcp if push.service == TCP else connect_udp
        async with connect(
            *remote,
            local_wport=MANAGEMENT_LOGICAL_DEVICE,
            remote_wport=self._wport,
            options=options,
            recorder=self._recorder,
        ) as link:
            await link.send(push.apdu)

    def _checked(self, text: str) -> LinkAddress:
        """Where a push goes. Raises LinkError for an address that it may not go to."""
        remote = parse_address(text)
        try:
            here = ipaddress.ip_address(remote.host).is_loopback
        except ValueError:
            here = False
        if not here and remote != self._allowed:
            words = f"a client wants pushes at {text}, which is not this computer: --push-to {text} allows it"
            raise LinkError(Fault.ADDRESS, words)
        return remote
