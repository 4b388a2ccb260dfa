"""Kinds of APDUs: each defined tag has one, by a table and for whole columns alike."""

import numpy as np

from cosemscope.apdu.names.tags import APDU_TAGS
from cosemscope.gui.look.apdu_kinds import Kind, kind_of, kinds_of


def test_every_defined_apdu_has_a_kind():
    """Only undefined tags, and none at all, are unknown."""
    assert {tag for tag in range(256) if kind_of(tag) is not Kind.UNKNOWN} == set(APDU_TAGS)
    assert kind_of(-1) is Kind.UNKNOWN
    assert list(kinds_of(np.array([0xC0, -1, 0x60], np.int16))) == [Kind.READ, Kind.UNKNOWN, Kind.ASSOCIATION]


def test_a_column_of_tags_has_the_kinds_of_its_tags():
    """The table over arrays says what the single look-up says, for every tag there can be."""
    tags = np.arange(-1, 256, dtype=np.int16)
    assert list(kinds_of(tags)) == [kind_of(int(tag)) for tag in tags]
