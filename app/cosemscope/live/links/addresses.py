"""Addresses that people type, checked before a socket sees them.

`HOST[:PORT]` with an IPv4 address, an IPv6 address (in brackets when a port
follows) or a name; port 4059 is the registered one for DLMS/COSEM.
"""

import asyncio
import ipaddress
import socket
from typing import NamedTuple, cast

from cosemscope.live.links.faults import Fault, LinkError, explain
from cosemscope.transport.wports import DLMS_PORT

LOOPBACK = "127.0.0.1"


class LinkAddress(NamedTuple):
    """A host and a TCP or UDP port; `str` puts an IPv6 host in brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str, default_host: str = LOOPBACK, default_port: int = DLMS_PORT) -> LinkAddress:
    """The address that `text` names: `HOST`, `HOST:PORT`, `[HOST]:PORT` or `:PORT`.

    Raises LinkError (Fault.ADDRESS) with the reason when it is none.
    """
    text = text.strip()
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise LinkError(Fault.ADDRESS, f"{text!r} is no address: write an IPv6 address as [HOST]:PORT")
        port = rest[1:]
    elif text.count(":") > 1:
        host, port = text, ""
    else:
        host, _, port = text.partition(":")
    if ":" in host:
        try:
            ipaddress.IPv6Address(host.partition("%")[0])
        except ValueError as error:
            raise LinkError(Fault.ADDRESS, f"{host!r} is no IPv6 address: {error}") from None
    if any(character.isspace() for character in host):
        raise LinkError(Fault.ADDRESS, f"{text!r} is no address: a host has no spaces")
    return LinkAddress(host or default_host, check_port(port, default_port))


def check_port(text: str, default: int) -> int:
    """`text` as a port number, or `default` when it is empty. Raises LinkError (Fault.ADDRESS)."""
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or int(text) > 0xFFFF:
        raise LinkError(Fault.ADDRESS, f"{text!r} is no port: a port is a number from 0 to 65535")
    return int(text)


def check_wport(number: int) -> int:
    """`number` when it is a wPort (0 to 65535), else LinkError (Fault.ADDRESS)."""
    if not 0 <= number <= 0xFFFF:
        raise LinkError(Fault.ADDRESS, f"{number} is no wPort: a wPort is a number from 0 to 65535")
    return number


class Resolved(NamedTuple):
    """One socket address of a host: its family (AF_INET or AF_INET6) and what `socket.connect` takes."""

    family: int
    sockaddr: tuple[str, int] | tuple[str, int, int, int]

    @property
    def address(self) -> LinkAddress:
        """Host and port."""
        return LinkAddress(self.sockaddr[0], self.sockaddr[1])


async def resolve(address: LinkAddress, kind: socket.SocketKind, *, passive: bool = False) -> list[Resolved]:
    """The socket addresses of `address`, at least one, in the order of preference of the operating system.

    Raises LinkError (Fault.ADDRESS) when the name is not known.
    """
    flags = socket.AI_PASSIVE if passive else 0
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(address.host, address.port, type=kind, flags=flags)
    except (OSError, UnicodeError) as error:
        if isinstance(error, UnicodeError):
            error = socket.gaierror(socket.EAI_NONAME, "not a valid name")
        raise explain(error, address) from None
    families = (socket.AF_INET, socket.AF_INET6)
    usable = [
        Resolved(family, cast(tuple[str, int], sockaddr))
        for family, _, _, _, sockaddr in found
        if family in families
    ]
    if not usable:
        raise LinkError(Fault.ADDRESS, f"{address} has no IPv4 or IPv6 address")
    return usable


def peer_address(name: tuple[object, ...]) -> LinkAddress:
    """Address from the result of `getpeername` or `getsockname`."""
    return LinkAddress(str(name[0]), int(str(name[1])))
