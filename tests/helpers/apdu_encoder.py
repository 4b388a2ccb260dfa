"""An encoder of APDUs for tests, written from the abstract syntax and sharing nothing with the decoder.

Typed values are pairs (type name, value); the functions return octets. Sequences of pairs make structures
and arrays. Everything is the shortest form unless asked otherwise.
"""

import struct
from collections.abc import Sequence
from typing import Any

TYPE_TAGS = {
    "null-data": 0,
    "array": 1,
    "structure": 2,
    "boolean": 3,
    "bit-string": 4,
    "double-long": 5,
    "double-long-unsigned": 6,
    "octet-string": 9,
    "visible-string": 10,
    "utf8-string": 12,
    "bcd": 13,
    "integer": 15,
    "long": 16,
    "unsigned": 17,
    "long-unsigned": 18,
    "compact-array": 19,
    "long64": 20,
    "long64-unsigned": 21,
    "enum": 22,
    "float32": 23,
    "float64": 24,
    "date-time": 25,
    "date": 26,
    "time": 27,
    "delta-integer": 28,
    "delta-long": 29,
    "delta-double-long": 30,
    "delta-unsigned": 31,
    "delta-long-unsigned": 32,
    "delta-double-long-unsigned": 33,
    "dont-care": 255,
}

#: struct layouts of the types that are numbers.
LAYOUTS = {
    "boolean": ">?",
    "double-long": ">i",
    "double-long-unsigned": ">I",
    "bcd": ">B",
    "integer": ">b",
    "long": ">h",
    "unsigned": ">B",
    "long-unsigned": ">H",
    "long64": ">q",
    "long64-unsigned": ">Q",
    "enum": ">B",
    "float32": ">f",
    "float64": ">d",
    "delta-integer": ">b",
    "delta-long": ">h",
    "delta-double-long": ">i",
    "delta-unsigned": ">B",
    "delta-long-unsigned": ">H",
    "delta-double-long-unsigned": ">I",
}

Typed = tuple[str, Any]


def length(number: int) -> bytes:
    """A length or a count, shortest form."""
    if number < 0x80:
        return bytes([number])
    octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return bytes([0x80 + len(octets)]) + octets


def octet_string(octets: bytes) -> bytes:
    """Length and octets."""
    return length(len(octets)) + octets


def content(kind: str, value: Any) -> bytes:
    """A value without its type."""
    if kind in LAYOUTS:
        return struct.pack(LAYOUTS[kind], value)
    if kind in ("null-data", "dont-care"):
        return b""
    if kind == "bit-string":
        padded = value + "0" * (-len(value) % 8)
        return length(len(value)) + bytes(int(padded[at : at + 8], 2) for at in range(0, len(padded), 8))
    if kind in ("octet-string",):
        return octet_string(value)
    if kind in ("visible-string", "utf8-string"):
        return octet_string(value.encode("utf-8" if kind == "utf8-string" else "latin-1"))
    if kind in ("date-time", "date", "time"):
        return bytes(value)
    if kind in ("array", "structure"):
        return length(len(value)) + b"".join(map(data, value))
    raise ValueError(kind)


def data(typed: Typed) -> bytes:
    """A value with its type before it."""
    kind, value = typed
    return bytes([TYPE_TAGS[kind]]) + content(kind, value)


def compact_array(description: bytes, contents: bytes) -> bytes:
    """A compact array of a type description and contents."""
    return b"\x13" + description + octet_string(contents)


def descriptor(class_id: int, instance: bytes, member: int) -> bytes:
    """Class, logical name, attribute (may be negative) or method."""
    return struct.pack(">H6sB", class_id, instance, member & 0xFF)


def optional(part: bytes | None) -> bytes:
    """00, or 01 and the part."""
    return b"\x00" if part is None else b"\x01" + part


def sequence(parts: Sequence[bytes]) -> bytes:
    """Count and parts."""
    return length(len(parts)) + b"".join(parts)


