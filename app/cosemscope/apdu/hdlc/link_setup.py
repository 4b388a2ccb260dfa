"""Information fields of HDLC frames that set up links and refuse frames: SNRM, UA, FRMR (IEC 62056-46)."""

from collections.abc import Callable
from typing import Any, TypeAlias

from cosemscope.apdu.cursor import Cursor
from cosemscope.apdu.hdlc.hdlc_units import CONTROLS, FrameKind

PARAMETER_CLAUSE = "IEC 62056-46, HDLC parameter negotiation"
CONTROL_TEXTS = {octet: str(control) for octet, control in enumerate(CONTROLS)}
"""Control field -> kind and numbers in words."""
InformationReader: TypeAlias = Callable[[Cursor], tuple[Any, str] | None]


def information_reader(kind: FrameKind) -> InformationReader:
    """The reader of the information field of a frame of `kind`, which carries no APDU."""
    return _READERS.get(kind, _read_unknown)


_PARAMETERS = {
    0x05: "maximum information field length, transmit",
    0x06: "maximum information field length, receive",
    0x07: "window size, transmit",
    0x08: "window size, receive",
}
_UNITS = {0x05: "octet", 0x06: "octet", 0x07: "frame", 0x08: "frame"}
_FORMAT_IDENTIFIERS = {0x81: "parameters"}
_GROUP_PARAMETERS = 0x80
_GROUPS = {_GROUP_PARAMETERS: "HDLC parameters", 0xF0: "user defined"}


def _read_parameters(c: Cursor) -> tuple[Any, str]:
    """The parameters that SNRM proposes and UA settles (ISO/IEC 13239, as IEC 62056-46 uses it)."""
    c.clause = PARAMETER_CLAUSE
    start = c.position
    identifier = c.u8("format identifier", _FORMAT_IDENTIFIERS)
    if identifier != 0x81:
        raise c.unexpected("format identifier", identifier, "0x81", start)
    values: list[str] = []
    while c.position < c.end:
        c.open("group")
        group = c.u8("group identifier", _GROUPS)
        stop = c.position + 1 + c.data[c.position] if c.position < c.end else c.end
        size = c.u8("group length")
        if stop > c.end:
            raise c.unexpected("group length", size, f"at most {c.end - c.position}")
        if group == _GROUP_PARAMETERS:
            c.region(stop, lambda inner: _read_group(inner, values), "group")
        elif size:
            c.leaf("user data", size)
        c.close(None, _GROUPS.get(group, ""))
    return None, ", ".join(values)


def _read_group(c: Cursor, values: list[str]) -> None:
    while c.position < c.end:
        identifier = c.data[c.position]
        name = _PARAMETERS.get(identifier, f"parameter {identifier}")
        c.open(name)
        c.u8("parameter identifier", _PARAMETERS)
        at = c.position
        size = c.u8("parameter length")
        if not 1 <= size <= min(8, c.end - c.position):
            raise c.unexpected("parameter length", size, f"1 to {min(8, c.end - c.position)}", at)
        value = c.uint("value", size)
        unit = _UNITS.get(identifier, "")
        c.close(value, f"{value} {unit}{'s'[: value != 1]}" if unit else str(value))
        values.append(f"{name} {value}")


_REASONS = (
    (0x01, "W: control field undefined or not implemented"),
    (0x02, "X: an information field that is not allowed here"),
    (0x04, "Y: information field too long"),
    (0x08, "Z: N(R) is wrong"),
)


def _read_frame_reject(c: Cursor) -> tuple[Any, str]:
    """The control field that an FRMR refuses, and its reasons (ISO/IEC 13239)."""
    c.u8("rejected control field", CONTROL_TEXTS)
    state = c.u8("state variables", _STATES)
    reasons = c.u8("reasons", _REASON_TEXTS)
    return None, _REASON_TEXTS[reasons] or f"no reason given, {_STATES[state]}"


_STATES = {
    octet: f"V(S) {octet >> 1 & 7}, V(R) {octet >> 5}, {'response' if octet & 0x10 else 'command'} rejected"
    for octet in range(256)
}
_REASON_TEXTS = {octet: "; ".join(words for bit, words in _REASONS if octet & bit) for octet in range(256)}


def _read_unknown(c: Cursor) -> tuple[Any, str]:
    size = c.end - c.position
    c.leaf("octets", size)
    return None, f"{size} octets"


_READERS: dict[FrameKind, InformationReader] = {
    FrameKind.SNRM: _read_parameters,
    FrameKind.UA: _read_parameters,
    FrameKind.FRMR: _read_frame_reject,
}
