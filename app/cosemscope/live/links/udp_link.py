"""UDP links: the UDP-based transport layer (IEC 62056-4-7, clause 5) over asyncio datagrams.

async with connect_udp("192.0.2.7", local_wport=16, remote_wport=1) as link:
    answer = await link.request(apdu)

async with serve_udp("127.0.0.1", 4059, local_wports=(1,)) as server:
    indication = await server.receive()
    await server.reply(indication, answer)
"""

import asyncio
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from cosemscope.live.links.addresses import (
    EVERY_IPV4,
    EVERY_IPV6,
    LOOPBACK,
    LinkAddress,
    bound_wports,
    check_apdu,
    check_wport,
)
from cosemscope.live.links.conversation import Arrived, Conversation
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.networks import Origin, is_group
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_sockets import DEFAULT_OPTIONS, LinkOptions
from cosemscope.live.links.udp_sockets import Datagram, DatagramSocket, bind_datagrams, open_datagrams
from cosemscope.transport.bindings import WPortBindings
from cosemscope.transport.calls import UdpSend
from cosemscope.transport.primitives import UdpDataIndication, UdpDataRequest
from cosemscope.transport.udp import UdpEvent, UdpTransport
from cosemscope.transport.wports import DLMS_PORT, MANAGEMENT_LOGICAL_DEVICE, PUBLIC_CLIENT, Side

Observer = Callable[[UdpEvent | UdpDataRequest | LinkError], None]
"""Told of every primitive that goes down or up, every WPDU discarded and every fault."""


class UdpEndpoint:
    """UDP sockets with their transport layer: what `connect_udp` and `serve_udp` build on.

    At most `options.waiting_limit` indications wait to be received; what comes beyond is dropped and
    counted in `dropped`, as UDP itself would.
    """

    def __init__(self, bindings: WPortBindings, options: LinkOptions, observer: Observer | None) -> None:
        self.transport = UdpTransport(bindings)
        self.options = options
        self.dropped = 0
        self.local = LinkAddress("", 0)
        self._observer = observer
        self._sockets: list[DatagramSocket] = []
        self._refusal: LinkError | None = None
        self.conversation: Conversation[UdpDataIndication] = Conversation(options.answer_timeout)
        self._waiting: deque[Arrived[UdpDataIndication] | LinkError] = deque()
        self._closed = False
        self._arrived = asyncio.Event()

    def use(self, sockets: Iterable[DatagramSocket]) -> None:
        """Take open sockets, at least one; the first one's address is `local`."""
        self._sockets = list(sockets)
        self.local = self._sockets[0].local

    def socket_on(self, handle: socket.socket, recorder: Recorder | None) -> DatagramSocket:
        """A socket of this endpoint, to be handed to `use`."""
        return DatagramSocket(handle, self._datagram, self._failed, recorder)

    @property
    def peer(self) -> LinkAddress | None:
        """The connected peer, if there is one."""
        return self._sockets[0].remote if self._sockets else None

    def submit(self, request: UdpDataRequest) -> None:
        """Take a UDP-DATA.request, whose Local_wPort is bound if it was not.

        Raises LinkError when the system does not take the datagram; UDP-DATA.confirm is NOK then.
        """
        if self._closed or not self._sockets:
            raise LinkError(Fault.CLOSED, "the UDP socket is closed")
        self._tell(request)
        if request.local_wport not in self.transport.bindings:
            self.transport.bindings.bind(request.local_wport)
        self.transport.submit(request)
        self._refusal = None
        self._run()
        if self._refusal is not None:
            raise self._refusal

    async def arrived(self, timeout: float | None = None) -> Arrived[UdpDataIndication]:
        """The next UDP-DATA.indication, with what it is to the requests that were sent.

        `timeout` in seconds. Raises LinkError, TIMEOUT among them.
        """
        limit = timeout if timeout is not None else self.options.answer_timeout
        try:
            async with asyncio.timeout(limit or None):
                while not self._waiting and not self._closed:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise self.no_answer(limit) from None
        if not self._waiting:
            raise LinkError(Fault.CLOSED, "the UDP socket was closed")
        came = self._waiting.popleft()
        if isinstance(came, LinkError):
            raise came
        return came

    def close(self) -> None:
        """Close the sockets; who waits for an indication, now or later, gets a LinkError (CLOSED)."""
        for each in self._sockets:
            each.close()
        self._closed = True
        self.conversation.fail(LinkError(Fault.CLOSED, "the UDP socket was closed"))
        self._arrived.set()

    def no_answer(self, limit: float | None) -> LinkError:
        """The fault of a wait that was in vain."""
        return LinkError(Fault.TIMEOUT, f"no answer from {self.peer or 'anyone'} in {limit:g} s")

    def _datagram(self, datagram: Datagram) -> None:
        self.transport.datagram_received(
            datagram.octets,
            local_ip_address=datagram.reached.host,
            local_udp_port=datagram.reached.port,
            remote_ip_address=datagram.sender.host,
            remote_udp_port=datagram.sender.port,
            cast=datagram.cast,
        )
        self._run()

    def _failed(self, error: LinkError) -> None:
        self._tell(error)
        if self.peer is not None and not self.conversation.fail(error):
            self._put(error)

    def _run(self) -> None:
        """Carry out what the transport layer asks for, and hand up what it has."""
        for event in self.transport.events():
            self._tell(event)
            if isinstance(event, UdpSend):
                self._send(event)
            elif isinstance(event, UdpDataIndication):
                arrived = self.conversation.take(event)
                if arrived is not None:
                    self._put(arrived)

    def _send(self, call: UdpSend) -> None:
        to = LinkAddress(call.request.remote_ip_address, call.request.remote_udp_port)
        try:
            self._socket_to(to).send(call.octets, to, _source_of(call.request.local_ip_address))
        except LinkError as error:
            self._refusal = error
            self._tell(error)
            self.transport.datagram_failed(call)
        else:
            self.transport.datagram_sent(call)

    def _socket_to(self, to: LinkAddress) -> DatagramSocket:
        family = socket.AF_INET6 if ":" in to.host else socket.AF_INET
        for each in self._sockets:
            if each.family == family:
                return each
        words = f"{to} cannot be reached from {self.local}: one is IPv4, the other IPv6"
        raise LinkError(Fault.ADDRESS, words)

    def _put(self, item: Arrived[UdpDataIndication] | LinkError) -> None:
        if len(self._waiting) >= self.options.waiting_limit:
            self.dropped += 1
            return
        self._waiting.append(item)
        self._arrived.set()

    def _tell(self, event: UdpEvent | UdpDataRequest | LinkError) -> None:
        if self._observer is not None:
            self._observer(event)


