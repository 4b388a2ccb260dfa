"""Timed exchanges: what the fields of exchanges say, in order of time and in groups."""

import math
from statistics import median

import numpy as np
import pytest

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.gui.panes.response_times.timed_exchanges import (
    GROUPINGS,
    NOTHING,
    histogram,
    log_seconds,
    timed_exchanges,
)
from cosemscope.resources import resource
from tests.helpers.polled import analysis_of


@pytest.fixture(params=["samples/first-look.pcapng", "samples/faults.pcapng"])
def analysis(request):
    return analysis_of(resource(request.param).read_bytes())


def test_points_say_what_the_fields_say(analysis):
    """Every answered exchange has its response time, every unanswered one a place without one."""
    timed = timed_exchanges(analysis, None, "exchange.service")
    points, table = timed.points, timed.facts.table
    assert np.all(np.diff(points.x) >= 0)
    answered = points.time >= 0
    field = FIELDS["exchange.response_time"]
    asked = AskedRows(analysis, points.row[answered])
    assert field.values(asked).tolist() == points.time[answered].tolist()
    assert np.count_nonzero(table.response_times() >= 0) == np.count_nonzero(answered)
    assert set(points.status[~answered].tolist()) <= {2}


@pytest.mark.parametrize("by", [name for name, _ in GROUPINGS])
def test_groups_come_to_their_exchanges(analysis, by):
    """Counts, percentiles, errors and silences of the groups are those of a plain walk; filters name them."""
    timed = timed_exchanges(analysis, None, by)
    points = timed.points
    texts = FIELDS[by].texts(AskedRows(analysis, timed.facts.table["request"][points.exchange]))
    assert [timed.names[number] for number in points.group.tolist()] == [text or NOTHING for text in texts]
    for number in range(len(timed.names)):
        times = sorted(points.time[(points.group == number) & (points.time >= 0)].tolist())
        assert timed.spread.counts[number] == len(times)
        if times:
            assert timed.spread.median[number] == math.floor(median(times))
            assert timed.spread.most[number] == times[-1]
        assert timed.silent[number] == np.count_nonzero((points.group == number) & (points.time < 0))
        assert by in timed.filters[number]


def test_only_what_is_displayed_is_there(analysis):
    first = timed_exchanges(analysis, None, "meter")
    displayed = np.zeros(len(analysis.wpdus), np.bool_)
    displayed[first.points.row[3]] = True
    timed = timed_exchanges(analysis, displayed, "meter")
    assert timed.points.exchange.tolist() == [first.points.exchange.item(3)]
    assert np.flatnonzero(timed.position >= 0).tolist() == timed.points.exchange.tolist()
    nothing = timed_exchanges(analysis, np.zeros_like(displayed), "meter")
    assert not len(nothing.points.x)
    assert nothing.names == ()
    assert not len(nothing.histogram.counts)


def test_the_histogram_has_every_time_between_its_edges():
    times = np.array([0, 999, 1000, 10**6, 10**6 + 1, 9_999_999, 10**9, 3 * 10**11])
    edges, counts = histogram(times)
    told = log_seconds(times)
    assert counts.sum() == len(times)
    for low, high, amount in zip(edges[:-1], edges[1:], counts, strict=True):
        inside = (told >= low - 1e-9) & (told < high - 1e-9)
        assert np.count_nonzero(inside) == amount
    assert histogram(times).shares[-1] == 1.0
