"""One or two everyday values of every class of APDU, as meters and head-ends exchange them."""

from typing import Any

from cosemscope.apdu.context import Reference
from cosemscope.application.encoding import get_set_action as g
from cosemscope.application.encoding.acse_apdus import Aare, Aarq, Diagnostic, Rlre, Rlrq
from cosemscope.application.encoding.apdus import encode
from cosemscope.application.encoding.carrier_apdus import GatewayRequest, GeneralBlockTransfer
from cosemscope.application.encoding.data_values import (
    Data,
    array,
    bit_string,
    boolean,
    double_long_unsigned,
    enum,
    float32,
    integer,
    long64_unsigned,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
    utf8_string,
    visible_string,
)
from cosemscope.application.encoding.initiate_apdus import (
    ConfirmedServiceError,
    InitiateRequest,
    InitiateResponse,
)
from cosemscope.application.encoding.notifications import (
    AccessGet,
    AccessOutcome,
    AccessRequest,
    AccessResponse,
    AccessSet,
    DataNotification,
    EventNotification,
    ExceptionResponse,
)
from cosemscope.application.encoding.service_parts import (
    DataAccessError,
    Datablock,
    SelectedAttribute,
)
from cosemscope.application.encoding.short_name_apdus import (
    ParameterizedAccess,
    ReadRequest,
    ReadResponse,
    VariableName,
    WriteRequest,
    WriteResponse,
)
from cosemscope.application.object_model.profile_selections import by_entries

_REGISTER = Reference(3, bytes.fromhex("0100010800ff"), 2)
_RESET = Reference(3, bytes.fromhex("0100010800ff"), 1, True)
_PROFILE = Reference(7, bytes.fromhex("0100630100ff"), 2)
_MOMENT = bytes.fromhex("07ea030107000000ff800000")
_ROW = structure(octet_string(_MOMENT), double_long_unsigned(123456), boolean(True))
_VALUES: tuple[Data, ...] = (
    double_long_unsigned(5),
    array([_ROW, _ROW]),
    structure(integer(-1), enum(30)),
    bit_string("101100001"),
    visible_string("MTR1"),
    utf8_string("Zähler"),
    float32(0.5),
    long64_unsigned(2**40),
    Data(0),
)
_SELECTED = by_entries(1, 5)
_BLOCK = Datablock(False, 1, b"\x09\x82\x01\x00" + bytes(20))
_TITLE = b"MTR\0\0\0\0\1"

SAMPLES: tuple[Any, ...] = (
    g.GetRequestNormal(0xC1, _REGISTER),
    g.GetRequestNormal(0xC1, _PROFILE, _SELECTED),
    g.GetRequestNext(0xC1, 2),
    g.GetRequestWithList(0xC1, (SelectedAttribute(_REGISTER), SelectedAttribute(_PROFILE, _SELECTED))),
    *(g.GetResponseNormal(0xC1, value) for value in _VALUES),
    g.GetResponseNormal(0xC1, DataAccessError(3)),
    g.GetResponseWithDatablock(0xC1, False, 1, b"\x09\x10" + bytes(10)),
    g.GetResponseWithDatablock(0xC1, True, 2, DataAccessError(4)),
    g.GetResponseWithList(0xC1, (unsigned(1), DataAccessError(4))),
    *(g.SetRequestNormal(0xC1, _REGISTER, None, value) for value in _VALUES),
    g.SetRequestWithFirstDatablock(0xC1, _REGISTER, None, _BLOCK),
    g.SetRequestWithDatablock(0xC1, Datablock(True, 2, bytes(5))),
    g.SetRequestWithList(
        0xC1, (SelectedAttribute(_REGISTER), SelectedAttribute(_PROFILE)), (unsigned(1), unsigned(2))
    ),
    g.SetResponseNormal(0xC1, 0),
    g.SetResponseDatablock(0xC1, 1),
    g.SetResponseLastDatablock(0xC1, 0, 2),
    g.SetResponseWithList(0xC1, (0, 3)),
    g.ActionRequestNormal(0xC1, _RESET, integer(0)),
    g.ActionRequestNormal(0xC1, _RESET),
    g.ActionRequestNextPblock(0xC1, 1),
    g.ActionRequestWithList(0xC1, (_RESET, _RESET), (integer(0), integer(1))),
    g.ActionRequestWithFirstPblock(0xC1, _RESET, _BLOCK),
    g.ActionRequestWithPblock(0xC1, Datablock(True, 2, bytes(5))),
    g.ActionResponseNormal(0xC1, g.ActionAnswer(0)),
    g.ActionResponseNormal(0xC1, g.ActionAnswer(0, octet_string(bytes(16)))),
    g.ActionResponseNormal(0xC1, g.ActionAnswer(3, DataAccessError(3))),
    g.ActionResponseWithPblock(0xC1, Datablock(False, 1, bytes(5))),
    g.ActionResponseWithList(0xC1, (g.ActionAnswer(0), g.ActionAnswer(3))),
    g.ActionResponseNextPblock(0xC1, 1),
    DataNotification(1, b"", array([_ROW])),
    DataNotification(0x40000001, _MOMENT, unsigned(5)),
    EventNotification(_MOMENT, _REGISTER, unsigned(5)),
    EventNotification(None, _REGISTER, unsigned(5)),
    ExceptionResponse(1, 2),
    ExceptionResponse(1, 6, 77),
    AccessRequest(0x40000001, b"", (AccessGet(_REGISTER), AccessSet(_PROFILE)), (Data(0), unsigned(1))),
    AccessResponse(0x40000001, b"", None, (unsigned(5), Data(0)), (AccessOutcome(1, 0), AccessOutcome(2, 3))),
    ReadRequest((VariableName(0xFA08), ParameterizedAccess(0x3008, 2, _SELECTED.parameters))),
    WriteRequest((VariableName(0xFA08),), (long_unsigned(5),)),
    ReadResponse((unsigned(5), DataAccessError(3))),
    WriteResponse((None, DataAccessError(3))),
    InitiateRequest(0x1E1D, 1024),
    InitiateRequest(0x1E1D, 1024, bytes(range(16))),
    InitiateResponse(0x1E1D, 1024),
    ConfirmedServiceError(1, 6, 1),
    Aarq(1, encode(InitiateRequest(0x1E1D, 1024))),
    Aarq(1, encode(InitiateRequest(0x1E1D, 1024)), 1, b"12345678", authentication_required=True),
    Aarq(
        1,
        encode(InitiateRequest(0x1E1D, 1024)),
        5,
        b"0123456789abcdef",
        calling_ap_title=_TITLE,
        authentication_required=True,
    ),
    Aare(1, 0, Diagnostic(1, 0), encode(InitiateResponse(0x1E1D, 1024))),
    Aare(
        1,
        0,
        Diagnostic(1, 14),
        encode(InitiateResponse(0x1E1D, 1024)),
        5,
        b"0123456789abcdef",
        responding_ap_title=_TITLE,
        authentication_required=True,
    ),
    Aare(1, 1, Diagnostic(1, 13)),
    Rlrq(0),
    Rlre(0),
    GeneralBlockTransfer(False, True, 5, 1, 0, bytes(20)),
    GatewayRequest(3, b"\x12\x34", encode(g.GetRequestNormal(0xC1, _REGISTER))),
)
