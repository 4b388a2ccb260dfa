"""Fields of exchanges: how the exchange that a WPDU is part of began, went and ended, and how long it took.

Each stands on every WPDU of the exchange, but `response_time`, which stands on the first answer alone.
"""

from functools import partial

import numpy as np

from cosemscope.analysis.associations.result_words import RESULT_WORDS, result_word
from cosemscope.analysis.exchanges.exchange_roles import Role
from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.fields.asked_rows import NO_OBIS, AskedRows
from cosemscope.analysis.fields.row_field import Cost, declared
from cosemscope.analysis.fields.value_arrays import Array, Coded, Several, Values
from cosemscope.analysis.fields.value_types import Duration, Instant, Integer, Obis, Term, Word
from cosemscope.apdu.names.tags import APDU_TAGS, GENERAL_BLOCK_TRANSFER, apdu_name

_NONE = Integer(none=-1)
_SPAN = Duration(none=-1)
_NO_STATUS = 255
_declared = partial(declared, cost=Cost.WHOLE)


@_declared("exchange", _NONE, "Exchange", "Number of the exchange in this capture, from 1")
def _exchange(asked: AskedRows) -> Values:
    rows = asked.exchange_rows
    return np.where(rows >= 0, rows + 1, -1)


@_declared(
    "exchange.status",
    Word({status: status.word for status in ExchangeStatus}, none=_NO_STATUS),
    "Exch. status",
    "How the exchange ended: answered, error, unanswered (the asker went on or left, or 5 s passed), "
    "unfinished (the capture or connection ends before that, or nobody sees it), unasked (an answer without "
    "a request), unconfirmed or "
    "notification; it may change while a capture grows",
)
def _status(asked: AskedRows) -> Values:
    return asked.of_exchange(asked.facts.statuses, _NO_STATUS)


@_declared(
    "exchange.service",
    Word(apdu_name, none=-1, numbers=APDU_TAGS),
    "Exch. service",
    "Name of the APDU with which it began",
)
def _service(asked: AskedRows) -> Values:
    return asked.exchange("service", -1)


@_declared("exchange.invoke_id", _NONE, "Exch. invoke-id", "Invoke-id of the exchange (IEC 62056-5-3)")
def _invoke_id(asked: AskedRows) -> Values:
    return asked.exchange("invoke_id", -1)


@_declared("exchange.class", _NONE, "Exch. class", "Class of the object that was asked for (IEC 62056-6-2)")
def _class(asked: AskedRows) -> Values:
    return asked.of_exchange(asked.facts.objects["class_id"], -1)


@_declared(
    "exchange.obis", Obis(none=NO_OBIS), "Exch. OBIS", "Logical name that was asked for (IEC 62056-6-1)"
)
def _obis(asked: AskedRows) -> Values:
    told = asked.facts.objects
    there = asked.of_exchange(told["class_id"], -1) >= 0
    return np.where(there, asked.of_exchange(told["obis"], 0), np.uint64(NO_OBIS))


@_declared(
    "exchange.attribute",
    Integer(none=-(1 << 15)),
    "Exch. attribute",
    "Attribute, or with ACTION method, that was asked for (IEC 62056-6-2)",
)
def _attribute(asked: AskedRows) -> Values:
    told = asked.facts.objects
    there = asked.of_exchange(told["class_id"], -1) >= 0
    return np.where(there, asked.of_exchange(told["member"], 0), np.int16(-(1 << 15)))


@_declared(
    "exchange.result",
    Term(RESULT_WORDS),
    "Exch. result",
    "The standard's word for the result of the last answer (IEC 62056-5-3)",
)
def _result(asked: AskedRows) -> Values:
    service, code = asked.exchange("answer", -1).astype(np.int64), asked.exchange("result", -1)
    used, codes = np.unique(service << 16 | (code + 1), return_inverse=True)
    words = [result_word(number >> 16, (number & 0xFFFF) - 1) for number in used.tolist()]
    return Coded(codes.reshape(-1), np.array(words, object))


@_declared("exchange.request", _NONE, "Request", "Number of the WPDU with the request")
def _request(asked: AskedRows) -> Values:
    row = asked.exchange("request", -1)
    return np.where(row >= 0, row + 1, -1)


