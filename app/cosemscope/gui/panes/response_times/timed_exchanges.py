"""Exchanges with response times, in order of time and in groups, as arrays: what the pane draws, without Qt.

    timed = timed_exchanges(analysis, rows, "exchange.service")

A group is one value of a field, the largest first. What was not answered is there too, without a time.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.counting.field_codes import FieldCodes, coded_field
from cosemscope.analysis.counting.grouping import Spread, group, spread
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.filter.offered_filters import filter_of_value
from cosemscope.analysis.outcomes.capture_facts import CaptureFacts, capture_facts
from cosemscope.wording import printable

Numbers = npt.NDArray[np.int64]

#: What exchanges are grouped by: the field, and what the pane calls it.
GROUPINGS = (
    ("exchange.service", "Service"),
    ("exchange.obis", "Object"),
    ("meter", "Meter"),
    ("exchange.result", "Result"),
)
#: What a group without a value of the field is called.
NOTHING = "(nothing)"
#: Bars of the histogram a decade.
BARS = 10


class TimedPoints(NamedTuple):
    """A point an exchange, by the time of its request: `x`, seconds since the first WPDU, ascends.

    `time` and `own`: response time and the answerer's share of it, ns, -1 unknown; `group`: number of the
    group; `status`: an ExchangeStatus; `row`: the WPDU row of the first answer, or of the request;
    `exchange`: row of the table of exchanges.
    """

    x: npt.NDArray[np.float64]
    time: Numbers
    own: Numbers
    group: Numbers
    status: npt.NDArray[np.uint8]
    row: Numbers
    exchange: Numbers


class Histogram(NamedTuple):
    """`counts`, int64[bars], of the response times between `edges`, float64[bars + 1], log10 of seconds."""

    edges: npt.NDArray[np.float64]
    counts: Numbers

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """The share of all, 0 to 1, that took no longer than each bar's upper edge."""
        return np.cumsum(self.counts) / max(1, int(self.counts.sum()))


class Timed(NamedTuple):
    """Exchanges in groups of the field `by`. `names`, `filters`: text and display filter of each group.

    `spread` has the response times of each group, `errors` and `silent` how many of it failed and how many
    were not answered, `own_share` the answerer's share of its times where both are known, nan where not.
    `position` is the place among the points of each exchange of the capture, -1 for none.
    """

    facts: CaptureFacts
    by: str
    points: TimedPoints
    names: tuple[str, ...]
    filters: tuple[str, ...]
    spread: Spread
    errors: Numbers
    silent: Numbers
    own_share: npt.NDArray[np.float64]
    histogram: Histogram
    position: npt.NDArray[np.int32]

    @property
    def duration(self) -> float:
        """Seconds from the first WPDU to the last request among the points."""
        return self.points.x.item(-1) if len(self.points.x) else 0.0

    def lines(self) -> Iterator[list[str]]:
        """Yields titles, and of each point its exchange, WPDU, times in seconds, status and group."""
        points = self.points
        yield ["Exchange", "WPDU", "Seconds", "Response time", "Own time", "Status", dict(GROUPINGS)[self.by]]
        columns = (
            points.exchange,
            points.row,
            points.x,
            points.time,
            points.own,
            points.status,
            points.group,
        )
        for exchange, row, x, time, own, status, of in zip(*(one.tolist() for one in columns), strict=True):
            times = [f"{one / 1e9:.9f}" if one >= 0 else "" for one in (time, own)]
            word = ExchangeStatus(status).word
            yield [f"{exchange + 1}", f"{row + 1}", f"{x:.9f}", *times, word, self.names[of]]


def log_seconds(time: Numbers) -> npt.NDArray[np.float64]:
    """The log10 of times in ns as seconds; under a microsecond is a microsecond."""
    return np.log10(np.maximum(time, 1000)) - 9.0


def histogram(time: Numbers) -> Histogram:
    """The histogram of response times, ns; without any it has no bar."""
    if not len(time):
        return Histogram(np.zeros(1), np.zeros(0, np.int64))
    place = np.floor(log_seconds(time) * BARS + 1e-9).astype(np.int64)
    first = int(place.min())
    counts = np.bincount(place - first)
    return Histogram((first + np.arange(len(counts) + 1)) / BARS, counts.astype(np.int64))


def timed_exchanges(analysis: Analysis, displayed: npt.NDArray[np.bool_] | None, by: str) -> Timed:
    """The exchanges with a WPDU among those `displayed` (bool[n], None: all) that are to be answered.

    Raises CaptureError and OSError.
    """
    facts = capture_facts(analysis)
    table = facts.table
    exchanges = np.arange(facts.count)
    if displayed is not None:
        exchanges = facts.exchanges_of(np.flatnonzero(displayed[: len(facts.of)]))
    time, status = table.response_times()[: facts.count], facts.statuses
    has_place = (time[exchanges] >= 0) | (status[exchanges] == ExchangeStatus.UNANSWERED)
    exchanges = exchanges[has_place]
    start = table["request_start"][exchanges]
    order = np.argsort(start, kind="stable")
    exchanges, start = exchanges[order], start[order]
    request, response = table["request"][exchanges], table["response"][exchanges]
    first = int(analysis.wpdus["time"][0]) if len(analysis.wpdus) else 0
    field = FIELDS[by]
    codes = coded_field(field, AskedRows(analysis, request))
    group_of, kept = _largest_first(codes)
    points = TimedPoints(
        (start - first) / 1e9,
        time[exchanges],
        facts.own_times.time[exchanges],
        group_of,
        status[exchanges],
        np.where(response >= 0, response, request),
        exchanges,
    )
    texts = codes.texts(field.type, kept)
    jsons = codes.jsons(field.type, kept)
    size = len(kept)
    position = np.full(facts.count, -1, np.int32)
    position[exchanges] = np.arange(len(exchanges))
    answered = points.time >= 0
    return Timed(
        facts,
        by,
        points,
        tuple(printable(text) or NOTHING for text in texts),
        tuple(filter_of_value(field, json, text) for json, text in zip(jsons, texts, strict=True)),
        _spread(group_of, size, points.time),
        np.bincount(group_of[points.status == ExchangeStatus.ERROR], minlength=size),
        np.bincount(group_of[~answered], minlength=size),
        _own_share(points, size),
        histogram(points.time[answered]),
        position,
    )


def _largest_first(codes: FieldCodes) -> tuple[Numbers, Numbers]:
    """The group of each row, and the code of each group: groups by how many rows they have."""
    amounts = np.bincount(codes.codes, minlength=codes.width)
    kept = np.argsort(-amounts, kind="stable")[: np.count_nonzero(amounts)]
    number = np.zeros(codes.width, np.int64)
    number[kept] = np.arange(len(kept))
    return number[codes.codes], kept


def _spread(of: Numbers, size: int, time: Numbers) -> Spread:
    """The spread of the times of each group, of which there are `size`."""
    codes = FieldCodes(of, np.arange(size), None)
    return spread(group([codes]), time, time >= 0)


def _own_share(points: TimedPoints, size: int) -> npt.NDArray[np.float64]:
    known = (points.own >= 0) & (points.time >= 0)
    of = points.group[known]
    own, whole = (np.bincount(of, column[known], size) for column in (points.own, points.time))
    shares: npt.NDArray[np.float64] = np.full(size, np.nan)
    np.divide(own, whole, out=shares, where=whole > 0)
    return shares
