"""Transfers in blocks that were left, or fell silent: what their connections came to, in one way for all."""

from pathlib import Path

import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.expert.run import find_items
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.analysis.outcomes.cause_sentences import CauseSentences
from cosemscope.analysis.outcomes.outcome_words import ConnectionOutcome
from cosemscope.streams.tables.expert_items import KINDS
from tests.analysis.exchanges.test_general_transfers import blocks
from tests.helpers import traffic_apdus as a
from tests.helpers.planted_faults import ANSWER, GET, PROFILE, Plot
from tests.helpers.wire import Wire, analyse


def silent_in_blocks(plot: Plot) -> None:
    """The meter does not send the block that was asked for."""
    plot.blocks(2)
    plot.wait(7000)


def silent_in_general_blocks(plot: Plot) -> None:
    """The meter stops amid its blocks, and the client waits in vain."""
    plot.up(PROFILE)
    plot.down(*blocks(a.get_response(0xC1, a.octet_string(bytes(90))), 3, window=3)[:2])
    plot.wait(7000)


def left_amid_general_blocks(plot: Plot) -> None:
    """The client does not wait for the rest of the blocks."""
    plot.up(PROFILE)
    plot.down(*blocks(a.get_response(0xC1, a.octet_string(bytes(90))), 3, window=3)[:2])
    plot.wait(2000)


def sent_anew(plot: Plot) -> None:
    """A request in general blocks is left, and sent again from its first block."""
    plot.up(*blocks(GET)[:2])
    plot.wait(2000)
    plot.up(*blocks(GET, 4))
    plot.down(ANSWER)


COURSES = {
    silent_in_blocks: (
        "unanswered",
        "block 3 of get-request 1.0.99.1.0.255:2 was not answered: client released 7 s later",
        {"unanswered": 1},
    ),
    silent_in_general_blocks: (
        "unanswered",
        "block 3 of get-request 1.0.99.1.0.255:2 was not answered: client released 7 s later",
        {"unanswered": 1},
    ),
    left_amid_general_blocks: (
        "broken-off",
        "client closed with FIN 2 s into get-request 1.0.99.1.0.255:2, after block 2",
        {"unanswered": 1},
    ),
    sent_anew: ("complete", "4 exchanges, 1 asked again; released", {"unanswered": 1, "block-missing": 1}),
}


@pytest.mark.parametrize("course", COURSES)
def test_what_was_left_open_is_unanswered(course, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Outcome, sentence, and the expert items of services."""
    outcome, sentence, kinds = COURSES[course]
    plot = Plot(Wire(), 1)
    plot.associate()
    course(plot)
    plot.release()
    associations = Associations(analyse(plot.wire, tmp_path))
    find_items(associations, workers=1)
    analysis = associations.analysis
    facts = capture_facts(analysis)
    assert ConnectionOutcome(facts.outcomes.outcome[0]).word == outcome
    assert CauseSentences(analysis, facts).sentence(0) == sentence
    found = analysis.expert_items["kind"].tolist()
    of_services = ("unanswered", "invoke-id-reused", "block-missing", "block-order", "block-repeated")
    counts = {word: found.count(KINDS[word].number) for word in of_services}
    assert {word: number for word, number in counts.items() if number} == kinds
