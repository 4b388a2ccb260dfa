"""UDP links: the UDP-based transport layer (IEC 62056-4-7, clause 5) over asyncio datagrams.

async with connect_udp("192.0.2.7", local_wport=16, remote_wport=1) as link:
    await link.send(apdu)
    answer = await link.receive()

async with serve_udp("127.0.0.1", 4059, local_wports=(1,)) as server:
    indication = await server.receive()
    await server.reply(indication, answer)
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from cosemscope.live.links.addresses import LOOPBACK, LinkAddress, check_wport
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_sockets import DEFAULT_OPTIONS, LinkOptions
from cosemscope.live.links.udp_sockets import DatagramSocket, open_datagrams
from cosemscope.transport.bindings import WPortBindings
from cosemscope.transport.calls import UdpSend
from cosemscope.transport.primitives import UdpDataIndication, UdpDataRequest
from cosemscope.transport.udp import UdpEvent, UdpTransport
from cosemscope.transport.wports import DLMS_PORT, MANAGEMENT_LOGICAL_DEVICE, PUBLIC_CLIENT, Side

Observer = Callable[[UdpEvent | UdpDataRequest | LinkError], None]
"""Told of every primitive that goes down or up, every WPDU discarded and every fault."""


class UdpEndpoint:
    """One UDP socket with its transport layer: what `connect_udp` and `serve_udp` build on.

    At most `options.waiting_limit` indications wait to be received; what comes beyond is dropped and
    counted in `dropped`, as UDP itself would.
    """

    def __init__(self, bindings: WPortBindings, options: LinkOptions, observer: Observer | None) -> None:
        self.transport = UdpTransport(bindings)
        self.options = options
        self.dropped = 0
        self.local = LinkAddress("", 0)
        self._observer = observer
        self._socket: DatagramSocket | None = None
        self._waiting: deque[UdpDataIndication | LinkError] = deque()
        self._closed = False
        self._arrived = asyncio.Event()

    async def open(self, address: LinkAddress, recorder: Recorder | None, *, listen: bool) -> None:
        """Open the socket, connected to `address` or bound there. Raises LinkError."""
        self._socket = await open_datagrams(
            lambda: DatagramSocket(self._datagram, self._failed, recorder), address, listen=listen
        )
        self.local = self._socket.local

    @property
    def peer(self) -> LinkAddress | None:
        """The connected peer, if there is one."""
        return self._socket.remote if self._socket is not None else None

    def submit(self, request: UdpDataRequest) -> None:
        """Take a UDP-DATA.request, whose Local_wPort is bound if it was not. Raises LinkError."""
        if self._socket is None or not self._socket.is_open:
            raise LinkError(Fault.CLOSED, "the UDP socket is closed")
        self._tell(request)
        if request.local_wport not in self.transport.bindings:
            self.transport.bindings.bind(request.local_wport)
        self.transport.submit(request)
        self._run()

    async def indication(self, timeout: float | None = None) -> UdpDataIndication:
        """The next UDP-DATA.indication. `timeout` in seconds. Raises LinkError, TIMEOUT among them."""
        limit = timeout if timeout is not None else self.options.answer_timeout
        try:
            async with asyncio.timeout(limit or None):
                while not self._waiting and not self._closed:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            whom = self.peer or "anyone"
            raise LinkError(Fault.TIMEOUT, f"no answer from {whom} in {limit:g} s") from None
        if not self._waiting:
            raise LinkError(Fault.CLOSED, "the UDP socket was closed")
        came = self._waiting.popleft()
        if isinstance(came, LinkError):
            raise came
        return came

    def close(self) -> None:
        """Close the socket; who waits for an indication, now or later, gets a LinkError (CLOSED)."""
        if self._socket is not None:
            self._socket.close()
        self._closed = True
        self._arrived.set()

    def _datagram(self, octets: bytes, sender: LinkAddress) -> None:
        self.transport.datagram_received(
            octets,
            local_ip_address=self.local.host,
            local_udp_port=self.local.port,
            remote_ip_address=sender.host,
            remote_udp_port=sender.port,
        )
        self._run()

    def _failed(self, error: LinkError) -> None:
        self._tell(error)
        if self.peer is not None:
            self._put(error)

    def _run(self) -> None:
        """Carry out what the transport layer asks for, and hand up what it has."""
        for event in self.transport.events():
            self._tell(event)
            if isinstance(event, UdpSend):
                self._send(event)
            elif isinstance(event, UdpDataIndication):
                self._put(event)

    def _send(self, call: UdpSend) -> None:
        assert self._socket is not None
        request = call.request
        try:
            self._socket.send(call.octets, LinkAddress(request.remote_ip_address, request.remote_udp_port))
        except LinkError:
            self.transport.datagram_failed(call)
            raise
        self.transport.datagram_sent(call)

    def _put(self, item: UdpDataIndication | LinkError) -> None:
        if len(self._waiting) >= self.options.waiting_limit:
            self.dropped += 1
            return
        self._waiting.append(item)
        self._arrived.set()

    def _tell(self, event: UdpEvent | UdpDataRequest | LinkError) -> None:
        if self._observer is not None:
            self._observer(event)


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
        """Send one APDU in one datagram. Raises LinkError. That it was sent does not say that it arrives."""
        local = self.local_wport if local_wport is None else check_wport(local_wport)
        remote = self.remote_wport if remote_wport is None else check_wport(remote_wport)
        try:
            request = UdpDataRequest(
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
        self.endpoint.submit(request)

    async def receive(self, timeout: float | None = None) -> bytes:
        """The next APDU for this side. `timeout` in seconds (default: the options'). Raises LinkError."""
        return (await self.indication(timeout)).data

    async def indication(self, timeout: float | None = None) -> UdpDataIndication:
        """The next APDU with its wPorts. Raises LinkError."""
        return await self.endpoint.indication(timeout)

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
        return await self.endpoint.indication(timeout or 0)

    async def reply(self, indication: UdpDataIndication, apdu: bytes) -> None:
        """Answer `indication`. Raises LinkError; what was broadcast is not answered (Fault.ADDRESS)."""
        try:
            request = indication.reply(apdu)
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
    options: LinkOptions = DEFAULT_OPTIONS,
    recorder: Recorder | None = None,
    observer: Observer | None = None,
) -> AsyncIterator[UdpLink]:
    """A link over UDP from `local_wport` to `remote_wport` at `host`. Raises LinkError.

    Opening it sends nothing: whether anyone is there shows only in an answer.
    """
    bindings = WPortBindings(Side.CLIENT, [check_wport(local_wport)])
    endpoint = UdpEndpoint(bindings, options, observer)
    await endpoint.open(LinkAddress(host, port), recorder, listen=False)
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
    local_wports: Iterable[int] = (MANAGEMENT_LOGICAL_DEVICE,),
    options: LinkOptions = DEFAULT_OPTIONS,
    recorder: Recorder | None = None,
    observer: Observer | None = None,
) -> AsyncIterator[UdpServer]:
    """Take datagrams at `host` and `port` (0: any free one) for `local_wports`. Raises LinkError."""
    bindings = WPortBindings(Side.SERVER, [check_wport(wport) for wport in local_wports])
    endpoint = UdpEndpoint(bindings, options, observer)
    await endpoint.open(LinkAddress(host, port), recorder, listen=True)
    try:
        yield UdpServer(endpoint)
    finally:
        endpoint.close()
