"""A test link: sends APDUs, waits for their answers, tells both as events."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from cosemscope.live.commands.live_events import Commands, Report, apdu_event, error_event, event, octets_of
from cosemscope.live.commands.ready_made import public_aarq, release_request
from cosemscope.live.links.addresses import Address
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_link import TcpLink, connect_tcp
from cosemscope.live.links.tcp_sockets import DEFAULT_OPTIONS, LinkOptions
from cosemscope.live.links.udp_link import UdpLink, connect_udp

Link = TcpLink | UdpLink


@dataclass(frozen=True)
class ConnectJob:
    """What a test link does: send `apdus` `repeat` times, each followed by waiting for its answer."""

    address: Address
    client: int = 16
    server: int = 1
    udp: bool = False
    apdus: Sequence[bytes] = field(default_factory=lambda: (public_aarq(), release_request()))
    repeat: int = 1
    pause: float = 0.0
    options: LinkOptions = DEFAULT_OPTIONS


@asynccontextmanager
async def _open(job: ConnectJob, recorder: Recorder | None) -> AsyncIterator[Link]:
    connect = connect_udp if job.udp else connect_tcp
    async with connect(
        *job.address,
        local_wport=job.client,
        remote_wport=job.server,
        options=job.options,
        recorder=recorder,
    ) as link:
        yield link


async def run_connect(
    job: ConnectJob, report: Report, recorder: Recorder | None = None, commands: Commands | None = None
) -> bool:
    """Run a test link; True when everything sent was answered.

    With `commands` it sends what they say until it is told to close or the peer does; `job.apdus` are then
    not sent.
    """
    transport = "udp" if job.udp else "tcp"
    file = str(recorder.path) if recorder else None
    report(event("connecting", to=str(job.address), transport=transport, file=file))
    try:
        async with _open(job, recorder) as link:
            ends = {"local": str(link.local), "remote": str(link.remote)}
            report(event("connected", transport=transport, **ends))
            conversation = _Conversation(link, report)
            if commands is None:
                good = await conversation.script(job)
            else:
                good = await conversation.controlled(commands)
        if not conversation.closed:
            report(event("closed", remote=str(link.remote), message="the connection was closed here"))
        return good
    except LinkError as error:
        report(error_event(error, remote=str(job.address)))
        return False


class _Conversation:
    """What is said over one link, told as events."""

    def __init__(self, link: Link, report: Report) -> None:
        self.closed = False
        self._link = link
        self._report = report
        self._asked: int | None = None

    async def script(self, job: ConnectJob) -> bool:
        """Send the job's APDUs, each answered before the next; True when all of them were."""
        good = True
        for turn in range(job.repeat):
            if turn and job.pause:
                await asyncio.sleep(job.pause)
            for apdu in job.apdus:
                try:
                    await self.send(apdu)
                    await self.receive()
                except LinkError as error:
                    good = False
                    self._fault(error)
                    if error.fault is not Fault.TIMEOUT or not self._alive():
                        return False
        return good

    async def controlled(self, commands: Commands) -> bool:
        """Do what the commands say and tell what comes, until one side ends it."""
        listening = asyncio.ensure_future(self._listen())
        try:
            while True:
                command = asyncio.ensure_future(commands.get())
                await asyncio.wait({command, listening}, return_when=asyncio.FIRST_COMPLETED)
                if not command.done():
                    command.cancel()
                    return listening.result()
                if not await self._obey(command.result()):
                    return True
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening

    async def send(self, apdu: bytes, **wports: int) -> None:
        """Send and tell."""
        link = self._link
        self._report(
            apdu_event(
                "sent",
                apdu,
                local_wport=wports.get("local_wport", link.local_wport),
                remote_wport=wports.get("remote_wport", link.remote_wport),
                remote=str(link.remote),
            )
        )
        self._asked = time.perf_counter_ns()
        await link.send(apdu, **wports)

    async def receive(self, timeout: float | None = None) -> None:
        """Receive and tell, with the time since the last APDU sent."""
        indication = await self._link.indication(timeout)
        taken = None
        if self._asked is not None:
            taken, self._asked = round((time.perf_counter_ns() - self._asked) / 1e6, 3), None
        self._report(
            apdu_event(
                "received",
                indication.data,
                local_wport=indication.local_wport,
                remote_wport=indication.remote_wport,
                remote=str(self._link.remote),
                response_ms=taken,
            )
        )

    async def _listen(self) -> bool:
        while True:
            try:
                await self.receive(0)
            except LinkError as error:
                self._fault(error)
                if not self._alive():
                    return error.fault is Fault.CLOSED

    async def _obey(self, command: Mapping[str, Any] | None) -> bool:
        """Whether to go on."""
        if command is None or command.get("close"):
            return False
        try:
            wports = {key: int(command[key]) for key in ("local_wport", "remote_wport") if key in command}
            if "send" not in command:
                raise LinkError(Fault.ADDRESS, f"unknown command {dict(command)!r}")
            await self.send(octets_of(command["send"]), **wports)
        except (LinkError, ValueError, TypeError) as error:
            self._report(event("error", fault="command", message=str(error)))
        return True

    def _alive(self) -> bool:
        """Whether the link can still be used: a datagram socket lives on after an ICMP message."""
        return isinstance(self._link, UdpLink) or (self._link.is_open and self._link.ended is None)

    def _fault(self, error: LinkError) -> None:
        remote = str(self._link.remote)
        if error.fault is Fault.CLOSED:
            self.closed = True
            self._report(event("closed", remote=remote, message=error.message))
        else:
            self._report(error_event(error, remote=remote))
