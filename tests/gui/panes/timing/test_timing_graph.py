"""The timing graph: points in their places, a click chooses one, a drag a span; a million are an image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt

from cosemscope.gui.document.selection import Selection
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look.apdu_kinds import Kind
from cosemscope.gui.panes.pane import Wishes
from cosemscope.gui.panes.timing.lanes import MAX_LANES, REST, Lanes, Pair
from cosemscope.gui.panes.timing.timing_graph import POINTS_DRAWN, SPAN, TimingGraph, tick_text
from tests.gui.fakes import START, FakeAnalysis, fake_traffic

TIMES = st.lists(st.integers(0, 50), min_size=1, max_size=80)


@pytest.fixture
def selection(qapp) -> Selection:
    return Selection()


@pytest.fixture
def graph(qtbot, look, selection):
    def make(wpdus: int, streams: int = 2) -> TimingGraph:
        graph = TimingGraph(selection, Wishes())
        qtbot.addWidget(graph)
        graph.resize(900, 320)
        show(graph, selection, fake_traffic(wpdus, streams))
        with qtbot.waitExposed(graph):
            graph.show()
        graph.draw()
        return graph

    return make


def show(graph: TimingGraph, selection: Selection, traffic: Traffic) -> None:
    """Show a capture as the workspace does."""
    selection.set_traffic(traffic)
    graph.set_traffic(traffic)


def place(graph: TimingGraph, seconds: float, y: float) -> QPoint:
    """Where a point of the graph is in the plot's viewport."""
    box = graph.plot.getPlotItem().getViewBox()
    return graph.plot.mapFromScene(box.mapViewToScene(QPointF(seconds, y)))


def drag(qtbot, graph: TimingGraph, start: QPoint, stop: QPoint) -> None:
    port = graph.plot.viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=start)
    for part in (0.3, 0.6, 1.0):
        qtbot.mouseMove(port, start + (stop - start) * part)
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=stop)


def test_lanes_are_wport_pairs_by_dlms_roles():
    """A meter that opened the connection is the server all the same, and shares the lane of its pair."""
    traffic = fake_traffic(40, streams=4)
    traffic.pairs["near"][3], traffic.pairs["far"][3] = 1, 16
    traffic.pairs["client_votes"][3], traffic.pairs["server_votes"][3] = 0, 5
    lanes = Lanes()
    lanes.take(traffic, 40)
    assert lanes.pairs == (Pair(16, 1), Pair(17, 1), Pair(18, 1))
    points = lanes.points(0, 1)
    pushed = points.row[traffic.wpdus["stream"][points.row] == 3]
    assert set(points.lane[np.isin(points.row, pushed)]) == {0}
    turned = points.direction[np.isin(points.row, pushed)]
    assert list(turned) == list(1 - traffic.wpdus["direction"][pushed])


def test_rare_pairs_share_the_last_lane():
    """Fifty pairs still fit the pane."""
    analysis = FakeAnalysis(600, 60)
    analysis.pairs["near"][:] = np.arange(60) + 100
    traffic = fake_traffic(0)
    traffic = type(traffic)(analysis)
    lanes = Lanes()
    lanes.take(traffic, 600)
    assert len(lanes.pairs) == MAX_LANES
    assert lanes.pairs[-1] == REST
    assert lanes.points(0, 10).lane.max() == MAX_LANES - 1


@given(TIMES, st.integers(0, 80), st.integers(0, 50), st.integers(0, 50))
def test_points_of_a_span_are_those_of_a_list(times, first, low, high):
    """Also where times run backwards, and whether rows come in one batch or in two."""
    analysis = FakeAnalysis(len(times), 2)
    analysis.wpdus["time"][:] = START + np.array(times) * 1_000_000_000
    traffic = fake_traffic(0)
    traffic = type(traffic)(analysis)
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


def test_points_are_drawn_in_the_colour_of_their_kind(graph):
    """Every visible WPDU is one point of one scatter."""
    graph = graph(40)
    assert len(graph._scatters[Kind.READ].data) == 40
    assert sum(len(scatter.data) for scatter in graph._scatters.values()) == 40
    assert "40 WPDUs in view, 2 wPort pairs" in graph._summary.text()


def test_many_points_are_drawn_as_an_image(graph):
    """No scatter of half a million; zoomed in, points come back."""
    graph = graph(500_000)
    assert graph._image.isVisible()
    assert not any(scatter.isVisible() for scatter in graph._scatters.values())
    graph._box.setXRange(0.0, (POINTS_DRAWN - 10) / 1000, padding=0)
    graph.draw()
    assert not graph._image.isVisible()
    assert len(graph._scatters[Kind.READ].data) <= POINTS_DRAWN


def test_a_click_chooses_the_nearest_wpdu(graph, selection, qtbot):
    """Request above the line, response below it."""
    graph = graph(40)
    x, lane, direction = graph.lanes.place_of(21)
    y = lane + (-0.2, 0.2)[direction]
    with qtbot.waitSignal(selection.rowChanged) as chosen:
        qtbot.mouseClick(graph.plot.viewport(), Qt.MouseButton.LeftButton, pos=place(graph, x, y))
    assert chosen.args == [21]


