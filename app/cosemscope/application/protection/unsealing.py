"""Opening protected APDUs for protocol machines: the octets inside and what protected them, or one error.

The keys are tried by `apdu.security`, whose sentences say why an APDU does not open; here only what is proven
counts: the authentication tag is right, or none was promised and the text makes sense.
"""

from typing import NamedTuple

from cosemscope.apdu.context import SignedPart
from cosemscope.apdu.names.tags import GENERAL_SIGNING, apdu_name
from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.apdu.security.envelopes import CIPHERED_TAGS, Unprotected, read_protected
from cosemscope.apdu.security.opener import KeyedOpener

PROTECTED_TAGS = frozenset(CIPHERED_TAGS) | {GENERAL_SIGNING}
_PROVEN = (Verdict.OPENED, Verdict.UNTAGGED, Verdict.VERIFIED)


class Unsealed(NamedTuple):
    """What was inside: `control` is the security control octet, -1 of a signature (without `counter`)."""

    apdu: bytes
    control: int
    counter: int | None
    opening: Opening


class UnsealError(ValueError):
    """A protected APDU that is not proven: the sentence says why; `opening` is all that is known of it."""

    def __init__(self, sentence: str, opening: Opening | None = None) -> None:
        super().__init__(sentence)
        self.opening = opening


def unseal(octets: bytes, opener: KeyedOpener) -> Unsealed:
    """The APDU inside a protected one; raises UnsealError."""
    part = read_protected(octets)
    if part is None:
        name = apdu_name(octets[0]) if octets else "APDU without octets"
        raise UnsealError(f"the {name} is no whole protected APDU")
    if isinstance(part, Unprotected):
        return Unsealed(part.content, part.security_control, None, Opening(Verdict.CLEAR))
    if isinstance(part, SignedPart):
        opening, inside = opener.verify(part), part.content
        control, counter = -1, None
    else:
        opening = opener.open(part)
        inside = opening.plaintext or b""
        control, counter = part.security_control, part.invocation_counter
    if opening.verdict not in _PROVEN or opening.tried or opening.compressed:
        words = opening.text or opening.verdict.value
        raise UnsealError(f"the {apdu_name(octets[0])} does not open: {words}", opening)
    return Unsealed(inside, control, counter, opening)
