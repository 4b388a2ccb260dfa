"""Facts of a capture are kept as long as its analysis, and no longer than what they were made of."""

import gc
from pathlib import Path
from weakref import ref

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.run import find_column_items
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.capture.files.reader import open_capture
from cosemscope.resources import resource
from tests.helpers.planted_faults import Plot
from tests.helpers.wire import Wire, analyse


def session() -> Wire:
    wire = Wire()
    plot = Plot(wire, 1)
    plot.associate()
    plot.read()
    plot.release()
    return wire


def test_facts_end_with_their_analysis(tmp_path: Path) -> None:
    """A capture that was closed leaves nothing in memory."""
    analysis = analyse(session(), tmp_path)
    find_column_items(analysis)
    assert capture_facts(analysis) is capture_facts(analysis)
    known = ref(analysis), ref(capture_facts(analysis))
    analysis.reader.close()
    del analysis
    gc.collect()
    assert [one() for one in known] == [None, None]


def test_facts_end_with_the_exchanges_that_they_are_of(tmp_path: Path) -> None:
    """Where all is paired again nobody keeps what was known before."""
    analysis = analyse(session(), tmp_path)
    known = ref(capture_facts(analysis))
    table = ref(analysis.exchanges)
    analysis.pair_anew()
    gc.collect()
    assert known() is None
    assert table() is None
    assert len(capture_facts(analysis).table) == len(analysis.exchanges)


def test_facts_stay_those_of_their_moment_while_the_capture_grows() -> None:
    """What is asked of them later, when more has been paired, is as long as they are."""
    analysis = Analysis(open_capture(resource("samples/first-look.pcapng")))
    analysis.step(120)
    facts = capture_facts(analysis)
    count = facts.count
    while analysis.step(40):
        analysis.pair()
    assert len(analysis.exchanges) > count > 0
    assert not facts.is_current()
    assert len(facts.table) == len(facts.statuses) == len(facts.own_times.time) == count
    assert facts.of.max() < count
