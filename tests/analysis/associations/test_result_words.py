"""Results in the standard's words, wherever in an APDU they stand."""

import pytest

from cosemscope.analysis.associations.association import Look
from cosemscope.analysis.associations.result_words import result_further_in, result_word
from cosemscope.apdu.context import Context
from tests.helpers import apdu_encoder as encode


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
        (0xC0, 5, "code 5"),
        (0xC4, -1, None),
    ],
)
def test_of_a_first_look(service: int, code: int, word: str | None) -> None:
    """A number that the standard does not name stays a number."""
    assert result_word(service, code) == word


@pytest.mark.parametrize(
    ("apdu", "word"),
    [
        (encode.access_response([("null-data", None)] * 2, [(1, 0), (1, 0)]), "success"),
        (encode.access_response([("null-data", None)] * 3, [(1, 0), (2, 3), (1, 4)]), "read-write-denied"),
        (encode.access_response([], []), None),
        (encode.aare(0, 0), "accepted"),
        (encode.aare(1, 1), "rejected-permanent"),
        (bytes.fromhex("0e010503"), "hardware-fault"),
        (bytes.fromhex("0e010563"), "code 99"),
        (bytes.fromhex("0e0105"), None),
        (bytes.fromhex("da00"), None),
        (encode.get_response(4), None),
        (encode.get_response_list([("array", [("null-data", None)]), 4, 3]), "object-undefined"),
        (encode.get_response_list([("array", [("null-data", None)])] * 2), "success"),
        (encode.get_response_list([("octet-string", bytes(40)), 4])[:-2], None),
        (encode.get_response_list([]), None),
        (bytes.fromhex("c505c11d" + "00" * 29), "success"),
        (bytes.fromhex("c505c11d" + "00" * 28), None),
        (bytes.fromhex("c703c102000100010103070100"), "hardware-fault"),
        (bytes.fromhex("c703c1020001000101030703 00"), "read-write-denied"),
        (bytes.fromhex("0c0200010103070103"), "read-write-denied"),
        (bytes.fromhex("0c0203000100"), None),
        (b"", None),
    ],
)
def test_further_in(apdu: bytes, word: str | None) -> None:
    """ACCESS: the first that is no success; what is cut has none."""
    assert result_further_in(Look(-1, Context(), plain=apdu)) == word