def _source_of(host: str) -> str:
    """The address that a datagram leaves from; empty for any, and for a group's, which is nobody's."""
    return "" if host in {EVERY_IPV4, EVERY_IPV6} or is_group(host) else host


class UdpLink:
    """APDUs between one wPort here and one wPort of one peer, over UDP. Made by `connect_udp`."""

    def __init__(self, endpoint: UdpEndpoint, peer: LinkAddress, local_wport: int, remote_wport: int) -> None:
        self.endpoint = endpoint
        self.local = endpoint.local
        self.remote = peer
        self.local_wport = local_wport
        self.remote_wport = remote_wport

    async def send(
        self, apdu: bytes, *, local_wport: int | None = None, remote_wport: int | None = None
    ) -> None:
        """Send one APDU in one datagram. Raises LinkError. That it was sent does not say that it arrives.

        TypeError when the APDU is no octets.
        """
        request = self._request(apdu, local_wport, remote_wport)
        self.endpoint.conversation.sent(request.data, request.local_wport, request.remote_wport)
        self.endpoint.submit(request)

    async def request(
        self,
        apdu: bytes,
        timeout: float | None = None,
        *,
        local_wport: int | None = None,
        remote_wport: int | None = None,
    ) -> bytes:
        """Send one APDU and wait for its answer, as `exchange` does; the answer's octets."""
        arrived = await self.exchange(apdu, timeout, local_wport=local_wport, remote_wport=remote_wport)
        return arrived.indication.data

    async def exchange(
        self,
        apdu: bytes,
        timeout: float | None = None,
        *,
        local_wport: int | None = None,
        remote_wport: int | None = None,
    ) -> Arrived[UdpDataIndication]:
        """Send one APDU and wait for its answer, told by kind, invoke-id and wPorts; with its response time.

        What else comes meanwhile is left for `receive`. Nothing is sent again. `timeout` in seconds (default:
        the options'; 0: none). Raises LinkError; ValueError for an APDU that nobody answers.
        """
        request = self._request(apdu, local_wport, remote_wport)
        conversation = self.endpoint.conversation
        asked = conversation.ask(request.data, request.local_wport, request.remote_wport)
        limit = timeout if timeout is not None else self.endpoint.options.answer_timeout
        try:
            self.endpoint.submit(request)
            return await conversation.answer_to(asked, limit)
        except LinkError:
            raise
        except TimeoutError:
            raise self.endpoint.no_answer(limit) from None
        finally:
            conversation.give_up(asked)

    def _request(self, apdu: bytes, local_wport: int | None, remote_wport: int | None) -> UdpDataRequest:
        """The UDP-DATA.request for an APDU. Raises LinkError, TypeError."""
        apdu = check_apdu(apdu)
        local = self.local_wport if local_wport is None else check_wport(local_wport)
        remote = self.remote_wport if remote_wport is None else check_wport(remote_wport)
        try:
            return UdpDataRequest(
                local_wport=local,
                remote_wport=remote,
                local_udp_port=self.local.port,
                remote_udp_port=self.remote.port,
                local_ip_address=self.local.host,
                remote_ip_address=self.remote.host,
                data=apdu,
            )
        except ValueError as error:
            raise LinkError(Fault.TOO_LARGE, str(error)) from None

    async def receive(self, timeout: float | None = None) -> bytes:
        """The next APDU for this side. `timeout` in seconds (default: the options'). Raises LinkError."""
        return (await self.indication(timeout)).data

    async def indication(self, timeout: float | None = None) -> UdpDataIndication:
        """The next APDU with its wPorts. Raises LinkError."""
        return (await self.arrived(timeout)).indication

    async def arrived(self, timeout: float | None = None) -> Arrived[UdpDataIndication]:
        """The next APDU, with what it is to the requests that were sent. Raises LinkError."""
        return await self.endpoint.arrived(timeout)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """APDUs as they come, without a limit of time, until the socket is closed. Raises LinkError."""
        return self._apdus()

    async def _apdus(self) -> AsyncIterator[bytes]:
        while True:
            try:
                apdu = await self.receive(0)
            except LinkError as error:
                if error.fault is Fault.CLOSED:
                    return
                raise
            yield apdu

    async def close(self) -> None:
        """Close the socket."""
        self.endpoint.close()


