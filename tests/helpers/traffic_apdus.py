"""DLMS/COSEM encoded for test traffic: data types, APDUs, ciphering, WPDUs and HDLC frames as plain bytes.

An encoder of its own, written from the ASN.1 of the Green Book and independent
of the package, so that what the package decodes was not made by itself.
"""

import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def length(count: int) -> bytes:
    """A-XDR and BER length of `count`."""
    if count < 0x80:
        return bytes((count,))
    octets = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets


def sized(octets: bytes) -> bytes:
    """`octets` with their length before them."""
    return length(len(octets)) + octets


def tlv(tag: int, octets: bytes) -> bytes:
    """BER: tag, length, content."""
    return bytes((tag,)) + sized(octets)


# Data types (Green Book, Data ::= CHOICE).

NULL = b"\x00"


def array(*items: bytes) -> bytes:
    return b"\x01" + length(len(items)) + b"".join(items)


def structure(*items: bytes) -> bytes:
    return b"\x02" + length(len(items)) + b"".join(items)


def boolean(value: bool) -> bytes:
    return bytes((3, value))


def double_long(value: int) -> bytes:
    return struct.pack("!Bi", 5, value)


def double_long_unsigned(value: int) -> bytes:
    return struct.pack("!BI", 6, value)


def octet_string(octets: bytes) -> bytes:
    return b"\x09" + sized(octets)


def visible_string(text: str) -> bytes:
    return b"\x0a" + sized(text.encode("ascii"))


def integer(value: int) -> bytes:
    return struct.pack("!Bb", 15, value)


def long(value: int) -> bytes:
    return struct.pack("!Bh", 16, value)


def unsigned(value: int) -> bytes:
    return bytes((17, value))


def long_unsigned(value: int) -> bytes:
    return struct.pack("!BH", 18, value)


def compact_array(description: bytes, contents: bytes) -> bytes:
    return b"\x13" + description + sized(contents)


def long64_unsigned(value: int) -> bytes:
    return struct.pack("!BQ", 21, value)


def enum(value: int) -> bytes:
    return bytes((22, value))


def float32(value: float) -> bytes:
    return struct.pack("!Bf", 23, value)


def float64(value: float) -> bytes:
    return struct.pack("!Bd", 24, value)


def date_time(year: int, month: int, day: int, hour: int, minute: int, second: int = 0) -> bytes:
    """The 12 octets of a date-time at UTC+1 (deviation -60), weekday not given, status 0."""
    return struct.pack("!HBBBBBBBhB", year, month, day, 0xFF, hour, minute, second, 0, -60, 0)


def scaler_unit(scaler: int, unit: int) -> bytes:
    return structure(integer(scaler), enum(unit))


def obis(text: str) -> bytes:
    """`1.0.1.8.0.255` as six octets."""
    return bytes(int(part) for part in text.split("."))


def attribute(class_id: int, name: str, number: int) -> bytes:
    """A COSEM attribute (or method) descriptor: class, logical name, number."""
    return struct.pack("!H", class_id) + obis(name) + bytes((number,))


# xDLMS services. `invoke` is the whole invoke-id-and-priority octet.


def get_request(invoke: int, class_id: int, name: str, number: int = 2, selection: bytes = b"") -> bytes:
    access = b"\x01" + selection if selection else b"\x00"
    return bytes((0xC0, 1, invoke)) + attribute(class_id, name, number) + access


def get_next(invoke: int, block: int) -> bytes:
    return struct.pack("!BBBI", 0xC0, 2, invoke, block)


def get_list_request(invoke: int, attributes: list[tuple[int, str, int]]) -> bytes:
    return (
        bytes((0xC0, 3, invoke))
        + length(len(attributes))
        + b"".join(attribute(*one) + b"\0" for one in attributes)
    )


def get_response(invoke: int, data: bytes) -> bytes:
    return bytes((0xC4, 1, invoke, 0)) + data


def get_error(invoke: int, result: int) -> bytes:
    return bytes((0xC4, 1, invoke, 1, result))


def get_block(invoke: int, last: bool, block: int, raw: bytes) -> bytes:
    return struct.pack("!BBBBIB", 0xC4, 2, invoke, last, block, 0) + sized(raw)


