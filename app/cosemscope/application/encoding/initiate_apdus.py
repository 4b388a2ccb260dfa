"""InitiateRequest, InitiateResponse and ConfirmedServiceError as values (IEC 62056-5-3)."""

from dataclasses import dataclass, field

from cosemscope.application.encoding.octet_codecs import (
    Codec,
    octet,
    octet_string,
    optional,
    record,
    record_in_order,
    unsigned_number,
)
from cosemscope.application.encoding.octet_reader import OctetReader, ParseError

DLMS_VERSION = 6
#: The vaa-name of associations with logical names, and with short names.
LOGICAL_NAMES, SHORT_NAMES = 0x0007, 0xFA00
#: [APPLICATION 31], length 4, no unused bits.
_CONFORMANCE_HEAD = b"\x5f\x1f\x04\x00"


@dataclass(frozen=True, slots=True)
class InitiateRequest:
    """What a client proposes: `conformance` of 24 bits, the longest APDU it takes (0: no limit)."""

    conformance: int
    max_pdu_size: int
    dedicated_key: bytes | None = field(default=None, repr=False)
    response_allowed: bool = True
    quality_of_service: int | None = None
    dlms_version: int = DLMS_VERSION


@dataclass(frozen=True, slots=True)
class InitiateResponse:
    """What a server agrees to: `conformance` of 24 bits, the longest APDU it takes (0: no limit)."""

    conformance: int
    max_pdu_size: int
    vaa_name: int = LOGICAL_NAMES
    quality_of_service: int | None = None
    dlms_version: int = DLMS_VERSION


@dataclass(frozen=True, slots=True)
class ConfirmedServiceError:
    """Which service failed and why: codes of `names.codes.CONFIRMED_SERVICES` and `SERVICE_ERRORS`."""

    service: int
    kind: int
    value: int


def _write_conformance(out: bytearray, value: int) -> None:
    out += _CONFORMANCE_HEAD + value.to_bytes(3, "big")


def _read_conformance(reader: OctetReader) -> int:
    at = reader.position
    head = reader.take(4, "the conformance block's head")
    if head != _CONFORMANCE_HEAD:
        raise ParseError(at, "5F 1F 04 00 (conformance block)", head.hex(" ").upper())
    return reader.number(3, "conformance block")


def _write_quality(out: bytearray, value: int) -> None:
    out += value.to_bytes(1, "big", signed=True)


def _read_quality(reader: OctetReader) -> int:
    return int.from_bytes(reader.take(1, "quality of service"), "big", signed=True)


def _write_allowed(out: bytearray, value: bool) -> None:
    # DEFAULT TRUE: true is left out.
    out += b"\0" if value else b"\1\0"


_CONFORMANCE = Codec(_write_conformance, _read_conformance)
_QUALITY = optional(Codec(_write_quality, _read_quality), "quality of service")
_KEY = optional(octet_string("dedicated-key"), "dedicated-key")
_FLAG = optional(octet("response-allowed"), "response-allowed")
_ALLOWED = Codec(_write_allowed, lambda reader: _FLAG.read(reader) != 0)
_VERSION = octet("DLMS version")
_SIZE = unsigned_number(2, "max PDU size")
_VAA = unsigned_number(2, "vaa-name")


INITIATE_REQUEST = record_in_order(
    InitiateRequest,
    dedicated_key=_KEY,
    response_allowed=_ALLOWED,
    quality_of_service=_QUALITY,
    dlms_version=_VERSION,
    conformance=_CONFORMANCE,
    max_pdu_size=_SIZE,
)
INITIATE_RESPONSE = record_in_order(
    InitiateResponse,
    quality_of_service=_QUALITY,
    dlms_version=_VERSION,
    conformance=_CONFORMANCE,
    max_pdu_size=_SIZE,
    vaa_name=_VAA,
)
CONFIRMED_SERVICE_ERROR = record(
    ConfirmedServiceError, octet("service"), octet("service-error"), octet("value")
)
