"""What came of opening: what each verdict means, and the sentences for people."""

import pytest

from cosemscope.apdu.opening import Opening, Verdict

_TITLE = b"ABC\0\0\0\0\x01"
_NAMED = "system title ABC 4142430000000001, invocation counter 9"


@pytest.mark.parametrize(
    ("verdict", "word", "opened", "wants_key", "severity"),
    [
        (Verdict.CLEAR, "clear", False, False, "note"),
        (Verdict.OPENED, "opened", True, False, "note"),
        (Verdict.UNTAGGED, "opened-untagged", True, False, "note"),
        (Verdict.UNAUTHENTICATED, "opened-unauthenticated", True, True, "note"),
        (Verdict.PLAIN, "already-plain", True, False, "warning"),
        (Verdict.TAG_WRONG, "tag-wrong", False, True, "warning"),
        (Verdict.KEY_UNFIT, "key-unfit", False, True, "warning"),
        (Verdict.NO_KEY, "no-key", False, True, "note"),
        (Verdict.NO_TITLE, "no-title", False, True, "note"),
        (Verdict.CUT, "cut", False, False, "note"),
        (Verdict.VERIFIED, "verified", False, False, "note"),
        (Verdict.SIGNATURE_WRONG, "signature-wrong", False, False, "warning"),
    ],
)
def test_what_a_verdict_means(
    verdict: Verdict, word: str, opened: bool, wants_key: bool, severity: str
) -> None:
    """Its word in output, whether there is a plaintext, whether a key is wanted, how bad it is."""
    assert (str(verdict), verdict.opened, verdict.wants_key) == (word, opened, wants_key)
    assert Opening(verdict).severity == severity
    assert Opening(verdict, tried=True).severity == "warning"


def test_every_verdict_is_in_the_table() -> None:
    """Whoever adds a verdict says above what it means."""
    assert len(Verdict) == 12


@pytest.mark.parametrize(
    ("opening", "text"),
    [
        (
            Opening(Verdict.OPENED, b"", 9, "the key", _TITLE, "SC || AK", notes=("one", "two")),
            f"Opened, the authentication tag is right: the key, {_NAMED}, AAD SC || AK. One. Two",
        ),
        (
            Opening(Verdict.UNTAGGED, b"", 9, "the key", _TITLE),
            f"Opened, there is no authentication tag to check: the key, {_NAMED}",
        ),
        (
            Opening(Verdict.UNAUTHENTICATED, b"", 9, title=_TITLE),
            f"Opened, not authenticated (no authentication key of its holder is given): {_NAMED}",
        ),
        (Opening(Verdict.NO_KEY, None, 9, "the key", _TITLE, notes=("no key is given",)), "No key is given"),
        (Opening(Verdict.CLEAR), ""),
    ],
)
def test_the_sentences_name_key_title_counter_and_aad(opening: Opening, text: str) -> None:
    """Where it opened; where not, the notes say it all."""
    assert opening.text == text
