"""UDP sockets in asyncio: datagrams in and out, faults as `LinkError`, every datagram traced.

`DatagramSocket` is connected to one peer or bound for all; it knows no WPDU.
Nothing else opens a UDP socket.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import TypeVar, cast

from cosemscope.live.links.addresses import LinkAddress, Resolved, peer_address, resolve
from cosemscope.live.links.faults import Fault, LinkError, explain
from cosemscope.live.links.recording import Recorder, UdpTrace

#: Peers whose traces are kept at once; a flood of senders must not grow without bound.
_TRACES = 1024


class DatagramSocket(asyncio.DatagramProtocol):
    """One UDP socket; `received` is called with every datagram and its sender, `failed` with every fault."""

    def __init__(
        self,
        received: Callable[[bytes, LinkAddress], None],
        failed: Callable[[LinkError], None],
        recorder: Recorder | None,
    ) -> None:
        self.local = LinkAddress("", 0)
        self.remote: LinkAddress | None = None
        self._received = received
        self._failed = failed
        self._recorder = recorder
        self._traces: dict[LinkAddress, UdpTrace] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._names: dict[LinkAddress, tuple[object, ...]] = {}

    @property
    def is_open(self) -> bool:
        """True when datagrams can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def send(self, octets: bytes, to: LinkAddress | None = None) -> None:
        """Send one datagram to the connected peer, or `to` an address. Raises LinkError."""
        if self._transport is None or self._transport.is_closing():
            raise LinkError(Fault.CLOSED, "the UDP socket is closed")
        peer = to or self.remote
        if peer is None:
            raise LinkError(Fault.ADDRESS, "no address to send the datagram to")
        self._trace(peer, True, octets)
        if to is None or to == self.remote:
            self._transport.sendto(octets)
        else:
            self._transport.sendto(octets, self._names.get(to, tuple(to)))

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is ready."""
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.local = peer_address(transport.get_extra_info("sockname"))
        peer = transport.get_extra_info("peername")
        self.remote = peer_address(peer) if peer else None

    def datagram_received(self, data: bytes, addr: tuple[object, ...]) -> None:
        """A datagram came."""
        peer = peer_address(addr)
        if len(addr) == 4:  # IPv6: flow and scope are needed to answer
            if len(self._names) >= _TRACES:
                self._names.clear()
            self._names[peer] = addr
        self._trace(peer, False, data)
        self._received(data, peer)

    def error_received(self, exc: Exception) -> None:
        """An ICMP message came back, or a datagram could not be sent."""
        if isinstance(exc, OSError):
            self._failed(explain(exc, self.remote or self.local))

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        if isinstance(exc, OSError):
            self._failed(explain(exc, self.remote or self.local))

    def _trace(self, peer: LinkAddress, outgoing: bool, octets: bytes) -> None:
        if self._recorder is None:
            return
        trace = self._traces.get(peer)
        if trace is None:
            if len(self._traces) >= _TRACES:
                self._traces.clear()
            local = LinkAddress(_same_family(self.local.host, peer.host), self.local.port)
            trace = self._traces[peer] = self._recorder.udp(local, peer)
        with contextlib.suppress(ValueError):  # longer than a datagram can be: the socket will say so
            trace.data(outgoing, octets)


def _same_family(local: str, peer: str) -> str:
    """A wildcard address stands for whatever the peer reached; the loopback address is the honest guess."""
    if local in {"0.0.0.0", "::"}:
        return "::1" if ":" in peer else "127.0.0.1"
    return local


S = TypeVar("S", bound=DatagramSocket)


async def open_datagrams(factory: Callable[[], S], address: LinkAddress, *, listen: bool) -> S:
    """A socket connected to `address`, or bound there when `listen`. Raises LinkError."""
    found = await resolve(address, socket.SOCK_DGRAM, passive=listen)
    failure: LinkError | None = None
    for candidate in found:
        try:
            return await _open_one(factory, candidate, listen)
        except LinkError as error:
            failure = error
    assert failure is not None
    raise failure


async def _open_one(factory: Callable[[], S], candidate: Resolved, listen: bool) -> S:
    loop = asyncio.get_running_loop()
    try:
        if listen:
            _, made = await loop.create_datagram_endpoint(factory, local_addr=candidate.sockaddr[:2])
        else:
            handle = socket.socket(candidate.family, socket.SOCK_DGRAM)
            try:
                handle.setblocking(False)
                handle.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                handle.connect(candidate.sockaddr)
                _, made = await loop.create_datagram_endpoint(factory, sock=handle)
            except OSError:
                handle.close()
                raise
    except OSError as error:
        raise explain(error, candidate.address) from None
    return made
