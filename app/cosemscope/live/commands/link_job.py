"""A test link: sends APDUs, waits for their answers, tells both as events."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import MISSING, dataclass
from typing import ClassVar

from cosemscope.capture.events import Command, not_obeyed
from cosemscope.capture.job_options import flag, option
from cosemscope.capture.option_values import COUNT, SECONDS, ValueKind
from cosemscope.live.commands.live_events import (
    ApduReceived,
    ApduSent,
    CloseLink,
    Commands,
    Connected,
    Connecting,
    LinkClosed,
    Report,
    SendApdu,
    trouble_of,
)
from cosemscope.live.commands.live_values import HEX, client_wport, server_wport
from cosemscope.live.commands.ready_made import public_aarq, release_request
from cosemscope.live.links.addresses import parse_address
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_link import TcpLink, connect_tcp
from cosemscope.live.links.tcp_sockets import LinkOptions
from cosemscope.live.links.udp_link import UdpLink, connect_udp
from cosemscope.transport.wports import DLMS_PORT

Link = TcpLink | UdpLink


@dataclass(frozen=True)
class ConnectJob:
    """A test link to `address`: send `apdus` `repeat` times, each followed by waiting for its answer.

    `client` and `server` are wPorts, times are in seconds. Without `apdus` an AARQ of the public client and
    an RLRQ are sent.
    """

    command: ClassVar = "connect"

    address: str = option(
        MISSING, ValueKind("HOST[:PORT]"), help=f"port {DLMS_PORT} unless given; [::1]:{DLMS_PORT} for IPv6"
    )
    client: int = client_wport()
    server: int = server_wport()
    udp: bool = flag(False, "--udp", help="UDP instead of TCP")
    apdus: tuple[bytes, ...] = option((), HEX, "--send", help="an APDU; may be repeated")
    repeat: int = option(1, COUNT, "--repeat", help="send the APDUs N times")
    pause: float = option(0.0, SECONDS, "--pause", help="seconds between repeats")
    timeout: float = option(
        LinkOptions.answer_timeout, SECONDS, "--timeout", help="wait for an answer ({} s)"
    )
    connect_timeout: float = option(LinkOptions.connect_timeout, SECONDS, "--connect-timeout", help="({} s)")
    keep_alive: float | None = option(
        None, SECONDS, "--keep-alive", help="TCP keep-alive after S idle seconds"
    )


@asynccontextmanager
async def _open(job: ConnectJob, recorder: Recorder | None) -> AsyncIterator[Link]:
    connect = connect_udp if job.udp else connect_tcp
    options = LinkOptions(
        connect_timeout=job.connect_timeout, answer_timeout=job.timeout, keep_alive=job.keep_alive
    )
    async with connect(
        *parse_address(job.address),
        local_wport=job.client,
        remote_wport=job.server,
        options=options,
        recorder=recorder,
    ) as link:
        yield link


async def run_connect(
    job: ConnectJob, report: Report, recorder: Recorder | None = None, commands: Commands | None = None
) -> bool:
    """Run a test link; True when everything sent was answered. Raises LinkError for an address that is none.

    With `commands` it sends what they say until it is told to close or the peer does; `job.apdus` are then
    not sent.
    """
    transport = "udp" if job.udp else "tcp"
    file = recorder.path if recorder else None
    address = str(parse_address(job.address))
    report(Connecting(to=address, transport=transport, file=file))
    try:
        async with _open(job, recorder) as link:
            report(Connected(local=str(link.local), remote=str(link.remote), transport=transport))
            conversation = _Conversation(link, report)
            if commands is None:
                good = await conversation.script(job)
            else:
                good = await conversation.controlled(commands)
        if not conversation.closed:
            report(LinkClosed(remote=str(link.remote), message="the connection was closed here"))
        return good
    except LinkError as error:
        report(trouble_of(error, remote=address))
        return False


class _Conversation:
    """Conversation over one link, told as events."""

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
            for apdu in job.apdus or (public_aarq(), release_request()):
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

    async def send(
        self, apdu: bytes, *, local_wport: int | None = None, remote_wport: int | None = None
    ) -> None:
        """Send and tell; wPorts are the link's unless given."""
        link = self._link
        local = link.local_wport if local_wport is None else local_wport
        remote = link.remote_wport if remote_wport is None else remote_wport
        self._report(ApduSent(apdu=apdu, local_wport=local, remote_wport=remote, remote=str(link.remote)))
        self._asked = time.perf_counter_ns()
        await link.send(apdu, local_wport=local, remote_wport=remote)

    async def receive(self, timeout: float | None = None) -> None:
        """Receive and tell, with the time since the last APDU sent."""
        indication = await self._link.indication(timeout)
        taken = None
        if self._asked is not None:
            taken, self._asked = round((time.perf_counter_ns() - self._asked) / 1e6, 3), None
        self._report(
            ApduReceived(
                apdu=indication.data,
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

    async def _obey(self, command: Command | None) -> bool:
        """Obey one command; False when it ends the link."""
        match command:
            case None | CloseLink():
                return False
            case SendApdu():
                try:
                    await self.send(
                        command.send, local_wport=command.local_wport, remote_wport=command.remote_wport
                    )
                except LinkError as error:
                    self._report(not_obeyed(error.message))
            case _:
                self._report(not_obeyed(f"a link does not know {command.word!r}"))
        return True

    def _alive(self) -> bool:
        """True when the link can still be used: a datagram socket lives on after an ICMP message."""
        return isinstance(self._link, UdpLink) or (self._link.is_open and self._link.ended is None)

    def _fault(self, error: LinkError) -> None:
        remote = str(self._link.remote)
        if error.fault is Fault.CLOSED:
            self.closed = True
            self._report(LinkClosed(remote=remote, message=error.message))
        else:
            self._report(trouble_of(error, remote=remote))
