"""The harmless APDUs that a test link sends by itself: the public client's AARQ, and RLRQ.

Built from their fields (ACSE in BER, xDLMS InitiateRequest in A-XDR; Green Book 9.4.2, 9.5). They open and
release an association without security at the lowest level and read nothing.
"""

_APPLICATION_CONTEXT_LN = bytes((0x60, 0x85, 0x74, 0x05, 0x08, 0x01, 0x01))  # 2.16.756.5.8.1.1
_DLMS_VERSION = 6
#: Proposed conformance: block transfer with get, set and action, multiple references, get, set, selective
#: access, action. A server answers with those of them that it allows.
_CONFORMANCE = 0x001E1D


def _tlv(tag: int, content: bytes) -> bytes:
    return bytes((tag, len(content))) + content


def public_aarq(max_pdu: int = 0xFFFF) -> bytes:
    """An AARQ of the public client: LN referencing, no ciphering, lowest security.

    `max_pdu` is the client-max-receive-pdu-size, in octets.
    """
    initiate = (
        bytes((0x01, 0x00, 0x00, 0x00, _DLMS_VERSION))
        + bytes((0x5F, 0x1F, 0x04, 0x00))
        + _CONFORMANCE.to_bytes(3, "big")
        + max_pdu.to_bytes(2, "big")
    )
    context = _tlv(0xA1, _tlv(0x06, _APPLICATION_CONTEXT_LN))
    information = _tlv(0xBE, _tlv(0x04, initiate))
    return _tlv(0x60, context + information)


def release_request() -> bytes:
    """An RLRQ with reason normal."""
    return _tlv(0x62, _tlv(0x80, b"\x00"))


def get_request(class_id: int, obis: str, attribute: int) -> bytes:
    """A GET-Request-Normal of one attribute, by class, OBIS code and number (Green Book 9.3.6)."""
    name = bytes(map(int, obis.split(".")))
    return bytes((0xC0, 0x01, 0xC1)) + class_id.to_bytes(2, "big") + name + bytes((attribute, 0x00))


def get_request_next(block: int) -> bytes:
    """A GET-Request-Next: go on behind the block with this number (Green Book 9.4.3)."""
    return bytes((0xC0, 0x02, 0xC1)) + block.to_bytes(4, "big")


#: APDUs to choose from by name. All of them only read.
READY_MADE: tuple[tuple[str, bytes], ...] = (
    ("AARQ, public client, logical names", public_aarq()),
    ("RLRQ, normal", release_request()),
    ("GET Clock, time", get_request(8, "0.0.1.0.0.255", 2)),
    ("GET COSEM logical device name", get_request(1, "0.0.42.0.0.255", 2)),
    ("GET SAP assignment, list", get_request(17, "0.0.41.0.0.255", 2)),
    ("GET association, object list", get_request(15, "0.0.40.0.0.255", 2)),
    ("GET association, status", get_request(15, "0.0.40.0.0.255", 8)),
    ("GET next, behind block 1", get_request_next(1)),
)
