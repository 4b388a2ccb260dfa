"""Key sets: what they hold and never show; elliptic keys out of every form, by their size if need be."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cosemscope.apdu.security.key_sets import KeySet, point_octets, private_key, public_key

_ONE = ec.derive_private_key(1, ec.SECP256R1())
#: The base point of P-256 is the public key of the private key 1 (FIPS 186-4, D.1.2.3).
_BASE = bytes.fromhex(
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)


def test_what_a_set_holds() -> None:
    """The names of its keys, in the order of the fields; label and title are none."""
    assert KeySet("empty", b"ABCDEFGH").holds() == ()
    assert repr(KeySet("empty")) == "KeySet('empty', no keys)"
    keys = KeySet("full", b"ABCDEFGH", hls_secret=b"s", encryption=bytes(16), signing_private=_ONE)
    assert keys.holds() == ("encryption", "hls_secret", "signing_private")
    assert repr(keys) == "KeySet('full', encryption, hls_secret, signing_private)"


def test_points_of_a_set() -> None:
    """A public key that is given, else that of the private key, else none."""
    other = ec.derive_private_key(2, ec.SECP256R1())
    for kind in ("signing", "agreement"):
        private, public = {f"{kind}_private": _ONE}, {f"{kind}_public": other.public_key()}
        both = getattr(KeySet("both", **private, **public), f"{kind}_point")
        assert point_octets(both) == point_octets(other.public_key())
        assert point_octets(getattr(KeySet("private", **private), f"{kind}_point")) == _BASE
        assert getattr(KeySet("neither"), f"{kind}_point") is None


@pytest.mark.parametrize(
    ("size", "curve", "name"),
    [
        (1, "", "secp256r1"),
        (32, "", "secp256r1"),
        (33, "", "secp384r1"),
        (48, "", "secp384r1"),
        (32, "P-384", "secp384r1"),
        (32, "P-256", "secp256r1"),
    ],
)
def test_a_scalar_has_the_curve_of_its_size(size: int, curve: str, name: str) -> None:
    """Up to 32 octets P-256, unless the curve is said; the most significant octet is the first."""
    key = private_key(b"\x05".rjust(size, b"\0"), curve)
    assert (key.curve.name, key.private_numbers().private_value) == (name, 5)


@pytest.mark.parametrize(("octets", "curve"), [(b"\x05", "P-521"), (bytes(32), ""), (b"\xff" * 32, "")])
def test_scalars_that_are_no_key(octets: bytes, curve: str) -> None:
    """A curve that there is not, zero, and a number beyond the curve's order."""
    with pytest.raises(ValueError, match="private key"):
        private_key(octets, curve)


def test_a_point_is_read_with_and_without_its_first_octet() -> None:
    """x and y, 04 before them or not; P-384 by its size; what is on no curve is refused."""
    assert point_octets(public_key(_BASE)) == point_octets(public_key(b"\x04" + _BASE)) == _BASE
    long = point_octets(ec.derive_private_key(7, ec.SECP384R1()).public_key())
    assert len(long) == 96
    assert point_octets(public_key(long)) == point_octets(public_key(b"\x04" + long)) == long
    for octets in (bytes(64), _BASE[:-1] + b"\0", b"\x05" + _BASE, _BASE[:63], b""):
        with pytest.raises(ValueError, match="is no public key"):
            public_key(octets)
