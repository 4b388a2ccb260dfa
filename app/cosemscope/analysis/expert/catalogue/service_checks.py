"""Checks of exchanges: what was not answered, late, refused, asked twice, or answers nobody."""

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.result_words import result_word
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.expert.catalogue.association_checks import from_client
from cosemscope.analysis.expert.checks import Found, Rows, capture_check
from cosemscope.analysis.outcomes.association_table import is_hls_reply
from cosemscope.analysis.outcomes.capture_facts import CaptureFacts, capture_facts
from cosemscope.apdu.context import Reference
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import find
from cosemscope.apdu.first_look import ApduKind
from cosemscope.apdu.names import tags as t
from cosemscope.apdu.names.blue_book import dotted
from cosemscope.apdu.names.tags import apdu_name
from cosemscope.capture.columns import stable_order
from cosemscope.streams.tables.expert_items import Group, Severity, Words
from cosemscope.wording import count

_SERVICES = "IEC 62056-5-3, xDLMS services"
_MILLISECOND = 1_000_000
_EXCEPTIONS = (t.EXCEPTION_RESPONSE, t.CONFIRMED_SERVICE_ERROR)
_ASSOCIATION = (t.AARQ, t.AARE, t.RLRQ, t.RLRE, t.ABRT, t.INITIATE_REQUEST, t.INITIATE_RESPONSE)
#: Answers of services of short names.
_BY_NAME = (t.READ_RESPONSE, t.WRITE_RESPONSE)
#: Services and choices, as service << 8 | choice, that name the block that came last, and that carry one.
_NAMING = tuple(
    service << 8 | choice
    for service, choice in (
        *((t.GET_REQUEST, 2), (t.ACTION_REQUEST, 2), (t.ACTION_RESPONSE, 4)),
        *((t.SET_RESPONSE, 2), (t.SET_RESPONSE, 3), (t.SET_RESPONSE, 4)),
    )
)
_CARRYING = tuple(
    service << 8 | choice
    for service, choice in (
        *((t.GET_RESPONSE, 2), (t.ACTION_RESPONSE, 2), (t.SET_REQUEST, 2), (t.SET_REQUEST, 3)),
        *((t.ACTION_REQUEST, 4), (t.ACTION_REQUEST, 6)),
    )
)
#: Items of a list that a sentence names.
_MOST_ITEMS = 3
#: What names the same request again.
_SAME = ("pair", "service", "class_id", "obis", "member")


def _in_status(facts: CaptureFacts, status: ExchangeStatus) -> npt.NDArray[np.int64]:
    return np.flatnonzero(facts.statuses == status)


@capture_check("unanswered", Severity.WARNING, Group.SERVICE, "no answer came", _SERVICES)
def unanswered(analysis: Analysis, rows: Rows) -> Found:
    """Requests without an answer, or without the last one, whose asker went on."""
    facts = capture_facts(analysis)
    exchange = _in_status(facts, ExchangeStatus.UNANSWERED)
    blocks = np.where(facts.table["response"][exchange] >= 0, facts.table["blocks"][exchange], 0)
    said = [
        Words(f"{count(number, 'block')} came, and not the last one" if number else "no answer came")
        for number in blocks.tolist()
    ]
    return {"wpdu": facts.table["last_request"][exchange], "said": said}


@capture_check(
    "invoke-id-reused",
    Severity.WARNING,
    Group.SERVICE,
    "its invoke-id was used again before the last answer came",
    "IEC 62056-5-3, invoke-id-and-priority",
)
def reused(analysis: Analysis, rows: Rows) -> Found:
    """Requests that were open when their invoke-id was used for another one; what wants no answer is none."""
    facts = capture_facts(analysis)
    exchange = _in_status(facts, ExchangeStatus.UNANSWERED)
    exchange = exchange[facts.table["given_up"][exchange] & (facts.table["invoke_id"][exchange] >= 0)]
    return {"wpdu": facts.table["last_request"][exchange]}


