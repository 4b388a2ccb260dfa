"""Reading of profiles, the range asked held against the rows that came, and of object lists."""

from itertools import pairwise
from typing import Any, NamedTuple

from cosemscope.analysis.procedures.procedure import (
    Procedure,
    ProcedureKind,
    ProcedureSource,
    ProcedureVerdict,
    instant,
)
from cosemscope.apdu.fields import find
from cosemscope.apdu.names import tags as t
from cosemscope.wording import count, duration

_PROFILE, _BUFFER, _PERIOD = 7, 2, 4
#: Classes with an object list, by whether names are short.
_ASSOCIATIONS, _OBJECT_LIST = (12, 15), 2
_RANGE, _ENTRIES = 1, 2
_SECOND = 1_000_000_000
#: Times of rows that lie nearer are no capture period.
_SHORTEST = 60 * _SECOND
_ENOUGH = 3


class _Asked(NamedTuple):
    """What was asked for: words, and the bounds in ns, or numbers of entries."""

    words: str
    begin: int | None = None
    end: int | None = None
    entries: int | None = None


def reading_procedures(source: ProcedureSource) -> list[Procedure]:
    """Every reading of a buffer or an object list."""
    periods: dict[tuple[str, str], Any] = {}
    for exchange in source.asking(t.GET_REQUEST, _PROFILE, _PERIOD).tolist():
        periods[source.meter(exchange), source.obis(exchange)] = source.answer(exchange)
    found: list[Procedure] = []
    for exchange in source.asking(t.GET_REQUEST, _PROFILE, _BUFFER).tolist():
        told = periods.get((source.meter(exchange), source.obis(exchange)))
        found.append(
            _profile(source, exchange, told * _SECOND if isinstance(told, int) and told > 0 else None)
        )
    for class_id in _ASSOCIATIONS:
        listing = source.asking(t.GET_REQUEST, class_id, _OBJECT_LIST)
        found += [_object_list(source, exchange) for exchange in listing.tolist()]
    return found


def _object_list(source: ProcedureSource, exchange: int) -> Procedure:
    objects = source.answer(exchange)
    number = len(objects) if isinstance(objects, tuple) else None
    text = count(number, "object") if number is not None else _shortfall(source, exchange)
    return Procedure(
        ProcedureKind.OBJECT_LIST_READ,
        _told(source, exchange, number),
        text,
        (exchange,),
        number,
        number,
        source.obis(exchange),
        {"objects": number},
    )


def _told(source: ProcedureSource, exchange: int, number: int | None) -> ProcedureVerdict:
    """The verdict of an answer whose elements could be counted, or not: it was not opened, or is no array."""
    verdict = source.verdict(exchange)
    if verdict is ProcedureVerdict.COMPLETE and number is None:
        unread = source.answer(exchange) is None
        return ProcedureVerdict.UNPROVEN if unread else ProcedureVerdict.WRONG
    return verdict


def _shortfall(source: ProcedureSource, exchange: int) -> str:
    """Why there is nothing to count."""
    blocks = int(source.exchanges["blocks"][exchange])
    if source.verdict(exchange) is ProcedureVerdict.COMPLETE:
        unread = source.answer(exchange) is None
        return "the answer could not be read" if unread else "the answer is no array"
    behind = f" after {count(blocks, 'block')}" if blocks else ""
    return f"{source.failure(exchange)}{behind}"


def _profile(source: ProcedureSource, exchange: int, period: int | None) -> Procedure:
    asked, rows = _asked(source, exchange), source.answer(exchange)
    if isinstance(rows, tuple):
        held = _held(asked, rows, source.asked_at(exchange), period)
    else:
        text = f"{asked.words}: {_shortfall(source, exchange)}"
        held = _Held(_told(source, exchange, None), text, None, asked.entries)
    details = {"asked": asked.words, "rows": held.rows, "period": held.period, "outside": held.outside}
    return Procedure(
        ProcedureKind.PROFILE_READ,
        held.verdict,
        held.text,
        (exchange,),
        held.rows,
        held.total,
        source.obis(exchange),
        details,
    )


class _Held(NamedTuple):
    """What was asked, held against the rows that came: all would be `total`, `outside` are wrong ones.

    `period`: seconds between rows, None where they are not regular.
    """

    verdict: ProcedureVerdict
    text: str
    rows: int | None = None
    total: int | None = None
    period: int | None = None
    outside: int | None = None


def _held(asked: _Asked, rows: tuple[Any, ...], asked_at: int, told_period: int | None) -> _Held:
    times = [_time_of(row) for row in rows]
    period = _period(times, told_period)
    known = _filled(times, period)
    outside = sum(not (asked.begin or 0) <= time <= (asked.end or time) for time in known)
    total = asked.entries
    if asked.begin is not None and asked.end is not None and period is not None:
        # A range may go on into times that had not come yet.
        until = min(asked.end, max(asked_at, known[-1]))
        first = known[0] - (known[0] - asked.begin) // period * period
        total = max((until - first) // period + 1, 0)
    verdict = ProcedureVerdict.COMPLETE
    if outside or (asked.entries is not None and len(rows) > asked.entries):
        verdict = ProcedureVerdict.WRONG
    elif total is not None and len(rows) < total:
        verdict = ProcedureVerdict.PARTIAL
    told = [f"{asked.words}: {count(len(rows), 'row')}" + (f" of {total:,}" if total is not None else "")]
    told += [f"every {duration(period)}"] if period is not None else []
    told += [f"{outside:,} outside of the range"] if outside else []
    seconds = period // _SECOND if period is not None else None
    return _Held(verdict, ", ".join(told), len(rows), total, seconds, outside)


def _asked(source: ProcedureSource, exchange: int) -> _Asked:
    """What the access selection of a request asks for."""
    selection = find(source.request_tree(exchange), "access-selection")
    value = selection.value if selection is not None else None
    well_formed = isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], tuple)
    if selection is None or not well_formed:
        return _Asked("all rows")
    kind, parameters = selection.value
    if kind == _RANGE and len(parameters) >= 3:
        bounds = [instant(bound) for bound in parameters[1:3]]
        begin, end = (bound[0] if bound is not None else None for bound in bounds)
        return _Asked(selection.text, begin, end)
    if kind == _ENTRIES and len(parameters) >= 2 and all(isinstance(one, int) for one in parameters[:2]):
        first, last = parameters[:2]
        return _Asked(selection.text, entries=last - first + 1 if last >= first > 0 else None)
    return _Asked(selection.text or "a selection")


def _time_of(row: Any) -> int | None:
    """The time of a row of a profile: of its first column that is one."""
    for value in row if isinstance(row, tuple) else ():
        found = instant(value)
        if found is not None:
            return found[0]
    return None


def _period(times: list[int | None], told: int | None) -> int | None:
    """The time between neighbours where it is the same or a multiple everywhere, in ns; None otherwise.

    `told`: the capture period that the meter told, which counts where rows have few times.
    """
    pairs = pairwise(times)
    steps = [after - before for before, after in pairs if before is not None and after is not None]
    few = len(steps) < _ENOUGH - 1
    least = told if few else min(map(abs, steps))
    if least is None or min(steps, default=0) < 0 or any(step % least for step in steps):
        return None
    return None if least < _SHORTEST or all(time is None for time in times) else least


def _filled(times: list[int | None], period: int | None) -> list[int]:
    """The times of rows; one that is left out (null-data) is a period behind the row before it."""
    found: list[int] = []
    for time in times:
        if time is not None:
            found.append(time)
        elif found and period is not None:
            found.append(found[-1] + period)
    return found
