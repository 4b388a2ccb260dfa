"""Faults of a live link, each with a word for programs and a sentence for people.

A socket error becomes a `Fault` and a sentence that names the peer. The
sentence is what the command line prints and the window shows; the fault is
what a program looks at. Those that Python has exceptions for are these, too.
"""

import errno
import socket
from enum import Enum


class Fault(Enum):
    """Kinds of failure; the value is the short word used in JSON output."""

    ADDRESS = "address"
    """The address given makes no sense, or the name is not known."""
    REFUSED = "refused"
    """The peer's computer answers, and nothing listens there."""
    UNREACHABLE = "unreachable"
    """No route to the peer's network or computer."""
    TIMEOUT = "timeout"
    """Nothing came within the time set."""
    CLOSED = "closed"
    """The peer closed the connection in order."""
    RESET = "reset"
    """The connection broke: reset by the peer, or lost."""
    NOT_WRAPPER = "not-wrapper"
    """What came is no WPDU of the version known."""
    TRUNCATED = "truncated"
    """The peer closed, or fell silent, inside a WPDU."""
    TOO_LARGE = "too-large"
    """The APDU does not fit in a WPDU, or the WPDU not in a datagram."""
    IN_USE = "in-use"
    """Another program listens on that address and port."""
    FULL = "full"
    """As many connections are open as may be, or as the system has room for."""
    PERMISSION = "permission"
    """The operating system does not allow it."""
    FAILED = "failed"
    """Anything else that the operating system reports."""


class LinkError(Exception):
    """A live link failed; the message is a sentence for people, `fault` says which kind.

    `LinkError(fault, message)` makes the subclass of the fault: a TIMEOUT is a TimeoutError, what broke or
    refused a connection a ConnectionError, so that `except TimeoutError` does what it says.
    """

    fault: Fault
    message: str

    def __new__(cls, fault: Fault, message: str) -> "LinkError":
        """The exception of the class that belongs to `fault`."""
        chosen = _CLASSES.get(fault, cls) if cls is LinkError else cls
        return super(LinkError, chosen).__new__(chosen, message)

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[type["LinkError"], tuple[Fault, str]]:
        return LinkError, (self.fault, self.message)


class LinkTimeoutError(LinkError, TimeoutError):
    """Nothing came, or nothing was taken, within the time set."""


class LinkConnectionError(LinkError, ConnectionError):
    """There is no connection, or none any more."""


class LinkRefusedError(LinkConnectionError, ConnectionRefusedError):
    """The peer's computer answers, and nothing listens there."""


class LinkResetError(LinkConnectionError, ConnectionResetError):
    """The connection broke: reset by the peer, or lost."""


class LinkClosedError(LinkConnectionError):
    """The connection was closed in order: by the peer, or here."""


_CLASSES: dict[Fault, type[LinkError]] = {
    Fault.TIMEOUT: LinkTimeoutError,
    Fault.REFUSED: LinkRefusedError,
    Fault.RESET: LinkResetError,
    Fault.CLOSED: LinkClosedError,
    Fault.UNREACHABLE: LinkConnectionError,
}


_BY_NUMBER: dict[int, tuple[Fault, str]] = {
    errno.ECONNREFUSED: (Fault.REFUSED, "connection refused by {peer}: nothing listens on that port"),
    errno.ENETUNREACH: (Fault.UNREACHABLE, "no route to {peer}: the network is unreachable"),
    errno.EHOSTUNREACH: (Fault.UNREACHABLE, "no route to {peer}: the host is unreachable"),
    errno.ENETDOWN: (Fault.UNREACHABLE, "no route to {peer}: the network is down"),
    errno.ETIMEDOUT: (Fault.TIMEOUT, "no answer from {peer}: the connection timed out"),
    errno.ECONNRESET: (Fault.RESET, "connection reset by {peer}"),
    errno.EPIPE: (Fault.RESET, "connection reset by {peer}"),
    errno.ECONNABORTED: (Fault.RESET, "connection to {peer} aborted"),
    errno.EADDRINUSE: (Fault.IN_USE, "{peer} is in use by another program"),
    errno.EADDRNOTAVAIL: (
        Fault.ADDRESS,
        "{peer} is not an address of this computer, or cannot be reached from it",
    ),
    errno.EAFNOSUPPORT: (Fault.ADDRESS, "this computer does not support the kind of address of {peer}"),
    errno.EACCES: (Fault.PERMISSION, "not allowed to use {peer}: ports below 1024 and broadcast need rights"),
    errno.EPERM: (Fault.PERMISSION, "not allowed to use {peer}: a firewall of this computer forbids it"),
    errno.EMSGSIZE: (Fault.TOO_LARGE, "the WPDU does not fit in a datagram to {peer}"),
    errno.EMFILE: (Fault.FAILED, "too many open files: raise the limit (ulimit -n) to open more connections"),
}
#: The numbers that Windows uses for the same (Winsock error codes).
_WINSOCK = {
    10013: errno.EACCES,
    10040: errno.EMSGSIZE,
    10047: errno.EAFNOSUPPORT,
    10048: errno.EADDRINUSE,
    10049: errno.EADDRNOTAVAIL,
    10050: errno.ENETDOWN,
    10051: errno.ENETUNREACH,
    10053: errno.ECONNABORTED,
    10054: errno.ECONNRESET,
    10060: errno.ETIMEDOUT,
    10061: errno.ECONNREFUSED,
    10065: errno.EHOSTUNREACH,
    1225: errno.ECONNREFUSED,
    1231: errno.ENETUNREACH,
    1232: errno.EHOSTUNREACH,
    1236: errno.ECONNABORTED,
}


def explain(error: OSError, peer: object) -> LinkError:
    """The `LinkError` that says in words what `error` means for a link to `peer` (shown by `str`)."""
    if isinstance(error, socket.gaierror):
        return LinkError(Fault.ADDRESS, f"the host of {peer} is not known: {error.strerror or error}")
    number = getattr(error, "winerror", None) or error.errno or 0
    fault, words = _BY_NUMBER.get(_WINSOCK.get(number, number), (Fault.FAILED, ""))
    if not words:
        return LinkError(fault, f"the link to {peer} failed: {error.strerror or error}")
    return LinkError(fault, words.format(peer=peer))
