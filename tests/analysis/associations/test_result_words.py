"""Results in the standard's words, wherever in an APDU they stand."""

import pytest

from cosemscope.analysis.associations.result_words import result_word


@pytest.mark.parametrize(
    ("service", "code", "word"),
    [
        (0xC4, 0, "success"),
        (0xC4, 4, "object-undefined"),
        (0xC5, 3, "read-write-denied"),
        (0xC7, 0, "success"),
        (0xC7, 12, "type-unmatched"),
        (0xC4, 77, "code 77"),
        (0x61, 0, "accepted"),
        (0x61, 1, "rejected-permanent"),
        (0x0C, 3, "read-write-denied"),
        (0x0D, 0, "success"),
        (0xD8, 2, "service-not-supported"),
        (0xDA, 3, "read-write-denied"),
        (0x0E, 0x0503, "hardware-fault"),
        (0x0E, 0x0563, "code 99"),
        (0xC0, 5, "code 5"),
        (0xC4, -1, None),
    ],
)
def test_of_a_first_look(service: int, code: int, word: str | None) -> None:
    """A number that the standard does not name stays a number."""
    assert result_word(service, code) == word
