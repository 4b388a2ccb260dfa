"""Checks of associations: refused, never released, weaker than asked for, and what they did not agree on."""

from collections.abc import Callable, Iterable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.result_words import result_word
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.expert.checks import Found, Rows, capture_check
from cosemscope.analysis.outcomes.association_details import AssociationDetails
from cosemscope.analysis.outcomes.association_table import Acceptance, AssociationEnd, is_hls_reply
from cosemscope.analysis.outcomes.capture_facts import CaptureFacts, capture_facts
from cosemscope.analysis.sessions.wport_pairs import near_is_client
from cosemscope.apdu.acse_facts import AcseFacts
from cosemscope.apdu.names import codes
from cosemscope.apdu.names import tags as t
from cosemscope.apdu.names.codes import CONFORMANCE
from cosemscope.apdu.names.tags import apdu_name
from cosemscope.streams.tables.expert_items import Group, Severity, Words

_ACSE = "IEC 62056-5-3, COSEM-OPEN"
_LLS, _HLS_2 = 1, 2
#: Octets of an APDU with which hardly any value can be read.
_TINY = 64
_EXCEPTIONS = (t.EXCEPTION_RESPONSE, t.CONFIRMED_SERVICE_ERROR)
_Numbers = npt.NDArray[np.int64]
_MASK = {name: 0x800000 >> bit for bit, name in enumerate(CONFORMANCE)}
#: The bit of the conformance block that each service needs.
_NEEDED = {
    t.GET_REQUEST: "get",
    t.SET_REQUEST: "set",
    t.ACTION_REQUEST: "action",
    t.ACCESS_REQUEST: "access",
    t.READ_REQUEST: "read",
    t.WRITE_REQUEST: "write",
    t.UNCONFIRMED_WRITE_REQUEST: "unconfirmed-write",
}


def _answers(facts: CaptureFacts, chosen: Iterable[int]) -> _Numbers:
    """The WPDU that opened each of these associations: AARE, else AARQ, int64[n]."""
    opening = facts.associations.opening[np.fromiter(chosen, np.int64)]
    table = facts.table
    return np.where(
        table["last_response"][opening] >= 0, table["last_response"][opening], table["request"][opening]
    )


def opened(facts: CaptureFacts, wanted: Callable[[AssociationDetails], object]) -> list[int]:
    """The associations whose opening was captured, and whose AARQ and AARE are as wanted."""
    opened = np.flatnonzero(facts.associations.opening >= 0).tolist()
    return [one for one in opened if wanted(facts.details[one])]


@capture_check(
    "association-refused", Severity.WARNING, Group.ASSOCIATION, "the association was refused", _ACSE
)
def refused(analysis: Analysis, rows: Rows) -> Found:
    """Associations that were refused, with the diagnostic in words."""
    facts = capture_facts(analysis)
    chosen = np.flatnonzero(facts.associations.acceptance == Acceptance.REFUSED).tolist()
    said = [Words(f"the association was refused: {_refusal(facts, one)}") for one in chosen]
    return {"wpdu": _answers(facts, chosen), "said": said}


def _refusal(facts: CaptureFacts, association: int) -> str:
    """How an association was refused: the diagnostic of the AARE, or what came in the place of one."""
    exchange = int(facts.associations.opening[association])
    answer, code = (int(facts.table[name][exchange]) for name in ("answer", "result"))
    if answer < 0:
        return "the connection was closed"
    if answer != t.AARE:
        return f"{apdu_name(answer)} {result_word(answer, code) or ''}".rstrip()
    return facts.details[association].answered.diagnostic or "no diagnostic"


@capture_check("hls-refused", Severity.WARNING, Group.ASSOCIATION, "the authentication was refused", _ACSE)
def hls_refused(analysis: Analysis, rows: Rows) -> Found:
    """Calls of reply_to_HLS_authentication that were no success."""
    facts = capture_facts(analysis)
    failed = np.flatnonzero(is_hls_reply(facts.table) & (facts.statuses == ExchangeStatus.ERROR))
    return {"wpdu": facts.table["last_response"][failed]}


@capture_check(
    "unknown-context", Severity.WARNING, Group.ASSOCIATION, "the application context is unknown", _ACSE
)
def unknown_context(analysis: Analysis, rows: Rows) -> Found:
    """AARQs, and AAREs to others, that name a context that IEC 62056-5-3 does not have."""
    return _odd_names(
        capture_facts(analysis),
        lambda facts: facts.odd_context,
        lambda facts: codes.APPLICATION_CONTEXTS.get(facts.context_id),
        "application context",
    )