def block(last: bool, number: int, octets: bytes) -> bytes:
    """A datablock of SET or ACTION."""
    return bytes([last]) + number.to_bytes(4, "big") + octet_string(octets)


def selection(selector: int, parameters: Typed) -> bytes:
    """A selector and its parameters."""
    return bytes([selector]) + data(parameters)


def get_request(reference: tuple[int, bytes, int], access: bytes | None = None, invoke: int = 0xC1) -> bytes:
    """GET-Request-Normal."""
    return bytes([0xC0, 1, invoke]) + descriptor(*reference) + optional(access)


def get_request_list(
    items: Sequence[tuple[tuple[int, bytes, int], bytes | None]], invoke: int = 0xC1
) -> bytes:
    """GET-Request-With-List."""
    return bytes([0xC0, 3, invoke]) + sequence([descriptor(*ref) + optional(access) for ref, access in items])


def data_result(result: Typed | int) -> bytes:
    """Get-Data-Result: a value, or a code."""
    return bytes([1, result]) if isinstance(result, int) else b"\x00" + data(result)


def get_response(result: Typed | int, invoke: int = 0xC1) -> bytes:
    """GET-Response-Normal."""
    return bytes([0xC4, 1, invoke]) + data_result(result)


def get_response_list(results: Sequence[Typed | int], invoke: int = 0xC1) -> bytes:
    """GET-Response-With-List."""
    return bytes([0xC4, 3, invoke]) + sequence([data_result(result) for result in results])


def get_response_block(last: bool, number: int, octets: bytes | int, invoke: int = 0xC1) -> bytes:
    """GET-Response-With-Datablock: octets, or a code."""
    head = bytes([0xC4, 2, invoke, last]) + number.to_bytes(4, "big")
    return head + (bytes([1, octets]) if isinstance(octets, int) else b"\x00" + octet_string(octets))


def set_request(
    reference: tuple[int, bytes, int], value: Typed, access: bytes | None = None, invoke: int = 0xC1
) -> bytes:
    """SET-Request-Normal."""
    return bytes([0xC1, 1, invoke]) + descriptor(*reference) + optional(access) + data(value)


def action_request(
    reference: tuple[int, bytes, int], parameters: Typed | None = None, invoke: int = 0xC1
) -> bytes:
    """ACTION-Request-Normal."""
    part = None if parameters is None else data(parameters)
    return bytes([0xC3, 1, invoke]) + descriptor(*reference) + optional(part)


def action_response(code: int, result: Typed | int | None = None, invoke: int = 0xC1) -> bytes:
    """ACTION-Response-Normal."""
    part = None if result is None else data_result(result)
    return bytes([0xC7, 1, invoke, code]) + optional(part)


def data_notification(body: Typed, moment: bytes = b"", invoke: int = 1) -> bytes:
    """Data-Notification."""
    return b"\x0f" + invoke.to_bytes(4, "big") + octet_string(moment) + data(body)


def access_request(
    specifications: Sequence[tuple[int, tuple[int, bytes, int], bytes]],
    values: Sequence[Typed],
    moment: bytes = b"",
    invoke: int = 1,
) -> bytes:
    """Access-Request: (choice, reference, selection or nothing) and as many values."""
    parts = [bytes([choice]) + descriptor(*ref) + access for choice, ref, access in specifications]
    head = b"\xd9" + invoke.to_bytes(4, "big") + octet_string(moment)
    return head + sequence(parts) + sequence([data(value) for value in values])


def access_response(
    values: Sequence[Typed], results: Sequence[tuple[int, int]], moment: bytes = b"", invoke: int = 1
) -> bytes:
    """Access-Response: values, and (choice, code) for each."""
    head = b"\xda" + invoke.to_bytes(4, "big") + octet_string(moment) + b"\x00"
    return head + sequence([data(value) for value in values]) + sequence([bytes(pair) for pair in results])


def event_notification(reference: tuple[int, bytes, int], value: Typed, moment: bytes | None = None) -> bytes:
    """EventNotificationRequest."""
    time = None if moment is None else octet_string(moment)
    return b"\xc2" + optional(time) + descriptor(*reference) + data(value)


