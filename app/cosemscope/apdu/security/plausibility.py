"""Whether what was deciphered makes sense: where no tag tells, a wrong key is known by its random octets.

A ciphered service names the service inside. Inside the general- envelopes any service in clear may stand;
then nothing in it may be broken, for one of a thousand wrong keys must not pass either. Some meters send
plain text there instead of an APDU.
"""

from cosemscope.apdu.context import CipheredPart
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.names import tags as t
from cosemscope.apdu.names.codes import CONFIRMED_SERVICES, EXCEPTION_ERRORS, SERVICE_ERRORS, STATE_ERRORS
from cosemscope.apdu.names.text_marks import is_text
from cosemscope.apdu.services.prime_messages import prime_name

_INNER = {**t.GLO_SERVICES, **t.DED_SERVICES}
#: What may answer instead of the service that a ciphered service names.
_ERRORS = frozenset((t.EXCEPTION_RESPONSE, t.CONFIRMED_SERVICE_ERROR))
#: What may stand inside the general- envelopes: nothing that is ciphered once more, no ACSE.
_SERVICES = frozenset(_INNER.values()) | frozenset(
    (
        t.EXCEPTION_RESPONSE,
        t.DATA_NOTIFICATION,
        t.DATA_NOTIFICATION_CONFIRM,
        t.ACCESS_REQUEST,
        t.ACCESS_RESPONSE,
        t.GENERAL_BLOCK_TRANSFER,
    )
)
#: Of a ciphered service's content so many octets are enough: random ones break sooner.
_BELIEVED = 12
#: No block transfer has more than 4,095 blocks: the upper octets of block numbers and acknowledgements.
_BLOCKS = 0x0F


def first_octets(part: CipheredPart) -> frozenset[int]:
    """The first octets that the APDU inside of `part` may have."""
    expected = _INNER.get(part.tag)
    return _SERVICES if expected is None else _ERRORS | {expected}


def makes_sense(part: CipheredPart, plain: bytes) -> bool:
    """Whether what was deciphered can be the APDU that `part` promises; random octets can not."""
    if not plain or plain[0] not in first_octets(part):
        return part.tag not in _INNER and is_text(plain)
    if prime_name(plain):
        return False  # stands in a WPDU by itself, and is in no cipher
    if plain[0] in _ERRORS:
        return _is_error(plain)
    if plain[0] == t.GENERAL_BLOCK_TRANSFER and any(octet > _BLOCKS for octet in plain[2:6:2]):
        return False
    problems = decode_apdu(plain).problems
    broken = [problem.start for problem in problems if problem.severity == "error" and problem.source == 0]
    return not broken or (plain[0] == _INNER.get(part.tag) and min(broken) >= _BELIEVED)


def already_plain(part: CipheredPart) -> bool:
    """Whether text that is said to be encrypted is plain: a sound APDU, or text, as no cipher makes it."""
    text = part.content
    if not part.security_control & 0x20 or part.security_control & 0x80 or len(text) < _BELIEVED:
        return False
    if text[0] not in first_octets(part):
        return part.tag not in _INNER and is_text(text)
    return text[0] not in _ERRORS and not decode_apdu(text).problems


def _is_error(plain: bytes) -> bool:
    """Whether an exception response or a confirmed service error says what the standard knows."""
    if plain[0] == t.EXCEPTION_RESPONSE:
        return len(plain) in (3, 7) and plain[1] in STATE_ERRORS and plain[2] in EXCEPTION_ERRORS
    known = len(plain) == 4 and plain[1] in CONFIRMED_SERVICES and plain[2] in SERVICE_ERRORS
    return known and plain[3] in SERVICE_ERRORS[plain[2]][1]


def nonsense(plain: bytes) -> str:
    """The end of a sentence about a plaintext that makes no sense."""
    if not plain:
        return "is empty"
    name = t.apdu_name(plain[0])
    return f"begins {name}" if name.startswith("unknown") else f"is no {name} that can be read"
