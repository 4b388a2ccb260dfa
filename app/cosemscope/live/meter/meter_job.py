"""A meter, or a fleet of them, as a job: its addresses, its security, its faults, its pushes, its end."""

import asyncio
import contextlib
import ipaddress
import time
from dataclasses import dataclass, replace
from typing import ClassVar

from cosemscope.application.meter.meter_server import MOST_ASSOCIATIONS
from cosemscope.capture.events import not_obeyed
from cosemscope.capture.job_options import flag, option
from cosemscope.capture.option_values import COUNT, SECONDS, ValueKind
from cosemscope.live.commands.live_events import CloseLink, Commands, Report, trouble_of
from cosemscope.live.commands.live_values import WPORT
from cosemscope.live.links.accepting import room_for
from cosemscope.live.links.addresses import LOOPBACK, LinkAddress, parse_address
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_link import TcpLink
from cosemscope.live.links.tcp_server import INACTIVITY_TIMEOUT, SERVER_OPTIONS, TcpServer, serve_tcp
from cosemscope.live.links.udp_link import serve_udp
from cosemscope.live.meter.fault_orders import FaultOrder, FaultsInForce, parse_fault
from cosemscope.live.meter.meter_endpoint import MeterEndpoint, MeterMaker
from cosemscope.live.meter.meter_events import FaultsOrdered, MeterListening, OrderFaults, PushNow
from cosemscope.live.meter.push_sender import PushSender
from cosemscope.transport.wports import DLMS_PORT, PUBLIC_CLIENT

#: Meters of one process at most, and descriptors of each: two sockets, a spare one, two connections.
MOST_METERS, _DESCRIPTORS = 5000, 5
#: Ports tried where any free one will do.
_ATTEMPTS = 16

FAULT = ValueKind("WHAT", parse_fault)


def _count(text: str) -> int:
    return COUNT.read(text) if text != "0" else 0


MECHANISM = ValueKind("N", _count)


@dataclass(frozen=True)
class MeterJob:
    """A meter: where it listens, how its managing client associates, what it does wrong, where it pushes."""

    command: ClassVar = "meter"

    address: str = option(str(LinkAddress(LOOPBACK, DLMS_PORT)), ValueKind("HOST:PORT"), help="default {}")
    udp: bool = flag(True, "--tcp-only", help="no UDP", exclusive=True)
    tcp: bool = flag(True, "--udp-only", help="no TCP", exclusive=True)
    mechanism: int = option(
        5, MECHANISM, "--mechanism", help="of the managing client: HLS 2 to 7 (default {})"
    )
    suite: int = option(0, MECHANISM, "--suite", help="security suite 0, 1 or 2 (default {})")
    ciphered: bool = flag(True, "--no-ciphering", help="the managing client speaks in clear")
    max_pdu: int = option(1024, COUNT, "--max-pdu", help="octets of the longest APDU it takes (default {})")
    number: int = option(1, COUNT, "--number", help="of the meter, in its names and values (default {})")
    fleet: int = option(1, COUNT, "--fleet", help="so many meters, at ports counted up")
    by_address: bool = flag(False, "--by-address", help="a fleet at addresses counted up: 127.0.0.1, .2, ...")
    faults: tuple[FaultOrder, ...] = option(
        (),
        FAULT,
        "--fault",
        help="what it does wrong: delay=300ms, loss=10%%, wrong-length, wrong-tag, counter-replay, "
        "block-lost, close-in-wpdu, exchanged-wports (each =10%% for some answers only), one-connection; "
        "may be repeated",
    )
    push_to: str = option("", ValueKind("HOST:PORT"), "--push-to", help="where its push setups push")
    push_every: float = option(0.0, SECONDS, "--push-every", help="seconds (0: when it is told to)")
    push_udp: bool = flag(False, "--push-udp", help="push over UDP")
    push_ciphered: bool = flag(False, "--push-ciphered", help="push in general-glo-ciphering")
    push_wport: int = option(PUBLIC_CLIENT, WPORT, "--push-wport", help="of the client (default {})")
    limit: int = option(16, COUNT, "--limit", help="connections at most, of each meter ({})")
    inactivity: float = option(INACTIVITY_TIMEOUT, SECONDS, "--inactivity", help="close after ({} s)")

    def trouble(self) -> str:
        """Why there can be no such meter; empty when there can."""
        wrong = {
            f"--mechanism {self.mechanism}: HLS has 2 to 7": not 2 <= self.mechanism <= 7,
            f"--suite {self.suite}: there are 0, 1 and 2": self.suite > 2,
            "--mechanism 7 (ECDSA) needs --suite 1 or 2": self.mechanism == 7 and not self.suite,
            f"--max-pdu {self.max_pdu}: 64 to 65535 octets": not 64 <= self.max_pdu <= 0xFFFF,
            f"--fleet {self.fleet}: {MOST_METERS} at most": self.fleet > MOST_METERS,
            f"--limit {self.limit}: a meter has {MOST_ASSOCIATIONS} associations at most": self.limit
            > MOST_ASSOCIATIONS,
            "--push-every says how often: --push-to says where": bool(self.push_every and not self.push_to),
        }
        try:
            self.addresses()
            if self.push_to:
                parse_address(self.push_to)
        except LinkError as error:
            return error.message
        return next((words for words, it_is in wrong.items() if it_is), "")

    def addresses(self) -> list[LinkAddress]:
        """Where the meters are, one after the other. Raises LinkError (Fault.ADDRESS)."""
        text = self.address.strip()
        first = parse_address(f":{text}" if text.isdecimal() else text)
        if not self.by_address:
            if first.port and first.port + self.fleet - 1 > 0xFFFF:
                raise LinkError(Fault.ADDRESS, f"{self.fleet} ports from {first.port} on end behind 65535")
            return [first._replace(port=first.port and first.port + at) for at in range(self.fleet)]
        try:
            host = ipaddress.ip_address(first.host)
            return [LinkAddress(str(host + at), first.port) for at in range(self.fleet)]
        except ValueError:
            words = f"{self.fleet} addresses cannot be counted up from {first.host}: name an IP address"
            raise LinkError(Fault.ADDRESS, words) from None


