"""Protection as the standard describes it, by the library's plain AES-GCM: the other side of opening."""

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from cosemscope.apdu.security.key_sets import KeySet, private_key
from tests.helpers.shared import shared

ENCRYPTION = bytes(range(16))
AUTHENTICATION = bytes(range(0xD0, 0xE0))
TITLE = b"MMM\x00\x00\xbc\x61\x4e"
SERVER = b"MMM\x00\x00\x00\x00\x01"
GET_CLOCK = bytes.fromhex("c001c100080000010000ff0200")


def gcm(key: bytes, nonce: bytes, text: bytes, associated: bytes) -> tuple[bytes, bytes]:
    """Ciphered text, and the tag cut to 12 octets."""
    encryptor = Cipher(algorithms.AES(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(associated)
    ciphered = encryptor.update(text) + encryptor.finalize()
    return ciphered, encryptor.tag[:12]


def protect(
    plain: bytes,
    *,
    control: int = 0x30,
    counter: int = 1,
    title: bytes = TITLE,
    encryption: bytes = ENCRYPTION,
    authentication: bytes = AUTHENTICATION,
    header: bytes = b"",
) -> bytes:
    """Security header and protected content; `header` is what general-ciphering authenticates besides."""
    start = bytes((control,)) + counter.to_bytes(4, "big")
    nonce = title + start[1:]
    associated = start[:1] + authentication + header
    if control & 0x30 == 0x10:
        return start + plain + gcm(encryption, nonce, b"", associated + plain)[1]
    ciphered, tag = gcm(encryption, nonce, plain, associated if control & 0x10 else b"")
    return start + ciphered + (tag if control & 0x10 else b"")


def sized(octets: bytes) -> bytes:
    """Octets with their length before them."""
    size = len(octets)
    if size < 0x80:
        return bytes((size,)) + octets
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x80 + len(length),)) + length + octets


def glo(tag: int, plain: bytes, **how: Any) -> bytes:
    """A glo- or ded- service with that tag."""
    return bytes((tag,)) + sized(protect(plain, **how))


def general_glo(plain: bytes, *, title: bytes = TITLE, **how: Any) -> bytes:
    """A general-glo-ciphering APDU."""
    return b"\xdb" + sized(title) + sized(protect(plain, title=title, **how))


def raw_signature(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """r and s as DLMS sends them."""
    from cosemscope.apdu.security.suites import suite_of_curve

    suite = suite_of_curve(key.curve)
    assert suite is not None
    assert suite.digest is not None
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(suite.digest)))
    return r.to_bytes(suite.coordinate_size, "big") + s.to_bytes(suite.coordinate_size, "big")


def vectors() -> list[dict[str, Any]]:
    """The shared APDU vectors."""
    lines = shared("vectors/apdu.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line]


def vector_keys(vector: dict[str, Any]) -> list[KeySet]:
    """The key sets that a vector's `key` describes."""
    key = vector["key"]
    curve = key.get("curve", "")

    def octets(name: str) -> bytes | None:
        digits = key.get(name)
        return bytes.fromhex(digits.rjust(len(digits) + len(digits) % 2, "0")) if digits else None

    def private(name: str) -> ec.EllipticCurvePrivateKey | None:
        found = octets(name)
        return private_key(found, curve) if found else None

    names = ("encryption", "authentication", "dedicated", "broadcast")
    sets = [KeySet("vector", octets("system_title"), **{name: octets(name) for name in names})]
    if curve:
        for side in ("originator", "recipient"):
            sets.append(
                KeySet(
                    side,
                    octets(f"{side}_title"),
                    signing_private=private(f"{side}_signing_private"),
                    agreement_private=private(f"{side}_agreement_private"),
                )
            )
    return sets
