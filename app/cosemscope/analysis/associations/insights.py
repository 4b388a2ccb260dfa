"""What each WPDU is about, for whole captures: info line, object, result and security of row after row.

    insights = Insights(analysis, keys)
    for insight in insights.rows(0, len(analysis.wpdus)):
        ...

Rows are walked in order, so that responses know their requests and values their units. What can be had in
bulk (the first look at the innermost APDUs) is had for some thousand rows at once; info lines are made from
brief trees, and those of APDUs that come again and again are remembered. Memory is bounded, however long the
capture.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from cosemscope.analysis.associations.association import Look
from cosemscope.analysis.associations.looks import RowsInOrder
from cosemscope.analysis.associations.row_trees import decode_framed
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.apdu.context import Context, Request
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Field, find
from cosemscope.apdu.first_look import FirstLook, look
from cosemscope.apdu.names import tags as t
from cosemscope.apdu.names.codes import (
    ACTION_RESULTS,
    ASSOCIATION_RESULTS,
    DATA_ACCESS_RESULTS,
    EXCEPTION_ERRORS,
    SERVICE_ERRORS,
)
from cosemscope.apdu.summary import MAX_LENGTH, summarise
from cosemscope.streams.tables.framing import Framing

_BATCH = 4096
#: Info lines that are remembered, and octets of their APDUs, all together and of one.
_REMEMBERED = 1 << 14
_MOST_OCTETS = 8 << 20
_LONGEST = 2048
#: Ciphered APDUs with one APDU in clear inside and nothing else.
_ENVELOPES = frozenset((*t.GLO_SERVICES, *t.DED_SERVICES, t.GENERAL_GLO, t.GENERAL_DED))


class Insight(NamedTuple):
    """What a row is about; None where that does not apply.

    `class_id`, `obis` (six numbers with dots) and `attribute` (of an ACTION: the method) are those of the
    APDU, or of the request that it answers, of a list those of its first item. `result` is the standard's
    word; "code 77" for a number that has none. `security` is a `verdicts.Verdict`, `inner` the name of the
    APDU once opened or joined.
    """

    info: str
    invoke_id: int | None
    class_id: int | None
    obis: str | None
    attribute: int | None
    result: str | None
    security: str
    inner: str | None


#: The words for results, by the APDU that says them.
_RESULTS: dict[int, dict[int, str]] = {
    t.GET_RESPONSE: DATA_ACCESS_RESULTS,
    t.SET_RESPONSE: DATA_ACCESS_RESULTS,
    t.ACTION_RESPONSE: ACTION_RESULTS,
    t.EXCEPTION_RESPONSE: EXCEPTION_ERRORS,
    t.AARE: ASSOCIATION_RESULTS,
}


class Insights:
    """Insights into the rows of an analysis, in order; see the module. For the thread that steps."""

    def __init__(self, analysis: Analysis, keys: KeyTable = NO_KEYS) -> None:
        self._analysis = analysis
        self._walk = RowsInOrder(analysis, keys, analysis.octets_at_hand)
        self._remembered: dict[tuple[Any, ...], str] = {}
        self._octets = 0

    def rows(self, start: int, stop: int) -> Iterator[Insight]:
        """Insights into these rows; the rows before them must have been asked for already."""
        walked = self._walk.rows(start, stop)
        while some := list(islice(walked, _BATCH)):
            yield from self._look_at(some)

    def _look_at(self, some: list[tuple[int, Look]]) -> Iterator[Insight]:
        sizes = np.fromiter((len(known.plain) for _, known in some), np.int64, len(some))
        octets = np.frombuffer(b"".join(known.plain for _, known in some), np.uint8)
        seen = _Columns(look(octets, np.cumsum(sizes) - sizes, sizes))
        tags = self._analysis.wpdus["apdu_tag"][some[0][0] : some[-1][0] + 1].tolist()
        for place, (row, known) in enumerate(some):
            class_id, obis, attribute = seen.member(place) or _requested(known.context.request)
            yield Insight(
                self._info(row, tags[place], known),
                seen.invoke_id(place),
                class_id,
                obis,
                attribute,
                seen.result(place) or result_further_in(known),
                known.verdict.value,
                t.apdu_name(known.inner) if known.inner >= 0 else None,
            )

    def _info(self, row: int, tag: int, known: Look) -> str:
        plain, context, opening = known.plain, known.context, known.opening
        if not plain or context.joined is not None:
            return self._told(row, known)
        # What stands around an APDU does not matter to its info line, except that it was ciphered.
        if opening is None and known.inner < 0 and plain[0] == tag:
            return self._line(plain, context)
        if opening is not None and plain is opening.plaintext and tag in _ENVELOPES:
            line = self._line(plain, context)
            whole = f"{line} [{t.APDU_TAGS[tag]}]"
            if not line.startswith("BROKEN") and len(whole) <= MAX_LENGTH:
                return whole
        return self._told(row, known)

    def _line(self, apdu: bytes, context: Context) -> str:
        """The info line of an APDU in clear; that of a short one is remembered."""
        if len(apdu) > _LONGEST:
            return _summary(apdu, context)
        references = context.request.references if context.request is not None else ()
        scaler_unit = context.scaler_unit
        units = tuple(map(scaler_unit, references)) if scaler_unit is not None else ()
        key = (apdu, references, units)
        info = self._remembered.get(key)
        if info is None:
            info = _summary(apdu, context)
            self._octets += len(apdu)
            if len(self._remembered) >= _REMEMBERED or self._octets > _MOST_OCTETS:
                self._remembered.clear()
                self._octets = len(apdu)
            self._remembered[key] = info
        return info

    def _told(self, row: int, known: Look) -> str:
        """The info line out of the whole row, with what was opened or joined."""
        framing = Framing(self._analysis.wpdus["framing"].item(row))
        brief = _brief(known.context)
        return summarise(decode_framed(self._analysis.octets_at_hand(row), framing, brief), brief)


def _summary(apdu: bytes, context: Context) -> str:
    brief = _brief(context)
    return summarise(decode_apdu(apdu, brief), brief)


def _brief(context: Context) -> Context:
    return Context(
        context.request, context.opener, context.verifier, context.scaler_unit, context.joined, brief=True
    )


#: Class, logical name in dots and number of an attribute or method; None each where there is none.
_Member = tuple[int | None, str | None, int | None]


def _requested(request: Request | None) -> _Member:
    """What was asked for, of a list the first."""
    if request is None or not request.references:
        return None, None, None
    reference = request.references[0]
    return reference.class_id, dotted(reference.instance), reference.member


class _Columns:
    """The columns of a first look as lists, which are quicker to read one by one."""

    def __init__(self, found: FirstLook) -> None:
        self._service = found["service"].tolist()
        self._invoke_id = found["invoke_id"].tolist()
        self._class_id = found["class_id"].tolist()
        self._obis = found["obis"].tolist()
        self._member = found["member"].tolist()
        self._result = found["result"].tolist()

    def invoke_id(self, place: int) -> int | None:
        found: int = self._invoke_id[place]
        return found if found >= 0 else None

    def member(self, place: int) -> _Member | None:
        class_id: int = self._class_id[place]
        return (
            (class_id, dotted(self._obis[place].to_bytes(6, "big")), self._member[place])
            if class_id >= 0
            else None
        )

    def result(self, place: int) -> str | None:
        code: int = self._result[place]
        if code < 0:
            return None
        return _RESULTS.get(self._service[place], {}).get(code, f"code {code}")


@lru_cache(4096)
def dotted(instance: bytes) -> str:
    """A logical name as numbers with dots."""
    return ".".join(map(str, instance))


def result_further_in(known: Look) -> str | None:
    """The result of an APDU in which it stands at no fixed place."""
    find_result = _FURTHER_IN.get(known.plain[0]) if known.plain else None
    return find_result(known.plain) if find_result is not None else None


def _association_result(apdu: bytes) -> str | None:
    result = find(decode_apdu(apdu).root, "result")
    return _word(result, ASSOCIATION_RESULTS)


def _access_result(apdu: bytes) -> str | None:
    """The first result that is no success."""
    listed = find(decode_apdu(apdu).root, "access-response-specification")
    words = [_word(field, DATA_ACCESS_RESULTS) for field in (listed.children if listed is not None else ())]
    words = [word for word in words if word]
    return next((word for word in words if word != "success"), words[0] if words else None)


def _word(field: Field | None, words: dict[int, str]) -> str | None:
    value = field.value if field is not None and field.name != "count" else None
    value = value[-1] if isinstance(value, tuple) and value else value
    return words.get(value, f"code {value}") if isinstance(value, int) else None


def _service_error(apdu: bytes) -> str | None:
    if len(apdu) < 4:
        return None
    return SERVICE_ERRORS.get(apdu[2], ("", {}))[1].get(apdu[3], f"code {apdu[3]}")


_FURTHER_IN = {
    t.AARE: _association_result,
    t.ACCESS_RESPONSE: _access_result,
    t.CONFIRMED_SERVICE_ERROR: _service_error,
}
