"""Groups of expert items: every wanted item stands in the group of its kind, once, the worst kinds first."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.analysis.fields.registry import FIELDS  # declares all kinds
from cosemscope.gui.panes.expert.item_groups import ItemGroups, counts_by_severity, sentence_of
from cosemscope.streams.tables.expert_items import KINDS, NUMBERED, ExpertItems, Severity

assert FIELDS

ITEM = st.tuples(st.integers(0, len(NUMBERED) - 1), st.integers(-1, 9), st.integers(-1, 30))
ITEMS = st.lists(ITEM, max_size=60)


def table(made: list[tuple[int, int, int]]) -> ExpertItems:
    items = ExpertItems()
    kind, wpdu, packet = np.array(made, np.int64).reshape(-1, 3).T
    items.add(len(made), kind=kind, wpdu=wpdu, packet=packet)
    return items


@given(ITEMS, st.sets(st.sampled_from(Severity)), st.none() | st.lists(st.booleans(), max_size=10))
def test_groups_part_the_wanted_items(made, wanted, displayed) -> None:
    """Worst first, of equal ones the larger; within a group by packet; nothing else, and nothing twice."""
    items = table(made)
    groups = ItemGroups(items, wanted, None if displayed is None else np.array(displayed, np.bool_))
    expected = [
        row
        for row, (kind, wpdu, _) in enumerate(made)
        if NUMBERED[kind].severity in wanted
        and (displayed is None or (0 <= wpdu < len(displayed) and displayed[wpdu]))
    ]
    assert sorted(groups.rows.tolist()) == expected
    found = [
        [groups.row(group, place) for place in range(groups.count(group))] for group in range(len(groups))
    ]
    assert [row for rows in found for row in rows] == groups.rows.tolist()
    worth = [(kind.severity, len(rows)) for kind, rows in zip(groups.kinds, found, strict=True)]
    assert worth == sorted(worth, reverse=True)
    for group, (kind, rows) in enumerate(zip(groups.kinds, found, strict=True)):
        assert {made[row][0] for row in rows} == {kind.number}
        packets = [made[row][2] for row in rows]
        assert packets == sorted(packets)
        assert groups.group(kind) == group
        assert groups.places(group, "packet", packets[0]).tolist() == [
            place for place, packet in enumerate(packets) if packet == packets[0]
        ]


@given(ITEMS)
def test_counts_are_of_all_severities(made) -> None:
    """Also of those without an item."""
    counts = counts_by_severity(table(made))
    assert counts == {
        severity: sum(NUMBERED[kind].severity is severity for kind, *_ in made) for severity in Severity
    }


def test_the_sentence_of_a_kind_has_no_amount() -> None:
    """Each item has its own; a kind without items has no group."""
    assert sentence_of(KINDS["truncated"]) == "Truncated, … octets missing"
    assert sentence_of(KINDS["dropped-packets"]) == "The capture lost … packets"
    assert ItemGroups(table([])).group(KINDS["truncated"]) == -1
