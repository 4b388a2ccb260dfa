"""A test link and a listener as a stream of events: what `cosemscope connect` and `listen` do.

Whoever runs one gets events, each a name and values that JSON can hold, and may give commands; a person at a
shell, a script that reads JSON lines and the window are served by the same code. With `--control` events go
out as JSON lines on standard output and commands come in as JSON lines on standard input.

Events, `{"event": NAME, "time": nanoseconds since the epoch, ...}`:

- `connecting`: `to`, `transport` ("tcp" or "udp"), `file` (the recording)
- `listening`: `address`, `transport`, `file`
- `connected`: `local`, `remote`, `transport`
- `sent`: `apdu` (hex), `name`, `local_wport`, `remote_wport`, `remote`
- `received`: the same, and `response_ms` since the last APDU sent, when one was waiting for an answer
- `discarded`: an APDU for a wPort that nobody here has: `apdu`, `name`, `source_wport`, `destination_wport`
- `closed`: `remote`, `message`
- `error`: `fault` (one of `Fault`'s words, or "command"), `message`, `remote`
- `kept`: `file`, `packets`; the last event, unless nothing went over the wire

Commands: `{"send": HEX}` with, if need be, `"local_wport"`, `"remote_wport"` and for a listener `"to"` (the
remote address of an earlier event); `{"answer": HEX}` or `{"answer": null}`: what a listener answers from now
on; `{"close": true}`, as the end of standard input, ends it.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from cosemscope.apdu.tags import apdu_name
from cosemscope.live.addresses import Address
from cosemscope.live.apdus import public_aarq, release_request
from cosemscope.live.faults import Fault, LinkError
from cosemscope.live.recording import Recorder
from cosemscope.live.server import SERVER_OPTIONS, serve_tcp
from cosemscope.live.sockets import DEFAULT_OPTIONS, LinkOptions
from cosemscope.live.tcp import TcpLink, connect_tcp
from cosemscope.live.udp import UdpLink, UdpServer, connect_udp, serve_udp
from cosemscope.transport.bindings import WpduDiscarded
from cosemscope.transport.primitives import UdpDataIndication

Event = dict[str, Any]
Report = Callable[[Event], None]
Commands = asyncio.Queue[Mapping[str, Any] | None]
"""Commands as they come; None: there will be no more."""

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


@dataclass(frozen=True)
class ListenJob:
    """What a listener does.

    `by_tag` maps the first octet of a request to its answer; all other requests get `answers`, in turn, or
    none. `count` ends it after so many APDUs (0: never).
    """

    address: Address
    wports: Sequence[int] = (1,)
    tcp: bool = True
    udp: bool = True
    answers: Sequence[bytes] = ()
    by_tag: Mapping[int, bytes] = field(default_factory=dict)
    count: int = 0
    limit: int = 1000
    options: LinkOptions = SERVER_OPTIONS


def event(kind: str, /, **values: Any) -> Event:
    """An event that happens now; values that are None are left out."""
    given = {key: value for key, value in values.items() if value is not None}
    return {"event": kind, "time": time.time_ns(), **given}


def apdu_event(kind: str, apdu: bytes, **values: Any) -> Event:
    """An event about an APDU."""
    return event(kind, apdu=apdu.hex(), name=apdu_name(apdu[0]) if apdu else "empty", **values)


def error_event(error: LinkError, **values: Any) -> Event:
    """An event about a fault."""
    return event("error", fault=error.fault.value, message=error.message, **values)


def octets_of(text: Any) -> bytes:
    """Octets written in hexadecimal, with or without spaces. Raises LinkError that says what is wrong."""
    if not isinstance(text, str):
        raise LinkError(Fault.ADDRESS, f"an APDU is written in hexadecimal, not as {text!r}")
    try:
        octets = bytes.fromhex(text.replace(":", " "))
    except ValueError:
        raise LinkError(Fault.ADDRESS, f"{text!r} is no APDU in hexadecimal") from None
    if not octets:
        raise LinkError(Fault.ADDRESS, "an APDU has at least one octet")
    return octets


# A test link


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


# A listener


async def run_listen(
    job: ListenJob, report: Report, recorder: Recorder | None = None, commands: Commands | None = None
) -> None:
    """Run a listener until it is told to close, has seen `count` APDUs, or is cancelled. Raises LinkError."""
    listener = _Listener(job, report)
    async with contextlib.AsyncExitStack() as stack:
        address = job.address
        servers: dict[str, Address] = {}
        if job.tcp:
            tcp = await stack.enter_async_context(
                serve_tcp(
                    *address,
                    local_wports=job.wports,
                    handler=listener.serve,
                    limit=job.limit,
                    options=job.options,
                    recorder=recorder,
                    observer=listener.observe_tcp,
                )
            )
            address = servers["tcp"] = tcp.address
        if job.udp:
            udp = await stack.enter_async_context(
                serve_udp(
                    *address,
                    local_wports=job.wports,
                    options=job.options,
                    recorder=recorder,
                    observer=listener.observe_udp,
                )
            )
            servers["udp"] = udp.address
            listener.udp = udp
            stack.push_async_callback(_stop, asyncio.ensure_future(listener.serve_udp(udp)))
        file = str(recorder.path) if recorder else None
        for transport, bound in servers.items():
            report(event("listening", address=str(bound), transport=transport, file=file))
        if commands is not None:
            stack.push_async_callback(_stop, asyncio.ensure_future(listener.obey(commands)))
        await listener.finished.wait()


async def _stop(task: "asyncio.Future[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, LinkError):
        await task


class _Listener:
    """Answers what comes and tells it as events."""

    def __init__(self, job: ListenJob, report: Report) -> None:
        self.finished = asyncio.Event()
        self.udp: UdpServer | None = None
        self._job = job
        self._report = report
        self._answers = list(job.answers)
        self._turn = 0
        self._seen = 0
        self._links: dict[str, TcpLink] = {}
        self._datagrams: dict[str, UdpDataIndication] = {}
        self._last = ""

    async def serve(self, link: TcpLink) -> None:
        """One TCP connection."""
        remote = str(link.remote)
        self._links[remote] = link
        self._report(event("connected", local=str(link.local), remote=remote, transport="tcp"))
        try:
            while True:
                indication = await link.indication()
                self._received(
                    indication.data, indication.local_wport, indication.remote_wport, remote, "tcp"
                )
                answer = self._answer_to(indication.data)
                if answer is not None:
                    await self._send_tcp(link, answer)
                self._count()
        except LinkError as error:
            if error.fault is Fault.CLOSED:
                self._report(event("closed", remote=remote, message=error.message))
            else:
                self._report(error_event(error, remote=remote))
        finally:
            self._links.pop(remote, None)

    async def serve_udp(self, server: UdpServer) -> None:
        """All datagrams."""
        while True:
            try:
                indication = await server.receive()
            except LinkError as error:
                self._report(error_event(error))
                return
            remote = str(Address(indication.remote_ip_address, indication.remote_udp_port))
            if len(self._datagrams) >= self._job.limit:
                self._datagrams.clear()
            self._datagrams[remote] = indication
            self._received(indication.data, indication.local_wport, indication.remote_wport, remote, "udp")
            answer = self._answer_to(indication.data)
            if answer is not None and not indication.broadcast:
                await self._send_udp(server, indication, answer)
            self._count()

    async def obey(self, commands: Commands) -> None:
        """Do what the commands say."""
        while (command := await commands.get()) is not None and not command.get("close"):
            try:
                if "answer" in command:
                    answer = command["answer"]
                    self._answers = [octets_of(answer)] if answer is not None else []
                elif "send" in command:
                    await self._send_to(str(command.get("to", self._last)), octets_of(command["send"]))
                else:
                    raise LinkError(Fault.ADDRESS, f"unknown command {dict(command)!r}")
            except LinkError as error:
                self._report(event("error", fault="command", message=error.message))
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
        wports = {"source_wport": wpdu.source_wport, "destination_wport": wpdu.destination_wport}
        self._report(apdu_event("discarded", wpdu.data, remote=remote, **wports))

    def _received(self, apdu: bytes, local: int, peer: int, remote: str, transport: str) -> None:
        self._last = remote
        wports = {"local_wport": local, "remote_wport": peer}
        self._report(apdu_event("received", apdu, remote=remote, transport=transport, **wports))

    def _answer_to(self, apdu: bytes) -> bytes | None:
        if apdu and apdu[0] in self._job.by_tag:
            return self._job.by_tag[apdu[0]]
        if not self._answers:
            return None
        answer = self._answers[self._turn % len(self._answers)]
        self._turn += 1
        return answer

    async def _send_tcp(self, link: TcpLink, apdu: bytes) -> None:
        wports = {"local_wport": link.local_wport, "remote_wport": link.remote_wport}
        self._report(apdu_event("sent", apdu, remote=str(link.remote), transport="tcp", **wports))
        await link.send(apdu)

    async def _send_udp(self, server: UdpServer, indication: UdpDataIndication, apdu: bytes) -> None:
        remote = str(Address(indication.remote_ip_address, indication.remote_udp_port))
        wports = {"local_wport": indication.local_wport, "remote_wport": indication.remote_wport}
        self._report(apdu_event("sent", apdu, remote=remote, transport="udp", **wports))
        try:
            await server.reply(indication, apdu)
        except LinkError as error:
            self._report(error_event(error, remote=remote))

    async def _send_to(self, remote: str, apdu: bytes) -> None:
        if remote in self._links:
            await self._send_tcp(self._links[remote], apdu)
        elif remote in self._datagrams and self.udp is not None:
            await self._send_udp(self.udp, self._datagrams[remote], apdu)
        else:
            raise LinkError(Fault.ADDRESS, f"nobody is connected from {remote or 'anywhere'}")

    def _count(self) -> None:
        self._seen += 1
        if self._job.count and self._seen >= self._job.count:
            self.finished.set()