def test_a_click_on_nothing_chooses_nothing(graph, selection, qtbot):
    """Between lanes there is no WPDU."""
    graph = graph(40)
    with qtbot.assertNotEmitted(selection.rowChanged, wait=50):
        qtbot.mouseClick(graph.plot.viewport(), Qt.MouseButton.LeftButton, pos=place(graph, 0.02, 0.5))


def test_a_row_is_marked_and_brought_into_view(graph, selection):
    """The line stands where the selected WPDU is, also when the graph had been zoomed elsewhere."""
    graph = graph(1000)
    graph._box.setXRange(0.0, 0.1, padding=0)
    selection.go_to(900)
    assert graph.marked_time == pytest.approx(0.9)
    low, high = graph._box.viewRange()[0]
    assert low <= 0.9 <= high
    selection.select(-1)
    assert graph.marked_time is None


def test_a_drag_chooses_a_span_and_escape_takes_it_away(graph, selection, qtbot):
    """A WPDU a millisecond: those within pass; the way back is a button and a key."""
    graph = graph(40)
    drag(qtbot, graph, place(graph, 0.0105, 0.5), place(graph, 0.0295, 0.5))
    assert list(np.flatnonzero(selection.filters.matching(0, 40))) == list(range(11, 30))
    assert graph.span == pytest.approx((0.0105, 0.0295), abs=0.0003)
    assert graph.clear_button.isVisible()
    qtbot.keyClick(graph, Qt.Key.Key_Escape)
    assert SPAN not in selection.filters
    assert graph.span is None
    assert not graph.clear_button.isVisible()


def test_double_click_shows_the_whole_again(graph, qtbot):
    """After zooming in there is one gesture back."""
    graph = graph(1000)
    graph._box.setXRange(0.4, 0.5, padding=0)
    spot = place(graph, 0.45, 0.5)
    qtbot.mouseClick(graph.plot.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    qtbot.mouseDClick(graph.plot.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    qtbot.mouseRelease(graph.plot.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    low, high = graph._box.viewRange()[0]
    assert low <= 0
    assert high >= 0.999


def test_an_empty_capture_draws_nothing(graph):
    """No lanes, no ticks of lanes, no error."""
    graph = graph(0)
    assert graph._summary.text() == "no WPDUs"
    assert graph.nearest(QPointF(0, 0)) == -1


@pytest.mark.parametrize(
    ("seconds", "step", "text"),
    [
        (0.0, 1.0, "0"),
        (2.0, 2.0, "2 s"),
        (2.5, 0.5, "2.5 s"),
        (0.05, 0.05, "50 ms"),
        (0.0002, 0.0002, "200 µs"),
        (90.0, 30.0, "90 s"),
        (300.0, 300.0, "5 min"),
        (4500.0, 900.0, "1 h 15 min"),
        (172800.0, 43200.0, "2 d"),
        (1200.5, 0.5, "20 min 0.5 s"),
    ],
)
def test_ticks_are_in_units_that_fit(seconds, step, text):
    """Never kiloseconds, never a factor beside the axis."""
    assert tick_text(seconds, step) == text


def test_lanes_have_room_for_their_names(graph, selection):
    """In a low pane the rare pairs share a lane, and the axis loses its title before it is cut off."""
    analysis = FakeAnalysis(600, 60)
    analysis.pairs["near"][:] = np.arange(60) + 100
    pane = graph(40)
    traffic = type(fake_traffic(0))(analysis)
    traffic.total = 600
    for height, title in ((140, False), (420, True)):
        pane.resize(900, height)
        show(pane, selection, traffic)
        pane.draw()
        line = pane.fontMetrics().height()
        assert 2 <= len(pane.lanes.pairs) <= pane.plot.height() / line
        assert pane.lanes.pairs[-1] == REST
        assert pane.plot.getAxis("left").label.isVisible() == title
        assert "60 wPort pairs" in pane._summary.text()
    assert len(pane.lanes.pairs) > 8


def test_microseconds_fill_the_graph(graph, selection):
    """A burst is as wide as a day."""
    analysis = FakeAnalysis(20, 2)
    analysis.wpdus["time"][:] = START + np.arange(20) * 2_000
    traffic = type(fake_traffic(0))(analysis)
    traffic.total = 20
    pane = graph(40)
    show(pane, selection, traffic)
    pane.show_whole()
    low, high = pane._box.viewRange()[0]
    assert high - low < 60e-6


def test_the_legend_gives_way_in_a_narrow_pane(graph):
    """It must not keep the pane wide, and so the session tree narrow."""
    pane = graph(40)
    assert pane.minimumSizeHint().width() < 500
    pane.resize(220, 300)
    pane.draw()
    assert not pane._summary.isVisible()
