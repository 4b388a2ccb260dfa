"""The timing graph: points in their places, a click chooses one, a drag a span; a million are an image."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt

from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.gui.base import settings as options
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.frame.window import SAMPLE
from cosemscope.gui.look.apdu_kinds import Kind
from cosemscope.gui.panes.pane import Wishes
from cosemscope.gui.panes.timing.lane_kinds import REST
from cosemscope.gui.panes.timing.stream_marks import MarkKind
from cosemscope.gui.panes.timing.timing_graph import POINTS_DRAWN, SPAN, TimingGraph
from cosemscope.resources import resource
from cosemscope.streams.tables.stream_kinds import HOLE, RETRANSMISSION
from tests.helpers.polled import polled_traffic


@pytest.fixture
def selection(qapp) -> Selection:
    return Selection()


@pytest.fixture
def graph(qtbot, look, selection):
    def make(wpdus: int, streams: int = 2) -> TimingGraph:
        graph = TimingGraph(selection, Wishes())
        qtbot.addWidget(graph)
        graph.resize(900, 320)
        show(graph, selection, polled_traffic(wpdus, streams))
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


def test_points_are_drawn_in_the_colour_of_their_kind(graph):
    """Every visible WPDU is one point, and every kind is in the legend."""
    graph = graph(40)
    assert graph.drawn == {Kind.READ: 40}
    assert graph.summary == "40 points in view, 2 wPort pairs"


def test_many_points_are_drawn_as_an_image(graph):
    """Not half a million points; zoomed in, points come back."""
    graph = graph(500_000)
    assert graph.is_dense
    assert graph.drawn == {}
    graph.show_time(0.0, (POINTS_DRAWN - 10) / 1000)
    graph.draw()
    assert not graph.is_dense
    assert graph.drawn == {Kind.READ: POINTS_DRAWN - 9}


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
    with qtbot.assertNotEmitted(selection.rowChanged):
        qtbot.mouseClick(graph.plot.viewport(), Qt.MouseButton.LeftButton, pos=place(graph, 0.02, 0.5))


def test_a_row_is_marked_and_brought_into_view(graph, selection):
    """The line stands where the selected WPDU is, also when the graph had been zoomed elsewhere."""
    graph = graph(1000)
    graph.show_time(0.0, 0.1)
    selection.go_to(900)
    assert graph.marked_time == pytest.approx(0.9)
    low, high = graph.visible_time
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
    graph.show_time(0.4, 0.5)
    spot = place(graph, 0.45, 0.5)
    qtbot.mouseClick(graph.plot.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    qtbot.mouseDClick(graph.plot.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    qtbot.mouseRelease(graph.plot.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    low, high = graph.visible_time
    assert low <= 0
    assert high >= 0.999


def test_the_time_of_what_is_displayed_is_shown_by_itself(open_in, qtbot):
    """A session is zoomed to when it is selected; one key shows the whole capture, and back."""
    window = open_in(resource(SAMPLE))
    graph, traffic = window.workspace.timing, window.workspace.traffic
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    low, high = graph.visible_time
    assert low < 0 < graph.lanes.duration < high
    window.selection.go_to(90)
    window.workspace.show_session()
    times = traffic.wpdus["time"][: traffic.total]
    rows = np.flatnonzero(window.selection.filters.matching(0, traffic.total))
    first, last = ((times[rows[place]] - traffic.first_time) / 1e9 for place in (0, -1))
    assert last - first < 2
    near = graph.visible_time
    assert first - 0.1 < near[0] < first < last < near[1] < last + 0.1
    qtbot.keyClick(window, Qt.Key.Key_W, control | shift)
    assert graph.visible_time == pytest.approx((low, high))
    qtbot.keyClick(window, Qt.Key.Key_W, control | shift)
    assert graph.visible_time == pytest.approx(near)
    window.selection.show_all()
    assert graph.visible_time == pytest.approx((low, high))


def test_an_empty_capture_draws_nothing(graph):
    """No lanes, no ticks of lanes, no error."""
    graph = graph(0)
    assert graph.summary == "no WPDUs"
    assert graph.nearest(QPointF(0, 0)) == -1


def test_lanes_have_room_for_their_names(graph, selection):
    """In a low pane the rare pairs share a lane, and the axis loses its title before it is cut off."""
    pane = graph(40)
    traffic = polled_traffic(600, 60, wports=range(100, 160))
    for height, title in ((140, False), (420, True)):
        pane.resize(900, height)
        show(pane, selection, traffic)
        pane.draw()
        line = pane.fontMetrics().height()
        assert 2 <= len(pane.lanes.shown) <= pane.plot.height() / line
        assert pane.lanes.shown[-1] == REST
        assert pane.plot.getAxis("left").label.isVisible() == title
        assert "60 wPort pairs" in pane.summary
    assert len(pane.lanes.shown) > 8


def test_microseconds_fill_the_graph(graph, selection):
    """A burst is as wide as a day."""
    pane = graph(40)
    show(pane, selection, polled_traffic(20, times=range(0, 40_000, 2_000)))
    pane.show_whole()
    low, high = pane.visible_time
    assert high - low < 60e-6


def test_the_legend_gives_way_in_a_narrow_pane(graph):
    """It must not keep the pane wide, and so the session tree narrow."""
    pane = graph(40)
    assert pane.minimumSizeHint().width() < 500
    pane.resize(220, 300)
    pane.draw()
    assert pane.summary == ""


def test_exchanges_are_bars_to_scale(open_in, qtbot):
    """From the request's first octet to the answer's last; nobody's answer is a bar of its own."""
    window = open_in(resource("samples/faults.pcapng"))
    pane, traffic = window.workspace.timing, window.workspace.traffic
    qtbot.waitUntil(lambda: pane.bars.shown is not None)
    bars, table, facts = pane.bars.shown, pane.facts.table, pane.facts
    asked = np.flatnonzero((table["request_start"] > 0) & (table["response_end"] > 0))
    first = traffic.first_time
    wanted = {(round((table["request_start"][one] - first) / 1e9, 6)) for one in asked.tolist()}
    assert wanted <= {round(start, 6) for start in bars.start.tolist()}
    silent = bars.status == ExchangeStatus.UNANSWERED
    assert silent.sum() == (facts.statuses == ExchangeStatus.UNANSWERED).sum() > 0
    assert np.all(bars.stop >= bars.start)


