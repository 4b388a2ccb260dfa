"""Messages of PRIME data concentrators, which stand in WPDUs in the place of APDUs: devices come and go.

Their types 1 to 6 collide with the tags of initiateRequest, readRequest and writeRequest, the shortest of
which are longer or have other octets: what is believed here can be none of them.
"""

from typing import Any

from cosemscope.apdu.cursor import Cursor
from cosemscope.apdu.names.texts import hex_text

CLAUSE = "PRIME data concentrator, wrapper for the head-end"
_NEW = 1
_TYPES = {
    _NEW: "PRIME new device",
    2: "PRIME device removed",
    3: "PRIME start reporting meters",
    4: "PRIME delete meters",
    5: "PRIME enable auto-close",
    6: "PRIME disable auto-close",
}
#: Octets of each type but the first; those of the first without the DLMS identifier, and where its length is.
_SIZES = {2: 3, 3: 1, 4: 3, 5: 3, 6: 3}
_FIXED, _LENGTH_AT, _LONGEST = 12, 5, 32


def prime_name(octets: bytes | bytearray) -> str:
    """The name of the message that these octets are to the last one; "" for none."""
    if not octets or octets[0] not in _TYPES:
        return ""
    if octets[0] != _NEW:
        return _TYPES[octets[0]] if len(octets) == _SIZES[octets[0]] else ""
    if len(octets) <= _FIXED:
        return ""
    size = octets[_LENGTH_AT]
    identifier = bytes(octets[_LENGTH_AT + 1 : _LENGTH_AT + 1 + size])
    whole = 0 < size <= _LONGEST and len(octets) == _FIXED + size
    return _TYPES[_NEW] if whole and identifier.isalnum() else ""


def read_prime_message(c: Cursor) -> tuple[Any, str]:
    """One message, to the last octet."""
    kind = c.u8("message type", _TYPES)
    if c.position == c.end:
        return None, ""
    device = c.uint("device id", 2)
    if kind != _NEW:
        return device, f"id {device}"
    capabilities = c.uint("capabilities", 2)
    size = c.u8("length of DLMS identifier")
    identifier = c.leaf("DLMS identifier", size)
    name = identifier.decode("ascii", "replace")
    c.children[-1] = c.children[-1]._replace(value=name, text=name)
    address = c.leaf("EUI-48", c.end - c.position)
    c.children[-1] = c.children[-1]._replace(text=hex_text(address))
    return device, f"id {device}, {name}, EUI-48 {hex_text(address)}, capabilities 0x{capabilities:04X}"
