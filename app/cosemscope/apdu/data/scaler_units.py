"""Scalers and units that one APDU of an exchange tells for the values in later APDUs.

The decoder keeps no state; who follows the exchanges takes this from the trees of responses, and gives it
back in the `Context` of those to come.
"""

from cosemscope.apdu.context import Reference, Request
from cosemscope.apdu.data.scaled_fields import is_scaler_unit
from cosemscope.apdu.data.shapes import SCALER_UNIT_ATTRIBUTE
from cosemscope.apdu.fields import Field, find
from cosemscope.apdu.names.tags import APDU_TAGS

_NAMES = frozenset(APDU_TAGS.values())
#: Fields around an APDU.
_AROUND = frozenset(
    {
        "WPDU",
        "LLC",
        "gateway-request",
        "gateway-response",
        "HDLC frame",
        "HDLC frames",
        "information",
        "IEC 61334-4-32 LLC",
    }
)


def service_of(root: Field) -> Field:
    """The innermost APDU that a tree shows: behind WPDU header, LLC and gateway prefix, envelopes, ciphering.

    What could not be opened is its own innermost APDU; so are the ACSE APDUs, whatever they carry.
    """
    field = root
    while True:
        inner = _inside(field)
        if inner is None:
            return field
        field = inner


def _inside(field: Field) -> Field | None:
    children = field.children
    for name in ("ciphered-content", "content"):
        content = find(field, name)
        if content is not None:
            text = find(content, "ciphered-text")
            children = text.children if text is not None else content.children
            break
    else:
        if field.name not in _AROUND:
            return None
    inside = _NAMES | _AROUND
    return next((child for child in reversed(children) if child.name in inside and child.children), None)


def scalers_in(root: Field, request: Request | None) -> dict[Reference, tuple[int, int]]:
    """Scaler and unit of values, learned from a response that answers `request` and holds scaler_units."""
    if request is None:
        return {}
    service = service_of(root)
    results = find(service, "access-response-list-of-data") or find(service, "result")
    if results is None:
        return {}
    raw = find(results, "raw-data")
    if raw is not None:  # a block decoded in place, or joined ones below its octets
        raw = find(raw, "value") if find(raw, "value", "value") or find(raw, "value", "result-list") else raw
        results = find(raw or results, "result-list") or raw or results
    listed = [child for child in results.children if child.name.startswith("[")]
    values = listed or [results]
    learned: dict[Reference, tuple[int, int]] = {}
    for reference, value in zip(request.references, values, strict=False):
        data = find(value, "data") or find(value, "value") or value
        if is_scaler_unit(data):
            learned |= dict.fromkeys(_scaled_by(reference), data.value)
    return learned


def _scaled_by(reference: Reference) -> list[Reference]:
    """The attributes whose values have the scaler and unit of this one."""
    return [
        reference._replace(member=member)
        for (class_id, member), scaler in SCALER_UNIT_ATTRIBUTE.items()
        if class_id == reference.class_id and scaler == reference.member and not reference.method
    ]
