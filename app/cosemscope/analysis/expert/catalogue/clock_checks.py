"""Checks of clocks that meters tell: against the time of the capture, and by their own status."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.checks import Found, Rows, capture_check
from cosemscope.analysis.outcomes.capture_facts import CaptureFacts, capture_facts
from cosemscope.apdu.data.dates import moment, status_text
from cosemscope.apdu.names import tags as t
from cosemscope.streams.tables.expert_items import Group, Severity, Words

_NAME = "clocks"
_CLOCK = "IEC 62056-6-2, Clock"
#: An answer with a date-time: tag, choice, invoke-id, result, octet-string of 12 octets.
_BEFORE, _SIZE = 4, 18
_DATE_TIME = b"\x09\x0c"
#: Bits of the clock status: invalid value, doubtful value, invalid clock status.
_BAD = 0x0B
_TOLERATED, _SECOND = 60, 1_000_000_000


class _Clocks(NamedTuple):
    """The rows that answer with the time of a clock in clear, int64[n], and the twelve octets of each."""

    facts: CaptureFacts
    rows: npt.NDArray[np.int64]
    octets: list[bytes]


def _clocks(analysis: Analysis) -> _Clocks:
    """The clocks of a capture as of now, read once for all checks."""
    facts = capture_facts(analysis)
    known = analysis.derived.get(_NAME)
    if not isinstance(known, _Clocks) or known.facts is not facts:
        known = analysis.derived[_NAME] = _read(analysis, facts)
    return known


def _read(analysis: Analysis, facts: CaptureFacts) -> _Clocks:
    table, wpdus = facts.table, analysis.wpdus
    asked = (table["class_id"] == 8) & (table["member"] == 2) & (table["service"] == t.GET_REQUEST)
    row = table["last_response"][np.flatnonzero(asked)]
    row = row[row >= 0]
    row = row[(wpdus["apdu_tag"][row] == t.GET_RESPONSE) & (wpdus["length"][row] == _SIZE)]
    octets = list(analysis.apdus_of(row))
    told = [place for place, apdu in enumerate(octets) if apdu[_BEFORE : _BEFORE + 2] == _DATE_TIME]
    return _Clocks(facts, row[told], [octets[place][_BEFORE + 2 :] for place in told])


@capture_check("clock-off", Severity.WARNING, Group.DATA, "the meter's clock is off", _CLOCK)
def clock_off(analysis: Analysis, rows: Rows) -> Found:
    """Clocks with a zone that are off by more than a minute against the capture."""
    _, row, clocks = _clocks(analysis)
    wpdu, said = [], []
    for number, octets in zip(row.tolist(), clocks, strict=True):
        told = moment(octets)
        if told is not None and told.tzinfo is not None:
            seconds = told.timestamp() - int(analysis.wpdus["time"][number]) / _SECOND
            if abs(seconds) > _TOLERATED:
                wpdu.append(number)
                way = "ahead of" if seconds > 0 else "behind"
                said.append(Words(f"the meter's clock is {abs(seconds):,.0f} s {way} the capture's"))
    return {"wpdu": np.array(wpdu, np.int64), "said": said}


@capture_check("clock-status", Severity.WARNING, Group.DATA, "the meter doubts its clock", _CLOCK)
def clock_status(analysis: Analysis, rows: Rows) -> Found:
    """Clocks whose status says that the time is invalid or doubtful."""
    _, row, clocks = _clocks(analysis)
    bad = [place for place, octets in enumerate(clocks) if octets[11] != 0xFF and octets[11] & _BAD]
    said = [Words(f"the meter doubts its clock: {status_text(clocks[place][11])}") for place in bad]
    return {"wpdu": row[bad], "said": said}
