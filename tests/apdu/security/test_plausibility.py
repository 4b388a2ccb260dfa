"""What a deciphered text must be to be believed without a tag: one row for each rule, on both sides of it."""

import pytest

from cosemscope.apdu.context import CipheredPart
from cosemscope.apdu.names.tags import APDU_TAGS, DED_SERVICES, GLO_SERVICES
from cosemscope.apdu.security.plausibility import first_octets, makes_sense, nonsense

_GENERAL = (0xDB, 0xDC, 0xDD)


def part(tag: int) -> CipheredPart:
    return CipheredPart(tag, 0x20, 1, b"", b"")


def test_the_service_that_a_ciphered_one_names() -> None:
    """It, or one of the two errors that may answer instead."""
    for tag, inner in {**GLO_SERVICES, **DED_SERVICES}.items():
        assert first_octets(part(tag)) == {inner, 0xD8, 0x0E}


@pytest.mark.parametrize("tag", _GENERAL)
def test_what_may_stand_in_a_general_envelope(tag: int) -> None:
    """Any service in clear that has a sender of its own; no ACSE, nothing that is ciphered again."""
    names = {APDU_TAGS[one] for one in first_octets(part(tag))}
    assert names == {
        "initiateRequest",
        "readRequest",
        "writeRequest",
        "initiateResponse",
        "readResponse",
        "writeResponse",
        "confirmedServiceError",
        "unconfirmedWriteRequest",
        "informationReportRequest",
        "get-request",
        "set-request",
        "event-notification-request",
        "action-request",
        "get-response",
        "set-response",
        "action-response",
        "exception-response",
        "data-notification",
        "data-notification-confirm",
        "access-request",
        "access-response",
        "general-block-transfer",
    }


@pytest.mark.parametrize(
    ("tag", "plain", "sense"),
    [
        (0xC8, "c001c1000800000100 00ff0200", True),
        (0xC8, "c401c10000", False),
        (0xC8, "", False),
        # Octets that break late are believed of the service that is named, and not in an envelope.
        (0xCC, "c401c100 09 20 000102030405", False),
        (0xCC, "c401c100 0201 0904 00010203 ff", True),
        (0xCC, "c401c100 0202 0904 00010203 0e", True),
        (0xCC, "c401c100 0202 0903 000102 0e", False),
        (0xDB, "c401c100 0202 0904 00010203 0e", False),
        (0xDB, "c401c100 0201 0904 00010203", True),
        # Errors that the standard knows, of their length.
        (0xCC, "d80101", True),
        (0xCC, "d80206", True),
        (0xCC, "d80106 00000001", True),
        (0xCC, "d80106 000001", False),
        (0xCC, "d80301", False),
        (0xCC, "d80107", False),
        (0xCC, "d801", False),
        (0xCC, "0e010601", True),
        (0xCC, "0e00 0601", False),
        (0xCC, "0e01 0b01", False),
        (0xCC, "0e01 0605", False),
        (0xCC, "0e0106 01 00", False),
        # Block numbers and acknowledgements up to 4,095.
        (0xDB, "e080 0001 0000 04 c501c100", True),
        (0xDB, "e080 0fff 0fff 04 c501c100", True),
        (0xDB, "e080 1000 0000 04 c501c100", False),
        (0xDB, "e080 0001 1000 04 c501c100", False),
        # Plain text in an envelope.
        (0xDB, b"/KFM5KAIFA-METER".hex(), True),
        (0xDB, b"/KFM5KAIFA-METE".hex(), False),
        (0xDB, b"/KFM5\r\n\tKAIFA-METER".hex(), True),
        (0xDB, b"/KFM5KAIFA-METE\x7f".hex(), False),
        (0xDB, b"/KFM5KAIFA-METE\x1f".hex(), False),
        (0xDB, b"                ".hex(), True),
        (0xC8, b"/KFM5KAIFA-METER".hex(), False),
        # ACSE, and what is ciphered once more.
        (0xDB, "6203800100", False),
        (0xDB, "c80720 00000001 aabb", False),
    ],
)
def test_what_makes_sense(tag: int, plain: str, sense: bool) -> None:
    """See the rows."""
    assert makes_sense(part(tag), bytes.fromhex(plain)) == sense


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        ("", "is empty"),
        ("54", "begins unknown (0x54)"),
        ("c4ff", "is no get-response that can be read"),
    ],
)
def test_what_nonsense_looks_like(plain: str, words: str) -> None:
    """The end of a sentence."""
    assert nonsense(bytes.fromhex(plain)) == words
