"""Framings have names for people and for scripts, and some carry DLMS."""

import pytest

from cosemscope.streams.tables.framing import Framing

CARRIES = {"wrapper", "swapped", "hdlc", "bare", "iec-61334-4-32", "iec-62056-21", "coap", "mbus"}


@pytest.mark.parametrize("framing", Framing)
def test_every_framing_has_its_names(framing: Framing) -> None:
    """A label of its own, and a word without blanks or capitals."""
    assert [other for other in Framing if other.label == framing.label] == [framing]
    assert framing.word == framing.word.lower()
    assert set(framing.word) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert framing.carries_dlms == (framing.word in CARRIES)
