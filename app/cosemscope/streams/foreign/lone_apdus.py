"""APDUs that stand in a segment by themselves, without a header and without an answer: pushes of meters.

One is believed by itself alone, so chance must not make it: a ciphered one by the letters of its system
title, its security control and a length that ends where the segment does; one in clear by sound data.
"""

from cosemscope.apdu.names import tags as t

#: Octets of a system title, and where the ciphered content's length stands behind tag, length and title.
_TITLE, _CONTENT = 8, 10
_FLAG_LETTERS = frozenset(range(ord("A"), ord("Z") + 1)) | frozenset(range(ord("a"), ord("z") + 1))
#: Security control: suites 0 to 2, and one of authenticated and encrypted at least.
_SUITES, _PROTECTED = 0x0F, 0x30
#: Octets of a data-notification before its date-time; the containers that its body begins with.
_NOTIFICATION_HEAD, _CONTAINERS = 5, (0x01, 0x02)
_LEAST, _TIME = 16, 12


def is_lone_apdu(octets: bytes) -> bool:
    """Whether octets are one whole push: ciphered by a titled sender, or in clear and sound."""
    if len(octets) < _LEAST:
        return False
    if octets[0] in (t.GENERAL_GLO, t.GENERAL_DED):
        return _is_titled(octets)
    return octets[0] == t.DATA_NOTIFICATION and _is_notification(octets)


def _is_titled(octets: bytes) -> bool:
    if octets[1] != _TITLE or not _FLAG_LETTERS.issuperset(octets[2:5]):
        return False
    size, start = octets[_CONTENT], _CONTENT + 1
    if size > 0x80:
        wide = size & 0x7F
        size, start = int.from_bytes(octets[start : start + wide], "big"), start + wide
    if start + size != len(octets) or size < 6:
        return False
    control = octets[start]
    return control & _SUITES <= 2 and bool(control & _PROTECTED)


def _is_notification(octets: bytes) -> bool:
    time = octets[_NOTIFICATION_HEAD]
    body = _NOTIFICATION_HEAD + 1 + time
    if time not in (0, _TIME) or body >= len(octets) or octets[body] not in _CONTAINERS:
        return False
    from cosemscope.apdu.decoder import decode_apdu  # most captures do without

    return not decode_apdu(octets).problems
