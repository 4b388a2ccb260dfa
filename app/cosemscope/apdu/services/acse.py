"""The ACSE APDUs: AARQ and AARE open an association, RLRQ and RLRE release it, ABRT ends it (BER).

Each is a table: tag of the element -> its name and what reads it. Elements may come in any order and any of
them may be missing; what the tables do not know is shown as an unknown element.
"""

from collections.abc import Mapping
from typing import Any

from cosemscope.apdu.cursor import Cursor, Reader
from cosemscope.apdu.fields import Field
from cosemscope.apdu.names import codes
from cosemscope.apdu.names.tags import AARE, AARQ, ABRT, APDU_TAGS, RLRE, RLRQ
from cosemscope.apdu.names.texts import TITLE_SIZE, hex_text, title_text
from cosemscope.apdu.services.ber import (
    CLAUSE,
    element_ends,
    read_anything,
    read_bit_string,
    read_element,
    read_elements,
    read_integer,
    read_length_to,
    read_object_identifier,
    read_octets,
)


def _last(c: Cursor) -> tuple[Any, str]:
    """Value and text of the field read last."""
    return c.children[-1].value, c.children[-1].text


def _identifier(value: object, arcs: str, names: Mapping[int, str], what: str) -> str:
    """The name of a DLMS object identifier: "HLS-GMAC (5)", "mechanism 9"; others stay in dots."""
    if isinstance(value, bytes):  # octets that are no object identifier
        return hex_text(value)
    dotted = str(value)
    tail = dotted.removeprefix(arcs)
    if tail == dotted or not tail.isdigit():
        return dotted
    number = int(tail)
    return f"{names[number]} ({number})" if number in names else f"{what} {number}"


def _read_context_name(c: Cursor) -> tuple[Any, str]:
    read_element(c, "object-identifier", read_object_identifier, 0x06)
    value, _ = _last(c)
    return value, _identifier(value, codes.CONTEXT_ARCS, codes.APPLICATION_CONTEXTS, "context")


def _read_mechanism(c: Cursor) -> tuple[Any, str]:
    start = c.position
    if c.data[start : start + 2] == bytes((0x06, c.end - start - 2 & 0xFF)):
        c.warn(start, start + 2, f"the object identifier has a tag and a length of its own at offset {start}")
        read_element(c, "object-identifier", read_object_identifier, 0x06)
        value, _ = _last(c)
    else:
        value, _ = read_object_identifier(c)
    return value, _identifier(value, codes.MECHANISM_ARCS, codes.MECHANISMS, "mechanism")


def _read_octet_string(c: Cursor) -> tuple[Any, str]:
    """An OCTET STRING in its own element, or whatever else stands there."""
    if c.position < c.end and c.data[c.position] == 0x04:
        read_element(c, "octet-string", read_octets, 0x04)
        return _last(c)
    return read_anything(c)


def _read_title(c: Cursor) -> tuple[Any, str]:
    value, _ = _read_octet_string(c)
    if not isinstance(value, bytes):
        return value, ""
    return value, title_text(value) if len(value) == TITLE_SIZE else hex_text(value)


def _read_sender_title(c: Cursor) -> tuple[Any, str]:
    start = c.position
    value, text = _read_title(c)
    if isinstance(value, bytes):
        c.session.title = value
        if len(value) != TITLE_SIZE:
            c.warn(start, c.position, f"system title: expected {TITLE_SIZE} octets, found {len(value)}")
    return value, text


def _read_qualifier(c: Cursor) -> tuple[Any, str]:
    value, text = _read_octet_string(c)
    if isinstance(value, bytes) and value[:1] == b"\x30":
        text = f"certificate, {len(value)} octets"
    return value, text


def _read_number(c: Cursor) -> tuple[Any, str]:
    if c.position < c.end and c.data[c.position] == 0x02:
        read_element(c, "integer", read_integer, 0x02)
        return _last(c)
    return read_anything(c)


def _read_requirements(c: Cursor) -> tuple[Any, str]:
    bits, _ = read_bit_string(c)
    text = "authentication" if bits[:1] == "1" else "no authentication"
    return bits, text


def _read_version(c: Cursor) -> tuple[Any, str]:
    bits, _ = read_bit_string(c)
    return bits, "version 1" if bits[:1] == "1" else f"bits {bits}"


_AUTHENTICATION_FORMS = {0x80: "charstring", 0x81: "bitstring", 0xA2: "external", 0xA3: "other"}


