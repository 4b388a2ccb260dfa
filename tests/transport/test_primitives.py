"""Service primitives: the standard's names, values that cannot change, mistakes found when they are made."""

from dataclasses import FrozenInstanceError

import pytest

from cosemscope.transport import primitives as p
from cosemscope.transport.parameters import (
    ConfirmationType,
    ConnectResult,
    DisconnectReason,
    Quadruple,
    ReasonOfFailure,
    Result,
    endpoint,
)

TCP = {
    "local_ip_address": "10.0.0.1",
    "local_tcp_port": 50000,
    "remote_ip_address": "10.0.0.2",
    "remote_tcp_port": 4059,
}
UDP = {
    "local_ip_address": "10.0.0.1",
    "local_udp_port": 50000,
    "remote_ip_address": "10.0.0.2",
    "remote_udp_port": 4059,
    "local_wport": 16,
    "remote_wport": 1,
}
WPORTS = {"local_wport": 16, "remote_wport": 1}
QUADRUPLE = ["Local_TCP_Port", "Remote_TCP_Port", "Local_IP_Address", "Remote_IP_Address"]
UDP_ADDRESSES = [
    "Local_wPort",
    "Remote_wPort",
    "Local_UDP_Port",
    "Remote_UDP_Port",
    "Local_IP_Address",
    "Remote_IP_Address",
]
TCP_ADDRESSES = ["Local_wPort", "Remote_wPort", *QUADRUPLE]
FAILED = {"result": ConnectResult.FAILURE, "reason_of_failure": ReasonOfFailure.REFUSED}

EVERY = [
    (p.UdpDataRequest(**UDP, data=b"a"), "UDP-DATA.request", [*UDP_ADDRESSES, "Data_Length", "Data"]),
    (p.UdpDataIndication(**UDP, data=b"a"), "UDP-DATA.indication", [*UDP_ADDRESSES, "Data_Length", "Data"]),
    (p.UdpDataConfirm(**UDP, result=Result.OK), "UDP-DATA.confirm", [*UDP_ADDRESSES, "Result"]),
    (p.TcpConnectRequest(**TCP), "TCP-CONNECT.request", QUADRUPLE),
    (p.TcpConnectIndication(**TCP), "TCP-CONNECT.indication", QUADRUPLE),
    (p.TcpConnectResponse(**TCP), "TCP-CONNECT.response", [*QUADRUPLE, "Result"]),
    (
        p.TcpConnectConfirm(**TCP, **FAILED),
        "TCP-CONNECT.confirm",
        [*QUADRUPLE, "Result", "Reason_of_Failure"],
    ),
    (p.TcpDisconnectRequest(**TCP), "TCP-DISCONNECT.request", QUADRUPLE),
    (
        p.TcpDisconnectIndication(**TCP, reason=DisconnectReason.ABORT),
        "TCP-DISCONNECT.indication",
        [*QUADRUPLE, "Reason"],
    ),
    (p.TcpDisconnectResponse(**TCP), "TCP-DISCONNECT.response", [*QUADRUPLE, "Result"]),
    (
        p.TcpDisconnectConfirm(**TCP, **FAILED),
        "TCP-DISCONNECT.confirm",
        [*QUADRUPLE, "Result", "Reason_of_Failure"],
    ),
    (
        p.TcpAbortIndication(**TCP, reason=ReasonOfFailure.RESET),
        "TCP-ABORT.indication",
        [*QUADRUPLE, "Reason"],
    ),
    (
        p.TcpDataRequest(**TCP, **WPORTS, data=b"a"),
        "TCP-DATA.request",
        [*TCP_ADDRESSES, "Data_Length", "Data"],
    ),
    (
        p.TcpDataIndication(**TCP, **WPORTS, data=b"a"),
        "TCP-DATA.indication",
        [*TCP_ADDRESSES, "Data_Length", "Data"],
    ),
    (
        p.TcpDataConfirm(**TCP, **WPORTS, confirmation_type=ConfirmationType.LOCAL, result=Result.OK),
        "TCP-DATA.confirm",
        [*TCP_ADDRESSES, "Confirmation_Type", "Result"],
    ),
]


@pytest.mark.parametrize(("primitive", "name", "parameters"), EVERY, ids=[row[1] for row in EVERY])
def test_names_parameters_and_direction(primitive, name, parameters):
    """Every primitive of 5.2 and 6.2 has the standard's name, its parameters in order, and one direction."""
    assert primitive.name == name
    assert [parameter for parameter, _ in primitive.parameters()] == parameters
    down = name.endswith((".request", ".response"))
    assert primitive.direction is (p.Direction.DOWN if down else p.Direction.UP)
    manager = "CONNECT" in name
    assert (primitive.user is p.ServiceUser.CONNECTION_MANAGER) == manager
    assert str(primitive).startswith(f"{name}(Local_")
    assert hash(primitive) == hash(primitive)
    with pytest.raises(FrozenInstanceError):
        primitive.local_ip_address = "10.0.0.9"


