"""Whatever refuses an association in the place of an AARE, every table says so, and by what."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.expert.run import find_items
from cosemscope.analysis.outcomes.association_table import Acceptance
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.analysis.outcomes.cause_sentences import CauseSentences
from cosemscope.analysis.outcomes.outcome_words import ConnectionOutcome
from cosemscope.analysis.procedures.procedure_table import find_procedures
from cosemscope.streams.tables.expert_items import KINDS
from tests.helpers import traffic_apdus as a
from tests.helpers.planted_faults import ABRT, CLIENT, SERVER, Plot
from tests.helpers.wire import FIN, RST, Wire, analyse

#: What the meter does behind an AARQ, how the sentence goes on, and the status of the exchange.
REFUSALS: dict[str, tuple[Callable[[Plot], None], str, str]] = {
    "an AARE": (
        lambda plot: plot.down(a.aare(result=2, diagnostic=1)),
        " by AARE rejected-transient: rejected without a reason (no-reason-given)",
        "error",
    ),
    "an RLRE": (lambda plot: plot.down(a.RLRE), " by RLRE", "error"),
    "an exception": (
        lambda plot: plot.down(a.exception_response(1, 2)),
        " by exception-response service-not-supported",
        "error",
    ),
    "a service error": (
        lambda plot: plot.down(a.INITIATE_REFUSED),
        " by confirmedServiceError other",
        "error",
    ),
    "an abort": (lambda plot: plot.down(ABRT), " by ABRT", "error"),
    "an octet of an abort": (lambda plot: plot.down(b"\x64"), " by ABRT", "error"),
    "a FIN": (
        lambda plot: plot.end(SERVER, FIN),
        ": meter closed with FIN 20 ms after the AARQ",
        "unfinished",
    ),
    "an RST": (
        lambda plot: plot.end(SERVER, RST),
        ": meter closed with RST 20 ms after the AARQ",
        "unfinished",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_told_alike_everywhere(name: str, tmp_path: Path) -> None:
    """Outcome and cause, association, exchange, procedure and expert item."""
    refuse, sentence, status = REFUSALS[name]
    plot = Plot(Wire(), 1)
    plot.tcp.handshake()
    plot.up(a.aarq())
    plot.wait(20)
    refuse(plot)
    packet = plot.packet
    plot.end(CLIENT)
    associations = Associations(analyse(plot.wire, tmp_path))
    find_items(associations, workers=1)
    analysis = associations.analysis
    facts = capture_facts(analysis)
    assert ConnectionOutcome(facts.outcomes.outcome[0]).word == "refused"
    assert CauseSentences(analysis, facts).sentence(0) == f"association refused{sentence}"
    assert facts.outcomes.packet.tolist() == [packet - 1]
    assert [Acceptance(one) for one in facts.associations.acceptance] == [Acceptance.REFUSED]
    assert [ExchangeStatus(one).word for one in facts.statuses] == [status]
    assert [one.verdict.value for one in find_procedures(associations)] == ["refused"]
    kinds = analysis.expert_items["kind"].tolist()
    assert kinds.count(KINDS["association-refused"].number) == 1


def test_an_abort_of_the_asker_refuses_nothing(tmp_path: Path) -> None:
    """Who asked and aborts at once was not refused."""
    plot = Plot(Wire(), 1)
    plot.tcp.handshake()
    plot.up(a.aarq(), ABRT)
    facts = capture_facts(analyse(plot.wire, tmp_path))
    assert [ExchangeStatus(one).word for one in facts.statuses] == ["unanswered", "unconfirmed"]
    assert Acceptance.REFUSED not in facts.associations.acceptance
