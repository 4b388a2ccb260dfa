"""What the transport layer asks of TCP or UDP: the user calls of RFC 793 and RFC 768 that Annex A maps to.

The transport layer does no I/O. These values come among its events; whoever owns the socket carries each out
and tells what came of it. Each says with which method.
"""

import enum
from dataclasses import dataclass
from typing import TypeAlias

from cosemscope.transport.parameters import Quadruple
from cosemscope.transport.primitives import UdpDataRequest


@dataclass(frozen=True, slots=True)
class Open:
    """OPEN: active (connect to the remote end) or passive (listen on the local end).

    Tell with `opened` or `open_failed`.
    """

    active: bool
    quadruple: Quadruple


@dataclass(frozen=True, slots=True)
class Send:
    """SEND: hand these octets to TCP. Tell with `octets_sent` how many it has accepted (at least one)."""

    octets: memoryview


@dataclass(frozen=True, slots=True)
class Receive:
    """RECEIVE: `count` octets are wanted next; more or fewer may be given.

    Until this call comes the transport layer wants nothing to be read. Tell with `octets_received`, or with
    `end_of_stream` if the peer has sent FIN.
    """

    count: int


@dataclass(frozen=True, slots=True)
class Close:
    """CLOSE: send FIN after all that was sent.

    With `release` the connection is over for the transport layer: close the socket, nothing need be told.
    Without, the peer has still to close: go on reading, tell with `octets_received` and `end_of_stream`
    (or with `closed`, if the socket cannot be read any more).
    """

    release: bool


@dataclass(frozen=True, slots=True)
class Abort:
    """ABORT: drop the connection with RST, or give up connecting. Nothing need be told."""


@dataclass(frozen=True, slots=True)
class Status:
    """STATUS: is the connection still there? Tell with `connection_lost` if it is not, else nothing."""


class Cast(enum.Enum):
    """How many a datagram is for."""

    UNICAST = "unicast"
    MULTICAST = "multicast"
    BROADCAST = "broadcast"


@dataclass(frozen=True, slots=True)
class UdpSend:
    """UDP SEND: these octets in one datagram. Tell with `datagram_sent` or `datagram_failed`.

    `cast` tells whether the socket needs leave to broadcast or a multicast interface.
    """

    octets: bytes
    request: UdpDataRequest
    cast: Cast


TcpCall: TypeAlias = Open | Send | Receive | Close | Abort | Status
