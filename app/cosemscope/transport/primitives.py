"""The service primitives of IEC 62056-4-7, clauses 5.2 and 6.2, as immutable values.

A primitive goes down (request, response: from the service user to the transport layer) or up (indication,
confirm). Parameters carry the standard's names in this house's spelling: Local_wPort is `local_wport`;
`parameters()` gives the standard's. "Local" is where the primitive occurs. Values are checked when made:
ValueError says which parameter is wrong. Ports and wPorts are 0 to 65535; 0 as a TCP or UDP port, and 0.0.0.0
or :: as an address, stand for "not chosen yet". IP addresses are kept in canonical spelling.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final, TypeAlias

from cosemscope.transport.parameters import (
    MAX_DATA_UDP_IPV4,
    MAX_DATA_UDP_IPV6,
    PARAMETERS,
    ConfirmationType,
    ConnectResult,
    DisconnectReason,
    Quadruple,
    ReasonOfFailure,
    Result,
    check_ends,
    check_member,
    is_ipv4,
)


class PrimitiveType(enum.Enum):
    """Which of the four kinds a primitive is."""

    REQUEST = "request"
    INDICATION = "indication"
    RESPONSE = "response"
    CONFIRM = "confirm"


class Direction(enum.Enum):
    """Which way a primitive crosses the border between service user and transport layer."""

    DOWN = "service user to transport layer"
    UP = "transport layer to service user"


class ServiceUser(enum.Enum):
    """Who stands above the transport layer (the TCP-based one has two users)."""

    APPLICATION_LAYER = "DLMS/COSEM application layer"
    CONNECTION_MANAGER = "TCP connection manager"


_CHECKS: Final[dict[type["Primitive"], tuple[tuple[str, str, Callable[[str, Any], Any]], ...]]] = {}


def _checks(kind: type["Primitive"]) -> tuple[tuple[str, str, Callable[[str, Any], Any]], ...]:
    """Attribute, name and check of every parameter of `kind`; worked out once."""
    if kind not in _CHECKS:
        names = [field.name for field in fields(kind) if field.name in PARAMETERS]
        _CHECKS[kind] = tuple((name, *PARAMETERS[name]) for name in names)
    return _CHECKS[kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Primitive:
    """What every service primitive has: its service, its kind, its direction, its user, its parameters."""

    service: ClassVar[str]
    primitive: ClassVar[PrimitiveType]
    user: ClassVar[ServiceUser] = ServiceUser.APPLICATION_LAYER

    def __post_init__(self) -> None:
        for attribute, name, check in _checks(type(self)):
            value = getattr(self, attribute)
            checked = check(name, value)
            if checked is not value:
                object.__setattr__(self, attribute, checked)
        self._check()

    def _check(self) -> None:
        """Rules between parameters; ValueError."""

    @property
    def name(self) -> str:
        """The name as the standard writes it: "TCP-DATA.request"."""
        return f"{self.service}.{self.primitive.value}"

    @property
    def direction(self) -> Direction:
        """DOWN for request and response, UP for indication and confirm."""
        down = self.primitive in (PrimitiveType.REQUEST, PrimitiveType.RESPONSE)
        return Direction.DOWN if down else Direction.UP

    def parameters(self) -> tuple[tuple[str, Any], ...]:
        """Name (the standard's) and value of every parameter that is there, in the standard's order."""
        values = ((name, getattr(self, attribute, None)) for attribute, (name, _) in PARAMETERS.items())
        return tuple((name, value) for name, value in values if value is not None)

    def __str__(self) -> str:
        shown = (
            f"{name}={value.hex() if isinstance(value, bytes) else getattr(value, 'name', value)}"
            for name, value in self.parameters()
        )
        return f"{self.name}({', '.join(shown)})"


# --- UDP-DATA (5.2.2) ---


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpPrimitive(Primitive):
    """The address parameters that the three UDP-DATA primitives share."""

    service: ClassVar[str] = "UDP-DATA"
    local_wport: int
    remote_wport: int
    local_udp_port: int
    remote_udp_port: int
    local_ip_address: str
    remote_ip_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpDataRequest(UdpPrimitive):
    """UDP-DATA.request: send one APDU in one datagram, to one peer or to a multicast or broadcast address.

    Data is at most 65499 octets to an IPv4 address and 65519 to an IPv6 address.
    """

    primitive: ClassVar[PrimitiveType] = PrimitiveType.REQUEST
    data: bytes

    @property
    def data_length(self) -> int:
        """Octets of data."""
        return len(self.data)

    def _check(self) -> None:
        limit = MAX_DATA_UDP_IPV4 if is_ipv4(self.remote_ip_address) else MAX_DATA_UDP_IPV6
        if len(self.data) > limit:
            family = "IPv4" if is_ipv4(self.remote_ip_address) else "IPv6"
            raise ValueError(
                f"Data is {len(self.data)} octets; a WPDU in one {family} datagram carries at most {limit}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpDataIndication(UdpPrimitive):
    """UDP-DATA.indication: an APDU came for the application entity bound to Local_wPort.

    `broadcast` is ours: the WPDU was addressed to All-station or the datagram to a group; such
    an APDU is not answered.
    """

    primitive: ClassVar[PrimitiveType] = PrimitiveType.INDICATION
    data: bytes
    broadcast: bool = False

    @property
    def data_length(self) -> int:
        """Octets of data."""
        return len(self.data)

    def reply(self, data: bytes) -> UdpDataRequest:
        """The request that answers this one, from the same entity to its sender. ValueError if broadcast."""
        if self.broadcast:
            raise ValueError("what was broadcast is not answered")
        return UdpDataRequest(
            local_wport=self.local_wport,
            remote_wport=self.remote_wport,
            local_udp_port=self.local_udp_port,
            remote_udp_port=self.remote_udp_port,
            local_ip_address=self.local_ip_address,
            remote_ip_address=self.remote_ip_address,
            data=data,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpDataConfirm(UdpPrimitive):
    """UDP-DATA.confirm (local, optional): OK means the datagram could be sent, never that it arrived."""

    primitive: ClassVar[PrimitiveType] = PrimitiveType.CONFIRM
    result: Result

    def _check(self) -> None:
        check_member(Result)("Result", self.result)


# --- TCP-CONNECT (6.2.2) and TCP-DISCONNECT (6.2.3) ---


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpPrimitive(Primitive):
    """The address quadruple that all TCP primitives share; it names the connection."""

    local_tcp_port: int
    remote_tcp_port: int
    local_ip_address: str
    remote_ip_address: str

    @property
    def quadruple(self) -> Quadruple:
        """The four address parameters in one value."""
        return Quadruple(
            self.local_ip_address, self.local_tcp_port, self.remote_ip_address, self.remote_tcp_port
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpConnectPrimitive(TcpPrimitive):
    """What the TCP-CONNECT primitives share. TCP knows no multicast: a group address is refused."""

    service: ClassVar[str] = "TCP-CONNECT"
    user: ClassVar[ServiceUser] = ServiceUser.CONNECTION_MANAGER

    def _check(self) -> None:
        check_ends(self.local_ip_address, self.remote_ip_address)


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpConnectRequest(TcpConnectPrimitive):
    """TCP-CONNECT.request: the initiating manager asks for a connection (active OPEN)."""

    primitive: ClassVar[PrimitiveType] = PrimitiveType.REQUEST


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpConnectResponse(TcpConnectPrimitive):
    """TCP-CONNECT.response: the responding manager takes note of the connection.

    We take it, with medium confidence, that Result is always SUCCESS, as it is for TCP-DISCONNECT: by the
    time of the indication TCP has already finished the handshake. Who does not want the connection answers
    and then disconnects.
    """

    primitive: ClassVar[PrimitiveType] = PrimitiveType.RESPONSE
    result: ConnectResult = ConnectResult.SUCCESS

    def _check(self) -> None:
        TcpConnectPrimitive._check(self)
        _check_success(self.result)


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpConnectIndication(TcpConnectPrimitive):
    """TCP-CONNECT.indication: a peer has connected."""

    primitive: ClassVar[PrimitiveType] = PrimitiveType.INDICATION

    def response(self) -> TcpConnectResponse:
        """The response that this indication asks for."""
        return TcpConnectResponse(**self.quadruple._asdict())


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpConnectConfirm(TcpConnectPrimitive):
    """TCP-CONNECT.confirm: what became of the request; Reason_of_Failure goes with FAILURE only."""

    primitive: ClassVar[PrimitiveType] = PrimitiveType.CONFIRM
    result: ConnectResult
    reason_of_failure: ReasonOfFailure | None = None

    def _check(self) -> None:
        _check_outcome(self.result, self.reason_of_failure)


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpDisconnectPrimitive(TcpPrimitive):
    """What the TCP-DISCONNECT primitives share."""

    service: ClassVar[str] = "TCP-DISCONNECT"
    user: ClassVar[ServiceUser] = ServiceUser.CONNECTION_MANAGER


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpDisconnectRequest(TcpDisconnectPrimitive):
    """TCP-DISCONNECT.request: a manager asks to close the connection."""

    primitive: ClassVar[PrimitiveType] = PrimitiveType.REQUEST


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpDisconnectResponse(TcpDisconnectPrimitive):
    """TCP-DISCONNECT.response: only after an indication with REMOTE_REQ; Result is always SUCCESS."""

    primitive: ClassVar[PrimitiveType] = PrimitiveType.RESPONSE
    result: ConnectResult = ConnectResult.SUCCESS

    def _check(self) -> None:
        _check_success(self.result)


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpDisconnectIndication(TcpDisconnectPrimitive):
    """TCP-DISCONNECT.indication: the peer asked to disconnect, or the connection was lost unasked."""

    primitive: ClassVar[PrimitiveType] = PrimitiveType.INDICATION
    reason: DisconnectReason

    def _check(self) -> None:
        check_member(DisconnectReason)("Reason", self.reason)

    def response(self) -> TcpDisconnectResponse:
        """The response that this indication asks for. ValueError unless the reason is REMOTE_REQ."""
        if self.reason is not DisconnectReason.REMOTE_REQ:
            raise ValueError("a TCP-DISCONNECT.indication with Reason ABORT is not answered")
        return TcpDisconnectResponse(**self.quadruple._asdict())


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpDisconnectConfirm(TcpDisconnectPrimitive):
    """TCP-DISCONNECT.confirm: what became of the request; Reason_of_Failure goes with FAILURE only."""

    primitive: ClassVar[PrimitiveType] = PrimitiveType.CONFIRM
    result: ConnectResult
    reason_of_failure: ReasonOfFailure | None = None

    def _check(self) -> None:
        _check_outcome(self.result, self.reason_of_failure)


def _check_success(result: Any) -> None:
    if result is not ConnectResult.SUCCESS:
        raise ValueError(f"Result of a response is always SUCCESS, not {result!r}: a manager cannot refuse")


def _check_outcome(result: Any, reason: ReasonOfFailure | None) -> None:
    check_member(ConnectResult)("Result", result)
    if (result is ConnectResult.FAILURE) != (reason is not None):
        raise ValueError("Reason_of_Failure goes with Result FAILURE, and only with it")


# --- TCP-ABORT (6.2.4) and TCP-DATA (6.2.5) ---


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpAbortIndication(TcpPrimitive):
    """TCP-ABORT.indication: the connection is gone unasked; all associations on it end.

    One vendor's library adds wPorts; we take them for an addition and leave them out.
    """

    service: ClassVar[str] = "TCP-ABORT"
    primitive: ClassVar[PrimitiveType] = PrimitiveType.INDICATION
    reason: ReasonOfFailure | None = None

    def _check(self) -> None:
        check_member(ReasonOfFailure, optional=True)("Reason", self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpDataPrimitive(TcpPrimitive):
    """What the TCP-DATA primitives share: the quadruple and the two wPorts."""

    service: ClassVar[str] = "TCP-DATA"
    local_wport: int
    remote_wport: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpDataRequest(TcpDataPrimitive):
    """TCP-DATA.request: send one APDU (0 to 65535 octets) over the connection."""

    primitive: ClassVar[PrimitiveType] = PrimitiveType.REQUEST
    data: bytes

    def _check(self) -> None:
        check_ends(self.local_ip_address, self.remote_ip_address)

    @property
    def data_length(self) -> int:
        """Octets of data."""
        return len(self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpDataIndication(TcpDataPrimitive):
    """TCP-DATA.indication: a whole APDU came for the application entity bound to Local_wPort.

    `broadcast` is ours: the WPDU was addressed to All-station, and each logical device got one.
    """

    primitive: ClassVar[PrimitiveType] = PrimitiveType.INDICATION
    data: bytes
    broadcast: bool = False

    @property
    def data_length(self) -> int:
        """Octets of data."""
        return len(self.data)

    def reply(self, data: bytes) -> TcpDataRequest:
        """The request that answers this one: same connection, wPorts the other way round on the wire.

        ValueError if it was broadcast.
        """
        if self.broadcast:
            raise ValueError("what was broadcast is not answered")
        return TcpDataRequest(
            local_wport=self.local_wport,
            remote_wport=self.remote_wport,
            data=data,
            **self.quadruple._asdict(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpDataConfirm(TcpDataPrimitive):
    """TCP-DATA.confirm (optional): whether the APDU was handed over (LOCAL) or has arrived (REMOTE)."""

    primitive: ClassVar[PrimitiveType] = PrimitiveType.CONFIRM
    confirmation_type: ConfirmationType
    result: Result

    def _check(self) -> None:
        check_member(Result)("Result", self.result)


TcpDown: TypeAlias = (
    TcpConnectRequest | TcpConnectResponse | TcpDisconnectRequest | TcpDisconnectResponse | TcpDataRequest
)
"""What a service user may hand to the TCP-based transport layer."""
TcpUp: TypeAlias = (
    TcpConnectIndication
    | TcpConnectConfirm
    | TcpDisconnectIndication
    | TcpDisconnectConfirm
    | TcpAbortIndication
    | TcpDataIndication
    | TcpDataConfirm
)
"""What the TCP-based transport layer hands to its service users."""
UdpUp: TypeAlias = UdpDataIndication | UdpDataConfirm
"""What the UDP-based transport layer hands to its service user."""
