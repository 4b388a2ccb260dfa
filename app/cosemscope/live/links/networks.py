"""Networks by name: a socket that uses one interface only, and groups joined there.

Where nothing is chosen the system's routes decide, and a group is joined on every interface there is.
"""

import contextlib
import errno
import ipaddress
import socket
import struct
import sys
from typing import NamedTuple

from cosemscope.live.links.addresses import LinkAddress, Resolved
from cosemscope.live.links.faults import Fault, LinkError, explain

#: `struct ip_mreqn`: group, our address, index of the interface.
_IPV4_MEMBERSHIP = struct.Struct("@4s4si")
_IPV6_MEMBERSHIP = struct.Struct("@16sI")
#: Level, option by family and the look of its value, of what binds a socket to an interface by its index.
_BY_INDEX = {"darwin": (25, 125, "@I"), "win32": (31, 31, "!I")}
#: What an interface says that carries no groups, or not of this family.
_CARRIES_NONE = {errno.ENODEV, errno.EADDRNOTAVAIL, errno.EINVAL, errno.EOPNOTSUPP, errno.EAFNOSUPPORT}


class Origin(NamedTuple):
    """Where a link begins: an address of this computer, a port (0: any), an interface; empty: as routed."""

    host: str = ""
    port: int = 0
    interface: str = ""

    def prepare(self, handle: socket.socket, to: Resolved) -> None:
        """Bind a socket that will go to `to`. Raises LinkError when it cannot begin here."""
        if self.interface:
            use_interface(handle, self.interface)
        if not self.host and not self.port:
            return
        host = self.host or ("::" if to.family == socket.AF_INET6 else "0.0.0.0")
        where = LinkAddress(host, self.port)
        if (":" in host) is not (to.family == socket.AF_INET6):
            words = f"{to.address} cannot be reached from {host}: one is IPv4, the other IPv6"
            raise LinkError(Fault.ADDRESS, words)
        try:
            handle.bind((host, self.port))
        except OSError as error:
            raise explain(error, where) from None


def index_of(name: str) -> int:
    """The number of an interface. Raises LinkError that names those there are."""
    try:
        return socket.if_nametoindex(name)
    except OSError:
        names = ", ".join(other for _, other in socket.if_nameindex())
        raise LinkError(Fault.ADDRESS, f"{name!r} is no interface of this computer; it has {names}") from None


def use_interface(handle: socket.socket, name: str) -> None:
    """Have a socket use the interface `name` only. Raises LinkError."""
    index = index_of(name)
    ipv6 = handle.family == socket.AF_INET6
    try:
        if sys.platform == "linux":
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
            return
        ipv4_option, ipv6_option, value = _BY_INDEX[sys.platform]
        level = socket.IPPROTO_IPV6 if ipv6 else socket.IPPROTO_IP
        handle.setsockopt(level, ipv6_option if ipv6 else ipv4_option, struct.pack(value, index))
    except KeyError:
        words = f"this system does not bind a link to an interface: give an address of {name} instead"
        raise LinkError(Fault.ADDRESS, words) from None
    except OSError as error:
        raise explain(error, f"interface {name}") from None


def send_groups_by(handle: socket.socket, name: str) -> None:
    """Have a socket send what is for groups by the interface `name`. Raises LinkError."""
    index = index_of(name)
    try:
        if handle.family == socket.AF_INET6:
            handle.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        else:
            octets = _IPV4_MEMBERSHIP.pack(bytes(4), bytes(4), index)
            if sys.platform == "win32":
                octets = index.to_bytes(4, "big")
            handle.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, octets)
    except OSError as error:
        raise explain(error, f"interface {name}") from None


def is_group(host: str) -> bool:
    """Whether `host` is the address of a multicast group."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host.partition("%")[0]).is_multicast
    return False


def check_group(host: str) -> str:
    """`host` when it is the address of a group, else LinkError (Fault.ADDRESS)."""
    if not is_group(host):
        words = f"{host!r} is no group: groups are 224.0.0.0 to 239.255.255.255, and ff00:: and above"
        raise LinkError(Fault.ADDRESS, words)
    return host


def join(handle: socket.socket, group: str, interface: str = "") -> None:
    """Join `group` on an interface, or on all that carry groups. Raises LinkError when none does."""
    indices = [index_of(interface)] if interface else [index for index, _ in socket.if_nameindex()]
    packed = ipaddress.ip_address(group.partition("%")[0]).packed
    refusal: OSError | None = None
    joined = 0
    for index in indices:
        try:
            _join_one(handle, packed, index)
            joined += 1
        except OSError as error:
            refusal = error
            if error.errno not in _CARRIES_NONE:
                break
    if refusal is not None and (not joined or refusal.errno not in _CARRIES_NONE):
        where = f"interface {interface}" if interface else f"{len(indices) - joined} of the interfaces"
        raise LinkError(
            Fault.ADDRESS,
            f"the group {group} cannot be joined on {where} ({refusal.strerror or refusal}): "
            "choose an interface that carries it",
        )


def _join_one(handle: socket.socket, group: bytes, index: int) -> None:
    if handle.family == socket.AF_INET6:
        membership = _IPV6_MEMBERSHIP.pack(group, index)
        handle.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership)
    elif sys.platform == "win32":  # 0.0.0.n stands for the interface with that number
        handle.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + index.to_bytes(4, "big"))
    else:
        membership = _IPV4_MEMBERSHIP.pack(group, bytes(4), index)
        handle.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