def get_list_response(invoke: int, results: list[bytes | int]) -> bytes:
    """`results` are data, or the number of an error."""
    body = b"".join(bytes((1, one)) if isinstance(one, int) else b"\0" + one for one in results)
    return bytes((0xC4, 3, invoke)) + length(len(results)) + body


def set_request(invoke: int, class_id: int, name: str, number: int, data: bytes) -> bytes:
    return bytes((0xC1, 1, invoke)) + attribute(class_id, name, number) + b"\0" + data


def set_response(invoke: int, result: int = 0) -> bytes:
    return bytes((0xC5, 1, invoke, result))


def set_first_block(invoke: int, class_id: int, name: str, number: int, raw: bytes) -> bytes:
    start = bytes((0xC1, 2, invoke)) + attribute(class_id, name, number) + b"\0"
    return start + struct.pack("!BI", 0, 1) + sized(raw)


def set_block(invoke: int, last: bool, block: int, raw: bytes) -> bytes:
    return struct.pack("!BBBBI", 0xC1, 3, invoke, last, block) + sized(raw)


def set_block_response(invoke: int, block: int) -> bytes:
    return struct.pack("!BBBI", 0xC5, 2, invoke, block)


def set_last_block_response(invoke: int, block: int, result: int = 0) -> bytes:
    return struct.pack("!BBBBI", 0xC5, 3, invoke, result, block)


def action_request(invoke: int, class_id: int, name: str, number: int, data: bytes | None = None) -> bytes:
    parameters = b"\0" if data is None else b"\1" + data
    return bytes((0xC3, 1, invoke)) + attribute(class_id, name, number) + parameters


def action_response(invoke: int, result: int = 0, data: bytes | None = None) -> bytes:
    returned = b"\0" if data is None else b"\1\0" + data
    return bytes((0xC7, 1, invoke, result)) + returned


def access_request(invoke: int, attributes: list[tuple[int, str, int]]) -> bytes:
    """An ACCESS that GETs each of `attributes`; `invoke` is the long-invoke-id-and-priority."""
    specifications = b"".join(b"\1" + attribute(*one) for one in attributes)
    return (
        struct.pack("!BIB", 0xD9, invoke, 0)
        + length(len(attributes))
        + specifications
        + length(len(attributes))
        + NULL * len(attributes)
    )


def access_response(invoke: int, values: list[bytes]) -> bytes:
    return (
        struct.pack("!BIBB", 0xDA, invoke, 0, 0)
        + length(len(values))
        + b"".join(values)
        + length(len(values))
        + b"\1\0" * len(values)
    )


def data_notification(invoke: int, time: bytes, body: bytes) -> bytes:
    return struct.pack("!BI", 0x0F, invoke) + sized(time) + body


def event_notification(time: bytes, class_id: int, name: str, number: int, data: bytes) -> bytes:
    when = b"\1" + sized(time) if time else b"\0"
    return b"\xc2" + when + attribute(class_id, name, number) + data


def exception_response(state: int, service: int) -> bytes:
    return bytes((0xD8, state, service))


def initiate_request(pdu_size: int = 0x0400, conformance: int = 0x007E1F) -> bytes:
    proposed = b"\x5f\x1f\x04\x00" + conformance.to_bytes(3, "big")
    return b"\x01\x00\x00\x00\x06" + proposed + struct.pack("!H", pdu_size)


def initiate_response(pdu_size: int = 0x0400, conformance: int = 0x00501F) -> bytes:
    negotiated = b"\x5f\x1f\x04\x00" + conformance.to_bytes(3, "big")
    return b"\x08\x00\x06" + negotiated + struct.pack("!H", pdu_size) + b"\x00\x07"


#: A ConfirmedServiceError: initiateError, initiate: other.
INITIATE_REFUSED = bytes((0x0E, 1, 6, 0))


# ACSE.

_CONTEXT = bytes.fromhex("608574050801")
_MECHANISM = bytes.fromhex("608574050802")


def aarq(
    user_information: bytes = b"",
    *,
    context: int = 1,
    mechanism: int = 0,
    title: bytes = b"",
    authentication: bytes = b"",
) -> bytes:
    """`authentication` is the password (mechanism 1) or the challenge (2 and more)."""
    parts = [tlv(0xA1, tlv(6, _CONTEXT + bytes((context,))))]
    if title:
        parts.append(tlv(0xA6, tlv(4, title)))
    if mechanism:
        parts.append(tlv(0x8A, b"\x07\x80") + tlv(0x8B, _MECHANISM + bytes((mechanism,))))
        parts.append(tlv(0xAC, tlv(0x80, authentication)))
    parts.append(tlv(0xBE, tlv(4, user_information or initiate_request())))
    return tlv(0x60, b"".join(parts))


