"""The table of expert items: sentences with amounts, own words, counts."""

import numpy as np
import pytest

from cosemscope.streams.tables.expert_items import KINDS, ExpertItems, Severity, Words, severities
from cosemscope.streams.tables.stream_kinds import CONFLICT, HOLE, KEEP_ALIVE, SEVERAL


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [(1, "1 octet missing in the capture"), (12345, "12,345 octets missing in the capture")],
)
def test_sentences_count(amount: int, sentence: str) -> None:
    """One octet is no octets, and large numbers can be read."""
    assert HOLE.message(amount) == sentence
    assert SEVERAL.message(2) == "2 WPDUs in one datagram"


def test_own_words_go_before_those_of_the_kind() -> None:
    """Kept once each; the clause of the kind holds where the item has none."""
    items = ExpertItems()
    own, other = items.number(Words("said", "clause 1")), items.number(Words("said otherwise"))
    assert items.number(Words("said", "clause 1")) == own != other
    items.add(3, kind=KEEP_ALIVE.number, words=[0, own, other], packet=[5, 6, 7])
    assert [items.message(row) for row in range(3)] == [KEEP_ALIVE.sentence, "said", "said otherwise"]
    assert [items.clause(row) for row in range(3)] == [KEEP_ALIVE.clause, "clause 1", KEEP_ALIVE.clause]
    assert items["wpdu"].tolist() == items["stream"].tolist() == [-1] * 3


def test_counts_and_totals() -> None:
    """The statistics are these; an amount that a column cannot hold is the largest that it can."""
    items = ExpertItems()
    items.add(2, kind=HOLE.number, amount=[3, 1 << 40])
    items.add(kind=CONFLICT.number, amount=9)
    assert (items.count(HOLE), items.count(CONFLICT), items.count(SEVERAL)) == (2, 1, 0)
    assert items.total(HOLE) == 3 + (1 << 32) - 1


def test_severities_are_by_the_number_of_the_kind() -> None:
    """What a list is cut down by, for all items at once."""
    kinds = np.array([HOLE.number, KEEP_ALIVE.number])
    assert (severities()[kinds] >= Severity.WARNING).tolist() == [True, False]


def test_kinds_have_words_for_scripts_and_sentences_for_people() -> None:
    """Words are lower case with hyphens; no sentence is empty or ends with a full stop."""
    for word, kind in KINDS.items():
        assert word == kind.word == word.lower().replace("_", "-").replace(" ", "-")
        assert kind.message(2)
        assert not kind.message(2).endswith(".")
