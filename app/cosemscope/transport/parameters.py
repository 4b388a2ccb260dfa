"""The parameters of the service primitives: their values, their names in the standard, their checks.

`PARAMETERS` is the one list of them, in the standard's order. A check takes the parameter's name and the
value it was given, and returns the value to keep or raises ValueError with a sentence naming the parameter.
"""

import enum
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final, NamedTuple

from cosemscope.transport.wpdu import HEADER_SIZE, MAX_DATA

MAX_DATA_UDP_IPV4: Final = 65507 - HEADER_SIZE
"""Most octets of data in a WPDU that has to fit one IPv4 datagram (65535 less IP and UDP headers)."""
MAX_DATA_UDP_IPV6: Final = 65527 - HEADER_SIZE
"""The same for IPv6 without jumbograms."""


class Result(enum.Enum):
    """Result of a DATA service."""

    OK = "OK"
    NOK = "NOK"


class ConnectResult(enum.Enum):
    """Result of TCP-CONNECT and TCP-DISCONNECT. The literal names of the values were not seen."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


class ConfirmationType(enum.Enum):
    """What a TCP-DATA.confirm vouches for.

    LOCAL: every octet was accepted for sending here. REMOTE: every octet is known to have reached the
    peer's TCP.
    """

    LOCAL = "LOCAL"
    REMOTE = "REMOTE"


class DisconnectReason(enum.Enum):
    """Reason of a TCP-DISCONNECT.indication: the peer asked, or the connection was lost."""

    REMOTE_REQ = "REMOTE_REQ"
    ABORT = "ABORT"


class ReasonOfFailure(enum.Enum):
    """Why a connection was not made, not closed in order, or lost. The values are ours, ready to be read."""

    REFUSED = "connection refused"
    UNREACHABLE = "no route to the peer"
    TIMED_OUT = "no answer in time"
    CANCELLED = "given up by the user"
    LOCAL_ERROR = "the local system does not allow it"
    RESET = "reset by the peer"
    LINK_LOST = "the connection was lost"
    WPDU_TIMED_OUT = "the rest of a begun WPDU did not come in time"
    INACTIVE = "nothing came for too long"
    NOT_READING = "the peer does not read"
    BAD_VERSION = "the peer sent something that is no WPDU of version 1"
    TRUNCATED = "the peer ended the stream inside a WPDU"


class Quadruple(NamedTuple):
    """The four values that name a TCP connection, as seen from the local end."""

    local_ip_address: str
    local_tcp_port: int
    remote_ip_address: str
    remote_tcp_port: int

    def __str__(self) -> str:
        return (
            f"{endpoint(self.local_ip_address, self.local_tcp_port)} - "
            f"{endpoint(self.remote_ip_address, self.remote_tcp_port)}"
        )


def check_quadruple(quadruple: Quadruple) -> Quadruple:
    """The quadruple with its addresses in canonical spelling. ValueError names what is wrong."""
    local, local_port, remote, remote_port = quadruple
    checked = Quadruple(
        _address("Local_IP_Address", local),
        _number("Local_TCP_Port", local_port),
        _address("Remote_IP_Address", remote),
        _number("Remote_TCP_Port", remote_port),
    )
    check_ends(checked.local_ip_address, checked.remote_ip_address)
    return checked


@lru_cache(maxsize=4096)
def check_ends(local: str, remote: str) -> None:
    """Check that a TCP connection can have these two addresses. ValueError says why it cannot.

    They are of one IP version, and neither is a group's: 5.1 names UDP for multicast and broadcast because
    TCP has none (RFC 9293, 3.9.2.3). What could never be is refused when it is made, not when it is sent.
    """
    if is_ipv4(local) is not is_ipv4(remote):
        raise ValueError(f"a connection is of one IP version: {local} and {remote} are of two")
    for address in (local, remote):
        if is_group_address(address):
            raise ValueError(f"TCP connects two ends; {address} is a group")


def endpoint(address: str, port: int) -> str:
    """`127.0.0.1:4059` or `[::1]:4059`."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


@lru_cache(maxsize=4096)
def canonical_address(address: str) -> str:
    """An IPv4 or IPv6 address in canonical spelling. ValueError if it is none (names are not looked up)."""
    return str(ip_address(address))


@lru_cache(maxsize=4096)
def is_ipv4(address: str) -> bool:
    """Whether datagrams to `address` are IPv4, as they are also to an IPv4-mapped IPv6 address."""
    parsed = ip_address(address)
    return not isinstance(parsed, IPv6Address) or parsed.ipv4_mapped is not None


@lru_cache(maxsize=4096)
def is_group_address(address: str) -> bool:
    """Whether `address` is a multicast address or the limited broadcast address 255.255.255.255."""
    parsed = ip_address(address)
    return parsed.is_multicast or parsed == IPv4Address("255.255.255.255")


def _number(name: str, value: Any) -> Any:
    if type(value) is not int or not 0 <= value <= 0xFFFF:
        raise ValueError(f"{name} must be a number 0 to 65535, not {value!r}")
    return value


def _address(name: str, value: Any) -> Any:
    try:
        return canonical_address(value)
    except (ValueError, TypeError):
        raise ValueError(f"{name} must be an IPv4 or IPv6 address, not {value!r}") from None


def _data(name: str, value: Any) -> Any:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise ValueError(f"{name} must be octets, not {type(value).__name__}")
    if len(value) > MAX_DATA:
        raise ValueError(f"{name} is {len(value)} octets; a WPDU carries at most {MAX_DATA}")
    return bytes(value)


def check_member(kind: type[enum.Enum], *, optional: bool = False) -> Callable[[str, Any], Any]:
    """A check that the value is a member of `kind` (or None, if `optional`)."""

    def check(name: str, value: Any) -> Any:
        if not (isinstance(value, kind) or (optional and value is None)):
            raise ValueError(f"{name} must be one of {', '.join(kind.__members__)}, not {value!r}")
        return value

    return check


def _unchecked(name: str, value: Any) -> Any:
    return value


PARAMETERS: Final[dict[str, tuple[str, Callable[[str, Any], Any]]]] = {
    # attribute: the standard's name, check; in the standard's order
    "local_wport": ("Local_wPort", _number),
    "remote_wport": ("Remote_wPort", _number),
    "local_udp_port": ("Local_UDP_Port", _number),
    "remote_udp_port": ("Remote_UDP_Port", _number),
    "local_tcp_port": ("Local_TCP_Port", _number),
    "remote_tcp_port": ("Remote_TCP_Port", _number),
    "local_ip_address": ("Local_IP_Address", _address),
    "remote_ip_address": ("Remote_IP_Address", _address),
    "data_length": ("Data_Length", _number),
    "data": ("Data", _data),
    "confirmation_type": ("Confirmation_Type", check_member(ConfirmationType)),
    "result": ("Result", _unchecked),
    "reason": ("Reason", _unchecked),
    "reason_of_failure": ("Reason_of_Failure", check_member(ReasonOfFailure, optional=True)),
}
