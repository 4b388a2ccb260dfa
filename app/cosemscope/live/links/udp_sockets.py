"""UDP sockets in asyncio: datagrams in and out, faults as `LinkError`, every datagram traced.

`DatagramSocket` is connected to one peer or bound for all; it knows no WPDU.
Nothing else opens a UDP socket. Sockets are read and written without asyncio's transports, which hand on
neither where a datagram was sent nor that the system refused one.
"""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from cosemscope.live.links.addresses import (
    EVERY_IPV4,
    EVERY_IPV6,
    LinkAddress,
    Resolved,
    listen_everywhere,
    peer_address,
    resolve,
)
from cosemscope.live.links.faults import Fault, LinkError, explain
from cosemscope.live.links.networks import (
    Origin,
    check_group,
    is_group,
    join,
    send_groups_by,
    use_interface,
)
from cosemscope.live.links.packet_info import ROOM, ask_for, leaving_from, reached
from cosemscope.live.links.recording import Recorder, UdpTrace
from cosemscope.transport.calls import Cast

#: Peers whose traces are kept at once; a flood of senders must not grow without bound.
_TRACES = 1024
_LARGEST = 65535
#: Octets that the system may keep of a burst until it is read: of pushes of many meters at once.
_ROOM_FOR_BURSTS = 4 << 20
#: Datagrams read before others have their turn.
_IN_A_ROW = 64
#: Faults of an earlier datagram that may wait to be told before a send is tried.
_PENDING = 8


class Datagram(NamedTuple):
    """A datagram that came: its octets, who sent it, the address of ours it was sent to, for how many."""

    octets: bytes
    sender: LinkAddress
    reached: LinkAddress
    cast: Cast


class DatagramSocket:
    """One UDP socket; `received` is called with every datagram, `failed` with every fault.

    `remote` is the connected peer, None for a socket that takes from all.
    """

    def __init__(
        self,
        handle: socket.socket,
        received: Callable[[Datagram], None],
        failed: Callable[[LinkError], None],
        recorder: Recorder | None,
    ) -> None:
        handle.setblocking(False)
        with contextlib.suppress(OSError):  # as much of it as the system allows
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM_FOR_BURSTS)
        self._handle = handle
        self._received = received
        self._failed = failed
        self._recorder = recorder
        self._traces: dict[tuple[str, LinkAddress], UdpTrace] = {}
        self.is_open = True
        self.family: int = handle.family
        self.local = peer_address(handle.getsockname())
        self.remote: LinkAddress | None = None
        with contextlib.suppress(OSError):
            self.remote = peer_address(handle.getpeername())
        self._takes_all = self.local.host in {EVERY_IPV4, EVERY_IPV6}
        self._informed = ask_for(handle)
        self._reading: asyncio.Task[None] | None = None
        try:
            asyncio.get_running_loop().add_reader(handle, self._readable)
        except NotImplementedError:  # Windows, whose loop has no readiness
            self._reading = asyncio.ensure_future(self._read_on())

    def send(self, octets: bytes, to: LinkAddress | None = None, source: str = "") -> None:
        """Send one datagram to the connected peer, or `to` an address, from `source` where that is given.

        Raises LinkError when the system does not take it. What it has learnt of an earlier datagram is told
        as a fault, and does not keep this one from being sent.
        """
        if not self.is_open:
            raise LinkError(Fault.CLOSED, "the UDP socket is closed")
        peer = to or self.remote
        if peer is None:
            raise LinkError(Fault.ADDRESS, "no address to send the datagram to")
        connected = peer == self.remote
        beside = leaving_from(self.family, source) if source and self._takes_all else []
        for attempts_left in reversed(range(_PENDING)):
            try:
                if connected:
                    self._handle.send(octets)
                elif beside:
                    self._handle.sendmsg([octets], beside, 0, tuple(peer))
                else:
                    self._handle.sendto(octets, tuple(peer))
                break
            except BlockingIOError:
                words = f"the system has no room for a datagram to {peer} just now: send it again later"
                raise LinkError(Fault.FULL, words) from None
            except OSError as error:
                fault = explain(error, peer)
                told = fault.fault in {Fault.REFUSED, Fault.UNREACHABLE, Fault.RESET}
                if not (connected and told and attempts_left):
                    raise fault from None
                self._failed(fault)  # that of an earlier datagram, which the system tells with the next call
        self._trace(source or self.local.host, peer, True, octets)

    def remark(self, words: str, peer: LinkAddress | None = None, source: str = "") -> None:
        """What the recording says of the next datagram between `source` (or the own address) and the peer."""
        other = peer or self.remote
        if other is not None and self._recorder is not None:
            self._trace_of(source or self.local.host, other, self._recorder).remark(words)

    def record_from_now(self, recorder: Recorder | None) -> None:
        """Record what passes here too."""
        self._recorder = recorder

    def close(self) -> None:
        """Close the socket."""
        if not self.is_open:
            return
        self.is_open = False
        if self._reading is not None:
            self._reading.cancel()
        else:
            asyncio.get_running_loop().remove_reader(self._handle)
        self._handle.close()

    def _readable(self) -> None:
        for _ in range(_IN_A_ROW):
            if not self.is_open:
                return
            try:
                if self._informed:
                    octets, ancillary, _, name = self._handle.recvmsg(_LARGEST, ROOM)
                    where = reached(ancillary)
                else:
                    octets, name = self._handle.recvfrom(_LARGEST)
                    where = None
            except BlockingIOError:
                return
            except OSError as error:
                self._failed(explain(error, self.remote or self.local))
                continue
            sender = peer_address(name)
            host, cast = where or (self._assumed(sender), Cast.UNICAST)
            self._trace(host, sender, False, octets)
            self._received(Datagram(octets, sender, LinkAddress(host, self.local.port), cast))

    async def _read_on(self) -> None:
        loop = asyncio.get_running_loop()
        while self.is_open:
            try:
                octets, name = await loop.sock_recvfrom(self._handle, _LARGEST)
            except OSError as error:
                self._failed(explain(error, self.remote or self.local))
                await asyncio.sleep(0)
                continue
            sender = peer_address(name)
            host = self._assumed(sender)
            self._trace(host, sender, False, octets)
            cast = Cast.MULTICAST if is_group(host) else Cast.UNICAST
            self._received(Datagram(octets, sender, LinkAddress(host, self.local.port), cast))

    def _assumed(self, peer: LinkAddress) -> str:
        """The address of ours that a peer reached, or is sent to from, where the system does not tell."""
        return _way_to(peer) if self._takes_all else self.local.host

    def _trace(self, host: str, peer: LinkAddress, outgoing: bool, octets: bytes) -> None:
        if self._recorder is not None:
            with contextlib.suppress(ValueError):  # longer than a datagram can be
                self._trace_of(host, peer, self._recorder).data(outgoing, octets)

    def _trace_of(self, host: str, peer: LinkAddress, recorder: Recorder) -> UdpTrace:
        """The trace of what passes between `host`, which is ours, and the peer."""
        trace = self._traces.get((host, peer))
        if trace is None:
            if len(self._traces) >= _TRACES:
                self._traces.clear()
            local = host if host not in {EVERY_IPV4, EVERY_IPV6} else _way_to(peer)
            trace = self._traces[host, peer] = recorder.udp(LinkAddress(local, self.local.port), peer)
        return trace


