"""The table of expert items: what is wrong or remarkable, in the order of the packets."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.export.tables.out_table import AT_ONCE, OutColumn, OutTable, Subject, chosen
from cosemscope.analysis.fields.value_arrays import Values, object_array
from cosemscope.analysis.fields.value_types import Integer, Rank, Term, Text, Word
from cosemscope.streams.tables.expert_items import (
    NUMBERED,
    ExpertItems,
    ItemKind,
    Severity,
    Source,
    severities,
)

Numbers = npt.NDArray[np.int64]
_Values = Callable[[ExpertItems, Numbers], Values]


def item_table(subject: Subject, names: Sequence[str] | None, least: Severity = Severity.CHAT) -> OutTable:
    """A row an item of the WPDUs that are left, or of the whole capture, that is at least so bad.

    Raises ExportError for a name that no column has.
    """
    items = subject.analysis.expert_items
    columns = chosen(list(_COLUMNS), names, "expert items")
    rows = np.flatnonzero(severities()[items["kind"]] >= least)
    if subject.rows is not None:
        rows = rows[np.isin(items["wpdu"][rows], subject.rows)]
    rows = rows[np.argsort(items["packet"][rows], kind="stable")]

    def batches() -> Iterator[list[Values]]:
        for start in range(0, len(rows), AT_ONCE):
            yield [_COLUMNS[column](items, rows[start : start + AT_ONCE]) for column in columns]
            subject.told(min(start + AT_ONCE, len(rows)), len(rows))

    return OutTable(tuple(columns), batches(), len(rows))


def _of_kinds(tell: Callable[[ItemKind], str]) -> _Values:
    def values(items: ExpertItems, rows: Numbers) -> Values:
        words = object_array([tell(kind) for kind in NUMBERED])
        found: npt.NDArray[np.object_] = words[items["kind"][rows]]
        return found

    return values


def _messages(items: ExpertItems, rows: Numbers) -> Values:
    return object_array([items.message(row) for row in rows.tolist()])


def _clauses(items: ExpertItems, rows: Numbers) -> Values:
    return object_array([items.clause(row) or None for row in rows.tolist()])


def _counted_from_1(name: str) -> _Values:
    return lambda items, rows: np.where(items[name][rows] >= 0, items[name][rows] + 1, -1)


def _where(name: str, there: Callable[[ExpertItems, Numbers], npt.NDArray[np.bool_]]) -> _Values:
    return lambda items, rows: np.where(there(items, rows), items[name][rows].astype(np.int64), -1)


def _has_stream(items: ExpertItems, rows: Numbers) -> npt.NDArray[np.bool_]:
    streams: npt.NDArray[np.bool_] = items["stream"][rows] >= 0
    return streams


def _has_span(items: ExpertItems, rows: Numbers) -> npt.NDArray[np.bool_]:
    spans: npt.NDArray[np.bool_] = items["source"][rows] != Source.NONE
    return spans


def _sources(items: ExpertItems, rows: Numbers) -> Values:
    return np.minimum(items["source"][rows], np.uint32(Source.BODY))


_NONE = Integer(none=-1)
#: Columns and their values; the keys of `expert --json` are these.
_COLUMNS: dict[OutColumn, _Values] = {
    OutColumn("severity", Rank({one: one.word for one in Severity}), "How bad it is"): lambda items, rows: (
        severities()[items["kind"][rows]]
    ),
    OutColumn("group", Term(), "What it is about"): _of_kinds(lambda kind: kind.group.value),
    OutColumn("item", Term(), "Its kind"): _of_kinds(lambda kind: kind.word),
    OutColumn("message", Text(), "What it says"): _messages,
    OutColumn("clause", Text(), "Clause of a standard that it cites"): _clauses,
    OutColumn("number", _NONE, "Number of its WPDU, from 1"): _counted_from_1("wpdu"),
    OutColumn("packet", _NONE, "Number of its packet, from 1"): _counted_from_1("packet"),
    OutColumn("stream", _NONE, "Number of its stream, from 0"): _where("stream", _has_stream),
    OutColumn("direction", _NONE, "0: from the stream's initiator, 1: to it"): _where(
        "direction", _has_stream
    ),
    OutColumn("start", _NONE, "First octet that it is about"): _where("start", _has_span),
    OutColumn("stop", _NONE, "Octet behind the last one that it is about"): _where("stop", _has_span),
    OutColumn(
        "source", Word({one: one.name.lower() for one in Source}, none=Source.NONE), "Where these octets lie"
    ): _sources,
}
