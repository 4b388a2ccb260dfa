"""What ACSE APDUs say: facts of one in clear are those of its octets, a ciphered one is opened each time."""

from cosemscope.apdu.acse_facts import acse_facts
from cosemscope.apdu.context import CipheredPart
from cosemscope.apdu.opening import Opening, Verdict
from tests.helpers import apdu_encoder as encode
from tests.helpers.apdu_encoder import element

TITLE = bytes.fromhex("4D4D4D0000BC614E")
#: An initiateRequest with a dedicated key, DLMS 6.
KEY = bytes(range(16))
INITIATE = b"\x01\x01\x10" + KEY + bytes.fromhex("000006 5f1f0400 00001e1d ffff")


def _asked(apdu: bytes, plaintext: bytes | None = None) -> tuple[object, int]:
    """The facts that the calling side's APDU says, and how often something was to be opened."""
    parts: list[CipheredPart] = []

    def opener(part: CipheredPart) -> Opening:
        parts.append(part)
        return Opening(Verdict.NO_KEY if plaintext is None else Verdict.OPENED, plaintext)

    return acse_facts(apdu, "calling", opener), len(parts)


def test_an_association_in_clear() -> None:
    """Title, mechanism, challenge, dedicated key, and nobody is asked to open anything."""
    apdu = encode.aarq(
        element(0xA6, element(0x04, TITLE)),
        element(0x8B, bytes.fromhex("60857405080205")),
        element(0xAC, element(0x80, b"challenge")),
        user_information=INITIATE,
    )
    facts, opened = _asked(apdu)
    assert (facts.title, facts.mechanism, facts.challenge, facts.dedicated_key) == (
        TITLE,
        5,
        b"challenge",
        KEY,
    )
    assert (facts.certificate, facts.base_name, opened) == (None, None, 0)
    assert _asked(apdu) == (facts, 0)


def test_a_ciphered_initiate_is_opened_each_time() -> None:
    """What one opener could not open another may: nothing of it is kept."""
    apdu = encode.aarq(user_information=b"\x21\x20\x30" + bytes(31))
    facts, opened = _asked(apdu)
    assert (facts.dedicated_key, opened) == (None, 1)
    facts, opened = _asked(apdu, INITIATE)
    assert (facts.dedicated_key, opened) == (KEY, 1)


def test_an_apdu_that_is_cut() -> None:
    """It says what is there."""
    whole = encode.aarq(element(0xA6, element(0x04, TITLE)), user_information=INITIATE)
    for stop in range(len(whole)):
        assert TITLE.startswith(_asked(whole[:stop])[0].title or b"")
