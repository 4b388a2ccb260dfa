"""Marks of streams in the timing graph, of captures that grow too."""

from pathlib import Path

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.capture.files.reader import open_capture
from cosemscope.gui.panes.timing.stream_marks import MarkKind, stream_marks
from tests.helpers.planted_faults import Plot
from tests.helpers.wire import Wire


def test_marks_of_a_capture_that_has_grown_are_those_of_streams_that_the_facts_know(tmp_path: Path) -> None:
    """More streams and packets than the facts know raise nothing, and have no marks yet."""
    wire = Wire()
    for number in range(1, 4):
        plot = Plot(wire, number)
        plot.associate()
        plot.release()
    with open_capture(wire.capture(tmp_path / "wire.pcap")) as reader:
        analysis = Analysis(reader)
        analysis.step(len(wire.packets) // 3)
        facts = capture_facts(analysis)
        known = len(facts.ends)
        before = len(stream_marks(analysis, facts).time)
        while analysis.step():
            pass
        assert len(analysis.streams) == 3 > known
        marks = stream_marks(analysis, facts)
        assert len(marks.time) >= before
        assert MarkKind.OPENED in marks.kind
        assert (analysis.pairs["stream"][marks.pair] < known).all()
