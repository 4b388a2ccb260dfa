"""Expert items in groups of one kind each, as arrays of rows of their table, without Qt.

The worst kinds come first, of equal ones those with most items; the items of a group stand by packet.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.streams.tables.expert_items import (
    NUMBERED,
    ExpertItems,
    ItemKind,
    Severity,
    severities,
)

#: Which WPDU rows are displayed, bool[rows].
Displayed = npt.NDArray[np.bool_]


def counts_by_severity(items: ExpertItems) -> dict[Severity, int]:
    """How many items of each severity there are."""
    counts = np.bincount(severities()[items["kind"]], minlength=len(Severity))
    return {severity: int(counts[severity]) for severity in Severity}


class ItemGroups:
    """The groups of `items`, those of some severities, and with `displayed` those of its WPDUs alone.

    `kinds` has the kind of each group. Items that come into the table later are in no group.
    """

    def __init__(
        self,
        items: ExpertItems,
        wanted: Collection[Severity] = tuple(Severity),
        displayed: Displayed | None = None,
    ) -> None:
        self.items = items
        kind, packet, wpdu = (items[name][: len(items)] for name in ("kind", "packet", "wpdu"))
        severity = severities()
        shown = np.isin(severity, list(wanted))[kind]
        if displayed is not None:
            there = (wpdu >= 0) & (wpdu < len(displayed))
            shown &= there
            shown[there] &= displayed[wpdu[there]]
        rows = np.flatnonzero(shown)
        # `rank` is the place of each kind among the groups; kinds without items come behind all others.
        counts = np.bincount(kind[rows], minlength=len(NUMBERED))
        by_rank = np.lexsort((-counts, -severity.astype(np.int64), counts == 0))
        rank = np.empty(len(by_rank), np.uint16)
        rank[by_rank] = np.arange(len(by_rank))
        rows = rows[np.argsort(packet[rows], kind="stable")]
        #: Rows of the table of items, group after group, int64[n].
        self.rows: npt.NDArray[np.int64] = rows[np.argsort(rank[kind[rows]], kind="stable")]
        self._numbers = by_rank[: np.count_nonzero(counts)].tolist()
        self.kinds: list[ItemKind] = [NUMBERED[number] for number in self._numbers]
        self._counts: list[int] = counts[self._numbers].tolist()
        self._starts: list[int] = [0, *np.cumsum(counts[self._numbers]).tolist()]

    def __len__(self) -> int:
        return len(self.kinds)

    def count(self, group: int) -> int:
        """The number of items of a group."""
        return self._counts[group]

    def row(self, group: int, place: int) -> int:
        """The row in the table of a group's item."""
        return self.rows.item(self._starts[group] + place)

    def group(self, kind: ItemKind) -> int:
        """The group of a kind; -1 for none."""
        return self._numbers.index(kind.number) if kind.number in self._numbers else -1

    def places(self, group: int, column: str, value: int) -> npt.NDArray[Any]:
        """The places in a group of the items that have this value in a column of their table."""
        rows = self.rows[self._starts[group] : self._starts[group + 1]]
        return np.flatnonzero(self.items[column][rows] == value)


def sentence_of(kind: ItemKind) -> str:
    """What all items of a kind say; where each has an amount of its own stands a gap."""
    said = kind.sentence.format(amount="…", octets="… octets")
    return said[:1].upper() + said[1:]
