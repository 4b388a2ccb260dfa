"""A test link: sends APDUs, waits for their answers, tells both as events."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import MISSING, dataclass
from typing import ClassVar

from cosemscope.capture.events import Command, not_obeyed
from cosemscope.capture.job_options import flag, option
from cosemscope.capture.option_values import COUNT, SECONDS, ValueKind
from cosemscope.live.commands.live_events import (
    ApduDiscarded,
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
from cosemscope.live.links.addresses import LinkAddress, parse_address
from cosemscope.live.links.answers import signs_of
from cosemscope.live.links.conversation import Arrived
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.networks import Origin
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_link import TcpLink, connect_tcp
from cosemscope.live.links.tcp_sockets import LinkOptions
from cosemscope.live.links.udp_link import UdpLink, connect_udp
from cosemscope.transport.bindings import WpduDiscarded
from cosemscope.transport.primitives import TcpDataIndication, UdpDataIndication
from cosemscope.transport.wpdu import Wpdu
from cosemscope.transport.wports import DLMS_PORT

Link = TcpLink | UdpLink

#: Seconds that a script waits after its last answer for what belongs to none.
_LINGER = 0.02


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
    source: str = option(
        "", ValueKind("HOST[:PORT]"), "--from", help="begin at this address of this computer"
    )
    interface: str = option("", ValueKind("NAME"), "--interface", help="go by this network interface")


@asynccontextmanager
async def _open(
    job: ConnectJob, recorder: Recorder | None, discarded: Callable[[WpduDiscarded], None]
) -> AsyncIterator[Link]:
    def observe(*told: object) -> None:
        if isinstance(told[-1], WpduDiscarded):
            discarded(told[-1])

    connect = connect_udp if job.udp else connect_tcp
    options = LinkOptions(
        connect_timeout=job.connect_timeout, answer_timeout=job.timeout, keep_alive=job.keep_alive
    )
    nowhere = LinkAddress("", 0)
    source = parse_address(job.source, *nowhere) if job.source else nowhere
    async with connect(
        *parse_address(job.address),
        local_wport=job.client,
        remote_wport=job.server,
        origin=Origin(source.host, source.port, job.interface),
        options=options,
        recorder=recorder,
        observer=observe,
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

    def discarded(what: WpduDiscarded) -> None:
        report(_discarded(what.wpdu, job, address))

    try:
        async with _open(job, recorder, discarded) as link:
            report(Connected(local=str(link.local), remote=str(link.remote), transport=transport))
            talk = _Talk(link, report)
            if commands is None:
                good = await talk.script(job)
            else:
                good = await talk.controlled(commands)
        if not talk.closed:
            report(LinkClosed(remote=str(link.remote), message="the connection was closed here"))
        return good
    except LinkError as error:
        report(trouble_of(error, remote=address))
        return False


def _discarded(wpdu: Wpdu, job: ConnectJob, remote: str) -> ApduDiscarded:
    """The event about an APDU that came for a wPort that is not ours."""
    source, destination = wpdu.source_wport, wpdu.destination_wport
    if (source, destination) == (job.client, job.server):
        advice = "its wPorts are those of the request: an answer has them exchanged"
    else:
        advice = f"wPort {destination} is none of ours: this link has {job.client} (--client)"
    return ApduDiscarded(
        apdu=wpdu.data, source_wport=source, destination_wport=destination, remote=remote, advice=advice
    )


class _Talk:
    """Requests, answers and all else over one link, told as events."""

    def __init__(self, link: Link, report: Report) -> None:
        self.closed = False
        self._link = link
        self._report = report

    async def script(self, job: ConnectJob) -> bool:
        """Send the job's APDUs, each answered before the next; True when all of them were."""
        others = asyncio.ensure_future(self._tell_others())
        try:
            good = await self._requests(job)
            await asyncio.sleep(_LINGER)  # a doubled answer, or one that came with the last, is told too
            return good
        finally:
            others.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await others

    async def _requests(self, job: ConnectJob) -> bool:
        good = True
        for turn in range(job.repeat):
            if turn and job.pause:
                await asyncio.sleep(job.pause)
            for apdu in job.apdus or (public_aarq(), release_request()):
                try:
                    await self._request(apdu)
                except LinkError as error:
                    good = False
                    self._fault(error)
                    if error.fault is not Fault.TIMEOUT or not self._alive():
                        return False
        return good

    async def _request(self, apdu: bytes) -> None:
        """Send one APDU and tell its answer, where it is one that is answered."""
        link = self._link
        self._tell_sent(apdu, link.local_wport, link.remote_wport)
        if signs_of(apdu).expects:
            self._tell(await link.exchange(apdu))
        else:
            await link.send(apdu)

    async def _tell_others(self) -> None:
        """Tell what comes and is no answer to the request that waits."""
        with contextlib.suppress(LinkError):  # which the request gets, or the next one
            while True:
                self._tell(await self._link.arrived(0))

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
        self._tell_sent(apdu, local, remote)
        await link.send(apdu, local_wport=local, remote_wport=remote)

    def _tell_sent(self, apdu: bytes, local: int, remote: int) -> None:
        told = ApduSent(apdu=apdu, local_wport=local, remote_wport=remote, remote=str(self._link.remote))
        self._report(told)

    def _tell(self, arrived: Arrived[TcpDataIndication] | Arrived[UdpDataIndication]) -> None:
        indication = arrived.indication
        seconds = arrived.seconds
        self._report(
            ApduReceived(
                apdu=indication.data,
                local_wport=indication.local_wport,
                remote_wport=indication.remote_wport,
                remote=str(self._link.remote),
                response_ms=None if seconds is None else round(seconds * 1e3, 3),
                remark=arrived.remark or None,
            )
        )

    async def _listen(self) -> bool:
        while True:
            try:
                self._tell(await self._link.arrived(0))
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