async def run_meter(
    job: MeterJob,
    report: Report,
    maker: MeterMaker,
    recorder: Recorder | None = None,
    commands: Commands | None = None,
) -> None:
    """Run meters until told to close or cancelled. Raises LinkError."""
    addresses = job.addresses()
    if room_for(len(addresses), _DESCRIPTORS) < len(addresses):
        words = f"{len(addresses)} meters need {_DESCRIPTORS} open files each: too many (see ulimit -n)"
        raise LinkError(Fault.FAILED, words)
    async with contextlib.AsyncExitStack() as stack:
        meters = _Meters(job, report, maker, recorder)
        for number, address in enumerate(addresses, job.number):
            await meters.open(number, address, stack)
        report(
            MeterListening(
                addresses=tuple(str(one.address) for one in meters.endpoints),
                transports=tuple(word for word, used in (("tcp", job.tcp), ("udp", job.udp)) if used),
                devices=maker.devices,
                clients=maker.clients,
                keys=maker.keys,
                file=recorder.path if recorder else None,
            )
        )
        if job.faults:
            meters.order(job.faults)
        if job.push_every:
            for endpoint in meters.endpoints:
                _ = endpoint.meter  # who pushes by itself is there from the beginning
        sender = PushSender(meters.endpoints, job.push_to, job.push_wport, report, recorder)
        stack.push_async_callback(_stop, asyncio.ensure_future(sender.run()))
        if commands is None:
            await asyncio.Event().wait()
        else:
            await meters.obey(commands)


async def _stop(task: "asyncio.Future[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


class _Meters:
    """All meters of one job."""

    def __init__(self, job: MeterJob, report: Report, maker: MeterMaker, recorder: Recorder | None) -> None:
        self.endpoints: list[MeterEndpoint] = []
        self._job, self._report, self._maker, self._recorder = job, report, maker, recorder
        self._faults = FaultsInForce()
        self._servers: list[tuple[TcpServer, int]] = []
        self._options = replace(SERVER_OPTIONS, inactivity_timeout=job.inactivity)

    async def open(self, number: int, address: LinkAddress, stack: contextlib.AsyncExitStack) -> None:
        """Begin one meter; UDP is at the port that TCP has got. Raises LinkError.

        Any free port is one that is free for both: where it is not for UDP, another one is taken.
        """
        for attempts_left in reversed(range(_ATTEMPTS)):
            async with contextlib.AsyncExitStack() as own:
                try:
                    await self._open(number, address, own)
                except LinkError as error:
                    if address.port or error.fault is not Fault.IN_USE or not attempts_left:
                        raise
                else:
                    stack.push_async_exit(own.pop_all())
                    return

    async def _open(self, number: int, address: LinkAddress, stack: contextlib.AsyncExitStack) -> None:
        endpoint = MeterEndpoint(number, self._maker, self._faults, self._report)
        tcp: TcpServer | None = None
        if self._job.tcp:

            def observe(link: TcpLink, what: object) -> None:
                endpoint.observe(what, str(link.remote))

            tcp = await stack.enter_async_context(
                serve_tcp(
                    *address,
                    local_wports=self._maker.devices,
                    handler=endpoint.serve,
                    limit=self._job.limit,
                    options=self._options,
                    recorder=self._recorder,
                    observer=observe,
                    refused=lambda fault: self._report(trouble_of(fault)),
                )
            )
            address = tcp.address
        if self._job.udp:
            udp = await stack.enter_async_context(
                serve_udp(
                    *address,
                    local_wports=self._maker.devices,
                    options=self._options,
                    recorder=self._recorder,
                    observer=endpoint.observe,
                )
            )
            address = udp.address
            stack.push_async_callback(_stop, asyncio.ensure_future(endpoint.serve_udp(udp)))
        if tcp is not None:
            self._servers.append((tcp, tcp.doorkeeper.limit))
        endpoint.address = address
        self.endpoints.append(endpoint)

    def order(self, orders: tuple[FaultOrder, ...]) -> None:
        """Have these faults in force."""
        self._faults.order(orders)
        for endpoint in self.endpoints:
            endpoint.faults_changed()
        for server, limit in self._servers:
            server.doorkeeper.limit = 1 if self._faults.one_connection else limit
        self._report(FaultsOrdered(faults=self._faults.words))

    async def obey(self, commands: Commands) -> None:
        """Do what commands say, until they say close or end."""
        while not isinstance(command := await commands.get(), CloseLink | None):
            match command:
                case OrderFaults():
                    self.order(command.orders())
                case PushNow():
                    for endpoint in self.endpoints:
                        endpoint.meter.push(time.time())
                case _:
                    self._report(not_obeyed(f"a meter does not know {command.word!r}"))
