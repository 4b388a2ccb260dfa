"""Frames of other protocols: what the octets of a segment or datagram must look like to be theirs.

Each function is strict: lengths must lead from frame to frame to the last octet, and fields hold what the
protocol defines. A wrong name would be worse than none, and a DLMS stream must never get one.
"""

import re
from collections.abc import Callable, Iterator

from cosemscope.apdu.names.tags import APDU_TAGS

# DTLS (RFC 9147, RFC 6347): content types, the versions, and octets of a record's header.
_DTLS_TYPES, _DTLS_VERSIONS, DTLS_HEADER = frozenset((20, 21, 22, 23)), (b"\xfe\xff", b"\xfe\xfd"), 13
#: Where the user data of a long M-Bus frame begin: behind 68 L L 68, control and address.
MBUS_USER_DATA = 6
_SML_BEGIN = bytes.fromhex("1b1b1b1b01010101")
# P1 (DSMR 5, P1 companion standard): an identification, an empty line, and the first OBIS code.
_P1 = re.compile(rb"/[A-Za-z]{3}[0-9A-Z\\][^\r\n]{0,32}\r?\n\r?\n\d+-\d+:\d+\.\d+\.\d+[.(]")
# An alarm of DSMR 4: 17 letters and digits of the equipment, a comma, a register or a logical name.
_ALARM = re.compile(rb"[A-Z][A-Z0-9]{4}\d{12},")
_ALARM_SIZES = (18 + 4, 18 + 6)
_DIGITS = re.compile(rb"(?:[0-9A-Fa-f]{2}[ :\r\n-]{0,2}){10,}")
# IEC 60870-5-104: most octets behind the length; control fields, types and causes that are defined.
_ASDU_LEAST = 6
_APDU_MOST, _UNNUMBERED = 253, frozenset((0x07, 0x0B, 0x13, 0x23, 0x43, 0x83))
_ASDU_TYPES = frozenset((*range(1, 22), *range(30, 41), *range(45, 52), *range(58, 65), 70, *range(100, 108)))
_ASDU_TYPES |= frozenset((*range(110, 114), *range(120, 128)))
_CAUSES = frozenset((*range(1, 14), *range(20, 42), *range(44, 48)))
# Modbus/TCP: octets of the header without unit, and functions that are defined.
_MBAP, _FUNCTIONS = 6, frozenset((*range(1, 9), 11, 12, *range(15, 18), *range(20, 25), 43))


def is_dtls(octets: bytes) -> bool:
    """Records to the last octet, the first one with epoch 0, or of a session that goes on."""
    at = 0
    while at + DTLS_HEADER <= len(octets):
        known = octets[at] in _DTLS_TYPES and octets[at + 1 : at + 3] in _DTLS_VERSIONS
        length = int.from_bytes(octets[at + 11 : at + 13], "big")
        if not known or not 0 < length <= 1 << 14 | 1 << 11:
            return False
        at += DTLS_HEADER + length
    return at == len(octets) > 0


def is_p1(octets: bytes | bytearray) -> bool:
    """The first lines of a telegram."""
    return _P1.match(octets) is not None


def is_sml(octets: bytes) -> bool:
    """An SML file begins with it: four escapes and version 1."""
    return octets.startswith(_SML_BEGIN)


def is_dsmr_alarm(octets: bytes) -> bool:
    """An equipment identifier, a comma, and 4 octets of an alarm register or 6 of a logical name."""
    return len(octets) in _ALARM_SIZES and octets[17:18] == b"," and _ALARM.match(octets) is not None


def is_iec_104(octets: bytes) -> bool:
    """APDUs to the last octet: control fields that are defined, ASDUs with a known type and cause."""
    return _is_chain(octets, _iec_104_frames)


def is_modbus(octets: bytes) -> bool:
    """Messages to the last octet, protocol 0, of functions that are defined."""
    return _is_chain(octets, _modbus_frames)


def is_mbus(octets: bytes) -> bool:
    """Long frames with right checksums, short frames and acknowledgements, to the last octet."""
    return _is_chain(octets, mbus_stops)


def is_hex_text(octets: bytes) -> bool:
    """The digits of octets that are DLMS, as text: some send the string and not what it spells."""
    if not _DIGITS.fullmatch(octets):
        return False
    from cosemscope.apdu.framed import digits_of  # most captures do without

    return bool(digits_of(octets.strip()))


def mbus_stops(octets: bytes) -> Iterator[int]:
    """The index behind each frame of EN 13757-2 from the first octet on, as far as one follows the other."""
    at = 0
    while at < len(octets) and (at := mbus_end(octets, at)) > 0:
        yield at


def mbus_end(octets: bytes | bytearray, at: int) -> int:
    """The index behind the M-Bus frame at `at`; 0 where there is none, -1 while octets are missing."""
    first = octets[at]
    if first == 0xE5:
        return at + 1
    if first == 0x10:
        if at + 5 > len(octets):
            return -1
        right = octets[at + 4] == 0x16 and octets[at + 3] == (octets[at + 1] + octets[at + 2]) & 0xFF
        return at + 5 if right else 0
    if first != 0x68:
        return 0
    if at + 4 > len(octets):
        return -1
    length, again, second = octets[at + 1 : at + 4]
    stop = at + 6 + length
    if length != again or second != 0x68 or length < 3:
        return 0
    if stop > len(octets):
        return -1
    right = octets[stop - 1] == 0x16 and octets[stop - 2] == sum(octets[at + 4 : stop - 2]) & 0xFF
    return stop if right else 0


def mbus_apdu_begins(frame: bytes | bytearray) -> bool:
    """A whole frame with the beginning of an APDU: transport control, first segment, SAPs, a known tag."""
    if len(frame) < MBUS_USER_DATA + 6 or frame[0] != 0x68:
        return False
    control, tag = frame[MBUS_USER_DATA], frame[MBUS_USER_DATA + 3]
    return control in (0x00, 0x10) and tag in APDU_TAGS


def _is_chain(octets: bytes, frames: Callable[[bytes], Iterator[int]]) -> bool:
    """True if frames follow each other to the last octet; `frames` yields the stop of each."""
    at = 0
    for stop in frames(octets):
        at = stop
    return at == len(octets) > 0


def _iec_104_frames(octets: bytes) -> Iterator[int]:
    at = 0
    while at + 6 <= len(octets) and octets[at] == 0x68:
        length, control = octets[at + 1], octets[at + 2 : at + 6]
        if not 4 <= length <= _APDU_MOST:
            return
        asdu = octets[at + 6 : at + 2 + length]
        unnumbered = length == 4 and control[0] in _UNNUMBERED and control[1:] == b"\0\0\0"
        supervisory = length == 4 and control[:2] == b"\1\0" and not control[2] & 1
        carries = len(asdu) >= _ASDU_LEAST and not control[0] & 1 and not control[2] & 1
        known = carries and asdu[0] in _ASDU_TYPES and asdu[2] & 0x3F in _CAUSES
        if not unnumbered and not supervisory and not known:
            return
        at += 2 + length
        yield at


def _modbus_frames(octets: bytes) -> Iterator[int]:
    at = 0
    while at + _MBAP + 2 <= len(octets):
        length = int.from_bytes(octets[at + 4 : at + 6], "big")
        if octets[at + 2 : at + 4] != b"\0\0" or not 3 <= length <= 254:
            return
        if octets[at + 7] & 0x7F not in _FUNCTIONS or (octets[at + 7] & 0x80 and length != 3):
            return
        at += _MBAP + length
        yield at
