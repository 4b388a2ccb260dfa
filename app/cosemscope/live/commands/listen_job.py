"""The other end of a link: takes connections and datagrams, tells what comes, answers if told to."""

import asyncio
import contextlib
from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

from cosemscope.capture.events import not_obeyed
from cosemscope.capture.job_options import flag, option
from cosemscope.capture.option_values import COUNT, SECONDS, ValueKind
from cosemscope.live.commands.live_events import (
    AnswerWith,
    ApduDiscarded,
    ApduReceived,
    ApduSent,
    CloseLink,
    Commands,
    Connected,
    LinkClosed,
    Listening,
    Report,
    SendApdu,
    trouble_of,
)
from cosemscope.live.commands.live_values import WPORT, octets
from cosemscope.live.links.addresses import LOOPBACK, LinkAddress, parse_address
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_link import TcpLink
from cosemscope.live.links.tcp_server import INACTIVITY_TIMEOUT, SERVER_OPTIONS, serve_tcp
from cosemscope.live.links.udp_link import UdpServer, serve_udp
from cosemscope.transport.bindings import WpduDiscarded
from cosemscope.transport.primitives import TcpDataIndication, UdpDataIndication
from cosemscope.transport.wports import DLMS_PORT, MANAGEMENT_LOGICAL_DEVICE, NO_STATION, Side


class Answer(NamedTuple):
    """An APDU to answer with: requests that begin with the octet `tag`, or all others when that is None."""

    tag: int | None
    apdu: bytes

    def __str__(self) -> str:
        return self.apdu.hex() if self.tag is None else f"{self.tag:02x}={self.apdu.hex()}"


def answer(text: str) -> Answer:
    """An answer as typed, [TAG=]HEX."""
    tag, equals, rest = text.rpartition("=")
    if not equals:
        return Answer(None, octets(text))
    first = octets(tag)
    if len(first) != 1:
        raise ArgumentTypeError(f"{tag!r} is no tag: one octet in hexadecimal, as in 60=61...")
    return Answer(first[0], octets(rest))


class PushOrigin(NamedTuple):
    """Who sent an APDU, and to whom: the sender's `host`, its whole address `remote`, both wPorts."""

    host: str
    remote: str
    transport: str
    local_wport: int
    remote_wport: int


Responder = Callable[[bytes, PushOrigin], tuple[bytes, ...]]
"""Given an APDU and who sent it: the APDUs that answer it. Must not raise."""

ANSWER = ValueKind("[TAG=]HEX", answer)


@dataclass(frozen=True)
class ListenJob:
    """A listener: its address, its wPorts, its answers, and its end.

    Requests with the tag of an answer get that answer; all others get those without a tag, in turn, or none.
    `count` ends it after so many APDUs (0: never).
    """

    command: ClassVar = "listen"

    address: str = option(str(LinkAddress(LOOPBACK, DLMS_PORT)), ValueKind("HOST:PORT"), help="default {}")
    wports: tuple[int, ...] = option(
        (MANAGEMENT_LOGICAL_DEVICE,), WPORT, "--wport", help="listens (default {})"
    )
    more: tuple[str, ...] = option((), ValueKind("HOST:PORT"), "--also", help="listen there, too")
    any_wport: bool = flag(False, "--any-wport", help="listen on every wPort")
    as_client: bool = flag(
        False, "--as-client", help="listen as a client does, for pushes: wPort 127 is one as any other"
    )
    groups: tuple[str, ...] = option((), ValueKind("GROUP"), "--group", help="a multicast group to join")
    interface: str = option("", ValueKind("NAME"), "--interface", help="listen on this interface only")
    answers: tuple[Answer, ...] = option(
        (),
        ANSWER,
        "--answer",
        help="the APDU to answer with; several are given in turn; 60=61... answers requests of tag 60 only",
    )
    udp: bool = flag(True, "--tcp-only", help="no UDP", exclusive=True)
    tcp: bool = flag(True, "--udp-only", help="no TCP", exclusive=True)
    count: int = option(0, COUNT, "--count", help="end after N APDUs")
    limit: int = option(1000, COUNT, "--limit", help="connections at most ({}); others are refused")
    inactivity: float = option(INACTIVITY_TIMEOUT, SECONDS, "--inactivity", help="close after ({} s)")