def block_transfer(
    last: bool, number: int, octets: bytes, *, acknowledged: int = 0, window: int = 1
) -> bytes:
    """General-Block-Transfer."""
    return struct.pack(">BBHH", 0xE0, last << 7 | window, number, acknowledged) + octet_string(octets)


def ciphered(
    tag: int, control: int, counter: int, text: bytes, mark: bytes = b"", title: bytes | None = None
) -> bytes:
    """A ciphered service, or with a title a general- one."""
    body = bytes([control]) + counter.to_bytes(4, "big") + text + mark
    return bytes([tag]) + (b"" if title is None else octet_string(title)) + octet_string(body)


def general_ciphering(
    header: Sequence[bytes],
    key_info: bytes | None,
    control: int,
    counter: int,
    text: bytes,
    mark: bytes = b"",
) -> bytes:
    """General-Ciphering: five octet strings of header, an encoded Key-Info, the protected text."""
    body = bytes([control]) + counter.to_bytes(4, "big") + text + mark
    return b"\xdd" + b"".join(map(octet_string, header)) + optional(key_info) + octet_string(body)


def gateway(response: bool, network: int, device: bytes, apdu: bytes) -> bytes:
    """A gateway prefix and an APDU."""
    return bytes([0xE6 + response, network]) + octet_string(device) + apdu


# BER.


def element(tag: int, octets: bytes, *, long: bool = False, indefinite: bool = False) -> bytes:
    """A BER element; `long` takes a longer form of length than needed."""
    if indefinite:
        return bytes([tag, 0x80]) + octets + b"\x00\x00"
    size = b"\x82" + len(octets).to_bytes(2, "big") if long else length(len(octets))
    return bytes([tag]) + size + octets


def object_identifier(group: int, last: int) -> bytes:
    """2.16.756.5.8.group.last without tag and length."""
    return bytes.fromhex("6085740508") + bytes([group, last])


def initiate_request(
    *,
    key: bytes | None = None,
    allowed: bool | None = None,
    quality: int | None = None,
    conformance: int = 0x00181D,
    size: int = 0x0400,
) -> bytes:
    """InitiateRequest."""
    return (
        b"\x01"
        + optional(None if key is None else octet_string(key))
        + optional(None if allowed is None else bytes([allowed]))
        + optional(None if quality is None else bytes([quality]))
        + bytes.fromhex("065f1f0400")
        + conformance.to_bytes(3, "big")
        + size.to_bytes(2, "big")
    )


def initiate_response(*, conformance: int = 0x00181D, size: int = 0x0400, name: int = 7) -> bytes:
    """InitiateResponse."""
    return (
        bytes.fromhex("0800065f1f0400")
        + conformance.to_bytes(3, "big")
        + size.to_bytes(2, "big")
        + name.to_bytes(2, "big")
    )


def aarq(*elements: bytes, context: int = 1, user_information: bytes | None = None, **form: bool) -> bytes:
    """AARQ: the application context, further elements as given, user-information."""
    parts = element(0xA1, element(0x06, object_identifier(1, context))) + b"".join(elements)
    if user_information is not None:
        parts += element(0xBE, element(0x04, user_information))
    return element(0x60, parts, **form)


def aare(
    result: int,
    diagnostic: int,
    *elements: bytes,
    provider: bool = False,
    context: int = 1,
    user_information: bytes | None = None,
    **form: bool,
) -> bytes:
    """AARE: context, result, diagnostic of the user or the provider, further elements, user-information."""
    parts = (
        element(0xA1, element(0x06, object_identifier(1, context)))
        + element(0xA2, element(0x02, bytes([result])))
        + element(0xA3, element(0xA1 + provider, element(0x02, bytes([diagnostic]))))
        + b"".join(elements)
    )
    if user_information is not None:
        parts += element(0xBE, element(0x04, user_information))
    return element(0x61, parts, **form)
