"""Fields of associations: who is associated how, what was agreed, how it went, and by what it ended.

Each stands on every WPDU of the association. Those that the AARQ and AARE tell cost trees of these.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from cosemscope.analysis.associations.association_notes import HlsAnswer
from cosemscope.analysis.associations.result_words import RESULT_WORDS, result_word
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.row_field import Cost, declared
from cosemscope.analysis.fields.value_arrays import Array, Coded, Several, Values, object_array
from cosemscope.analysis.fields.value_types import (
    Duration,
    Instant,
    Integer,
    SystemTitle,
    Term,
    Text,
    ValueType,
    Word,
)
from cosemscope.analysis.outcomes.association_details import AssociationDetails
from cosemscope.analysis.outcomes.association_security import POLICIES
from cosemscope.analysis.outcomes.association_table import Acceptance, AssociationEnd
from cosemscope.analysis.sessions.wport_pairs import near_is_client
from cosemscope.apdu.names.codes import CONFORMANCE
from cosemscope.apdu.names.tags import APDU_TAGS, apdu_name
from cosemscope.apdu.names.texts import title_text

_NONE = Integer(none=-1)
_NO_WORD = 255
_declared = partial(declared, cost=Cost.WHOLE)


@_declared("association", _NONE, "Association", "Number of the association in this capture, from 1")
def _association(asked: AskedRows) -> Values:
    rows = asked.association_rows
    return np.where(rows >= 0, rows + 1, -1)


@_declared(
    "association.state",
    Word({state: state.word for state in Acceptance}, none=_NO_WORD),
    "Assoc. state",
    "What came of the AARQ: accepted, refused, unanswered or unfinished; not-seen where there is none",
)
def _state(asked: AskedRows) -> Values:
    return asked.of_association(asked.facts.associations.acceptance, _NO_WORD)


@_declared(
    "association.opened",
    Word(apdu_name, none=-1, numbers=APDU_TAGS),
    "Opened",
    "Name of the APDU that opened it, which is AARE where the AARQ was not captured; none where neither was",
)
def _opened(asked: AskedRows) -> Values:
    opening = asked.facts.associations.opening
    service = np.append(asked.facts.table["service"], np.int16(-1))[opening]
    return asked.of_association(np.where(opening >= 0, service, np.int16(-1)), -1)


@_declared(
    "association.result",
    Term(RESULT_WORDS),
    "Assoc. result",
    "The standard's word for the result in the AARE, or of what came in its place (IEC 62056-5-3)",
)
def _result(asked: AskedRows) -> Values:
    table, opening = asked.facts.table, asked.facts.associations.opening
    there = np.maximum(opening, 0)
    service = np.where(opening >= 0, np.append(table["answer"], -1)[there], -1).astype(np.int64)
    code = np.where(opening >= 0, np.append(table["result"], -1)[there], -1).astype(np.int64)
    used, codes = np.unique(asked.of_association(service << 16 | (code + 1), -1 << 16), return_inverse=True)
    words = [result_word(number >> 16, (number & 0xFFFF) - 1) for number in used.tolist()]
    return Coded(codes.reshape(-1), np.array(words, object))


@_declared(
    "association.ended",
    Word({end: end.word for end in AssociationEnd}, none=_NO_WORD),
    "Assoc. end",
    "By what it ended: release, abort, fin, rst, new-aarq, new-connection between the same ports, silence "
    "(no packet for 60 s up to the end of the capture) or end-of-capture",
)
def _ended(asked: AskedRows) -> Values:
    return asked.of_association(asked.facts.associations.ended, _NO_WORD)


@_declared(
    "association.ended_by",
    Word({0: "client", 1: "server"}, none=-1),
    "Ended by",
    "DLMS role of who ended it",
)
def _ended_by(asked: AskedRows) -> Values:
    associations = asked.facts.associations
    near = near_is_client(asked.analysis.pairs)[associations.pair]
    server = associations.ended_side != np.where(near, 0, 1)
    return asked.of_association(np.where(associations.ended_side >= 0, server, -1), -1)


@_declared("association.ended_packet", _NONE, "Assoc. last packet", "Number of the packet that ended it")
def _ended_packet(asked: AskedRows) -> Values:
    packet = asked.facts.associations.ended_packet
    return asked.of_association(np.where(packet >= 0, packet + 1, -1), -1)


@_declared("association.time", Instant(none=0), "Assoc. begin", "When its first octet was captured")
def _time(asked: AskedRows) -> Values:
    return asked.of_association(asked.facts.associations.start, 0)


@_declared(
    "association.duration", Duration(none=-1), "Assoc. duration", "From its first octet to what ended it"
)
def _duration(asked: AskedRows) -> Values:
    associations = asked.facts.associations
    return asked.of_association(associations.stop - associations.start, -1)


def _counted(name: str, title: str, meaning: str) -> None:
    @_declared(f"association.{name}", _NONE, title, meaning)
    def count(asked: AskedRows) -> Values:
        values: Array = getattr(asked.facts.associations, name)
        return asked.of_association(values, -1)


_counted("exchanges", "Assoc. exchanges", "Exchanges of it, those that open and release it among them")
_counted("errors", "Assoc. errors", "Exchanges of it that were answered with an error")
_counted("unanswered", "Assoc. unanswered", "Requests of it that nobody answered")
_counted("notifications", "Assoc. notif.", "Notifications in it")


def _wpdu(name: str, column: str, exchange: str, title: str, meaning: str) -> None:
    @_declared(f"association.{name}", _NONE, title, meaning)
    def number(asked: AskedRows) -> Values:
        exchanges: Array = getattr(asked.facts.associations, exchange)
        row = np.append(asked.facts.table[column], -1)[exchanges]
        return asked.of_association(np.where((exchanges >= 0) & (row >= 0), row + 1, -1), -1)


_wpdu("request", "request", "opening", "AARQ", "Number of the WPDU with the AARQ")
_wpdu("response", "last_response", "opening", "AARE", "Number of the WPDU that answers the AARQ")
_wpdu("release", "request", "release", "RLRQ", "Number of the WPDU with the RLRQ, or ABRT")


# Security.


@_declared(
    "association.security",
    Term(POLICIES),
    "Assoc. security",
    "Which protection its services had: clear, authenticated, encrypted, authenticated-encrypted",
    several=True,
)
def _security(asked: AskedRows) -> Values:
    seen = np.append(asked.facts.association_security.policies, np.zeros((1, 4), np.bool_), 0)
    place, policy = np.nonzero(seen[asked.association_rows])
    stops = np.cumsum(np.bincount(place, minlength=len(asked.association_rows)))
    return Several(stops, Coded(policy, object_array(POLICIES)))


@_declared("association.suite", _NONE, "Assoc. suite", "Security suite that its services used")
def _suite(asked: AskedRows) -> Values:
    return asked.of_association(asked.facts.association_security.suite, -1)


def _counter(name: str, which: str, side: int, title: str, meaning: str) -> None:
    @_declared(f"association.{name}", _NONE, title, f"{meaning} (IEC 62056-5-3)")
    def counter(asked: AskedRows) -> Values:
        values: Array = getattr(asked.facts.association_security, which)
        return asked.of_association(values[:, side], -1)


_counter("client_ic_from", "first", 0, "Client IC from", "The client's lowest invocation counter")
_counter("client_ic_to", "last", 0, "Client IC to", "The client's highest invocation counter")
_counter("server_ic_from", "first", 1, "Server IC from", "The server's lowest invocation counter")
_counter("server_ic_to", "last", 1, "Server IC to", "The server's highest invocation counter")


@_declared(
    "association.hls",
    Word({answer: answer.name.lower() for answer in HlsAnswer}, none=HlsAnswer.NONE),
    "HLS",
    "Whether the answers to its HLS challenges are right, wrong or unproven (a key or challenge is missing)",
)
def _hls(asked: AskedRows) -> Values:
    answers, associations = asked.facts.association_security.hls, asked.facts.associations
    unknown = (answers == HlsAnswer.NONE) & (associations.hls_asked > 0)
    return asked.of_association(np.where(unknown, np.uint8(HlsAnswer.UNPROVEN), answers), HlsAnswer.NONE)


# What AARQ and AARE say.


def _detail(
    name: str,
    kind: ValueType,
    title: str,
    meaning: str,
    value: Callable[[AssociationDetails], Any],
    *,
    several: bool = False,
) -> None:
    @declared(f"association.{name}", kind, title, meaning, cost=Cost.TREE, several=several)
    def detail(asked: AskedRows) -> Values:
        used, places = np.unique(asked.association_rows, return_inverse=True)
        found = [value(_details(asked, number)) for number in used.tolist()]
        if not several:
            values = np.array(found, np.int64) if kind.numeric else object_array(found)
            return Coded(places.reshape(-1), values)
        counts = np.array([len(one) for one in found], np.int64)
        starts = np.cumsum(counts) - counts
        stops = np.cumsum(counts[places])
        within = np.arange(int(stops[-1]) if len(stops) else 0) - np.repeat(
            stops - counts[places], counts[places]
        )
        flat = object_array([word for one in found for word in one])
        return Several(stops, flat[np.repeat(starts[places], counts[places]) + within])


def _details(asked: AskedRows, association: int) -> AssociationDetails:
    if association < 0:
        return AssociationDetails()
    return asked.facts.detail(association)


def _title(title: bytes | None) -> str | None:
    return title_text(title) if title else None


def _size(octets: int | None) -> int:
    return -1 if octets is None else octets


def _conformance(value: int | None) -> list[str]:
    return [name for bit, name in enumerate(CONFORMANCE) if (value or 0) & 0x800000 >> bit]


_detail(
    "client_title",
    SystemTitle(),
    "Client title",
    "System title of the client in the AARQ (IEC 62056-5-3)",
    lambda details: _title(details.asked.title),
)
_detail(
    "server_title",
    SystemTitle(),
    "Server title",
    "System title of the server in the AARE (IEC 62056-5-3)",
    lambda details: _title(details.answered.title),
)
_detail(
    "context",
    Text(),
    "Context",
    "Application context that the AARQ names (IEC 62056-5-3)",
    lambda details: details.asked.context or details.answered.context or None,
)
_detail(
    "mechanism",
    Text(),
    "Mechanism",
    "Authentication mechanism (IEC 62056-5-3)",
    lambda details: details.mechanism.mechanism_name or None,
)
_detail(
    "diagnostic",
    Text(),
    "Diagnostic",
    "What the AARE says of its result, in words (IEC 62056-5-3)",
    lambda details: details.answered.diagnostic or None,
)
_detail(
    "conformance",
    Term(CONFORMANCE),
    "Conformance",
    "The conformance block that was agreed (IEC 62056-5-3)",
    lambda details: _conformance(details.answered.conformance),
    several=True,
)
_detail(
    "conformance_asked",
    Term(CONFORMANCE),
    "Conf. asked",
    "The conformance block that the AARQ proposes (IEC 62056-5-3)",
    lambda details: _conformance(details.asked.conformance),
    several=True,
)
_detail(
    "client_pdu_size",
    _NONE,
    "Client PDU",
    "Octets that the client can receive in an APDU; 0 for no limit (IEC 62056-5-3)",
    lambda details: _size(details.asked.pdu_size),
)
_detail(
    "server_pdu_size",
    _NONE,
    "Server PDU",
    "Octets that the server can receive in an APDU; 0 for no limit (IEC 62056-5-3)",
    lambda details: _size(details.answered.pdu_size),
)


@declared(
    "association.hls_passes",
    Integer(none=0),
    "HLS passes",
    "How far HLS came: 1, 2 the challenges, 3, 4 the answers to them (IEC 62056-5-3)",
    cost=Cost.TREE,
)
def _hls_passes(asked: AskedRows) -> Values:
    associations = asked.facts.associations
    used, places = np.unique(asked.association_rows, return_inverse=True)
    found = [
        _details(asked, one).hls_passes(int(associations.hls_asked[one]), int(associations.hls_answered[one]))
        if one >= 0
        else 0
        for one in used.tolist()
    ]
    return Coded(places.reshape(-1), np.array(found, np.int64))