def _read_authentication(c: Cursor) -> tuple[Any, str]:
    """Authentication-value: a password or a challenge, as it stands."""
    tag = c.data[c.position] if c.position < c.end else -1
    name = _AUTHENTICATION_FORMS.get(tag)
    if name is None:
        return read_anything(c)
    read_element(c, name, read_bit_string if tag == 0x81 else read_octets if tag == 0x80 else read_anything)
    return _last(c)


def _defined(c: Cursor, name: str, texts: Mapping[int, str], what: str) -> tuple[Any, str]:
    """Value and text of the integer read last; one that `texts` does not have is a warning.

    An integer that could not be read has no value, and its break was told already.
    """
    value, shown = _last(c)
    if value is not None and value not in texts:
        _warn_of_undefined(c, name, shown)
    return value, texts.get(value, f"{what} {shown}")


def _warn_of_undefined(c: Cursor, name: str, shown: str) -> None:
    at = c.position - 1
    c.warn(at, c.position, f"{name} at offset {at}: {shown} is not defined", item="undefined-code")


def _read_result(c: Cursor) -> tuple[Any, str]:
    read_element(c, "integer", read_integer, 0x02)
    return _defined(c, "result", codes.ASSOCIATION_RESULTS, "result")


def _read_diagnostic(c: Cursor) -> tuple[Any, str]:
    """Result-source-diagnostic: its source, and the diagnostic as a sentence."""
    start = c.position
    tag = c.data[start] if start < c.end else -1
    if tag == 0xA1:
        read_element(c, "acse-service-user", _read_user_diagnostic)
    elif tag == 0xA2:
        read_element(c, "acse-service-provider", _read_provider_diagnostic)
    else:
        found = c.missing("result-source-diagnostic", 1) if tag < 0 else None
        raise found or c.unexpected(
            "result-source-diagnostic", tag, "A1 (acse-service-user) or A2 (acse-service-provider)", start
        )
    return _last(c)


def _read_user_diagnostic(c: Cursor) -> tuple[Any, str]:
    read_element(c, "integer", read_integer, 0x02)
    return _defined(c, "acse-service-user", codes.USER_DIAGNOSTICS, "diagnostic")


def _read_provider_diagnostic(c: Cursor) -> tuple[Any, str]:
    read_element(c, "integer", read_integer, 0x02)
    return _defined(c, "acse-service-provider", codes.PROVIDER_DIAGNOSTICS, "diagnostic")


def _read_user_information(c: Cursor) -> tuple[Any, str]:
    if c.position < c.end and c.data[c.position] == 0x04:
        read_element(c, "octet-string", _read_inner_apdu, 0x04)
        return None, c.children[-1].text
    return read_anything(c)


def _read_inner_apdu(c: Cursor) -> tuple[Any, str]:
    if c.position >= c.end:
        c.warn(c.position, c.position, f"user-information at offset {c.position} is empty")
        c.leaf("value", 0)
        return None, "empty"
    inner = c.nested_apdu()
    return None, f"{inner.name}: {inner.text}" if inner.text else inner.name


def _coded(name: str, texts: Mapping[int, str]) -> tuple[str, Reader]:
    """An element `name` whose content is an integer with these meanings."""

    def read(c: Cursor) -> tuple[Any, str]:
        value, text = read_integer(c)
        if value not in texts:
            _warn_of_undefined(c, name, text)
        return value, texts.get(value, text)

    return name, read


_USER_INFORMATION = ("user-information", _read_user_information)
_IMPLEMENTATION = ("implementation-information", read_octets)