@capture_check(
    "unknown-mechanism", Severity.WARNING, Group.ASSOCIATION, "the authentication mechanism is unknown", _ACSE
)
def unknown_mechanism(analysis: Analysis, rows: Rows) -> Found:
    """AARQs, and AAREs to others, that name a mechanism that IEC 62056-5-3 does not have."""
    return _odd_names(
        capture_facts(analysis),
        lambda facts: facts.odd_mechanism,
        lambda facts: codes.MECHANISMS.get(facts.mechanism),
        "authentication mechanism",
    )


def _odd_names(
    facts: CaptureFacts,
    odd: Callable[[AcseFacts], str],
    known: Callable[[AcseFacts], str | None],
    what: str,
) -> Found:
    """An item for the AARQ, or else the AARE, of each association in which `odd` tells a name.

    `known`: how it was read on, by its last number.
    """
    wpdu, said = [], []
    for one in opened(facts, lambda details: odd(details.asked) or odd(details.answered)):
        details, opening = facts.details[one], facts.associations.opening[one]
        asked = bool(odd(details.asked))
        told = details.asked if asked else details.answered
        wpdu.append(int(facts.table["request" if asked else "last_response"][opening]))
        read = known(told)
        wrong = f": an octet of it is wrong, it is read as {read}" if read else ""
        said.append(Words(f"unknown {what} {odd(told)}{wrong}"))
    return {"wpdu": np.array(wpdu, np.int64), "said": said}


@capture_check(
    "proprietary-hls",
    Severity.CHAT,
    Group.ASSOCIATION,
    "HLS 2 is the manufacturer's own authentication",
    _ACSE,
)
def proprietary(analysis: Analysis, rows: Rows) -> Found:
    """Associations with mechanism 2."""
    facts = capture_facts(analysis)
    return {"wpdu": _answers(facts, opened(facts, lambda details: details.mechanism.mechanism == _HLS_2))}


@capture_check("password-in-clear", Severity.NOTE, Group.SECURITY, "the password is sent in clear", _ACSE)
def password(analysis: Analysis, rows: Rows) -> Found:
    """AARQs with low level security, whose password anybody on the way can read."""
    facts = capture_facts(analysis)
    chosen = opened(facts, lambda one: one.asked.mechanism == _LLS and one.asked.challenge)
    row = facts.table["request"][facts.associations.opening[chosen]]
    return {"wpdu": row[row >= 0]}


@capture_check(
    "outside-association", Severity.WARNING, Group.ASSOCIATION, "is asked outside of any association", _ACSE
)
def outside(analysis: Analysis, rows: Rows) -> Found:
    """First requests of wPort pairs that nobody associated, without an answer or with an exception."""
    facts = capture_facts(analysis)
    table, exchanges = facts.associations, facts.table
    found = np.flatnonzero(
        (table.acceptance == Acceptance.NOT_SEEN) & analysis.streams["start_seen"][table.stream]
    )
    first = table.first[found]
    asks = (exchanges["request"][first] >= 0) & np.isin(exchanges["service"][first], list(_NEEDED))
    # Where it is answered well, the association was established beforehand (IEC 62056-5-3).
    status = facts.statuses[first]
    failed = (status == ExchangeStatus.UNANSWERED) | np.isin(exchanges["answer"][first], _EXCEPTIONS)
    return {"wpdu": exchanges["request"][first[asks & failed]]}


@capture_check(
    "second-aarq",
    Severity.NOTE,
    Group.ASSOCIATION,
    "associates anew before the last association was released",
    _ACSE,
)
def second(analysis: Analysis, rows: Rows) -> Found:
    """AARQs with which an association on the same wPort pair ended that had been accepted."""
    table = capture_facts(analysis).associations
    found = np.flatnonzero(
        (table.ended == AssociationEnd.NEW_AARQ) & (table.acceptance == Acceptance.ACCEPTED)
    )
    return {
        "stream": table.stream[found],
        "packet": table.ended_packet[found],
        "direction": table.ended_side[found],
    }


@capture_check(
    "negotiated-less",
    Severity.CHAT,
    Group.ASSOCIATION,
    "not all services that were proposed were agreed",
    _ACSE,
)
def negotiated(analysis: Analysis, rows: Rows) -> Found:
    """AAREs whose conformance lacks bits that were proposed, with their names."""
    facts = capture_facts(analysis)

    def lack(details: AssociationDetails) -> int:
        asked, agreed = details.asked.conformance, details.answered.conformance
        return asked & ~agreed if asked is not None and agreed is not None else 0

    chosen = opened(facts, lack)
    return {
        "wpdu": _answers(facts, chosen),
        "said": [_not_agreed(lack(facts.details[one])) for one in chosen],
    }