class UdpServer:
    """A UDP socket that takes APDUs from anyone. Made by `serve_udp`; `address` is where it is bound."""

    def __init__(self, endpoint: UdpEndpoint) -> None:
        self.endpoint = endpoint
        self.address = endpoint.local

    async def receive(self, timeout: float | None = None) -> UdpDataIndication:
        """The next APDU, with who sent it. Waits without limit unless `timeout` (s) is given."""
        return (await self.endpoint.arrived(timeout or 0)).indication

    async def reply(self, indication: UdpDataIndication, apdu: bytes) -> None:
        """Answer `indication` from the address that it was sent to.

        Raises LinkError; what was sent to many, by All-station, a group or a broadcast address, is not
        answered (Fault.ADDRESS).
        """
        try:
            request = indication.reply(check_apdu(apdu))
        except ValueError as error:
            fault = Fault.ADDRESS if indication.broadcast else Fault.TOO_LARGE
            raise LinkError(fault, str(error)) from None
        self.endpoint.submit(request)


@asynccontextmanager
async def connect_udp(
    host: str,
    port: int = DLMS_PORT,
    *,
    local_wport: int = PUBLIC_CLIENT,
    remote_wport: int = MANAGEMENT_LOGICAL_DEVICE,
    origin: Origin = Origin(),
    options: LinkOptions = DEFAULT_OPTIONS,
    recorder: Recorder | None = None,
    observer: Observer | None = None,
) -> AsyncIterator[UdpLink]:
    """A link over UDP from `local_wport` to `remote_wport` at `host`. Raises LinkError.

    Opening it sends nothing: whether anyone is there shows only in an answer. `host` may be a group or a
    broadcast address, from which nothing comes back. `origin`: see `connect_tcp`.
    """
    bindings = WPortBindings(Side.CLIENT, [check_wport(local_wport)])
    endpoint = UdpEndpoint(bindings, options, observer)
    address = LinkAddress(host, port)
    endpoint.use([await open_datagrams(lambda handle: endpoint.socket_on(handle, recorder), address, origin)])
    try:
        peer = endpoint.peer
        assert peer is not None
        yield UdpLink(endpoint, peer, local_wport, check_wport(remote_wport))
    finally:
        endpoint.close()


@asynccontextmanager
async def serve_udp(
    host: str = LOOPBACK,
    port: int = DLMS_PORT,
    *,
    local_wports: Iterable[int] | None = (MANAGEMENT_LOGICAL_DEVICE,),
    side: Side = Side.SERVER,
    groups: Iterable[str] = (),
    interface: str = "",
    options: LinkOptions = DEFAULT_OPTIONS,
    recorder: Recorder | None = None,
    observer: Observer | None = None,
) -> AsyncIterator[UdpServer]:
    """Take datagrams at `host` and `port` (0: any free one) for `local_wports`. Raises LinkError.

    `host` may be a group; `groups` are joined besides. With `interface` both are of that network only. The
    indication's Local_IP_Address is the address that a datagram was sent to, on Windows the one bound.
    `local_wports` None: any wPort. `side` is CLIENT for who takes pushes.
    """
    bindings = bound_wports(side, local_wports)
    endpoint = UdpEndpoint(bindings, options, observer)
    endpoint.use(
        await bind_datagrams(
            lambda handle: endpoint.socket_on(handle, recorder),
            LinkAddress(host, port),
            groups=groups,
            interface=interface,
        )
    )
    try:
        yield UdpServer(endpoint)
    finally:
        endpoint.close()