def test_every_kind_of_primitive_is_in_that_list():
    """The list above forgets none: 3 of UDP-DATA, 4 each of CONNECT and DISCONNECT, ABORT, 3 of TCP-DATA."""
    assert len({row[1] for row in EVERY}) == 15
    assert {type(row[0]) for row in EVERY} == {
        value
        for value in vars(p).values()
        if isinstance(value, type) and issubclass(value, p.Primitive) and hasattr(value, "primitive")
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"local_wport": 65536}, "Local_wPort must be a number 0 to 65535, not 65536"),
        ({"remote_wport": -1}, "Remote_wPort"),
        ({"remote_wport": True}, "Remote_wPort"),
        ({"local_tcp_port": "4059"}, "Local_TCP_Port"),
        ({"remote_ip_address": "meter.example"}, "Remote_IP_Address must be an IPv4 or IPv6 address"),
        ({"local_ip_address": None}, "Local_IP_Address"),
        ({"data": "6200"}, "Data must be octets, not str"),
        ({"data": bytes(65536)}, "Data is 65536 octets; a WPDU carries at most 65535"),
    ],
)
def test_wrong_parameters_are_named(change, message):
    """A mistake is found where it is made, and the sentence names the parameter."""
    with pytest.raises(ValueError, match=message):
        p.TcpDataRequest(**(TCP | WPORTS | {"data": b""} | change))


def test_addresses_are_canonical_and_octets_are_bytes():
    """Two spellings of an address are one connection; a buffer that changes later changes no primitive."""
    buffer = bytearray(b"ab")
    request = p.TcpDataRequest(
        **(TCP | {"local_ip_address": "0:0:0:0:0:0:0:1", "remote_ip_address": "::1"}), **WPORTS, data=buffer
    )
    buffer[0] = 0
    assert request.data == b"ab"
    assert request.data_length == 2
    assert request.quadruple == Quadruple("::1", 50000, "::1", 4059)
    assert str(request.quadruple) == "[::1]:50000 - [::1]:4059"
    assert endpoint("127.0.0.1", 4059) == "127.0.0.1:4059"


def test_responses_follow_from_indications():
    """A response bears the addresses of its indication; ABORT and broadcasts are not answered."""
    assert p.TcpConnectIndication(**TCP).response() == p.TcpConnectResponse(**TCP)
    asked = p.TcpDisconnectIndication(**TCP, reason=DisconnectReason.REMOTE_REQ)
    assert asked.response() == p.TcpDisconnectResponse(**TCP)
    with pytest.raises(ValueError, match="not answered"):
        p.TcpDisconnectIndication(**TCP, reason=DisconnectReason.ABORT).response()
    came = p.TcpDataIndication(**TCP, **WPORTS, data=b"?")
    assert came.reply(b"!") == p.TcpDataRequest(**TCP, **WPORTS, data=b"!")
    with pytest.raises(ValueError, match="not answered"):
        p.TcpDataIndication(**TCP, **WPORTS, data=b"?", broadcast=True).reply(b"!")
    datagram = p.UdpDataIndication(**UDP, data=b"?")
    assert datagram.reply(b"!") == p.UdpDataRequest(**UDP, data=b"!")
    with pytest.raises(ValueError, match="not answered"):
        p.UdpDataIndication(**UDP, data=b"?", broadcast=True).reply(b"!")


def test_results_and_reasons_fit_together():
    """A reason goes with a failure and only with one; a manager cannot refuse."""
    with pytest.raises(ValueError, match="only with it"):
        p.TcpConnectConfirm(**TCP, result=ConnectResult.FAILURE)
    with pytest.raises(ValueError, match="only with it"):
        p.TcpDisconnectConfirm(
            **TCP, result=ConnectResult.SUCCESS, reason_of_failure=ReasonOfFailure.TIMED_OUT
        )
    for response in (p.TcpConnectResponse, p.TcpDisconnectResponse):
        with pytest.raises(ValueError, match="always SUCCESS"):
            response(**TCP, result=ConnectResult.FAILURE)
    with pytest.raises(ValueError, match="Result must be one of OK, NOK"):
        p.UdpDataConfirm(**UDP, result=ConnectResult.SUCCESS)
    with pytest.raises(ValueError, match="Reason must be one of REMOTE_REQ, ABORT"):
        p.TcpDisconnectIndication(**TCP, reason=ReasonOfFailure.RESET)
    with pytest.raises(ValueError, match="Reason must be one of"):
        p.TcpAbortIndication(**TCP, reason="gone")
    with pytest.raises(ValueError, match="Confirmation_Type must be one of LOCAL, REMOTE"):
        p.TcpDataConfirm(**TCP, **WPORTS, confirmation_type="LOCAL", result=Result.OK)


@pytest.mark.parametrize("group", ["224.0.0.1", "255.255.255.255", "ff02::1"])
def test_tcp_has_no_multicast(group):
    """TCP connects two ends; a group is no end."""
    with pytest.raises(ValueError, match=f"{group} is a group|of two"):
        p.TcpConnectRequest(**(TCP | {"remote_ip_address": group}))