def _way_to(peer: LinkAddress) -> str:
    """The address of ours from which the system goes to `peer`; the loopback address when it has no way."""
    family = socket.AF_INET6 if ":" in peer.host else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(tuple(peer))
        return peer_address(probe.getsockname()).host
    return "::1" if family == socket.AF_INET6 else "127.0.0.1"


Make = Callable[[socket.socket], DatagramSocket]


async def open_datagrams(make: Make, address: LinkAddress, origin: Origin = Origin()) -> DatagramSocket:
    """A socket connected to `address`: the first of the host's that can be. Raises LinkError.

    A group or a broadcast address may be sent to; what is for groups leaves by the origin's interface.
    """
    failure: LinkError | None = None
    for candidate in await resolve(address, socket.SOCK_DGRAM):
        handle = _opened(candidate)
        try:
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            origin.prepare(handle, candidate)
            if origin.interface:
                send_groups_by(handle, origin.interface)
            handle.connect(candidate.sockaddr)
            return make(handle)
        except LinkError as error:
            handle.close()
            failure = error
        except OSError as error:
            handle.close()
            failure = explain(error, candidate.address)
    assert failure is not None
    raise failure


async def bind_datagrams(
    make: Make, address: LinkAddress, *, groups: Iterable[str] = (), interface: str = ""
) -> list[DatagramSocket]:
    """Sockets bound to every address of the host, at one port, in `groups` and in the host if it is one.

    Groups are joined on `interface`, or on every one that carries groups. Raises LinkError.
    """
    found = await resolve(address, socket.SOCK_DGRAM, passive=True)
    wanted = dict.fromkeys([*([address.host] if is_group(address.host) else []), *map(check_group, groups)])
    try:
        handles = listen_everywhere(found, partial(_bound, interface=interface))
    except OSError as error:
        if error.errno == errno.EINVAL and ":" in address.host:
            words = f"{address.host} holds on one interface only: say on which"
            raise LinkError(Fault.ADDRESS, words) from None
        raise explain(error, address) from None
    try:
        for handle in handles:
            _join_all(handle, wanted, interface)
        _check_joined(handles, wanted)
    except LinkError:
        for handle in handles:
            handle.close()
        raise
    return [make(handle) for handle in handles]


def _join_all(handle: socket.socket, groups: Iterable[str], interface: str) -> None:
    for group in groups:
        if (":" in group) is (handle.family == socket.AF_INET6):
            join(handle, group, interface)


def _check_joined(handles: Iterable[socket.socket], groups: Iterable[str]) -> None:
    ipv6 = {handle.family == socket.AF_INET6 for handle in handles}
    for group in groups:
        if (":" in group) not in ipv6:
            words = f"the group {group} is of another IP version than the address listened at"
            raise LinkError(Fault.ADDRESS, words)


def _opened(candidate: Resolved) -> socket.socket:
    try:
        return socket.socket(candidate.family, socket.SOCK_DGRAM)
    except OSError as error:
        raise explain(error, candidate.address) from None


def _bound(candidate: Resolved, interface: str) -> socket.socket:
    """A socket bound there. Raises OSError, LinkError for an interface that is none."""
    handle = socket.socket(candidate.family, socket.SOCK_DGRAM)
    try:
        if interface:
            use_interface(handle, interface)
        if candidate.family == socket.AF_INET6:
            handle.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        handle.bind(candidate.sockaddr)
    except (OSError, LinkError):
        handle.close()
        raise
    return handle
