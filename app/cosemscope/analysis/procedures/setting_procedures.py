"""Procedures that set something: a clock, with its deviation before and after, and keys."""

from typing import Any

import numpy as np

from cosemscope.analysis.procedures.procedure import (
    Procedure,
    ProcedureKind,
    ProcedureSource,
    ProcedureVerdict,
    instant,
)
from cosemscope.apdu.data.dates import date_time_text
from cosemscope.apdu.fields import walk
from cosemscope.apdu.names import tags as t
from cosemscope.apdu.names.blue_book import member_name
from cosemscope.wording import short_duration

_CLOCK, _TIME = 8, 2
_SECURITY_SETUP, _KEY_METHODS = 64, (2, 3)
_SECOND = 1_000_000_000
#: A clock that is farther from what was written did not take it.
_TOLERANCE = 60 * _SECOND


def clock_sets(source: ProcedureSource) -> list[Procedure]:
    """Each SET of a clock's time, and each method that shifts it."""
    reads = source.asking(t.GET_REQUEST, _CLOCK, _TIME)
    changes = np.sort(
        np.concatenate([source.asking(t.SET_REQUEST, _CLOCK, _TIME), source.asking(t.ACTION_REQUEST, _CLOCK)])
    )
    streams = source.exchanges["stream"]
    by_stream: dict[int, list[int]] = {}
    for read in reads.tolist():
        by_stream.setdefault(int(streams[read]), []).append(read)
    return [
        _clock_set(source, change, by_stream.get(int(streams[change]), [])) for change in changes.tolist()
    ]


class _Reading:
    """A clock's time as it was read or written: `text`, and `offset` in ns against the capture's clock.

    `known`: the deviation from UTC is given, so that the offset is one of the clocks themselves.
    """

    def __init__(self, value: Any, captured: int) -> None:
        found = instant(value)
        self.text = date_time_text(value) if found is not None else None
        self.offset = found[0] - captured if found is not None else None
        self.known = found is not None and found[1]

    @property
    def seconds(self) -> float | None:
        """The offset in seconds; None where nobody knows it."""
        return round(self.offset / _SECOND, 3) if self.known and self.offset is not None else None


def _clock_set(source: ProcedureSource, change: int, reads: list[int]) -> Procedure:
    sets = int(source.exchanges["service"][change]) == t.SET_REQUEST
    place = int(np.searchsorted(reads, change))
    before = _read(source, reads[place - 1]) if place else _Reading(None, 0)
    after = _read(source, reads[place]) if place < len(reads) else _Reading(None, 0)
    written = _Reading(source.sent_value(change) if sets else None, source.asked_at(change))
    verdict = source.verdict(change)
    told = [written.text or "a time that cannot be read"] if sets else [_method(source, change)]
    if verdict is not ProcedureVerdict.COMPLETE:
        told.append(source.failure(change))
    elif _differ(written, after):
        verdict = ProcedureVerdict.WRONG
        told.append(f"the clock did not take it: {after.text}")
    told += [f"{name} {_off(one)}" for name, one in (("before", before), ("after", after)) if one.known]
    return Procedure(
        ProcedureKind.CLOCK_SET,
        verdict,
        ", ".join(told),
        (change,),
        obis=source.obis(change),
        details={
            "set_to": written.text,
            "before": before.text,
            "before_deviation": before.seconds,
            "after": after.text,
            "after_deviation": after.seconds,
        },
    )


def _differ(written: _Reading, after: _Reading) -> bool:
    """Whether a clock goes otherwise than it was set."""
    if written.offset is None or after.offset is None:
        return False
    return abs(after.offset - written.offset) > _TOLERANCE


def _read(source: ProcedureSource, read: int) -> _Reading:
    return _Reading(source.answer(read), int(source.exchanges["response_start"][read]))


def _off(reading: _Reading) -> str:
    """How far a clock is off the capture's: "2 s ahead"."""
    offset = reading.offset or 0
    return f"{short_duration(abs(offset))} {'behind' if offset < 0 else 'ahead'}"


def _method(source: ProcedureSource, change: int) -> str:
    return member_name(_CLOCK, int(source.exchanges["member"][change]), method=True) or "a method"


def key_changes(source: ProcedureSource) -> list[Procedure]:
    """Each call of key_transfer or key_agreement of a Security setup; keys themselves are never told."""
    return [
        _key_change(source, exchange)
        for exchange in source.asking(t.ACTION_REQUEST, _SECURITY_SETUP, *_KEY_METHODS).tolist()
    ]


def _key_change(source: ProcedureSource, exchange: int) -> Procedure:
    names = [field.text for field in walk(source.request_tree(exchange)) if field.name == "key-id"]
    verdict = source.verdict(exchange)
    method = member_name(_SECURITY_SETUP, int(source.exchanges["member"][exchange]), method=True) or "method"
    told = [method, *names]
    if verdict is not ProcedureVerdict.COMPLETE:
        told.append(source.failure(exchange))
    done = len(names) if verdict is ProcedureVerdict.COMPLETE else 0
    return Procedure(
        ProcedureKind.KEY_CHANGE,
        verdict,
        ", ".join(told),
        (exchange,),
        done,
        len(names) or None,
        source.obis(exchange),
        {"method": method, "keys": names},
    )
