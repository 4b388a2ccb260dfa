"""The UDP-based transport layer of IEC 62056-4-7, clause 5, sans I/O.

It is stateless (5.3.5): a UDP-DATA.request becomes one UDP SEND of one WPDU, a datagram becomes
UDP-DATA.indications. A datagram that does not begin with a whole WPDU of version 1 is dropped (our reading:
the standard's text on that was not seen), one for a wPort that is not bound is discarded, both are counted
and shown among the events, neither is answered.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from cosemscope.transport.bindings import WpduDiscarded, WPortBindings
from cosemscope.transport.calls import Cast, UdpSend
from cosemscope.transport.errors import LocalProtocolError, RemoteProtocolError
from cosemscope.transport.parameters import Result, canonical_address, is_group_address
from cosemscope.transport.primitives import UdpDataConfirm, UdpDataIndication, UdpDataRequest, UdpUp
from cosemscope.transport.wpdu import Octets, Trailing, Truncated, Wpdu, decode_datagram

UdpEvent: TypeAlias = UdpUp | UdpSend | WpduDiscarded | RemoteProtocolError


@dataclass(slots=True)
class UdpCounters:
    """What went through a `UdpTransport` since it was made; datagrams unless it says WPDUs."""

    requested: int = 0
    sent: int = 0
    failed: int = 0
    received: int = 0
    wpdus_delivered: int = 0  # a broadcast counts once for each logical device
    wpdus_discarded: int = 0  # destination wPort not bound
    bad_version: int = 0
    truncated: int = 0
    trailing: int = 0  # octets after the WPDU, or a second WPDU: against 5.3.3, yet delivered


class UdpTransport:
    """One side's UDP-based transport layer; one object serves any number of sockets.

    >>> transport = UdpTransport(WPortBindings(Side.SERVER, [1]))
    >>> transport.datagram_received(octets, local_ip_address="127.0.0.1", local_udp_port=4059,
    ...                             remote_ip_address="127.0.0.1", remote_udp_port=50000)
    >>> for event in transport.events():
    ...     match event:
    ...         case UdpDataIndication(): transport.submit(event.reply(answer(event.data)))
    ...         case UdpSend(): send it; transport.datagram_sent(event) or transport.datagram_failed(event)
    """

    def __init__(
        self, bindings: WPortBindings, *, confirm: bool = True, broadcast_addresses: Iterable[str] = ()
    ) -> None:
        """`confirm`: give UDP-DATA.confirm, which is optional.

        `broadcast_addresses` are the directed ones of the local networks, which cannot be told from
        others by their look; 255.255.255.255 is known.
        """
        self.bindings = bindings
        self.counters = UdpCounters()
        self._confirm = confirm
        self._broadcast = {canonical_address(address) for address in broadcast_addresses}
        self._broadcast.add("255.255.255.255")
        self._events: deque[UdpEvent] = deque()

    # --- the service user ---

    def submit(self, request: UdpDataRequest) -> None:
        """Take a UDP-DATA.request: build the WPDU and call UDP SEND once.

        LocalProtocolError if Local_wPort is not bound; nothing has happened then.
        """
        if request.local_wport not in self.bindings:
            raise LocalProtocolError(f"{request.name}: Local_wPort 0x{request.local_wport:04X} is not bound")
        self.counters.requested += 1
        octets = Wpdu(request.local_wport, request.remote_wport, request.data).encode()
        self._events.append(UdpSend(octets, request, self.cast(request.remote_ip_address)))

    def cast(self, address: str) -> Cast:
        """Whether a datagram to `address` is for one, for a multicast group or for all."""
        if address in self._broadcast:
            return Cast.BROADCAST
        return Cast.MULTICAST if is_group_address(address) else Cast.UNICAST

    # --- the socket ---

    def datagram_sent(self, call: UdpSend) -> None:
        """UDP has taken the datagram. That says nothing about its arrival."""
        self.counters.sent += 1
        self._confirmed(call.request, Result.OK)

    def datagram_failed(self, call: UdpSend) -> None:
        """UDP has not taken the datagram."""
        self.counters.failed += 1
        self._confirmed(call.request, Result.NOK)

    def datagram_received(
        self,
        octets: Octets,
        *,
        local_ip_address: str,
        local_udp_port: int,
        remote_ip_address: str,
        remote_udp_port: int,
        cast: Cast = Cast.UNICAST,
    ) -> None:
        """A datagram has come. `local_ip_address` is the address it was sent to, where that is known.

        `cast` is for a driver that knows the datagram was for many where the address does not show it: a
        directed broadcast. ValueError if an address is none.
        """
        self.counters.received += 1
        group = (cast, self.cast(canonical_address(local_ip_address))) != (Cast.UNICAST, Cast.UNICAST)
        result = decode_datagram(octets)
        if result.problem is not None:
            truncated = isinstance(result.problem, Truncated)
            self.counters.truncated += truncated
            self.counters.bad_version += not truncated
            self._events.append(RemoteProtocolError(result.problem))
            return
        for received in result.wpdus:
            receivers = self.bindings.receivers(received.wpdu.destination_wport)
            if not receivers:
                self.counters.wpdus_discarded += 1
                self._events.append(WpduDiscarded(received.wpdu, received.start))
            for wport in receivers:
                self.counters.wpdus_delivered += 1
                self._events.append(
                    UdpDataIndication(
                        local_wport=wport,
                        remote_wport=received.wpdu.source_wport,
                        local_udp_port=local_udp_port,
                        remote_udp_port=remote_udp_port,
                        local_ip_address=local_ip_address,
                        remote_ip_address=remote_ip_address,
                        data=received.wpdu.data,
                        broadcast=group or self.bindings.is_broadcast(received.wpdu.destination_wport),
                    )
                )
        if not result.conforms:
            self.counters.trailing += 1
            stop = result.wpdus[0].stop
            self._events.append(RemoteProtocolError(Trailing(bytes(octets[stop:]), stop)))

    # --- what came of it ---

    def next_event(self) -> UdpEvent | None:
        """The next call to UDP, primitive or report, in order; None if there is none."""
        return self._events.popleft() if self._events else None

    def events(self) -> Iterator[UdpEvent]:
        """All events in order, also those that come up meanwhile."""
        while self._events:
            yield self._events.popleft()

    def _confirmed(self, request: UdpDataRequest, result: Result) -> None:
        if self._confirm:
            self._events.append(
                UdpDataConfirm(
                    local_wport=request.local_wport,
                    remote_wport=request.remote_wport,
                    local_udp_port=request.local_udp_port,
                    remote_udp_port=request.remote_udp_port,
                    local_ip_address=request.local_ip_address,
                    remote_ip_address=request.remote_ip_address,
                    result=result,
                )
            )
