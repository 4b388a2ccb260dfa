"""Initiate request and response, which the ACSE APDUs carry, and the error that answers instead."""

from typing import Any

from cosemscope.apdu.cursor import Break, Cursor
from cosemscope.apdu.names import codes
from cosemscope.apdu.names.tags import APDU_TAGS
from cosemscope.apdu.names.texts import hex_text
from cosemscope.apdu.services.parts import boolean, optional

CLAUSE = "IEC 62056-5-3, abstract syntax of Conformance"


def _dedicated_key(c: Cursor) -> tuple[Any, str]:
    size = c.length()
    key = c.leaf("value", size)
    if size not in (16, 32):
        c.warn(c.position - size, c.position, f"dedicated key: expected 16 or 32 octets, found {size}")
    return key, hex_text(key)


def _response_allowed(c: Cursor) -> tuple[Any, str]:
    allowed = boolean(c, "value")
    return allowed, "yes" if allowed else "no"


def _quality(c: Cursor) -> tuple[Any, str]:
    start = c.position
    quality = int.from_bytes(c.data[start : min(start + 1, c.end)], "big", signed=True)
    c.leaf("value", 1, quality)
    return quality, str(quality)


def read_conformance(c: Cursor, name: str) -> int:
    """A conformance block: [APPLICATION 31] (5F 1F; some send 5F alone), and a bit string of 24 bits."""
    c.open(name)
    start = c.position
    first = c.u8("tag")
    if first != 0x5F:
        raise c.unexpected("tag of the conformance block", first, "5F 1F ([APPLICATION 31])")
    if c.position < c.end and c.data[c.position] == 0x1F:
        c.u8("tag, second octet")
    else:
        c.warn(start, start + 1, f"tag of the conformance block at offset {start}: 5F without 1F", CLAUSE)
    size_at = c.position
    size = c.length()
    if size != 4:
        raise Break(
            size_at,
            c.position,
            f"expected a conformance block of 4 octets at offset {size_at}, found {size}",
            CLAUSE,
        )
    unused = c.u8("unused bits")
    if unused:
        c.warn(
            c.position - 1, c.position, f"expected no unused bits in the conformance block, found {unused}"
        )
    value = c.uint("value", 3)
    text = codes.conformance_text(value)
    c.children[-1] = c.children[-1]._replace(text=text)
    c.close(value, f"{value:06X}: {text}")
    return value


def _max_pdu(c: Cursor, name: str) -> str:
    """The size of the longest APDU that a side takes; 0 sets no limit."""
    size = c.uint(name, 2)
    if size:
        return str(size)
    c.children[-1] = c.children[-1]._replace(text="no limit")
    return "without limit"


def read_initiate_request(c: Cursor) -> tuple[Any, str]:
    """InitiateRequest."""
    c.u8("tag", APDU_TAGS)
    key = optional(c, "dedicated-key", _dedicated_key)
    start = c.position
    if optional(c, "response-allowed", _response_allowed) is None:
        field = c.children[-1]
        c.children[-1] = field._replace(value=True, text="yes (default)")
    elif c.children[-1].value is False:
        c.warn(start, c.position, "response-allowed is no: the server will not answer")
    optional(c, "proposed-quality-of-service", _quality)
    version = c.u8("proposed-dlms-version-number")
    read_conformance(c, "proposed-conformance")
    words = f"DLMS {version}, max PDU {_max_pdu(c, 'client-max-receive-pdu-size')}"
    return None, words + (", dedicated key" if key else "")


#: What the name of the virtual application association tells: with short names, that of its own object.
_VAA_NAMES = {0x0007: " (LN referencing)", 0xFA00: " (SN referencing, current association)"}


def read_initiate_response(c: Cursor) -> tuple[Any, str]:
    """InitiateResponse."""
    c.u8("tag", APDU_TAGS)
    optional(c, "negotiated-quality-of-service", _quality)
    version = c.u8("negotiated-dlms-version-number")
    read_conformance(c, "negotiated-conformance")
    size = _max_pdu(c, "server-max-receive-pdu-size")
    name = c.uint("vaa-name", 2)
    words = f"{name:04X}{_VAA_NAMES.get(name, '')}"
    c.children[-1] = c.children[-1]._replace(text=words)
    return None, f"DLMS {version}, max PDU {size}, VAA {words}"


_ERROR_KINDS = {number: name for number, (name, _) in codes.SERVICE_ERRORS.items()}


def read_confirmed_service_error(c: Cursor) -> tuple[Any, str]:
    """ConfirmedServiceError: which service, what kind of error, and the error."""
    c.u8("tag", APDU_TAGS)
    failed = c.code("service", codes.CONFIRMED_SERVICES)
    kind = c.code("service-error", _ERROR_KINDS)
    name, texts = codes.SERVICE_ERRORS.get(kind, (f"error {kind}", {}))
    error = c.code("value", texts) if texts else c.u8("value")
    return None, f"{codes.CONFIRMED_SERVICES.get(failed, failed)}, {name} {texts.get(error, error)}"
