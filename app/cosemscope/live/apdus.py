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
