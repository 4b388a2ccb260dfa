"""Values as people read and type them: what Data says in an attribute, and `long-unsigned:230` as Data."""

from datetime import datetime
from typing import Any

from cosemscope.apdu.bare_data import decode_data
from cosemscope.apdu.context import Reference
from cosemscope.apdu.data.shapes import shape_of
from cosemscope.apdu.data.types import TYPES
from cosemscope.apdu.names.blue_book import attribute_unit, class_name, dotted, member_name
from cosemscope.apdu.names.texts import obis_text
from cosemscope.application.encoding.apdus import encode_data, parse_data
from cosemscope.application.encoding.data_values import Data, date_time_octets
from cosemscope.application.encoding.octet_codecs import EncodeError
from cosemscope.application.encoding.octet_reader import ParseError
from cosemscope.application.object_model.unit_values import UnitValue
from cosemscope.live.client.client_refused import MeterError

_VALUE = 2
_TAGS = {name: tag for tag, name in TYPES.items()}
_INTEGERS = frozenset((5, 6, 13, 15, 16, 17, 18, 20, 21, 22))
_INTEGERS |= frozenset(range(28, 34)) & frozenset(TYPES)
_REALS = frozenset((23, 24))
_TEXTS = frozenset((10, 12))
_OCTETS = frozenset((9, 25, 26, 27))
_BOOLEAN, _BITS, _OCTET_STRING = 3, 4, 9
_TRUE = {"true": True, "1": True, "false": False, "0": False}


def reference_words(reference: Reference) -> str:
    """An attribute or a method for people: "1.0.1.8.0.255 Active energy import (+A)"; others by name."""
    text = obis_text(reference.instance) if len(reference.instance) == 6 else "no object"
    if reference.member == _VALUE and not reference.method:
        return text
    name = member_name(reference.class_id, reference.member, method=reference.method)
    kind = "method" if reference.method else "attribute"
    return f"{text}, {name or f'{kind} {reference.member}'}"


def object_text(reference: Reference) -> str:
    """Class and logical name: "Register 1.0.1.8.0.255"."""
    name = class_name(reference.class_id) or f"class {reference.class_id}"
    return f"{name} {dotted(reference.instance)}"


def data_text(value: Data | None, reference: Reference | None = None) -> str:
    """A value for people, in the names and forms that its attribute has."""
    if value is None:
        return ""
    decoded = decode_data(encode_data(value), shape=shape_of(reference))
    unit = attribute_unit(reference.class_id, reference.member) if reference is not None else ""
    text = decoded.root.text
    return f"{text} {unit}" if unit and isinstance(value.value, int) and not text.endswith(unit) else text


def value_text(value: UnitValue) -> str:
    """The value in its unit, or its text, or the refusal."""
    if value.refusal is not None:
        return value.refusal.words
    return value.text or data_text(value.value, value.reference)


def plain_json(value: Any) -> Any:
    """A plain value as JSON can have it: octets in hex, tuples as lists."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [plain_json(one) for one in value]
    return value


def typed_value(text: str) -> Data:
    """Data out of `TYPE:VALUE`: "long-unsigned:230", "octet-string:0102ff", "boolean:true", "null-data".

    "date-time:2026-03-01T12:00:00" is an octet-string as clocks have it, "hex:0906..." an encoded value of
    any type. Raises MeterError with a sentence.
    """
    name, _, rest = text.partition(":")
    name = name.strip().lower()
    try:
        if name == "hex":
            return parse_data(bytes.fromhex(rest))
        if name == "date-time" and ("-" in rest or ":" in rest):
            return Data(_OCTET_STRING, date_time_octets(datetime.fromisoformat(rest)))
        tag = _TAGS.get(name)
        if tag is None:
            known = ", ".join(sorted(one for one, tag in _TAGS.items() if tag not in (1, 2, 19)))
            raise MeterError(
                f"{text!r} has no type that is known: write TYPE:VALUE with one of {known}, or hex:"
            )
        value = Data(tag, _python_value(tag, rest))
        encode_data(value)
        return value
    except ParseError as reason:
        raise MeterError(f"{text!r} is no encoded value: {reason}") from None
    except (ValueError, EncodeError, KeyError) as reason:
        raise MeterError(f"{text!r} is no {name}: {reason}") from None


def _python_value(tag: int, text: str) -> Any:
    if tag in _INTEGERS:
        return int(text, 0)
    if tag in _REALS:
        return float(text)
    if tag in _TEXTS:
        return text
    if tag in _OCTETS:
        return bytes.fromhex(text)
    if tag == _BOOLEAN:
        return _TRUE[text.strip().lower()]
    if tag == _BITS:
        return text.strip()
    if text or tag not in (0, 255):
        raise ValueError("values of this type are given as hex: and their encoding")
    return None
