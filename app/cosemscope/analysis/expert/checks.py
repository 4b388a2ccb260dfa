"""The registry of checks: a check is one function that finds the items of one kind in the columns.

    @wpdu_check("truncated", Severity.WARNING, Group.WRAPPER, "truncated, {octets} missing", CLAUSE)
    def truncated(analysis: Analysis, rows: Rows) -> Found:
        return {"wpdu": ..., "amount": ...}

Declaring the kind and registering the function are one: a new check is a decorator
and a function, and nothing else has to know of it. Checks of WPDUs are run over all
rows, batch by batch, and over one row that somebody looks at; checks of the capture
once it is complete.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.streams.tables.expert_items import (
    EXPERT_FIELDS,
    ExpertItems,
    Group,
    ItemKind,
    Severity,
    Source,
    Words,
    declare,
)

#: What a check found: columns of expert items, arrays of one length or scalars; empty: nothing. Where there
#: is a column `wpdu` (rows), what is not said of packet, stream, direction and span is the WPDU's. `said`, in
#: the place of `words`: the Words of each item.
Found = Mapping[str, npt.ArrayLike | Sequence[Words]]
#: WPDU rows, int64[n], ascending.
Rows = npt.NDArray[np.int64]
#: Looks at some WPDU rows: a batch, or one that somebody rests the mouse on.
Finder = Callable[[Analysis, Rows], Found]


class ExpertCheck(NamedTuple):
    """A registered check and the kind of items that it finds."""

    kind: ItemKind
    find: Finder


class LookCheck(NamedTuple):
    """A registered check that looks at APDUs in their associations, and the kind of items that it finds."""

    kind: ItemKind
    find: Callable[[Associations], Found]


WPDU_CHECKS: list[ExpertCheck] = []
#: Checks of a complete capture over which its associations were walked.
LOOK_CHECKS: list[LookCheck] = []
CAPTURE_CHECKS: list[ExpertCheck] = []


def wpdu_check(
    word: str, severity: Severity, group: Group, sentence: str, clause: str = ""
) -> Callable[[Finder], Finder]:
    """Declare a kind, and register the function below as its check of every batch of WPDU rows."""
    return finds(WPDU_CHECKS, declare(word, severity, group, sentence, clause))


def capture_check(
    word: str, severity: Severity, group: Group, sentence: str, clause: str = ""
) -> Callable[[Finder], Finder]:
    """Declare a kind, and register the function below as its check of a complete capture."""
    return finds(CAPTURE_CHECKS, declare(word, severity, group, sentence, clause))


def look_check(
    word: str, severity: Severity, group: Group, sentence: str, clause: str = ""
) -> Callable[[Callable[[Associations], Found]], Callable[[Associations], Found]]:
    """Declare a kind, and register the function below as its check of walked associations."""
    kind = declare(word, severity, group, sentence, clause)

    def register(find: Callable[[Associations], Found]) -> Callable[[Associations], Found]:
        LOOK_CHECKS.append(LookCheck(kind, find))
        return find

    return register


def finds(checks: list[ExpertCheck], kind: ItemKind) -> Callable[[Finder], Finder]:
    """Register the function below among `checks` as one that finds items of a kind."""

    def register(find: Finder) -> Finder:
        checks.append(ExpertCheck(kind, find))
        return find

    return register


def first_of_each(numbers: npt.NDArray[Any], count: int) -> tuple[Rows, Rows]:
    """Which of the numbers below `count` there are, ascending, and the place of the first of each: int64[n].

    What np.unique tells, without its sorting.
    """
    first = np.full(count, -1, np.int64)
    first[numbers[::-1]] = np.arange(len(numbers) - 1, -1, -1)
    there = np.flatnonzero(first >= 0)
    return there, first[there]


def run_checks(
    checks: list[ExpertCheck], analysis: Analysis, rows: Rows, items: ExpertItems
) -> Iterator[tuple[ItemKind, dict[str, npt.NDArray[np.int64]]]]:
    """What each check found in these WPDU rows: its kind and the columns of expert items, int64[n], n > 0.

    `items` is the table for them, which numbers their words.
    """
    for kind, find in checks:
        yield from _items(kind, find(analysis, rows), analysis, items)


def run_look_checks(
    associations: Associations, items: ExpertItems
) -> Iterator[tuple[ItemKind, dict[str, npt.NDArray[np.int64]]]]:
    """The same of the checks that look at APDUs."""
    for kind, find in LOOK_CHECKS:
        yield from _items(kind, find(associations), associations.analysis, items)


def _items(
    kind: ItemKind, told: Found, analysis: Analysis, items: ExpertItems
) -> Iterator[tuple[ItemKind, dict[str, npt.NDArray[np.int64]]]]:
    """What a check found, as columns of items; nothing where it found none."""
    found: dict[str, Any] = {name: values for name, values in told.items() if name != "said"}
    if "said" in told:
        found["words"] = [items.number(Words(*said)) for said in cast("Sequence[Words]", told["said"])]
    count = prod(np.broadcast_shapes(*map(np.shape, found.values()))) if found else 0
    if count:
        yield kind, complete(analysis, {**found, "kind": kind.number}, count)


def complete(
    analysis: Analysis, found: Mapping[str, npt.ArrayLike], count: int
) -> dict[str, npt.NDArray[np.int64]]:
    """All columns of `count` items, int64[count]; what is not given is that of the WPDU, or nothing."""
    values: dict[str, Any] = {"wpdu": -1, "packet": -1, "stream": -1}
    if "wpdu" in found:
        wpdus, row = analysis.wpdus, np.asarray(found["wpdu"])
        values = {
            "packet": wpdus["last_packet"][row],
            "stream": wpdus["stream"][row],
            "direction": wpdus["direction"][row],
            "source": Source.WPDU,
            "stop": wpdus["size"][row],
        }
    values.update(found)
    columns = {name: np.asarray(values.get(name, 0), np.int64) for name in EXPERT_FIELDS}
    return {name: np.broadcast_to(column, count) for name, column in columns.items()}
