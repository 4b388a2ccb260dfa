"""Every APDU of IEC 62056-5-3 by its first octet: `encode` makes octets of a value, `parse` the reverse.

    encode(GetRequestNormal(0xC1, Reference(3, bytes.fromhex("0100010800ff"), 2)))
    parse(bytes.fromhex("c001c100030100010800ff0200"))

Both are strict and know nothing of keys: a protected APDU is parsed as it stands, ciphered.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from cosemscope.apdu.names import tags as t
from cosemscope.application.encoding import (
    acse_apdus,
    carrier_apdus,
    get_set_action,
    initiate_apdus,
    notifications,
    protected_apdus,
    short_name_apdus,
)
from cosemscope.application.encoding.data_codec import read_data, write_data
from cosemscope.application.encoding.data_values import Data
from cosemscope.application.encoding.octet_codecs import REFUSALS, Choices, Codec, EncodeError
from cosemscope.application.encoding.octet_reader import OctetReader
from cosemscope.application.encoding.protected_apdus import CIPHERED_TAGS, CipheredService

#: An APDU as a value: one of the classes in `APDU_CLASSES`.
ApduValue: TypeAlias = Any

_SINGLE: dict[int, tuple[type, Codec[Any]]] = {
    t.INITIATE_REQUEST: (initiate_apdus.InitiateRequest, initiate_apdus.INITIATE_REQUEST),
    t.READ_REQUEST: (short_name_apdus.ReadRequest, short_name_apdus.READ_REQUEST),
    t.WRITE_REQUEST: (short_name_apdus.WriteRequest, short_name_apdus.WRITE_REQUEST),
    t.INITIATE_RESPONSE: (initiate_apdus.InitiateResponse, initiate_apdus.INITIATE_RESPONSE),
    t.READ_RESPONSE: (short_name_apdus.ReadResponse, short_name_apdus.READ_RESPONSE),
    t.WRITE_RESPONSE: (short_name_apdus.WriteResponse, short_name_apdus.WRITE_RESPONSE),
    t.CONFIRMED_SERVICE_ERROR: (
        initiate_apdus.ConfirmedServiceError,
        initiate_apdus.CONFIRMED_SERVICE_ERROR,
    ),
    t.DATA_NOTIFICATION: (notifications.DataNotification, notifications.DATA_NOTIFICATION),
    t.DATA_NOTIFICATION_CONFIRM: (
        notifications.DataNotificationConfirm,
        notifications.DATA_NOTIFICATION_CONFIRM,
    ),
    t.UNCONFIRMED_WRITE_REQUEST: (
        short_name_apdus.UnconfirmedWriteRequest,
        short_name_apdus.UNCONFIRMED_WRITE_REQUEST,
    ),
    t.INFORMATION_REPORT: (short_name_apdus.InformationReport, short_name_apdus.INFORMATION_REPORT),
    t.AARQ: (acse_apdus.Aarq, acse_apdus.AARQ_CODEC),
    t.AARE: (acse_apdus.Aare, acse_apdus.AARE_CODEC),
    t.RLRQ: (acse_apdus.Rlrq, acse_apdus.RLRQ_CODEC),
    t.RLRE: (acse_apdus.Rlre, acse_apdus.RLRE_CODEC),
    t.ABRT: (acse_apdus.Abrt, acse_apdus.ABRT_CODEC),
    t.EVENT_NOTIFICATION: (notifications.EventNotification, notifications.EVENT_NOTIFICATION),
    t.EXCEPTION_RESPONSE: (notifications.ExceptionResponse, notifications.EXCEPTION_RESPONSE),
    t.ACCESS_REQUEST: (notifications.AccessRequest, notifications.ACCESS_REQUEST),
    t.ACCESS_RESPONSE: (notifications.AccessResponse, notifications.ACCESS_RESPONSE),
    t.GENERAL_GLO: (protected_apdus.GeneralGloCiphering, protected_apdus.GENERAL_GLO_CIPHERING),
    t.GENERAL_DED: (protected_apdus.GeneralDedCiphering, protected_apdus.GENERAL_DED_CIPHERING),
    t.GENERAL_CIPHERING: (protected_apdus.GeneralCiphering, protected_apdus.GENERAL_CIPHERING),
    t.GENERAL_SIGNING: (protected_apdus.GeneralSigning, protected_apdus.GENERAL_SIGNING),
    t.GENERAL_BLOCK_TRANSFER: (carrier_apdus.GeneralBlockTransfer, carrier_apdus.GENERAL_BLOCK_TRANSFER),
    t.GATEWAY_REQUEST: (carrier_apdus.GatewayRequest, carrier_apdus.GATEWAY_REQUEST),
    t.GATEWAY_RESPONSE: (carrier_apdus.GatewayResponse, carrier_apdus.GATEWAY_RESPONSE),
}
_CHOICES: dict[int, Choices] = {
    t.GET_REQUEST: get_set_action.GET_REQUEST,
    t.SET_REQUEST: get_set_action.SET_REQUEST,
    t.ACTION_REQUEST: get_set_action.ACTION_REQUEST,
    t.GET_RESPONSE: get_set_action.GET_RESPONSE,
    t.SET_RESPONSE: get_set_action.SET_RESPONSE,
    t.ACTION_RESPONSE: get_set_action.ACTION_RESPONSE,
}

_Write: TypeAlias = Callable[[bytearray, Any], None]


def _service(tag: int) -> Callable[[OctetReader], CipheredService]:
    return lambda reader: CipheredService(tag, protected_apdus.PROTECTED.read(reader))


_READS: dict[int, Callable[[OctetReader], Any]] = {
    **{tag: codec.read for tag, (_, codec) in _SINGLE.items()},
    **{tag: choices.read for tag, choices in _CHOICES.items()},
    **{tag: _service(tag) for tag in CIPHERED_TAGS},
}
_WRITES: dict[type, tuple[int, _Write]] = {
    **{kind: (tag, codec.write) for tag, (kind, codec) in _SINGLE.items()},
    **{kind: (tag, choices.write) for tag, choices in _CHOICES.items() for kind in choices.classes},
}
#: The classes of APDUs.
APDU_CLASSES: tuple[type, ...] = (*_WRITES, CipheredService)


def encode(apdu: ApduValue) -> bytes:
    """The octets of an APDU; raises EncodeError, which names class and field and shows no value."""
    tag, write = _WRITES.get(type(apdu)) or _writing_service(apdu)
    out = bytearray((tag,))
    try:
        write(out, apdu)
    except EncodeError:
        raise
    except REFUSALS as reason:
        words = f"a field of {type(apdu).__name__} is out of range or of another type"
        raise EncodeError(f"{words} ({type(reason).__name__})") from None
    return bytes(out)


def _writing_service(apdu: ApduValue) -> tuple[int, _Write]:
    """Tag and content of a ciphered service, whose class is one for all tags."""
    if not isinstance(apdu, CipheredService):
        raise EncodeError(f"{type(apdu).__name__} is no APDU")
    if apdu.tag not in CIPHERED_TAGS:
        raise EncodeError(f"tag of CipheredService is that of no glo- or ded- service: {apdu.tag!r}")
    return apdu.tag, _write_service


def _write_service(out: bytearray, apdu: CipheredService) -> None:
    protected_apdus.PROTECTED.write(out, apdu.protected)


def parse(octets: bytes) -> ApduValue:
    """The value of an APDU; raises ParseError, which names the octet and what was expected there."""
    reader = OctetReader(octets)
    tag = reader.octet("the tag of an APDU")
    read = _READS.get(tag)
    if read is None:
        raise reader.unexpected(tag, "the tag of an APDU")
    value = read(reader)
    if reader.position != reader.end:
        reader.finish("APDU")
    return value


def encode_data(data: Data) -> bytes:
    """The octets of a value of Data; raises EncodeError."""
    out = bytearray()
    write_data(out, data)
    return bytes(out)


def parse_data(octets: bytes) -> Data:
    """The value of Data that these octets are to the last; raises ParseError."""
    reader = OctetReader(octets)
    data = read_data(reader)
    reader.finish("value")
    return data
