"""ECDSA signatures of suites 1 and 2: general-signing APDUs, ephemeral keys, HLS with mechanism 7.

A DLMS signature is r and s, each as long as a coordinate; some stacks send it in DER.
Source: IEC 62056-5-3, digital signature; general-signing. Which octets are signed is read in two ways.
"""

from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from cosemscope.apdu.context import SignedPart
from cosemscope.apdu.names.texts import title_text
from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.security.suites import suite_of_curve


def signed_by(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> bool:
    """Whether `signature` (r and s, or DER) is that key's over `message`."""
    suite = suite_of_curve(key.curve)
    if suite is None or suite.digest is None:
        return False
    size = suite.coordinate_size
    if len(signature) == 2 * size:
        r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
        signature = encode_dss_signature(r, s)
    try:
        key.verify(signature, message, ec.ECDSA(suite.digest))
    except InvalidSignature:
        return False
    return True


def signed_forms(part: SignedPart) -> tuple[tuple[str, bytes], ...]:
    """The octets that may be signed in a general-signing APDU, as (name, octets), the likeliest first."""
    envelope = part.envelope
    bare = (
        envelope.transaction_id,
        envelope.originator,
        envelope.recipient,
        envelope.date_time,
        envelope.other_information,
        part.content,
    )
    return (
        ("header fields with their lengths, and content", envelope.octets + part.content),
        ("header fields and content, with their lengths", part.signed),
        ("header fields and content, without lengths", b"".join(bare)),
    )


def verify(part: SignedPart, sets: Sequence[KeySet]) -> Opening:
    """The outcome of verifying a general-signing APDU: VERIFIED, SIGNATURE_WRONG or NO_KEY."""
    originator = part.envelope.originator
    named = [keys for keys in sets if keys.signing_point is not None and keys.title == originator]
    unnamed = [keys for keys in sets if keys.signing_point is not None and keys.title is None]
    size = len(part.signature)
    for keys in named + unnamed:
        point = keys.signing_point
        if point is None:
            continue
        for form, message in signed_forms(part):
            if signed_by(point, part.signature, message):
                note = f"signature verified with the signing key of {keys.label}, over the {form}"
                return Opening(Verdict.VERIFIED, notes=(note,))
    if named or unnamed:
        tried = ", ".join(keys.label for keys in (named + unnamed)[:3])
        note = f"the signature of {size} octets does not fit the signing key of {tried}"
        return Opening(Verdict.SIGNATURE_WRONG, notes=(note,))
    note = f"no public key or certificate is given that verifies signatures of {title_text(originator)}"
    return Opening(Verdict.NO_KEY, notes=(note,))