def aare(
    user_information: bytes = b"",
    *,
    context: int = 1,
    mechanism: int = 0,
    title: bytes = b"",
    authentication: bytes = b"",
    result: int = 0,
    diagnostic: int = 0,
) -> bytes:
    parts = [
        tlv(0xA1, tlv(6, _CONTEXT + bytes((context,)))),
        tlv(0xA2, tlv(2, bytes((result,)))),
        tlv(0xA3, tlv(0xA1, tlv(2, bytes((diagnostic,))))),
    ]
    if title:
        parts.append(tlv(0xA4, tlv(4, title)))
    if mechanism:
        parts.append(tlv(0x88, b"\x07\x80") + tlv(0x89, _MECHANISM + bytes((mechanism,))))
        parts.append(tlv(0xAA, tlv(0x80, authentication)))
    parts.append(tlv(0xBE, tlv(4, user_information or initiate_response())))
    return tlv(0x61, b"".join(parts))


RLRQ = tlv(0x62, tlv(0x80, b"\0"))
RLRE = tlv(0x63, tlv(0x80, b"\0"))


class Cipher:
    """One end's ciphering with suite 0: its system title, the two keys, and a counter that goes up."""

    AUTHENTICATED, ENCRYPTED, BOTH = 0x10, 0x20, 0x30

    def __init__(self, title: bytes, encryption: bytes, authentication: bytes, counter: int = 1) -> None:
        self.title = title
        self._gcm = AESGCM(encryption)
        self._authentication = authentication
        self._counter = counter

    def seal(self, plain: bytes, control: int = BOTH) -> bytes:
        """Security header and protected content; the counter is used up."""
        header = struct.pack("!BI", control, self._counter)
        nonce = self.title + header[1:]
        self._counter += 1
        if control == self.ENCRYPTED:
            return header + self._gcm.encrypt(nonce, plain, b"")[:-16]
        associated = header[:1] + self._authentication
        if control == self.AUTHENTICATED:
            return header + plain + self._gcm.encrypt(nonce, b"", associated + plain)[:12]
        sealed = self._gcm.encrypt(nonce, plain, associated)
        return header + sealed[:-4]

    def glo(self, tag: int, plain: bytes, control: int = BOTH) -> bytes:
        """A service-specific glo- APDU: `tag`, length, sealed APDU."""
        return bytes((tag,)) + sized(self.seal(plain, control))

    def general_glo(self, plain: bytes, control: int = BOTH) -> bytes:
        return b"\xdb" + sized(self.title) + sized(self.seal(plain, control))

    def gmac(self, challenge: bytes) -> bytes:
        """The answer to an HLS-GMAC challenge: security control, counter, authentication tag."""
        header = struct.pack("!BI", self.AUTHENTICATED, self._counter)
        self._counter += 1
        associated = header[:1] + self._authentication + challenge
        return header + self._gcm.encrypt(self.title + header[1:], b"", associated)[:12]


def wpdu(source: int, destination: int, apdu: bytes, version: int = 1) -> bytes:
    """The wrapper of IEC 62056-4-7 around an APDU."""
    return struct.pack("!HHHH", version, source, destination, len(apdu)) + apdu


def hdlc_crc(octets: bytes) -> bytes:
    """The frame check sequence of ISO/IEC 13239 (CRC-16/X-25), low octet first."""
    crc = 0xFFFF
    for octet in octets:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return struct.pack("<H", crc ^ 0xFFFF)


def hdlc_frame(destination: int, source: int, control: int, information: bytes = b"") -> bytes:
    """An HDLC frame of format type 3 with one-octet addresses (given as numbers up to 127)."""
    size = 2 + 2 + 1 + 2 + (len(information) + 2 if information else 0)
    head = struct.pack("!HBBB", 0xA000 | size, destination << 1 | 1, source << 1 | 1, control)
    body = head + hdlc_crc(head)
    if information:
        body += information
        body += hdlc_crc(body)
    return b"\x7e" + body + b"\x7e"