async def run_listen(
    job: ListenJob,
    report: Report,
    recorder: Recorder | None = None,
    commands: Commands | None = None,
    responder: Responder | None = None,
) -> None:
    """Run a listener until it is told to close, has seen `count` APDUs, or is cancelled. Raises LinkError.

    `responder` is given every APDU; what it answers goes out before the job's own answers.
    """
    listener = _Listener(job, report, responder)
    async with contextlib.AsyncExitStack() as stack:
        for text in (job.address, *job.more):
            await _listen_at(parse_address(text), listener, stack, recorder)
        if commands is not None:
            stack.push_async_callback(_stop, asyncio.ensure_future(listener.obey(commands)))
        await listener.finished.wait()


async def _listen_at(
    address: LinkAddress,
    listener: "_Listener",
    stack: contextlib.AsyncExitStack,
    recorder: Recorder | None,
) -> None:
    """Listen at one address for as long as the stack is there."""
    job, report = listener.job, listener.report
    options = replace(SERVER_OPTIONS, inactivity_timeout=job.inactivity)
    servers: dict[str, LinkAddress] = {}
    wports = None if job.any_wport else job.wports
    side = Side.CLIENT if job.as_client else Side.SERVER
    if job.tcp:
        tcp = await stack.enter_async_context(
            serve_tcp(
                *address,
                local_wports=wports,
                side=side,
                interface=job.interface,
                handler=listener.serve,
                limit=job.limit,
                options=options,
                recorder=recorder,
                observer=listener.observe_tcp,
                refused=lambda fault: report(trouble_of(fault)),
            )
        )
        address = servers["tcp"] = tcp.address
    if job.udp:
        udp = await stack.enter_async_context(
            serve_udp(
                *address,
                local_wports=wports,
                side=side,
                groups=job.groups,
                interface=job.interface,
                options=options,
                recorder=recorder,
                observer=listener.observe_udp,
            )
        )
        servers["udp"] = udp.address
        stack.push_async_callback(_stop, asyncio.ensure_future(listener.serve_udp(udp)))
    file = recorder.path if recorder else None
    for transport, bound in servers.items():
        report(Listening(address=str(bound), transport=transport, file=file))


