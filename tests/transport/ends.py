"""A client end and a server end for the charts: addresses, primitives by short names, ready-made cores."""

from typing import Any

from cosemscope.transport import primitives as p
from cosemscope.transport.bindings import WPortBindings
from cosemscope.transport.calls import Send
from cosemscope.transport.parameters import (
    ConfirmationType,
    ConnectResult,
    DisconnectReason,
    Quadruple,
    ReasonOfFailure,
    Result,
)
from cosemscope.transport.tcp import TcpTransport
from cosemscope.transport.wports import Side

RLRQ = bytes.fromhex("00 01 00 10 00 01 00 02 62 00")
RLRE = bytes.fromhex("00 01 00 01 00 10 00 02 63 00")


class End:
    """One end of a connection; makes the primitives that occur there."""

    def __init__(self, quadruple: Quadruple, local_wport: int, remote_wport: int, side: Side) -> None:
        self.quadruple = quadruple
        self.wports = {"local_wport": local_wport, "remote_wport": remote_wport}
        self.side = side

    def core(self, *wports: int, **options: Any) -> TcpTransport:
        return TcpTransport(WPortBindings(self.side, wports or [self.wports["local_wport"]]), **options)

    @property
    def _where(self) -> dict[str, Any]:
        return self.quadruple._asdict()

    def connect_request(self) -> p.TcpConnectRequest:
        return p.TcpConnectRequest(**self._where)

    def connect_indication(self) -> p.TcpConnectIndication:
        return p.TcpConnectIndication(**self._where)

    def connect_response(self) -> p.TcpConnectResponse:
        return p.TcpConnectResponse(**self._where)

    def connect_confirm(self, failure: ReasonOfFailure | None = None) -> p.TcpConnectConfirm:
        result = ConnectResult.FAILURE if failure else ConnectResult.SUCCESS
        return p.TcpConnectConfirm(**self._where, result=result, reason_of_failure=failure)

    def disconnect_request(self) -> p.TcpDisconnectRequest:
        return p.TcpDisconnectRequest(**self._where)

    def disconnect_indication(self, reason: DisconnectReason) -> p.TcpDisconnectIndication:
        return p.TcpDisconnectIndication(**self._where, reason=reason)

    def disconnect_response(self) -> p.TcpDisconnectResponse:
        return p.TcpDisconnectResponse(**self._where)

    def disconnect_confirm(self, failure: ReasonOfFailure | None = None) -> p.TcpDisconnectConfirm:
        result = ConnectResult.FAILURE if failure else ConnectResult.SUCCESS
        return p.TcpDisconnectConfirm(**self._where, result=result, reason_of_failure=failure)

    def abort_indication(self, reason: ReasonOfFailure) -> p.TcpAbortIndication:
        return p.TcpAbortIndication(**self._where, reason=reason)

    def data_request(self, data: bytes, **wports: int) -> p.TcpDataRequest:
        return p.TcpDataRequest(**self._where, **(self.wports | wports), data=data)

    def data_indication(self, data: bytes, *, broadcast: bool = False, **wports: int) -> p.TcpDataIndication:
        return p.TcpDataIndication(**self._where, **(self.wports | wports), data=data, broadcast=broadcast)

    def data_confirm(
        self, result: Result = Result.OK, kind: ConfirmationType = ConfirmationType.LOCAL, **wports: int
    ) -> p.TcpDataConfirm:
        return p.TcpDataConfirm(
            **self._where, **(self.wports | wports), confirmation_type=kind, result=result
        )


CLIENT = End(Quadruple("192.0.2.1", 50000, "192.0.2.2", 4059), 16, 1, Side.CLIENT)
SERVER = End(Quadruple("192.0.2.2", 4059, "192.0.2.1", 50000), 1, 16, Side.SERVER)


def connected(end: End, *wports: int, now: float = 0.0, **options: Any) -> TcpTransport:
    """A core in the state "connected", no events waiting: the client's end opened, the server's accepted."""
    core = end.core(*wports, **options)
    if end.side is Side.CLIENT:
        core.submit(end.connect_request(), now)
        core.opened(end.quadruple, now)
    else:
        core.opened(end.quadruple, now)
        core.submit(end.connect_response(), now)
    list(core.events())
    return core


def send(octets: bytes) -> Send:
    """The call that hands these octets over."""
    return Send(memoryview(octets))