@_declared(
    "exchange.wpdus", Integer(), "Exch. WPDUs", "Numbers of all its WPDUs, in their order", several=True
)
def _wpdus(asked: AskedRows) -> Values:
    return _numbers(asked, np.flatnonzero(asked.exchange_rows >= 0))


@_declared("exchange.responses", Integer(), "Responses", "Numbers of the WPDUs that answer", several=True)
def _responses(asked: AskedRows) -> Values:
    return _numbers(asked, np.flatnonzero(asked.exchange("responses", 0) > 0), answers=True)


def _numbers(asked: AskedRows, places: Array, *, answers: bool = False) -> Several:
    """The numbers of the WPDUs of the exchanges at these places, all of them or those that answer."""
    stops, rows = asked.facts.rows_of(asked.exchange_rows[places])
    counts = np.zeros(len(asked.exchange_rows), np.int64)
    owner = np.repeat(np.arange(len(places)), np.diff(stops, prepend=0))
    if answers:
        table, of = asked.facts.table, asked.exchange_rows[places]
        # Where an answer came first, its side answers; else the side that did not begin.
        answers_first = np.isin(table["role"][of], (Role.PART, Role.FINAL))
        answering_side = np.where(answers_first, table["side"][of], 1 - table["side"][of])
        answering = asked.analysis.wpdus["direction"][rows] == answering_side[owner]
        # A general-block-transfer without data acknowledges what was asked, and answers nothing.
        look = asked.analysis.first_look
        bare = (look["service"][rows] == GENERAL_BLOCK_TRANSFER) & (look["general_block"][rows] < 0)
        answering &= ~bare
        rows, owner = rows[answering], owner[answering]
    counts[places] = np.bincount(owner, minlength=len(places))
    return Several(np.cumsum(counts), rows + 1)


@_declared("exchange.blocks", Integer(none=-1), "Blocks", "Blocks of a transfer in it; 0 without one")
def _blocks(asked: AskedRows) -> Values:
    return asked.exchange("blocks", -1)


@_declared("exchange.request_octets", _NONE, "Request octets", "Octets of the APDUs that ask")
def _request_octets(asked: AskedRows) -> Values:
    return asked.exchange("request_octets", -1)


@_declared("exchange.response_octets", _NONE, "Response octets", "Octets of the APDUs that answer")
def _response_octets(asked: AskedRows) -> Values:
    return asked.exchange("response_octets", -1)


@_declared("exchange.time", Instant(none=0), "Exch. begin", "When its first octet was captured")
def _time(asked: AskedRows) -> Values:
    begun = asked.exchange("request_start", 0)
    return np.where(begun != 0, begun, asked.exchange("response_start", 0))


def _between(asked: AskedRows, start: str, stop: str) -> Array:
    """Nanoseconds from one of the four times to another; -1 where the exchange has not both."""
    begin, end = asked.exchange(start, 0), asked.exchange(stop, 0)
    return np.where((begin != 0) & (end >= begin), end - begin, -1)


@_declared(
    "exchange.request_transfer", _SPAN, "Request transfer", "First octet of the request to its last one"
)
def _request_transfer(asked: AskedRows) -> Values:
    return _between(asked, "request_start", "request_end")


@_declared(
    "exchange.response_time",
    _SPAN,
    "Exch. resp. time",
    "Last octet of the request to the first octet of the first answer",
)
def _response_time(asked: AskedRows) -> Values:
    return _between(asked, "request_end", "response_start")


@_declared(
    "exchange.response_transfer",
    _SPAN,
    "Response transfer",
    "First octet of the first answer to the last octet of the last one",
)
def _response_transfer(asked: AskedRows) -> Values:
    return _between(asked, "response_start", "response_end")


@_declared(
    "exchange.total_time", _SPAN, "Total time", "First octet of the request to the last octet of the answer"
)
def _total_time(asked: AskedRows) -> Values:
    return _between(asked, "request_start", "response_end")


@_declared(
    "response_time",
    _SPAN,
    "Response time",
    "On the first answer: time since the last octet of the request",
)
def _first_response_time(asked: AskedRows) -> Values:
    first = asked.exchange("response", -1) == asked.numbers
    return np.where(first, _between(asked, "request_end", "response_start"), -1)