async def _stop(task: "asyncio.Future[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, LinkError):
        await task


_Indication = TcpDataIndication | UdpDataIndication


class _Listener:
    """Answers what comes and tells it as events."""

    def __init__(self, job: ListenJob, report: Report, responder: Responder | None) -> None:
        self.finished = asyncio.Event()
        self.job = self._job = job
        self.report = self._report = report
        self._responder = responder
        self._answers = [apdu for tag, apdu in job.answers if tag is None]
        self._by_tag = {tag: apdu for tag, apdu in job.answers if tag is not None}
        self._turn = 0
        self._seen = 0
        self._links: dict[str, TcpLink] = {}
        self._datagrams: dict[str, tuple[UdpServer, UdpDataIndication]] = {}
        self._last = ""

    async def serve(self, link: TcpLink) -> None:
        """One TCP connection."""
        remote = str(link.remote)
        self._links[remote] = link
        self._report(Connected(local=str(link.local), remote=remote, transport="tcp"))
        try:
            while True:
                indication = await link.indication()
                self._received(indication, remote, "tcp")
                for answer in self._answers_to(indication, remote, "tcp"):
                    await link.reply(indication, answer)
                    self._sent(answer, indication.local_wport, indication.remote_wport, remote, "tcp")
                self._count()
        except LinkError as error:
            if error.fault is Fault.CLOSED:
                self._report(LinkClosed(remote=remote, message=error.message))
            else:
                self._report(trouble_of(error, remote))
        finally:
            self._links.pop(remote, None)

    async def serve_udp(self, server: UdpServer) -> None:
        """All datagrams."""
        while True:
            try:
                indication = await server.receive()
            except LinkError as error:
                self._report(trouble_of(error))
                return
            remote = str(LinkAddress(indication.remote_ip_address, indication.remote_udp_port))
            if len(self._datagrams) >= self._job.limit:
                self._datagrams.clear()
            self._datagrams[remote] = server, indication
            self._received(indication, remote, "udp")
            for answer in self._answers_to(indication, remote, "udp"):
                await self._send_udp(server, indication, answer)
            self._count()

    async def obey(self, commands: Commands) -> None:
        """Do what the commands say."""
        while not isinstance(command := await commands.get(), CloseLink | None):
            match command:
                case AnswerWith():
                    self._answers = [command.answer] if command.answer is not None else []
                case SendApdu():
                    try:
                        await self._send_to(self._last if command.to is None else command.to, command.send)
                    except LinkError as error:
                        self._report(not_obeyed(error.message))
        self.finished.set()

    def observe_tcp(self, link: TcpLink, what: object) -> None:
        """Tell of APDUs for wPorts that nobody has."""
        if isinstance(what, WpduDiscarded):
            self._discarded(what, str(link.remote))

    def observe_udp(self, what: object) -> None:
        """The same for datagrams."""
        if isinstance(what, WpduDiscarded):
            self._discarded(what, None)

    def _discarded(self, what: WpduDiscarded, remote: str | None) -> None:
        wpdu = what.wpdu
        self._report(
            ApduDiscarded(
                apdu=wpdu.data,
                source_wport=wpdu.source_wport,
                destination_wport=wpdu.destination_wport,
                remote=remote,
                advice=f"--wport {wpdu.destination_wport} takes it, --any-wport takes all",
            )
        )

    def _received(self, indication: _Indication, remote: str, transport: str) -> None:
        self._last = remote
        remarks = []
        if indication.broadcast:
            remarks.append("sent to many: not answered")
        if NO_STATION in (indication.local_wport, indication.remote_wport):
            remarks.append("wPort 0 is No-station, which means nobody")
        self._report(
            ApduReceived(
                apdu=indication.data,
                local_wport=indication.local_wport,
                remote_wport=indication.remote_wport,
                remote=remote,
                transport=transport,
                remark="; ".join(remarks) or None,
            )
        )

    def _answers_to(self, indication: _Indication, remote: str, transport: str) -> list[bytes]:
        """What the responder answers, then what the job says; nothing to what was sent to many."""
        answers: list[bytes] = []
        if self._responder is not None:
            host = parse_address(remote).host
            origin = PushOrigin(host, remote, transport, indication.local_wport, indication.remote_wport)
            replies = self._responder(indication.data, origin)
            answers += [] if indication.broadcast else replies
        answer = self._answer_to(indication)
        return answers if answer is None else [*answers, answer]

    def _answer_to(self, indication: _Indication) -> bytes | None:
        if indication.broadcast:
            return None
        apdu = indication.data
        if apdu and apdu[0] in self._by_tag:
            return self._by_tag[apdu[0]]
        if not self._answers:
            return None
        answer = self._answers[self._turn % len(self._answers)]
        self._turn += 1
        return answer

    async def _send_tcp(self, link: TcpLink, apdu: bytes) -> None:
        local, peer = link.local_wport, link.remote_wport
        await link.send(apdu)
        self._sent(apdu, local, peer, str(link.remote), "tcp")

    async def _send_udp(self, server: UdpServer, indication: UdpDataIndication, apdu: bytes) -> None:
        remote = str(LinkAddress(indication.remote_ip_address, indication.remote_udp_port))
        try:
            await server.reply(indication, apdu)
        except LinkError as error:
            self._report(trouble_of(error, remote))
            return
        self._sent(apdu, indication.local_wport, indication.remote_wport, remote, "udp")

    def _sent(self, apdu: bytes, local: int, peer: int, remote: str, transport: str) -> None:
        self._report(
            ApduSent(apdu=apdu, local_wport=local, remote_wport=peer, remote=remote, transport=transport)
        )

    async def _send_to(self, remote: str, apdu: bytes) -> None:
        if remote in self._links:
            await self._send_tcp(self._links[remote], apdu)
        elif remote in self._datagrams:
            await self._send_udp(*self._datagrams[remote], apdu)
        else:
            raise LinkError(Fault.ADDRESS, f"nobody is connected from {remote or 'anywhere'}")

    def _count(self) -> None:
        self._seen += 1
        if self._job.count and self._seen >= self._job.count:
            self.finished.set()