def test_marks_say_what_befell_connections(open_in, qtbot):
    """Opened and closed as often as the handshakes say; sent again and lacking as the expert items say."""
    window = open_in(resource("samples/faults.pcapng"))
    pane, analysis = window.workspace.timing, window.workspace.traffic.analysis
    qtbot.waitUntil(lambda: bool(pane.marks.shown))
    with_wpdus = set(analysis.pairs["stream"].tolist())
    items = analysis.expert_items
    for mark, kind in ((MarkKind.AGAIN, RETRANSMISSION), (MarkKind.HOLE, HOLE)):
        packets = items["packet"][items["kind"] == kind.number]
        wanted = sum(one in with_wpdus for one in analysis.packet_streams["stream"][packets].tolist())
        assert 0 < pane.marks.shown.get(mark, 0) <= wanted
    assert 0 < pane.marks.shown[MarkKind.OPENED] <= len(with_wpdus)
    assert 0 < pane.marks.shown[MarkKind.CLOSED] <= len(with_wpdus)
    assert "sent&nbsp;again" in pane._legend.text()
    pane.marks.show_marks(pane._marks, pane.lanes, 1e6, 2e6)
    assert pane.marks.shown == {}


def test_a_filter_that_leaves_nothing_leaves_no_bar(open_in, qtbot):
    window = open_in(resource(SAMPLE))
    pane = window.workspace.timing
    qtbot.waitUntil(lambda: pane.bars.shown is not None)
    window.workspace.selection.restrict("typed", "wport == 4711")
    qtbot.waitUntil(lambda: not len(pane.lanes))
    pane.draw()
    assert pane.bars.shown is None


def test_the_kind_of_lane_is_chosen_and_remembered(open_in, qtbot):
    """By its menu; lanes, words and what is remembered follow, and remembered nonsense changes nothing."""
    window = open_in(resource(SAMPLE))
    pane = window.workspace.timing
    assert pane.arrangement() == b"wports"
    before = pane.visible_time
    pane.lane_actions["meter"].trigger()
    pane.draw()
    assert pane.visible_time == pytest.approx(before)
    labels = [pane.lane_name(lane) for lane in range(len(pane.lanes.shown))]
    assert "198.51.100.21" in labels
    qtbot.waitUntil(lambda: "meter" in pane.summary)  # as soon as there is room for it
    kept = {place.option: place for place in window.workspace.places()}
    assert kept[options.TIMING].save() == b"meter"
    pane.restore(b"nonsense")
    assert pane.arrangement() == b"meter"
    pane.restore(b"connection")
    assert pane.lane_button.text() == "By connection"


def test_what_is_in_view_is_saved(open_in, tmp_path):
    """As a picture, drawn or of points, and as numbers; what cannot be written is told."""
    window = open_in(resource(SAMPLE))
    pane = window.workspace.timing
    for name in ("timing.png", "timing.svg", "timing.csv"):
        pane.write(tmp_path / name)
    assert (tmp_path / "timing.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "timing.svg").read_text("utf-8")
    lines = (tmp_path / "timing.csv").read_text("utf-8").splitlines()
    assert lines[0] == "WPDU,Seconds,Lane,Sender,Kind"
    assert len(lines) == 1 + len(pane.lanes)
    told = []
    window.workspace.wishes.warned.connect(told.append)
    pane.write(tmp_path / "none" / "timing.png")
    assert len(told) == 1
