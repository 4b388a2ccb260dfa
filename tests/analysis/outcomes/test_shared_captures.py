"""Real captures of others: associations, outcomes and procedures as they were counted by hand."""

from collections import Counter

import numpy as np
import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys.key_entry import KeyEntry
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.analysis.outcomes.association_security import POLICIES
from cosemscope.analysis.outcomes.association_table import Acceptance, AssociationEnd
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.analysis.outcomes.cause_sentences import CauseSentences
from cosemscope.analysis.outcomes.outcome_words import ConnectionOutcome
from cosemscope.analysis.procedures.procedure_table import find_procedures
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.capture.files.reader import open_capture
from tests.helpers.shared import shared

KEYS = KeyTable(
    [KeyEntry(KeySet("test", encryption=bytes(range(16)), authentication=bytes(range(0xD0, 0xE0))))]
)
#: Of each capture: outcome, sentence and packet of the stream with DLMS; state, end and exchanges of its one
#: association; how many procedures of each kind.
COUNTED = {
    "DLMS_list.pcap": (
        ("complete", "4 exchanges; released", 14),
        ("accepted", "release", 4),
        {"association": 1, "profile-read": 1},
    ),
    "Output.pcap": (
        ("complete", "130 exchanges; released", 264),
        ("accepted", "release", 130),
        {"association": 1, "object-list-read": 2, "profile-read": 2},
    ),
    "Output-Ciphered-HLS.pcap": (
        ("complete", "131 exchanges; released", 266),
        ("accepted", "release", 131),
        {"association": 1, "hls": 1, "object-list-read": 2, "profile-read": 2},
    ),
    "XmlDemo.pcap": (
        ("complete", "4 exchanges; client closed with FIN", 45),
        ("accepted", "fin", 4),
        {"association": 1, "object-list-read": 3},
    ),
    "original_data.pcapng": (
        ("complete", "73 exchanges; client closed with RST", 218),
        ("accepted", "rst", 73),
        {"association": 1, "object-list-read": 2},
    ),
    "data7.pcapng": (
        ("broken-off", "meter closed with FIN 69.9 µs into get-request 0.1.1.0.0.255:-64", 279),
        ("accepted", "fin", 72),
        {"association": 1, "object-list-read": 2},
    ),
}


@pytest.mark.parametrize("name", COUNTED)
def test_what_was_counted_by_hand(name: str) -> None:
    """One connection with one association; other streams have no outcome."""
    (outcome, association, procedures) = COUNTED[name]
    with open_capture(shared(f"captures/{name}")) as reader:
        analysis = Analysis(reader).run()
        associations = Associations(analysis, KEYS)
        complete(associations)
        facts = capture_facts(analysis)
        (stream,) = np.flatnonzero(facts.outcomes.outcome != ConnectionOutcome.NOT_DLMS).tolist()
        word = ConnectionOutcome(int(facts.outcomes.outcome[stream])).word
        sentence = CauseSentences(analysis, facts).sentence(stream)
        assert (word, sentence, int(facts.outcomes.packet[stream]) + 1) == outcome
        table = facts.associations
        states = [Acceptance(state).word for state in table.acceptance.tolist()]
        ends = [AssociationEnd(end).word for end in table.ended.tolist()]
        assert list(zip(states, ends, table.exchanges.tolist(), strict=True)) == [association]
        assert Counter(one.kind.value for one in find_procedures(associations)) == procedures


def test_what_is_opened_without_a_known_tag_is_not_clear() -> None:
    """The capture has two ciphered APDUs with a tag of 0: nothing but ACSE is clear in its association."""
    with open_capture(shared("captures/Output-Ciphered-HLS.pcap")) as reader:
        analysis = Analysis(reader).run()
        complete(Associations(analysis, KEYS))
        seen = capture_facts(analysis).association_security.policies[0].tolist()
    assert [word for word, there in zip(POLICIES, seen, strict=True) if there] == ["authenticated-encrypted"]