@capture_check(
    "late-answer", Severity.WARNING, Group.SERVICE, "the answer began {amount} ms after the request"
)
def late(analysis: Analysis, rows: Rows) -> Found:
    """Answers that took longer than the threshold."""
    facts = capture_facts(analysis)
    table = facts.table
    asked = (table["request_end"] > 0) & (table["response_start"] > 0)
    waited = np.where(asked, table["response_start"] - table["request_end"], 0)
    exchange = np.flatnonzero(waited > analysis.patience)
    return {"wpdu": table["response"][exchange], "amount": waited[exchange] // _MILLISECOND}


@capture_check(
    "unknown-invoke-id", Severity.WARNING, Group.SERVICE, "answers no request that is open", _SERVICES
)
def unasked(analysis: Analysis, rows: Rows) -> Found:
    """Answers without a request, where the capture has what came before them."""
    facts = capture_facts(analysis)
    table = facts.table
    exchange = _in_status(facts, ExchangeStatus.UNASKED)
    exchange = exchange[~np.isin(table["service"][exchange], _ASSOCIATION)]
    # In a capture that begins amid a connection, the first answers of a pair may have been asked before.
    pair = table["pair"].astype(np.int64)
    asked = np.full(int(pair.max(initial=-1)) + 1, len(table))
    begun = np.flatnonzero((table["request"] >= 0) & (facts.statuses != ExchangeStatus.UNASKED))
    np.minimum.at(asked, pair[begun], begun)
    known = analysis.streams["start_seen"][table["stream"][exchange]] | (asked[pair[exchange]] < exchange)
    return {"wpdu": table["last_response"][exchange[known]]}


def _refused(facts: CaptureFacts, *, by_exception: bool) -> npt.NDArray[np.int64]:
    """Exchanges that were answered with an error, but for associations and authentications."""
    table = facts.table
    exchange = _in_status(facts, ExchangeStatus.ERROR)
    exchange = exchange[np.isin(table["answer"][exchange], _EXCEPTIONS) == by_exception]
    aside = np.isin(table["service"][exchange], _ASSOCIATION)
    chosen: npt.NDArray[np.int64] = exchange[~aside & (by_exception | ~is_hls_reply(table)[exchange])]
    return chosen


def _with_results(analysis: Analysis, facts: CaptureFacts, exchange: npt.NDArray[np.int64]) -> Found:
    """An item for the answer of each exchange that says its result, of lists that of each item, in words."""
    said = []
    for one in exchange.tolist():
        answer, code = (int(facts.table[name][one]) for name in ("answer", "result"))
        items = _items(analysis, facts, one, answer)
        word = result_word(answer, code) or "an error"
        said.append(Words(f"{apdu_name(answer)}: {items or word}"))
    return {"wpdu": facts.table["last_response"][exchange], "said": said}


def _items(analysis: Analysis, facts: CaptureFacts, exchange: int, answer: int) -> str:
    """Each item of a list that was refused, with its object: "item 2, 1.0.2.8.0.255:2: object-undefined"."""
    refused = facts.refused_items(exchange)
    names = _short_names(analysis, facts, exchange) if refused and answer in _BY_NAME else ()
    told = [
        f"item {one.item + 1}{_about(one.reference, names[one.item : one.item + 1])}: "
        f"{result_word(answer, one.code) or one.code}"
        for one in refused[:_MOST_ITEMS]
    ]
    more = len(refused) - len(told)
    return ", ".join(told) + (f" and {more} more" if more > 0 else "")


def _about(reference: Reference | None, name: tuple[int | None, ...]) -> str:
    """The object of an item, or its short name: ", 1.0.2.8.0.255:2"."""
    if reference is not None:
        return f", {dotted(reference.instance)}:{reference.member}"
    return f", short name {name[0]:#06x}" if name and name[0] is not None else ""


def _short_names(analysis: Analysis, facts: CaptureFacts, exchange: int) -> tuple[int | None, ...]:
    """The short names that a request in clear asks for, in their order; none of one that is ciphered."""
    row = int(facts.table["whole_request"][exchange])
    if row < 0 or int(analysis.first_look["inner"][row]) >= 0:
        return ()
    apdu = next(analysis.apdus_of(np.array([row])))
    listed = find(decode_apdu(apdu).root, "variable-access-specification") if apdu else None
    items = listed.children[1:] if listed is not None else ()
    names = (find(item, "variable-name") for item in items)
    return tuple(name.value if name is not None else None for name in names)


@capture_check("error-result", Severity.WARNING, Group.SERVICE, "answered with an error", _SERVICES)
def errors(analysis: Analysis, rows: Rows) -> Found:
    """Answers whose result is no success, each with its word."""
    facts = capture_facts(analysis)
    return _with_results(analysis, facts, _refused(facts, by_exception=False))


@capture_check("exception-response", Severity.WARNING, Group.SERVICE, "answered with an exception", _SERVICES)
def exceptions(analysis: Analysis, rows: Rows) -> Found:
    """Requests that were answered with an exception, each with its service error."""
    facts = capture_facts(analysis)
    return _with_results(analysis, facts, _refused(facts, by_exception=True))


@capture_check(
    "wrong-block-number",
    Severity.WARNING,
    Group.SERVICE,
    "asks on, or has taken, another block than the last one that came",
    _SERVICES,
)
def wrong_numbers(analysis: Analysis, rows: Rows) -> Found:
    """Requests for the next block, and answers to one, whose number is not that of the block before them.

    Who says the same again, since nothing came, says nothing wrong.
    """
    look = analysis.first_look
    of = capture_facts(analysis).table.of["exchange"]
    rows = np.flatnonzero((look["block"][: len(of)] >= 0) & (of >= 0))
    place = look["service"][rows].astype(np.int64) << 8 | look["choice"][rows] & 0xFF
    named = np.isin(place, _NAMING)
    rows = rows[named | np.isin(place, _CARRYING)]
    # Invariant: `rows` has those of each exchange together, in the order of capture; `latest` says where the
    # one before each stands that carries a block, and the one that names one, of any exchange.
    order = np.lexsort((analysis.wpdus["last_packet"][rows], of[rows]))
    rows = rows[order]
    place = look["service"][rows].astype(np.int64) << 8 | look["choice"][rows] & 0xFF
    names = np.isin(place, _NAMING)
    at, number = np.arange(len(rows)), look["block"][rows].astype(np.int64)
    latest = [
        np.append(-1, np.maximum.accumulate(np.where(mask, at, -1))[:-1])[: len(rows)]
        for mask in (~names, names)
    ]
    carried, said = (np.where(of[rows[np.maximum(one, 0)]] == of[rows], one, -1) for one in latest)
    wrong = names & (carried >= 0) & (number[carried] != number)
    wrong &= (said < 0) | (number[said] != number)
    words = [
        Words(f"names block {one}, and the last one that came was block {other}")
        for one, other in zip(number[wrong].tolist(), number[carried[wrong]].tolist(), strict=True)
    ]
    return {"wpdu": rows[wrong], "said": words}


@capture_check("asked-again", Severity.NOTE, Group.SERVICE, "asks the same again, after no answer came")
def again(analysis: Analysis, rows: Rows) -> Found:
    """Requests that name what the request before them in their wPort pair named, which got no answer."""
    facts = capture_facts(analysis)
    table = facts.table
    open_ones = np.isin(facts.statuses, (ExchangeStatus.UNANSWERED, ExchangeStatus.UNFINISHED))
    concerned = np.zeros(len(analysis.pairs), np.bool_)
    concerned[table["pair"][open_ones]] = True
    rows = np.flatnonzero(concerned[table["pair"]])
    order = rows[stable_order(table["pair"][rows])]
    before, behind = order[:-1], order[1:]
    same = open_ones[before]
    same &= (table["class_id"][behind] >= 0) & (table["request"][behind] >= 0)
    for name in _SAME:
        same &= table[name][before] == table[name][behind]
    return {"wpdu": table["request"][behind[same]]}


@capture_check(
    "response-from-client",
    Severity.WARNING,
    Group.SERVICE,
    "an answer comes from the client's side",
    _SERVICES,
)
def client_answers(analysis: Analysis, rows: Rows) -> Found:
    """Responses of the side that asks in all else."""
    client = from_client(analysis, rows)
    look = analysis.first_look
    # Who gets a notification confirms it.
    answers = (look["kind"][rows] == ApduKind.RESPONSE) & (
        look["service"][rows] != t.DATA_NOTIFICATION_CONFIRM
    )
    return {"wpdu": rows[client & answers]}


@capture_check("no-value", Severity.NOTE, Group.SERVICE, "the answer carries no value: null-data")
def no_value(analysis: Analysis, rows: Rows) -> Found:
    """GET responses of success whose data are null."""
    look, wpdus = analysis.first_look, analysis.wpdus
    bare = (
        (look["service"][rows] == t.GET_RESPONSE) & (look["choice"][rows] == 1) & (look["result"][rows] == 0)
    )
    return {"wpdu": rows[bare & (wpdus["length"][rows] == 5) & (wpdus["apdu_tag"][rows] == t.GET_RESPONSE)]}