@lru_cache(256)
def _not_agreed(bits: int) -> Words:
    return Words("not agreed: " + ", ".join(name for name, bit in _MASK.items() if bits & bit))


@capture_check(
    "tiny-pdu-size", Severity.WARNING, Group.ASSOCIATION, "APDUs of at most {octets} are agreed", _ACSE
)
def tiny(analysis: Analysis, rows: Rows) -> Found:
    """AAREs that allow APDUs of fewer than 64 octets; 0 is for any size."""
    facts = capture_facts(analysis)
    chosen = opened(facts, lambda details: 0 < (details.answered.pdu_size or 0) < _TINY)
    return {
        "wpdu": _answers(facts, chosen),
        "amount": np.array([facts.details[one].answered.pdu_size for one in chosen], np.int64),
    }


@capture_check(
    "pdu-too-large",
    Severity.WARNING,
    Group.SERVICE,
    "{octets} more than the receiver agreed to take",
    "IEC 62056-5-3, max-receive-pdu-size",
)
def too_large(analysis: Analysis, rows: Rows) -> Found:
    """APDUs in clear that are larger than what AARQ (of answers) or AARE (of requests) allow."""
    facts = capture_facts(analysis)
    asked, answered = (_limits(facts, who) for who in ("asked", "answered"))
    limits = np.concatenate([asked, answered])
    least = int(limits[limits > 0].min(initial=1 << 32))
    rows = np.flatnonzero(analysis.wpdus["length"][: len(facts.of)] > least)
    of = association_rows(facts, rows)
    mine, of = rows[of >= 0], of[of >= 0]
    client = from_client(analysis, mine)
    limit = np.where(client, answered[of], asked[of])
    length = analysis.wpdus["length"][mine].astype(np.int64)
    plain = analysis.wpdus["apdu_tag"][mine] == analysis.first_look["service"][mine]
    plain &= analysis.first_look["security"][mine] < 0
    large = (limit > 0) & (length > limit) & plain
    return {"wpdu": mine[large], "amount": (length - limit)[large]}


def _limits(facts: CaptureFacts, who: str) -> _Numbers:
    """The largest APDU that the sender of the AARQ or of the AARE takes, by association; 0 for any."""
    told = [getattr(details, who).pdu_size or 0 for details in facts.details]
    return np.array(told, np.int64)


def association_rows(facts: CaptureFacts, rows: _Numbers | slice = slice(None)) -> _Numbers:
    """The association of each WPDU row, or of these, int64[rows]; -1 for none."""
    exchange = facts.of[rows]
    of: _Numbers = np.where(exchange >= 0, np.append(facts.associations.of, -1)[exchange], -1)
    return of


def from_client(analysis: Analysis, rows: Rows) -> npt.NDArray[np.bool_]:
    """Which of these rows the DLMS client sent, bool[n]."""
    near = near_is_client(analysis.pairs)[analysis.wpdu_pairs["pair"][rows]]
    mask: npt.NDArray[np.bool_] = near == (analysis.wpdus["direction"][rows] == 0)
    return mask


@capture_check(
    "outside-conformance",
    Severity.WARNING,
    Group.SERVICE,
    "the service was not agreed",
    "IEC 62056-5-3, conformance",
)
def outside_conformance(analysis: Analysis, rows: Rows) -> Found:
    """The first request of each service in an association that did not agree on it."""
    facts = capture_facts(analysis)
    table = facts.table
    agreed = np.array(
        [-1 if one.answered.conformance is None else one.answered.conformance for one in facts.details],
        np.int64,
    )
    needed = np.zeros(256, np.int64)
    for service, name in _NEEDED.items():
        needed[service] = _MASK[name]
    of = facts.associations.of
    bit = needed[table["service"] & 0xFF]
    odd = np.flatnonzero((bit > 0) & (table["request"] >= 0) & ((np.append(agreed, -1)[of] & bit) == 0))
    _, first = np.unique(of[odd] << 8 | table["service"][odd] & 0xFF, return_index=True)
    found = odd[first]
    said = [Words(f"{t.apdu_name(service)} was not agreed") for service in table["service"][found].tolist()]
    return {"wpdu": table["request"][found], "said": said}