_REQUEST: dict[int, tuple[str, Reader]] = {
    0x80: ("protocol-version", _read_version),
    0xA1: ("application-context-name", _read_context_name),
    0xA2: ("called-AP-title", _read_title),
    0xA3: ("called-AE-qualifier", _read_qualifier),
    0xA4: ("called-AP-invocation-id", _read_number),
    0xA5: ("called-AE-invocation-id", _read_number),
    0xA6: ("calling-AP-title", _read_sender_title),
    0xA7: ("calling-AE-qualifier", _read_qualifier),
    0xA8: ("calling-AP-invocation-id", _read_number),
    0xA9: ("calling-AE-invocation-id", _read_number),
    0x8A: ("sender-acse-requirements", _read_requirements),
    0x8B: ("mechanism-name", _read_mechanism),
    0xAC: ("calling-authentication-value", _read_authentication),
    0x9D: _IMPLEMENTATION,
    0xBE: _USER_INFORMATION,
}
_RESPONSE: dict[int, tuple[str, Reader]] = {
    0x80: ("protocol-version", _read_version),
    0xA1: ("application-context-name", _read_context_name),
    0xA2: ("result", _read_result),
    0xA3: ("result-source-diagnostic", _read_diagnostic),
    0xA4: ("responding-AP-title", _read_sender_title),
    0xA5: ("responding-AE-qualifier", _read_qualifier),
    0xA6: ("responding-AP-invocation-id", _read_number),
    0xA7: ("responding-AE-invocation-id", _read_number),
    0x88: ("responder-acse-requirements", _read_requirements),
    0x89: ("mechanism-name", _read_mechanism),
    0xAA: ("responding-authentication-value", _read_authentication),
    0x9D: _IMPLEMENTATION,
    0xBE: _USER_INFORMATION,
}
_RELEASE_REQUEST: dict[int, tuple[str, Reader]] = {
    0x80: _coded("reason", codes.RELEASE_REQUEST_REASONS),
    0xBE: _USER_INFORMATION,
}
_RELEASE_RESPONSE: dict[int, tuple[str, Reader]] = {
    0x80: _coded("reason", codes.RELEASE_RESPONSE_REASONS),
    0xBE: _USER_INFORMATION,
}
_ABORT: dict[int, tuple[str, Reader]] = {
    0x80: _coded("abort-source", codes.ABORT_SOURCES),
    0x81: _coded("abort-diagnostic", codes.ABORT_DIAGNOSTICS),
    0xBE: _USER_INFORMATION,
}
_ELEMENTS = {
    AARQ: _REQUEST,
    AARE: _RESPONSE,
    RLRQ: _RELEASE_REQUEST,
    RLRE: _RELEASE_RESPONSE,
    ABRT: _ABORT,
}


def read_acse(c: Cursor) -> tuple[Any, str]:
    """An ACSE APDU: its tag, its length, its elements."""
    # The elements are children of the APDU's own field, so its tag and length are read here.
    tag = c.u8("tag", APDU_TAGS)
    stop = _believed(c, read_length_to(c, APDU_TAGS[tag]))
    outer_end, c.end = c.end, stop
    read_elements(c, _ELEMENTS[tag])
    c.end = outer_end
    if c.data[stop : stop + 2] == b"\0\0" and c.data[c.children[1].start] == 0x80:
        c.leaf("end-of-contents", 2)
    _check_presence(c)
    return None, _association_text(c.children)


def _believed(c: Cursor, stop: int) -> int:
    """Where the elements stop: where the length says, or at the end of the APDU where only that fits them."""
    ends = element_ends(c.data, c.position, c.end)
    if stop < c.end and ends and ends[-1] == c.end and stop not in ends:
        length = c.children[-1]
        c.problem(
            length.start,
            length.stop,
            f"length at offset {length.start} says {stop - length.stop} octets, "
            f"the elements take {c.end - length.stop}: read to the end",
            CLAUSE,
            "warning",
        )
        return c.end
    return stop


def _check_presence(c: Cursor) -> None:
    """Elements without which an AARQ or an AARE means nothing."""
    names = {field.name for field in c.children}
    tag = c.children[0]
    missing: tuple[str, ...] = ()
    if tag.value == AARQ:
        missing = ("application-context-name",)
    elif tag.value == AARE:
        missing = ("application-context-name", "result", "result-source-diagnostic")
    for name in missing:
        if name not in names:
            c.warn(tag.start, tag.stop, f"expected {name} in the {APDU_TAGS[tag.value]}, it is missing")


def _association_text(fields: list[Field]) -> str:
    """The text of an ACSE APDU: result, diagnostic, context, mechanism, reason and title."""
    texts = {
        field.name: field.text
        for field in fields
        if field.name != "result-source-diagnostic" or field.value != 0
    }
    wanted = (
        "result",
        "result-source-diagnostic",
        "application-context-name",
        "mechanism-name",
        "reason",
        "abort-source",
        "abort-diagnostic",
    )
    words = [texts[name] for name in wanted if texts.get(name)]
    for name in ("calling-AP-title", "responding-AP-title"):
        if texts.get(name):
            words.append(f"title {texts[name]}")
    return ", ".join(words)
