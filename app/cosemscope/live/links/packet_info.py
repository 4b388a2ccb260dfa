"""Packet info: the address that a datagram was sent to, and the one that an answer leaves from.

A socket for every address (0.0.0.0 or ::) learns from the datagram alone nothing of where it was sent. With
IP_PKTINFO and IPV6_RECVPKTINFO (RFC 3542) the system tells, and takes the sender's address in return. Windows
has that below a call that Python does not offer: there a datagram counts as sent to the socket's own address.
"""

import contextlib
import ipaddress
import socket
import struct
import sys
from collections.abc import Iterable
from typing import NamedTuple

from cosemscope.transport.calls import Cast

#: `struct in_pktinfo`: index of the interface, our address on it, the destination in the header.
_IPV4_INFO = struct.Struct("@I4s4s")
#: `struct in6_pktinfo`: address, index of the interface.
_IPV6_INFO = struct.Struct("@16sI")
#: Numbers that Python's socket module does not name everywhere.
_IP_PKTINFO = {"linux": 8, "darwin": 26}.get(sys.platform)
_IPV6_RECVPKTINFO: int | None = getattr(socket, "IPV6_RECVPKTINFO", None)
_IPV6_PKTINFO: int | None = getattr(socket, "IPV6_PKTINFO", None)
#: Octets for what comes beside a datagram.
ROOM = 256

Ancillary = tuple[int, int, bytes]
"""Level, type and octets of what comes, or goes, beside a datagram."""


class Reached(NamedTuple):
    """Where a datagram was sent: the address, and whether that is one's own, a group's or everybody's."""

    host: str
    cast: Cast


def ask_for(handle: socket.socket) -> bool:
    """Have the system tell with every datagram where it was sent; False where it does not."""
    if not hasattr(handle, "recvmsg"):
        return False
    with contextlib.suppress(OSError):
        if handle.family == socket.AF_INET and _IP_PKTINFO is not None:
            handle.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            return True
        if handle.family == socket.AF_INET6 and _IPV6_RECVPKTINFO is not None:
            handle.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)
            return True
    return False


def reached(ancillary: Iterable[Ancillary]) -> Reached | None:
    """Where the datagram was sent that came with this; None when that is not told.

    A broadcast has no look of its own (it depends on the network's mask). Linux tells it by our own address,
    which differs from the destination; elsewhere 255.255.255.255 alone is known for one.
    """
    for level, kind, octets in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO) and len(octets) >= _IPV4_INFO.size:
            _, ours, destination = _IPV4_INFO.unpack_from(octets)
            host = ipaddress.IPv4Address(destination)
            if host.is_multicast:
                return Reached(str(host), Cast.MULTICAST)
            others = destination == b"\xff\xff\xff\xff" or (sys.platform == "linux" and ours != destination)
            return Reached(str(host), Cast.BROADCAST if others else Cast.UNICAST)
        if (level, kind) == (socket.IPPROTO_IPV6, _IPV6_PKTINFO) and len(octets) >= _IPV6_INFO.size:
            address = ipaddress.IPv6Address(_IPV6_INFO.unpack_from(octets)[0])
            return Reached(str(address), Cast.MULTICAST if address.is_multicast else Cast.UNICAST)
    return None


def leaving_from(family: int, host: str) -> list[Ancillary]:
    """What makes a datagram leave from `host`, an address of ours; empty where that cannot be said."""
    if not hasattr(socket.socket, "sendmsg"):
        return []
    if family == socket.AF_INET and _IP_PKTINFO is not None:
        octets = _IPV4_INFO.pack(0, ipaddress.IPv4Address(host).packed, bytes(4))
        return [(socket.IPPROTO_IP, _IP_PKTINFO, octets)]
    if family == socket.AF_INET6 and _IPV6_PKTINFO is not None:
        octets = _IPV6_INFO.pack(ipaddress.IPv6Address(host.partition("%")[0]).packed, 0)
        return [(socket.IPPROTO_IPV6, _IPV6_PKTINFO, octets)]
    return []
