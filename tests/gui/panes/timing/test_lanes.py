"""Lanes: points in their places, in order of time, whatever order the rows come in."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.gui.panes.timing.lane_kinds import LANE_KINDS, REST
from cosemscope.gui.panes.timing.lanes import MAX_LANES, Lanes
from tests.helpers.polled import ANSWER, REQUEST, analysis_of, polled_traffic, traffic_of
from tests.helpers.traffic import Said, Traffic

TIMES = st.lists(st.integers(0, 50), min_size=1, max_size=80)


def test_lanes_are_wport_pairs_by_dlms_roles(tmp_path):
    """A meter that opened the connection is the server all the same, and shares the lane of its pair."""
    made = Traffic()
    request, answer = Said(16, 1, REQUEST), Said(1, 16, ANSWER)
    asked = made.tcp(("10.0.0.1", 50_000), ("10.0.1.1", 4059)).open()
    asked.ask(request)
    asked.answer(answer)
    pushed = made.tcp(("10.0.1.2", 50_001), ("10.0.0.1", 4059), asked.now).open()
    pushed.say(False, request)
    pushed.say(True, answer)
    other = made.tcp(("10.0.0.1", 50_002), ("10.0.1.3", 4059), pushed.now).open()
    other.ask(Said(17, 1, REQUEST))
    made.write(tmp_path / "made.pcapng")
    traffic = traffic_of(analysis_of((tmp_path / "made.pcapng").read_bytes()))
    assert [traffic.wpdus["direction"].item(row) for row in range(5)] == [0, 1, 1, 0, 0]
    lanes = Lanes()
    lanes.take(traffic, 5)
    assert [LANE_KINDS["wports"].text(traffic, lane)[0] for lane in lanes.shown] == ["16 ↔ 1", "17 ↔ 1"]
    points = lanes.points(0, 10)
    assert list(points.row) == [0, 1, 2, 3, 4]
    assert list(points.lane) == [0, 0, 0, 0, 1]
    assert list(points.direction) == [0, 1, 0, 1, 0]
    # By meter the one that opened its connection has a lane of its own; so has each connection.
    for kind, labels in (
        ("meter", ["10.0.1.1", "10.0.1.2", "10.0.1.3"]),
        ("connection", ["10.0.1.1  #0", "10.0.1.2  #1", "10.0.1.3  #2"]),
    ):
        lanes = Lanes(LANE_KINDS[kind])
        lanes.take(traffic, 5)
        assert [lanes.kind.text(traffic, lane)[0] for lane in lanes.shown] == labels
        assert list(lanes.points(0, 10).lane) == [0, 0, 1, 1, 2]
        assert list(lanes.points(0, 10).direction) == [0, 1, 0, 1, 0]


def test_rare_pairs_share_the_last_lane():
    """Fifty pairs still fit the pane; with more room more of them have a lane of their own."""
    lanes = Lanes()
    lanes.take(polled_traffic(600, 60, wports=range(100, 160)), 600)
    assert lanes.lane_count == 60
    assert len(lanes.shown) == MAX_LANES
    assert lanes.shown[-1] == REST
    assert lanes.points(0, 10).lane.max() == MAX_LANES - 1
    lanes.set_room(4)
    assert len(lanes.shown) == 4
    assert lanes.points(0, 10).lane.max() == 3


@given(TIMES, st.integers(0, 80), st.integers(0, 50), st.integers(0, 50))
def test_points_of_a_span_are_those_of_a_list(times, first, low, high):
    """Also where times run backwards, and whether rows come in one batch or in two."""
    traffic = polled_traffic(len(times), 2, times=[time * 1_000_000_000 for time in times])
    lanes = Lanes()
    lanes.take(traffic, min(first, len(times)))
    lanes.take(traffic, len(times))
    start, stop = low - times[0] - 0.5, high - times[0] + 0.5
    wanted = sorted(row for row, time in enumerate(times) if low <= time <= high)
    points = lanes.points(start, stop)
    assert sorted(points.row) == wanted
    assert list(points.x) == sorted(points.x)
    assert lanes.count(start, stop) == len(wanted)
    if stop > start:
        assert lanes.density(start, stop, 7).sum() == len(wanted)
    for row, time in enumerate(times):
        x, _, direction = lanes.place_of(row)
        assert (x, direction) == (time - times[0], row % 2)


def test_only_wanted_rows_are_points():
    """A filter in force leaves its rows alone, and the time of the whole capture."""
    lanes = Lanes()
    lanes.take(polled_traffic(40), 40, lambda start, stop: np.arange(start, stop) % 4 == 0)
    assert list(lanes.points(0, 1).row) == list(range(0, 40, 4))
    assert lanes.place_of(1) is None
    assert lanes.place_of(4) == (0.004, 0, 0)
    assert lanes.duration == 0.039


def test_density_counts_by_lane_direction_and_column():
    """Four columns of ten milliseconds: two pairs, requests and answers in turns."""
    lanes = Lanes()
    lanes.take(polled_traffic(40), 40)
    counts = lanes.density(0.0, 0.0396, 4)
    assert counts.shape == (4, 2, 2)
    assert counts.sum(axis=(1, 2)).tolist() == [10, 10, 10, 10]
    assert counts.sum(axis=0).tolist() == [[10, 10], [10, 10]]
