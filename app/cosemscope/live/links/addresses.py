"""Addresses that people type, checked before a socket sees them.

`HOST[:PORT]` with an IPv4 address, an IPv6 address (in brackets when a port
follows) or a name; port 4059 is the registered one for DLMS/COSEM.
"""

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Callable, Iterable
from typing import NamedTuple, cast

from cosemscope.live.links.faults import Fault, LinkError, explain
from cosemscope.transport.bindings import WPortBindings
from cosemscope.transport.errors import LocalProtocolError
from cosemscope.transport.wports import DLMS_PORT, Side

LOOPBACK = "127.0.0.1"
#: What stands for every address of this computer, of one family each.
EVERY_IPV4, EVERY_IPV6 = "0.0.0.0", "::"
_ATTEMPTS = 8


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
    """`number` when it is a wPort (0 to 65535), else LinkError (Fault.ADDRESS) or TypeError."""
    if not isinstance(number, int):
        raise TypeError(f"a wPort is a number from 0 to 65535, not {number!r}")
    if not 0 <= number <= 0xFFFF:
        raise LinkError(Fault.ADDRESS, f"{number} is no wPort: a wPort is a number from 0 to 65535")
    return number


def bound_wports(side: Side, wports: Iterable[int] | None) -> WPortBindings:
    """The wPorts that a server listens on, None for any. Raises LinkError (Fault.ADDRESS)."""
    if wports is None:
        return WPortBindings(side, every=True)
    try:
        return WPortBindings(side, dict.fromkeys(map(check_wport, wports)))
    except LocalProtocolError as error:
        raise LinkError(Fault.ADDRESS, str(error)) from None


def check_apdu(apdu: bytes) -> bytes:
    """`apdu` when it is octets. TypeError: text in hexadecimal is none."""
    if not isinstance(apdu, bytes | bytearray | memoryview):
        raise TypeError(f"an APDU is octets (bytes), not {type(apdu).__name__}: see bytes.fromhex")
    return bytes(apdu)


class Resolved(NamedTuple):
    """One socket address of a host: its family (AF_INET or AF_INET6) and what `socket.connect` takes."""

    family: int
    sockaddr: tuple[str, int] | tuple[str, int, int, int]

    @property
    def address(self) -> LinkAddress:
        """Host and port."""
        return LinkAddress(self.sockaddr[0], self.sockaddr[1])

    def at_port(self, port: int) -> "Resolved":
        """The same host at another port."""
        host, _, *more = self.sockaddr
        return Resolved(self.family, cast(tuple[str, int], (host, port, *more)))


async def resolve(address: LinkAddress, kind: socket.SocketKind, *, passive: bool = False) -> list[Resolved]:
    """The socket addresses of `address`, at least one, in the order of preference of the operating system.

    `passive`: to listen at; `::` is then every network, those of IPv4 too, as sockets of their own: one for
    both would show IPv4 peers by addresses that they do not have. Raises LinkError (Fault.ADDRESS) when the
    name is not known or the port is none: `getaddrinfo` would take 70000 for 4464.
    """
    if not isinstance(address.port, int) or not 0 <= address.port <= 0xFFFF:
        words = f"{address.port!r} is no port: a port is a number from 0 to 65535"
        raise LinkError(Fault.ADDRESS, words)
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
    if passive and address.host == EVERY_IPV6:
        usable.append(Resolved(socket.AF_INET, (EVERY_IPV4, address.port)))
    return list(dict.fromkeys(usable))


def listen_everywhere(
    found: list[Resolved], listen: Callable[[Resolved], socket.socket]
) -> list[socket.socket]:
    """A socket made by `listen` for each address, at one port for all.

    Raises what `listen` does, OSError or LinkError, and closes those that were made then.
    Port 0 is any that is free, of the first address: where it is not free at another one, the next is tried.
    Without IPv4 on this computer `::` is IPv6 alone.
    """
    for attempts_left in reversed(range(_ATTEMPTS)):
        made: list[socket.socket] = []
        try:
            for each in found:
                try:
                    made.append(listen(each.at_port(made[0].getsockname()[1]) if made else each))
                except OSError as error:
                    if error.errno != errno.EAFNOSUPPORT or not made:
                        raise
        except (OSError, LinkError) as error:
            for handle in made:
                handle.close()
            in_use = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            if not (in_use and made and attempts_left and found[0].sockaddr[1] == 0):
                raise
        else:
            return made
    raise AssertionError("unreachable: the last attempt raises")


def peer_address(name: tuple[object, ...]) -> LinkAddress:
    """Address from the result of `getpeername` or `getsockname`."""
    return LinkAddress(str(name[0]), int(str(name[1])))
