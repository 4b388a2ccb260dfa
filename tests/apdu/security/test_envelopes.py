"""Headers of protected APDUs read without a tree: the same parts as the decoder's."""

from hypothesis import given
from hypothesis import strategies as st

from cosemscope.apdu.context import CipheredPart, Context, SignedPart
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.names.tags import GENERAL_SIGNING
from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.apdu.security.envelopes import CIPHERED_TAGS, Unprotected, read_protected
from tests.helpers.protection import TITLE, sized, vectors

_PROTECTED = CIPHERED_TAGS | {GENERAL_SIGNING}


def first_part(apdu: bytes) -> CipheredPart | SignedPart | None:
    """The outermost protected part that the decoder meets."""
    seen: list[CipheredPart | SignedPart] = []

    def note(part: CipheredPart | SignedPart) -> Opening:
        seen.append(part)
        return Opening(Verdict.NO_KEY)

    decode_apdu(apdu, Context(opener=note, verifier=note))
    # The decoder meets a signature after what is signed.
    return next((part for part in seen if isinstance(part, SignedPart)), seen[0] if seen else None)


def test_the_vectors_have_the_same_parts() -> None:
    """On every protected vector the short way and the decoder agree."""
    count = 0
    for vector in vectors():
        octets = bytes.fromhex(vector["hex"])
        apdu = octets[8:] if vector["layer"] == "wpdu" else octets
        if not apdu or (apdu[0] not in _PROTECTED and apdu[0] != 0) or vector["expect"] == "incomplete":
            continue
        part = read_protected(apdu)
        if isinstance(part, Unprotected):
            assert part.content.hex() == vector["plain"]
        elif part is not None:
            count += 1
            assert part == first_part(apdu), vector["name"]
    assert count >= 50


_FIELD = st.binary(max_size=9)
_KEY_INFO = st.one_of(
    st.just(b"\x00"),
    st.builds(lambda key: bytes((1, 0, key)), st.integers(0, 3)),
    st.builds(lambda wrapped: b"\x01\x01\x00" + sized(wrapped), st.binary(max_size=40)),
    st.builds(lambda scheme, key: b"\x01\x02" + sized(scheme) + sized(key), _FIELD, st.binary(max_size=140)),
)


@given(
    tag=st.sampled_from(sorted(_PROTECTED)),
    content=st.binary(max_size=40),
    control=st.sampled_from([0x10, 0x20, 0x30, 0x31, 0x32, 0x70, 0xB0]),
    fields=st.tuples(_FIELD, _FIELD, _FIELD, st.just(b""), _FIELD),
    key_info=_KEY_INFO,
    cut=st.integers(0, 8),
)
def test_made_apdus_have_the_same_parts(
    tag: int, content: bytes, control: int, fields: tuple[bytes, ...], key_info: bytes, cut: int
) -> None:
    """Whatever is in the header, and where it is cut: both ways agree on what there is to open."""
    body = sized(bytes((control, 0, 0, 1, 2)) + content)
    start = bytes((tag,))
    envelope = b"".join(map(sized, fields))
    if tag in (0xDB, 0xDC):
        apdu = start + sized(TITLE) + body
    elif tag == 0xDD:
        apdu = start + envelope + key_info + body
    elif tag == 0xDF:
        apdu = start + envelope + sized(b"\xc0\x01\xc1" + content) + sized(bytes(64))
    else:
        apdu = start + body
    apdu = apdu[: len(apdu) - cut] if cut else apdu
    assert read_protected(apdu) == first_part(apdu)


@given(st.binary(max_size=60))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    """Reading never raises."""
    for tag in (0x00, 0xC8, 0xDB, 0xDD, 0xDF):
        read_protected(bytes((tag,)) + octets)


def test_only_protected_apdus_are_read_as_such() -> None:
    """The octets of a signed APDU behind any tag: each tag has its own reading, and most have none."""
    body = (
        sized(b"")
        + sized(TITLE)
        + sized(b"")
        + sized(b"")
        + sized(b"")
        + sized(b"\xc0\x01")
        + sized(b"s" * 8)
    )
    kinds = {tag: read_protected(bytes([tag]) + body) for tag in range(256)}
    signed = {tag for tag, part in kinds.items() if isinstance(part, SignedPart)}
    assert signed == {GENERAL_SIGNING}
    part = kinds[GENERAL_SIGNING]
    assert isinstance(part, SignedPart)
    assert (part.content, part.signature) == (b"\xc0\x01", b"s" * 8)
    assert all(kinds[tag] is None for tag in range(1, 256) if tag not in _PROTECTED)
