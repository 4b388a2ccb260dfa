"""The first octet of an APDU: every tag of IEC 62056-5-3 and its name, as the ASN.1 of that standard has it.

xDLMS APDUs in clear, the same ciphered with a global (glo-) or a dedicated (ded-) key, the general-
envelopes, the five ACSE APDUs, and the two gateway prefixes that may stand before any of them.
"""

from types import MappingProxyType

#: xDLMS services in clear that have a ciphered twin: tag -> name.
_SHORT_NAME_SERVICES = {
    0x01: "initiateRequest",
    0x05: "readRequest",
    0x06: "writeRequest",
    0x08: "initiateResponse",
    0x0C: "readResponse",
    0x0D: "writeResponse",
    0x0E: "confirmedServiceError",
    0x16: "unconfirmedWriteRequest",
    0x18: "informationReportRequest",
}
_LOGICAL_NAME_SERVICES = {
    0xC0: "get-request",
    0xC1: "set-request",
    0xC2: "event-notification-request",
    0xC3: "action-request",
    0xC4: "get-response",
    0xC5: "set-response",
    0xC7: "action-response",
}

#: Ciphered service -> the tag of the service inside: global key, and dedicated key.
GLO_SERVICES = MappingProxyType(
    {tag + 0x20: tag for tag in _SHORT_NAME_SERVICES} | {tag + 0x08: tag for tag in _LOGICAL_NAME_SERVICES}
)
DED_SERVICES = MappingProxyType(
    {tag + 0x40: tag for tag in _SHORT_NAME_SERVICES} | {tag + 0x10: tag for tag in _LOGICAL_NAME_SERVICES}
)

AARQ, AARE, RLRQ, RLRE, ABRT = 0x60, 0x61, 0x62, 0x63, 0x64
INITIATE_REQUEST, INITIATE_RESPONSE = 0x01, 0x08
READ_REQUEST, WRITE_REQUEST, READ_RESPONSE, WRITE_RESPONSE = 0x05, 0x06, 0x0C, 0x0D
CONFIRMED_SERVICE_ERROR = 0x0E
UNCONFIRMED_WRITE_REQUEST, INFORMATION_REPORT = 0x16, 0x18
DATA_NOTIFICATION, DATA_NOTIFICATION_CONFIRM = 0x0F, 0x10
GET_REQUEST, SET_REQUEST, EVENT_NOTIFICATION, ACTION_REQUEST = 0xC0, 0xC1, 0xC2, 0xC3
GET_RESPONSE, SET_RESPONSE, ACTION_RESPONSE = 0xC4, 0xC5, 0xC7
EXCEPTION_RESPONSE, ACCESS_REQUEST, ACCESS_RESPONSE = 0xD8, 0xD9, 0xDA
GENERAL_GLO, GENERAL_DED, GENERAL_CIPHERING = 0xDB, 0xDC, 0xDD
GENERAL_SIGNING, GENERAL_BLOCK_TRANSFER = 0xDF, 0xE0
GATEWAY_REQUEST, GATEWAY_RESPONSE = 0xE6, 0xE7

_PLAIN_SERVICES = _SHORT_NAME_SERVICES | _LOGICAL_NAME_SERVICES
_CIPHERED_SERVICES = {tag: f"glo-{_PLAIN_SERVICES[inner]}" for tag, inner in GLO_SERVICES.items()} | {
    tag: f"ded-{_PLAIN_SERVICES[inner]}" for tag, inner in DED_SERVICES.items()
}
_OTHER_APDUS = {
    DATA_NOTIFICATION: "data-notification",
    DATA_NOTIFICATION_CONFIRM: "data-notification-confirm",
    AARQ: "AARQ",
    AARE: "AARE",
    RLRQ: "RLRQ",
    RLRE: "RLRE",
    ABRT: "ABRT",
    EXCEPTION_RESPONSE: "exception-response",
    ACCESS_REQUEST: "access-request",
    ACCESS_RESPONSE: "access-response",
    GENERAL_GLO: "general-glo-ciphering",
    GENERAL_DED: "general-ded-ciphering",
    GENERAL_CIPHERING: "general-ciphering",
    GENERAL_SIGNING: "general-signing",
    GENERAL_BLOCK_TRANSFER: "general-block-transfer",
    GATEWAY_REQUEST: "gateway-request",
    GATEWAY_RESPONSE: "gateway-response",
}

#: Every first octet that is defined: tag -> name.
APDU_TAGS: dict[int, str] = dict(sorted((_PLAIN_SERVICES | _CIPHERED_SERVICES | _OTHER_APDUS).items()))

#: Who sends an APDU, by its first octet: the DLMS client, or the server. General- envelopes, ABRT and
#: general-block-transfer may come from either.
_CLIENT_SERVICES = {0x01, 0x05, 0x06, 0x16, GET_REQUEST, SET_REQUEST, ACTION_REQUEST}
_CIPHERED = {**GLO_SERVICES, **DED_SERVICES}
CLIENT_TAGS = frozenset(
    _CLIENT_SERVICES
    | {tag for tag, inner in _CIPHERED.items() if inner in _CLIENT_SERVICES}
    | {AARQ, RLRQ, ACCESS_REQUEST, DATA_NOTIFICATION_CONFIRM, GATEWAY_REQUEST}
)
_EITHER_TAGS = {ABRT, GENERAL_GLO, GENERAL_DED, GENERAL_CIPHERING, GENERAL_SIGNING, GENERAL_BLOCK_TRANSFER}
SERVER_TAGS = frozenset(APDU_TAGS.keys() - CLIENT_TAGS - _EITHER_TAGS)


def apdu_name(tag: int) -> str:
    """The name of an APDU's first octet; "unknown (0x54)" for one that the standard does not define."""
    return APDU_TAGS.get(tag) or f"unknown (0x{tag:02X})"
