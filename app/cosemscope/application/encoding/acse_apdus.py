"""AARQ, AARE, RLRQ, RLRE and ABRT as values: ACSE in BER (X.690), each a table of its elements in order.

Elements may come in any order and are written in the standard's. `user_information` is an xDLMS APDU, as
octets: in clear, or ciphered. Lengths must be definite, names those of DLMS, passwords and challenges the
charstring form: whatever else is met in the field raises ParseError here and is for the decoder to show.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cosemscope.application.encoding.octet_codecs import REFUSALS, Codec, EncodeError, write_octets
from cosemscope.application.encoding.octet_reader import OctetReader, ParseError

_CONTEXT_ARCS = bytes.fromhex("608574050801")
_MECHANISM_ARCS = bytes.fromhex("608574050802")


@dataclass(frozen=True, slots=True)
class Aarq:
    """A request to associate.

    `context` and `mechanism` are the last arcs of their names (`names.codes.APPLICATION_CONTEXTS`,
    `MECHANISMS`). `calling_authentication_value` is the password or the challenge. The qualifier of the AE
    is a certificate with HLS-ECDSA, its invocation-id the number of the client's user.
    """

    context: int
    user_information: bytes | None = None
    mechanism: int | None = None
    calling_authentication_value: bytes | None = field(default=None, repr=False)
    calling_ap_title: bytes | None = None
    calling_ae_qualifier: bytes | None = None
    calling_ap_invocation_id: int | None = None
    calling_ae_invocation_id: int | None = None
    called_ap_title: bytes | None = None
    called_ae_qualifier: bytes | None = None
    called_ap_invocation_id: int | None = None
    called_ae_invocation_id: int | None = None
    authentication_required: bool | None = None
    protocol_version: str | None = None
    implementation_information: bytes | None = None


class Diagnostic(NamedTuple):
    """Result-source-diagnostic: `source` 1 for the service user, 2 for the provider, and a code."""

    source: int
    code: int


@dataclass(frozen=True, slots=True)
class Aare:
    """The answer to an Aarq; `result` 0 is accepted, `diagnostic` says why not, or what is to come."""

    context: int
    result: int
    diagnostic: Diagnostic
    user_information: bytes | None = None
    mechanism: int | None = None
    responding_authentication_value: bytes | None = field(default=None, repr=False)
    responding_ap_title: bytes | None = None
    responding_ae_qualifier: bytes | None = None
    responding_ap_invocation_id: int | None = None
    responding_ae_invocation_id: int | None = None
    authentication_required: bool | None = None
    protocol_version: str | None = None
    implementation_information: bytes | None = None


@dataclass(frozen=True, slots=True)
class Rlrq:
    """A request to release the association; `reason` 0 is normal."""

    reason: int | None = 0
    user_information: bytes | None = None


@dataclass(frozen=True, slots=True)
class Rlre:
    """The answer to an Rlrq; `reason` 0 is normal."""

    reason: int | None = 0
    user_information: bytes | None = None


@dataclass(frozen=True, slots=True)
class Abrt:
    """The end of an association at once; `source` 0 is the service user, 1 the provider."""

    source: int
    diagnostic: int | None = None
    user_information: bytes | None = None


# Contents of elements.


def _element(
    tag: int, write: Callable[[bytearray, Any], None], read: Callable[[OctetReader], Any]
) -> Codec[Any]:
    """A content that stands in an element of its own: tag, length, content."""

    def write_element(out: bytearray, value: Any) -> None:
        content = bytearray()
        write(content, value)
        out.append(tag)
        write_octets(out, content)

    def read_element(reader: OctetReader) -> Any:
        found = reader.octet(f"tag 0x{tag:02X}")
        if found != tag:
            raise reader.unexpected(found, f"tag 0x{tag:02X}")
        return _within(reader, read, "element")

    return Codec(write_element, read_element)


def _within(reader: OctetReader, read: Callable[[OctetReader], Any], what: str) -> Any:
    """What `read` makes of the content of the element whose length comes next, to its last octet."""
    size = reader.length(f"content of the {what}")
    outer_end, reader.end = reader.end, reader.position + size
    value = read(reader)
    reader.finish(what)
    reader.end = outer_end
    return value


def _write_raw(out: bytearray, octets: bytes) -> None:
    out += octets


def _write_number(out: bytearray, value: int) -> None:
    out += value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def _read_number(reader: OctetReader) -> int:
    at, octets = reader.position, reader.rest()
    if not 1 <= len(octets) <= 8:
        raise ParseError(at, "an INTEGER of 1 to 8 octets", f"{len(octets)} octets")
    return int.from_bytes(octets, "big", signed=True)


def _name(arcs: bytes, what: str) -> tuple[Callable[[bytearray, int], None], Callable[[OctetReader], int]]:
    """An object identifier of DLMS by its last arc, without tag."""

    def write(out: bytearray, value: int) -> None:
        if not 0 <= value <= 127:
            raise ValueError
        out += arcs
        out.append(value)

    def read(reader: OctetReader) -> int:
        at, octets = reader.position, reader.rest()
        if len(octets) != 7 or not octets.startswith(arcs) or octets[6] > 127:
            raise ParseError(
                at, f"{arcs.hex(' ').upper()} and one octet ({what})", octets[:16].hex(" ").upper()
            )
        return octets[6]

    return write, read


def _write_bits(out: bytearray, bits: str) -> None:
    size = (len(bits) + 7) // 8
    out.append(8 * size - len(bits))
    if size:
        out += int(bits.ljust(8 * size, "0"), 2).to_bytes(size, "big")


def _read_bits(reader: OctetReader) -> str:
    unused = reader.octet("unused bits")
    octets = reader.rest()
    if unused > 7 or (unused and not octets):
        reader.position -= len(octets)
        raise reader.unexpected(unused, "0 to 7 unused bits")
    bits = "".join(f"{octet:08b}" for octet in octets)
    return bits[: len(bits) - unused]


_NUMBER = _element(0x02, _write_number, _read_number)
_OCTETS = _element(0x04, _write_raw, OctetReader.rest)
_CONTEXT_NAME = _element(0x06, *_name(_CONTEXT_ARCS, "application-context-name"))
_MECHANISM_NAME: Codec[int] = Codec(*_name(_MECHANISM_ARCS, "mechanism-name"))
_CHARSTRING = _element(0x80, _write_raw, OctetReader.rest)
_BITS = Codec(_write_bits, _read_bits)
_RAW = Codec(_write_raw, OctetReader.rest)
_PLAIN_NUMBER = Codec(_write_number, _read_number)
#: acse-requirements have one bit that is defined: authentication.
_REQUIREMENTS: Codec[bool] = Codec(
    lambda out, value: _write_bits(out, "1" if value else "0"),
    lambda reader: _read_bits(reader)[:1] == "1",
)


def _write_diagnostic(out: bytearray, value: Diagnostic) -> None:
    if value.source not in (1, 2):
        raise ValueError
    _element(0xA0 + value.source, _NUMBER.write, _NUMBER.read).write(out, value.code)


def _read_diagnostic(reader: OctetReader) -> Diagnostic:
    tag = reader.octet("result-source-diagnostic")
    if tag not in (0xA1, 0xA2):
        raise reader.unexpected(tag, "A1 (acse-service-user) or A2 (acse-service-provider)")
    return Diagnostic(tag - 0xA0, _within(reader, _NUMBER.read, "diagnostic"))


# APDUs.


class _Element(NamedTuple):
    """An element: its tag, the field that it is, its content."""

    tag: int
    name: str
    codec: Codec[Any]


_USER_INFORMATION = _Element(0xBE, "user_information", _OCTETS)
_IMPLEMENTATION = _Element(0x9D, "implementation_information", _RAW)
_AARQ = (
    _Element(0x80, "protocol_version", _BITS),
    _Element(0xA1, "context", _CONTEXT_NAME),
    _Element(0xA2, "called_ap_title", _OCTETS),
    _Element(0xA3, "called_ae_qualifier", _OCTETS),
    _Element(0xA4, "called_ap_invocation_id", _NUMBER),
    _Element(0xA5, "called_ae_invocation_id", _NUMBER),
    _Element(0xA6, "calling_ap_title", _OCTETS),
    _Element(0xA7, "calling_ae_qualifier", _OCTETS),
    _Element(0xA8, "calling_ap_invocation_id", _NUMBER),
    _Element(0xA9, "calling_ae_invocation_id", _NUMBER),
    _Element(0x8A, "authentication_required", _REQUIREMENTS),
    _Element(0x8B, "mechanism", _MECHANISM_NAME),
    _Element(0xAC, "calling_authentication_value", _CHARSTRING),
    _IMPLEMENTATION,
    _USER_INFORMATION,
)
_AARE = (
    _Element(0x80, "protocol_version", _BITS),
    _Element(0xA1, "context", _CONTEXT_NAME),
    _Element(0xA2, "result", _NUMBER),
    _Element(0xA3, "diagnostic", Codec(_write_diagnostic, _read_diagnostic)),
    _Element(0xA4, "responding_ap_title", _OCTETS),
    _Element(0xA5, "responding_ae_qualifier", _OCTETS),
    _Element(0xA6, "responding_ap_invocation_id", _NUMBER),
    _Element(0xA7, "responding_ae_invocation_id", _NUMBER),
    _Element(0x88, "authentication_required", _REQUIREMENTS),
    _Element(0x89, "mechanism", _MECHANISM_NAME),
    _Element(0xAA, "responding_authentication_value", _CHARSTRING),
    _IMPLEMENTATION,
    _USER_INFORMATION,
)
_RELEASE = (_Element(0x80, "reason", _PLAIN_NUMBER), _USER_INFORMATION)
_ABORT = (
    _Element(0x80, "source", _PLAIN_NUMBER),
    _Element(0x81, "diagnostic", _PLAIN_NUMBER),
    _USER_INFORMATION,
)


def _apdu(
    kind: type[Any], elements: tuple[_Element, ...], required: frozenset[str] = frozenset()
) -> Codec[Any]:
    """The codec of an ACSE APDU after its tag; fields that are None are left out."""
    by_tag = {element.tag: element for element in elements}

    def write(out: bytearray, value: Any) -> None:
        content = bytearray()
        for tag, name, codec in elements:
            inner = getattr(value, name)
            if inner is None:
                if name in required:
                    raise EncodeError(f"{name} of {kind.__name__} is missing")
                continue
            octets = bytearray()
            try:
                codec.write(octets, inner)
            except REFUSALS as reason:
                words = f"{name} of {kind.__name__} is out of range or of another type"
                raise EncodeError(f"{words} ({type(reason).__name__})") from None
            content.append(tag)
            write_octets(content, octets)
        write_octets(out, content)

    def read(reader: OctetReader) -> Any:
        return _within(reader, read_elements, kind.__name__.upper())

    def read_elements(reader: OctetReader) -> Any:
        found: dict[str, Any] = dict.fromkeys(optional_names)
        seen: set[int] = set()
        while reader.position < reader.end:
            tag = reader.octet("an element")
            element = by_tag.get(tag)
            if element is None or tag in seen:
                what = "again" if element is not None else "not of this APDU"
                raise ParseError(
                    reader.position - 1, f"an element of {kind.__name__.upper()}", f"0x{tag:02X}, {what}"
                )
            seen.add(tag)
            found[element.name] = _within(reader, element.codec.read, element.name)
        lacking = sorted(required - found.keys())
        if lacking:
            raise ParseError(reader.end, f"{lacking[0]} in the {kind.__name__.upper()}", "none")
        return kind(**found)

    optional_names = [element.name for element in elements if element.name not in required]
    return Codec(write, read)


AARQ_CODEC = _apdu(Aarq, _AARQ, frozenset({"context"}))
AARE_CODEC = _apdu(Aare, _AARE, frozenset({"context", "result", "diagnostic"}))
RLRQ_CODEC = _apdu(Rlrq, _RELEASE)
RLRE_CODEC = _apdu(Rlre, _RELEASE)
ABRT_CODEC = _apdu(Abrt, _ABORT, frozenset({"source"}))
