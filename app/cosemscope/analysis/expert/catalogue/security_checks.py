"""Checks of security: titles that are not unique, what went in clear or weaker, counters that went back."""

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.catalogue.association_checks import association_rows, from_client, opened
from cosemscope.analysis.expert.checks import Found, Rows, capture_check
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.apdu.first_look import ApduKind
from cosemscope.apdu.names.texts import title_text
from cosemscope.streams.tables.expert_items import Group, Severity, Words

_CLAUSE = "IEC 62056-5-3, security"
_CIPHERED_CONTEXTS = (3, 4)
_SERVICES = (ApduKind.REQUEST, ApduKind.RESPONSE, ApduKind.UNCONFIRMED, ApduKind.NOTIFICATION)
_Numbers = npt.NDArray[np.int64]


@capture_check(
    "same-title", Severity.WARNING, Group.SECURITY, "both sides have the same system title", _CLAUSE
)
def same_title(analysis: Analysis, rows: Rows) -> Found:
    """Associations in which AARQ and AARE have one title: their initialisation vectors may collide."""
    facts = capture_facts(analysis)
    chosen = opened(facts, lambda one: one.asked.title is not None and one.asked.title == one.answered.title)
    return {"wpdu": facts.table["last_response"][facts.associations.opening[chosen]]}


@capture_check(
    "title-changed", Severity.NOTE, Group.SECURITY, "the meter's system title has changed", _CLAUSE
)
def title_changed(analysis: Analysis, rows: Rows) -> Found:
    """AAREs with another title than the last one of the same meter and wPort."""
    facts = capture_facts(analysis)
    table = facts.associations
    last: dict[tuple[str, int, int], bytes] = {}
    wpdu, said = [], []
    for one in opened(facts, lambda details: details.answered.title is not None):
        answer = int(facts.table["last_response"][table.opening[one]])
        ends = analysis.endpoints(int(table.stream[one]))
        meter = ends[int(analysis.wpdus["direction"][answer])]
        key = (*meter, int(analysis.wpdus["source_wport"][answer]))
        title = facts.details[one].answered.title or b""
        before = last.get(key, title)
        last[key] = title
        if before != title:
            wpdu.append(answer)
            said.append(
                Words(f"the meter's system title was {title_text(before)}, and is {title_text(title)}")
            )
    return {"wpdu": np.array(wpdu, np.int64), "said": said}


@capture_check(
    "clear-in-ciphered", Severity.WARNING, Group.SECURITY, "in clear, inside a ciphered association", _CLAUSE
)
def clear(analysis: Analysis, rows: Rows) -> Found:
    """The first service of each side that goes in clear where the application context is with ciphering."""
    facts = capture_facts(analysis)
    ciphered = np.zeros(len(facts.associations) + 1, np.bool_)
    ciphered[opened(facts, lambda one: one.answered.context_id in _CIPHERED_CONTEXTS)] = True
    of, look = association_rows(facts), analysis.first_look
    mine = np.flatnonzero(ciphered[of] & (look["security"][: len(of)] < 0))
    mine = mine[np.isin(look["kind"][mine], _SERVICES)]
    _, first = np.unique(of[mine] << 1 | analysis.wpdus["direction"][mine], return_index=True)
    return {"wpdu": mine[first]}


@capture_check(
    "weaker-protection", Severity.NOTE, Group.SECURITY, "is protected less than what came before it", _CLAUSE
)
def weaker(analysis: Analysis, rows: Rows) -> Found:
    """The first service of each association that lacks a protection which all before it had."""
    facts = capture_facts(analysis)
    of, look = association_rows(facts), analysis.first_look
    mine = np.flatnonzero((of >= 0) & (look["security"][: len(of)] >= 0))
    policy = (look["security"][mine] >> 4 & 3).astype(np.int64)
    order = np.argsort(of[mine], kind="stable")
    mine, policy = mine[order], policy[order]
    group = of[mine]
    # Invariant: `first` is where the association of each row begins; its protection is what is expected.
    first = np.searchsorted(group, group)
    less = np.flatnonzero(policy[first] & ~policy)
    _, at = np.unique(group[less], return_index=True)
    return {"wpdu": mine[less[at]]}


@capture_check(
    "counter-reset", Severity.WARNING, Group.SECURITY, "the invocation counter begins anew: {amount}", _CLAUSE
)
def counter_reset(analysis: Analysis, rows: Rows) -> Found:
    """The first ciphered APDU on a connection whose counter is below the last one of the same sender."""
    facts = capture_facts(analysis)
    of, look = association_rows(facts), analysis.first_look
    mine = np.flatnonzero((of >= 0) & (look["invocation_counter"][: len(of)] >= 0))
    client = from_client(analysis, mine)
    keys = _senders(analysis, mine, client)
    order = np.argsort(keys, kind="stable")
    mine, keys = mine[order], keys[order]
    counter, pair = look["invocation_counter"][mine], analysis.wpdu_pairs["pair"][mine]
    # Within a wPort pair the walk over its association tells of counters that come again.
    back = (keys[1:] == keys[:-1]) & (pair[1:] != pair[:-1]) & (counter[1:] < counter[:-1])
    found = 1 + np.flatnonzero(back)
    return {"wpdu": mine[found], "amount": counter[found]}


@capture_check(
    "dedicated-key-reused",
    Severity.WARNING,
    Group.SECURITY,
    "the dedicated key is that of another association before it",
    _CLAUSE,
)
def dedicated_key(analysis: Analysis, rows: Rows) -> Found:
    """AARQs with a dedicated key that an earlier one had, as far as the keys could be read."""
    facts = capture_facts(analysis)
    seen: set[bytes] = set()
    again = []
    for one in opened(facts, lambda details: details.asked.dedicated_key):
        key = facts.details[one].asked.dedicated_key or b""
        if key in seen:
            again.append(one)
        seen.add(key)
    return {"wpdu": facts.table["request"][facts.associations.opening[again]]}


def _senders(analysis: Analysis, rows: Rows, client: npt.NDArray[np.bool_]) -> _Numbers:
    """A number for the sender of each row towards its receiver: addresses, and wPorts, int64[n]."""
    streams, wpdus = analysis.streams, analysis.wpdus
    flow = analysis.flows
    of = streams["flow"][wpdus["stream"][rows]]
    ends = np.zeros(len(rows), [(name, "u8") for name in ("a", "b", "c", "d", "wports", "side")])
    for name, column in zip("abcd", ("a_high", "a_low", "b_high", "b_low"), strict=True):
        ends[name] = flow[column][of]
    ends["wports"] = (
        wpdus["source_wport"][rows].astype(np.uint64) << np.uint64(16) | wpdus["destination_wport"][rows]
    )
    ends["side"] = client
    numbers: _Numbers = np.unique(ends, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return numbers
