"""One meter at one address: what comes over TCP and UDP goes in, its answers go out, spoilt where ordered."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, Protocol

from cosemscope.application.meter.meter_faults import MeterFaults
from cosemscope.application.meter.objects.push_objects import DuePush
from cosemscope.live.commands.live_events import ApduDiscarded, Connected, LinkClosed, Report, trouble_of
from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.tcp_link import TcpLink
from cosemscope.live.links.udp_link import UdpServer
from cosemscope.live.meter.fault_orders import FaultKind, FaultsInForce
from cosemscope.transport.bindings import WpduDiscarded
from cosemscope.transport.primitives import TcpDataIndication, UdpDataIndication
from cosemscope.transport.wpdu import Wpdu

#: Octets that a header says too many, when its length is to be wrong.
_TOO_MANY = 4


class AnsweringMeter(Protocol):
    """What answers: the built-in meter, or one out of a capture."""

    faults: MeterFaults

    @property
    def pause(self) -> float:
        """Seconds that it takes for the answers just given."""

    def receive(
        self, apdu: bytes, source_wport: int, destination_wport: int, now: float, link: object = None
    ) -> list[bytes]:
        """The answers to an APDU."""

    def link_closed(self, link: object) -> None:
        """A connection is over."""

    def due(self, now: float) -> list[DuePush]:
        """The pushes to be sent by now."""

    def push(self, now: float) -> None:
        """Push at once whatever names somebody to push to."""


class MeterMaker(NamedTuple):
    """How meters are made: `make(number, now)`; the wPorts of their logical devices; what people are told."""

    make: Callable[[int, float], AnsweringMeter]
    devices: tuple[int, ...]
    clients: tuple[str, ...] = ()
    keys: str | None = None


class MeterEndpoint:
    """The meter with a number, made when it is first needed."""

    def __init__(self, number: int, maker: MeterMaker, faults: FaultsInForce, report: Report) -> None:
        self._number, self._maker = number, maker
        self._faults, self._report = faults, report
        self._made: AnsweringMeter | None = None
        self.address = LinkAddress("", 0)

    @property
    def meter(self) -> AnsweringMeter:
        """The meter."""
        if self._made is None:
            self._made = self._maker.make(self._number, time.time())
            self._faults.pass_on(self._made.faults)
        return self._made

    def faults_changed(self) -> None:
        """Others are in force now."""
        if self._made is not None:
            self._faults.pass_on(self._made.faults)

    def due(self, now: float) -> list[DuePush]:
        """The pushes to be sent by now; a meter that nobody has asked yet has none."""
        return self._made.due(now) if self._made is not None else []

    async def serve(self, link: TcpLink) -> None:
        """One TCP connection."""
        remote = str(link.remote)
        self._report(Connected(local=str(link.local), remote=remote, transport="tcp"))
        try:
            while True:
                indication = await link.indication()
                for answer in await self._answers(indication, link):
                    await self._send(link, indication, answer)
        except LinkError as error:
            if error.fault is Fault.CLOSED:
                self._report(LinkClosed(remote=remote, message=error.message))
            else:
                self._report(trouble_of(error, remote))
        finally:
            self.meter.link_closed(link)

    async def _answers(self, indication: TcpDataIndication | UdpDataIndication, link: object) -> list[bytes]:
        """The answers that are not lost, when they are due."""
        if indication.broadcast:
            return []
        meter = self.meter
        answers = meter.receive(
            indication.data, indication.remote_wport, indication.local_wport, time.time(), link
        )
        seconds = self._faults.delay + meter.pause
        if seconds:
            await asyncio.sleep(seconds)
        return [answer for answer in answers if not self._faults.strikes(FaultKind.LOSS)]

    async def _send(self, link: TcpLink, indication: TcpDataIndication, answer: bytes) -> None:
        strikes = self._faults.strikes
        wports = indication.local_wport, indication.remote_wport
        if strikes(FaultKind.CLOSE_IN_WPDU):
            octets = Wpdu(*wports, answer).encode()
            link.write(octets[: len(octets) // 2 + 1])
            link.shut()
            raise LinkError(Fault.CLOSED, f"closed the connection to {link.remote} inside a WPDU, as ordered")
        if strikes(FaultKind.WRONG_LENGTH):
            header = Wpdu(*wports, answer).header
            link.write(header._replace(length=min(header.length + _TOO_MANY, 0xFFFF)).encode() + answer)
        elif strikes(FaultKind.EXCHANGED_WPORTS):
            link.write(Wpdu(*wports[::-1], answer).encode())
        else:
            await link.reply(indication, answer)
            return
        await link.drain()

    async def serve_udp(self, server: UdpServer) -> None:
        """All datagrams: an association is that of one address and port."""
        while True:
            try:
                indication = await server.receive()
                remote = LinkAddress(indication.remote_ip_address, indication.remote_udp_port)
                for answer in await self._answers(indication, remote):
                    request = indication.reply(answer)
                    if self._faults.strikes(FaultKind.EXCHANGED_WPORTS):
                        local, remote_wport = request.local_wport, request.remote_wport
                        request = replace(request, local_wport=remote_wport, remote_wport=local)
                    server.endpoint.submit(request)
            except LinkError as error:
                self._report(trouble_of(error))
                if error.fault is Fault.CLOSED:
                    return
            except ValueError as error:  # an answer too long for a datagram
                self._report(trouble_of(LinkError(Fault.TOO_LARGE, str(error))))
            except Exception as error:  # the trouble with one datagram is not that of the next
                words = f"the meter at {self.address} failed over a datagram"
                loop = asyncio.get_running_loop()
                loop.call_exception_handler({"message": words, "exception": error})

    def observe(self, what: object, remote: str | None = None) -> None:
        """Tell of APDUs for wPorts that the meter does not have."""
        if isinstance(what, WpduDiscarded):
            wpdu = what.wpdu
            devices = " and ".join(map(str, self._maker.devices))
            self._report(
                ApduDiscarded(
                    apdu=wpdu.data,
                    source_wport=wpdu.source_wport,
                    destination_wport=wpdu.destination_wport,
                    remote=remote,
                    advice=f"the meter's logical devices are at wPorts {devices}",
                )
            )
