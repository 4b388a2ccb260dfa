"""Kinds of APDUs: each defined tag has one, by a table and for whole columns alike; failures are errors."""

import numpy as np

from cosemscope.apdu.names.tags import APDU_TAGS
from cosemscope.gui.look.apdu_kinds import Kind, kind_of, kinds_of


def test_every_defined_apdu_has_a_kind():
    """Only undefined tags, and none at all, are unknown."""
    assert {tag for tag in range(256) if kind_of(tag) is not Kind.UNKNOWN} == set(APDU_TAGS)
    assert kind_of(-1) is Kind.UNKNOWN


def test_columns_have_the_kinds_of_their_rows():
    """The table over arrays says what the single look-up says, for every tag, inner tag and result."""
    tags = np.arange(-1, 256, dtype=np.int16)
    for inner, result in ((-1, -1), (-1, 0), (0xC0, 0), (0x61, 1), (-1, 3)):
        others = np.full(257, inner, np.int16), np.full(257, result, np.int16)
        assert list(kinds_of(tags, *others)) == [kind_of(int(tag), inner, result) for tag in tags]


def test_what_failed_is_an_error_and_what_was_opened_is_what_it_is():
    assert kind_of(0xC4, -1, 0) is Kind.READ
    assert kind_of(0xC4, -1, 3) is Kind.ERROR
    assert kind_of(0x61, -1, 1) is Kind.ERROR
    assert kind_of(0xCC, -1, -1) is Kind.CIPHERED
    assert kind_of(0xCC, 0xC4, 0) is Kind.READ
    assert kind_of(0xCC, 0xC4, 4) is Kind.ERROR
