"""CoAP messages (RFC 7252) taken apart, with their blocks (RFC 7959): as far as DLMS over CoAP needs it.

DLMS sends a POST with the request and gets the answer with the same token; long APDUs come in blocks, those
of requests in Block1 and those of answers in Block2 options.
"""

from typing import NamedTuple

from cosemscope.apdu.names.tags import APDU_TAGS

_MARKER = 0xFF
_URI_PATH, _BLOCK2, _BLOCK1 = 11, 23, 27
#: Options that are defined, and the most octets that each may have (RFC 7252, 7641, 7959, 7967, 8613, 9175).
_OPTIONS = {1: 8, 3: 255, 4: 8, 5: 0, 6: 3, 7: 2, 8: 255, 9: 255, _URI_PATH: 255, 12: 2, 14: 4, 15: 255}
_OPTIONS |= {16: 1, 17: 2, 19: 3, 20: 255, _BLOCK2: 3, _BLOCK1: 3, 28: 4, 31: 3, 35: 1034, 39: 255, 60: 4}
_OPTIONS |= {252: 40, 258: 1, 292: 8}
#: Codes that are defined: methods, and answers of classes 2, 4 and 5.
_METHODS, POST = frozenset(range(1, 8)), 0x02
_ANSWERS = {
    2: frozenset((1, 2, 3, 4, 5, 31)),
    4: frozenset((*range(10), 12, 13, 15, 22, 29)),
    5: frozenset(range(6)),
}


class CoapBlock(NamedTuple):
    """A Block1 or Block2 option: the block's number, whether more follow, and octets of a full block."""

    number: int
    more: bool
    size: int


class CoapMessage(NamedTuple):
    """A CoAP message; `payload` is the index of its first octet of payload, 0 without any."""

    code: int
    message_id: int
    token: bytes
    path: str
    block1: CoapBlock | None
    block2: CoapBlock | None
    payload: int

    @property
    def is_answer(self) -> bool:
        """True if it answers a request."""
        return self.code >= 0x40


def read_coap(octets: bytes) -> CoapMessage | None:
    """The message that these octets are; None unless code and options are known, and a payload if marked."""
    if len(octets) < 4 or octets[0] >> 6 != 1:
        return None
    code, size = octets[1], octets[0] & 0x0F
    if size > 8 or not _is_code(code) or (code == 0 and len(octets) != 4):
        return None
    at = 4 + size
    if at > len(octets):
        return None
    values: dict[int, list[bytes]] = {}
    number = 0
    while at < len(octets) and octets[at] != _MARKER:
        delta, at_length = _extended(octets, octets[at] >> 4, at + 1)
        length, start = _extended(octets, octets[at] & 0x0F, at_length)
        number, at = number + delta, start + length
        if delta < 0 or length < 0 or length > _OPTIONS.get(number, -1) or at > len(octets):
            return None
        values.setdefault(number, []).append(octets[start:at])
    payload = at + 1 if at < len(octets) else 0
    if payload == len(octets):
        return None
    path = "/".join(part.decode("utf-8", "replace") for part in values.get(_URI_PATH, ()))
    block1, block2 = (_block(values.get(option)) for option in (_BLOCK1, _BLOCK2))
    message_id = int.from_bytes(octets[2:4], "big")
    return CoapMessage(code, message_id, octets[4 : 4 + size], path, block1, block2, payload)


def is_coap(octets: bytes) -> bool:
    """A message that has what chance does not: a path, or a token and an answer's code."""
    message = read_coap(octets)
    return message is not None and bool(message.path or (message.is_answer and message.token))


def carries_apdu(octets: bytes) -> bool:
    """A message that begins an APDU, with or without the wrapper's header around it."""
    message = read_coap(octets)
    if message is None or not message.payload or (message.code != POST and not message.is_answer):
        return False
    block = message.block2 if message.is_answer else message.block1
    whole = block is None or not block.more
    return (block is None or not block.number) and _begins(octets[message.payload :], whole=whole)


def wrapper_around(payload: bytes) -> int:
    """Octets of the wrapper's header before the APDU: 8, or 0 without one."""
    return 8 if payload[:2] == b"\0\1" and len(payload) > 8 else 0


def _begins(payload: bytes, *, whole: bool) -> bool:
    from cosemscope.apdu.decoder import decode_apdu  # few captures need it

    start = wrapper_around(payload)
    apdu = payload[start:]
    if not apdu or apdu[0] not in APDU_TAGS:
        return False
    if start and whole and int.from_bytes(payload[6:8], "big") != len(apdu):
        return False
    return not whole or not decode_apdu(apdu).problems


def _is_code(code: int) -> bool:
    kind, detail = code >> 5, code & 0x1F
    return detail in _ANSWERS.get(kind, ()) if kind else code == 0 or code in _METHODS


def _extended(octets: bytes, value: int, following: int) -> tuple[int, int]:
    """A delta or length with its extension, -1 for none that can be, and the index behind it."""
    size = {13: 1, 14: 2}.get(value, 0)
    if value == 15 or following + size > len(octets):
        return -1, following
    base = {13: 13, 14: 269}.get(value, value)
    return base + int.from_bytes(octets[following : following + size], "big"), following + size


def _block(values: list[bytes] | None) -> CoapBlock | None:
    if not values:
        return None
    value = int.from_bytes(values[0], "big")
    return CoapBlock(value >> 4, bool(value & 8), 1 << (value & 7) + 4)
