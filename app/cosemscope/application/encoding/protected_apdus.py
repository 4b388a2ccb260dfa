"""ProtectedContent APDUs as values, still ciphered: services, general- envelopes, signatures (IEC 62056-5-3).

What is inside is octets; `application.protection` seals and opens them.
"""

from dataclasses import dataclass
from typing import NamedTuple

from cosemscope.apdu.names.tags import DED_SERVICES, GLO_SERVICES
from cosemscope.apdu.security.suites import TAG_SIZE
from cosemscope.application.encoding.octet_codecs import (
    Choices,
    Codec,
    EncodeError,
    octet,
    octet_string,
    optional,
    record,
    write_octets,
)
from cosemscope.application.encoding.octet_reader import OctetReader, ParseError

AUTHENTICATED, ENCRYPTED = 0x10, 0x20


class ProtectedContent(NamedTuple):
    """The content of a protected APDU: security control, invocation counter, text, authentication tag.

    `counter` is None where the security control says neither authenticated nor encrypted: the text then is
    whatever follows. `authentication_tag` is b"" where none is promised.
    """

    control: int
    counter: int | None
    text: bytes
    authentication_tag: bytes = b""


def _write_protected(out: bytearray, value: ProtectedContent) -> None:
    control, counter, text, mark = value
    if len(mark) != (TAG_SIZE if control & AUTHENTICATED else 0):
        raise EncodeError(
            f"the authentication tag has {len(mark)} octets, its security control says otherwise"
        )
    if (counter is not None) != bool(control & (AUTHENTICATED | ENCRYPTED)):
        raise EncodeError("an invocation counter is given with protection and only then")
    head = bytes((control,)) + (counter.to_bytes(4, "big") if counter is not None else b"")
    write_octets(out, head + text + mark)


def _read_protected(reader: OctetReader) -> ProtectedContent:
    size = reader.length("protected content")
    stop, outer_end = reader.position + size, reader.end
    reader.end = stop
    control = reader.octet("security control")
    counter = reader.number(4, "invocation counter") if control & (AUTHENTICATED | ENCRYPTED) else None
    tag_size = TAG_SIZE if control & AUTHENTICATED else 0
    left = stop - reader.position
    if left < tag_size:
        raise ParseError(reader.position, f"an authentication tag of {tag_size} octets", f"{left}")
    text = reader.take(left - tag_size, "text")
    mark = reader.take(tag_size, "authentication tag")
    reader.end = outer_end
    return ProtectedContent(control, counter, text, mark)


PROTECTED = Codec(_write_protected, _read_protected)


@dataclass(frozen=True, slots=True)
class CipheredService:
    """A glo- or ded- service; `tag` is its first octet, one of `names.tags.GLO_SERVICES`, `DED_SERVICES`."""

    tag: int
    protected: ProtectedContent


CIPHERED_TAGS = frozenset((*GLO_SERVICES, *DED_SERVICES))


@dataclass(frozen=True, slots=True)
class GeneralGloCiphering:
    """Any APDU ciphered with a global key, with the system title of its sender."""

    system_title: bytes
    protected: ProtectedContent


@dataclass(frozen=True, slots=True)
class GeneralDedCiphering:
    """Any APDU ciphered with the dedicated key, with the system title of its sender."""

    system_title: bytes
    protected: ProtectedContent


class IdentifiedKey(NamedTuple):
    """The key is one that both have: `key_id` 0 global unicast, 1 global broadcast."""

    key_id: int


class WrappedKey(NamedTuple):
    """The key comes along, wrapped with the master key (`kek_id` 0)."""

    kek_id: int
    key_ciphered_data: bytes


class AgreedKey(NamedTuple):
    """The key is agreed: `key_parameters` 01 one-pass Diffie-Hellman, 02 static unified model."""

    key_parameters: bytes
    key_ciphered_data: bytes


@dataclass(frozen=True, slots=True)
class GeneralCiphering:
    """Any APDU ciphered, with who to whom and how the key is come by."""

    transaction_id: bytes
    originator: bytes
    recipient: bytes
    date_time: bytes
    other_information: bytes
    key_info: IdentifiedKey | WrappedKey | AgreedKey | None
    protected: ProtectedContent


@dataclass(frozen=True, slots=True)
class GeneralSigning:
    """Any APDU signed, with who to whom; the signature is over all before it but the tag."""

    transaction_id: bytes
    originator: bytes
    recipient: bytes
    date_time: bytes
    other_information: bytes
    content: bytes
    signature: bytes


_TITLE = octet_string("system-title")
_HEADER = (
    octet_string("transaction-id"),
    octet_string("originator-system-title"),
    octet_string("recipient-system-title"),
    octet_string("date-time"),
    octet_string("other-information"),
)
_CIPHERED_DATA = octet_string("key-ciphered-data")
_KEY_INFO: Codec[IdentifiedKey | WrappedKey | AgreedKey] = Choices(
    "Key-Info",
    {
        0: (IdentifiedKey, record(IdentifiedKey, octet("key-id"))),
        1: (WrappedKey, record(WrappedKey, octet("kek-id"), _CIPHERED_DATA)),
        2: (AgreedKey, record(AgreedKey, octet_string("key-parameters"), _CIPHERED_DATA)),
    },
).codec
GENERAL_GLO_CIPHERING = record(GeneralGloCiphering, _TITLE, PROTECTED)
GENERAL_DED_CIPHERING = record(GeneralDedCiphering, _TITLE, PROTECTED)
GENERAL_CIPHERING = record(GeneralCiphering, *_HEADER, optional(_KEY_INFO, "key-info"), PROTECTED)
GENERAL_SIGNING = record(GeneralSigning, *_HEADER, octet_string("content"), octet_string("signature"))
