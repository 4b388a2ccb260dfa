"""Checks of WPDUs on the columns of their table: what reassembly marked in them, and their headers."""

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.checks import WPDU_CHECKS, Found, Rows, finds, wpdu_check
from cosemscope.capture.packets.packet_row import TCP
from cosemscope.streams.tables.expert_items import Group, Severity
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.row_apdus import HEADER_SIZES
from cosemscope.streams.tables.stream_kinds import DAMAGED_FRAME, FRAME_CLAUSE, WPDU_CLAUSE
from cosemscope.streams.tables.wpdu_table import Mark

_WRAPPED = (Framing.WRAPPER, Framing.SWAPPED)


def _marked(analysis: Analysis, rows: Rows, mark: Mark) -> npt.NDArray[np.bool_]:
    marked: npt.NDArray[np.bool_] = (analysis.wpdus["marks"][rows] & mark) > 0
    return marked


def _framed(analysis: Analysis, rows: Rows, *framings: Framing) -> npt.NDArray[np.bool_]:
    return np.isin(analysis.wpdus["framing"][rows], framings)


@wpdu_check("truncated", Severity.WARNING, Group.WRAPPER, "truncated, {octets} missing", WPDU_CLAUSE)
def truncated(analysis: Analysis, rows: Rows) -> Found:
    """WPDUs, and units of other framings but HDLC, of which octets are missing; how many."""
    wpdus = analysis.wpdus
    row = rows[_marked(analysis, rows, Mark.TRUNCATED) & ~_framed(analysis, rows, Framing.HDLC)]
    whole = HEADER_SIZES[wpdus["framing"][row]] + wpdus["length"][row]
    return {"wpdu": row, "amount": np.maximum(whole - wpdus["size"][row], 0)}


@wpdu_check("incomplete-apdu", Severity.WARNING, Group.HDLC, "segments of the APDU are missing", FRAME_CLAUSE)
def incomplete(analysis: Analysis, rows: Rows) -> Found:
    """APDUs in several HDLC frames of which some are missing."""
    mask = _marked(analysis, rows, Mark.TRUNCATED) & _framed(analysis, rows, Framing.HDLC)
    return {"wpdu": rows[mask]}


@finds(WPDU_CHECKS, DAMAGED_FRAME)
def damaged(analysis: Analysis, rows: Rows) -> Found:
    """APDUs in HDLC frames that are damaged."""
    return {"wpdu": rows[_marked(analysis, rows, Mark.DAMAGED)]}


@wpdu_check(
    "resynchronised",
    Severity.NOTE,
    Group.WRAPPER,
    "found by searching, after missing octets or octets that are no WPDU",
)
def resynchronised(analysis: Analysis, rows: Rows) -> Found:
    """WPDUs that were found by searching."""
    return {"wpdu": rows[_marked(analysis, rows, Mark.RESYNCHRONISED)]}


@wpdu_check("shared-segment", Severity.CHAT, Group.TCP, "came in one segment with another WPDU")
def shared(analysis: Analysis, rows: Rows) -> Found:
    """WPDUs that begin or end inside a TCP segment; several in a datagram are an item of the datagram."""
    tcp = analysis.streams["protocol"][analysis.wpdus["stream"][rows]] == TCP
    return {"wpdu": rows[tcp & _marked(analysis, rows, Mark.SHARED)]}


@wpdu_check("no-data", Severity.WARNING, Group.WRAPPER, "the WPDU has no data", WPDU_CLAUSE)
def no_data(analysis: Analysis, rows: Rows) -> Found:
    """Headers whose length field is 0."""
    empty = (analysis.wpdus["length"][rows] == 0) & _framed(analysis, rows, *_WRAPPED)
    return {"wpdu": rows[empty], "stop": 8, "start": 6}


@wpdu_check(
    "swapped-header",
    Severity.WARNING,
    Group.WRAPPER,
    "each field of the header has its octets exchanged",
    WPDU_CLAUSE,
)
def swapped(analysis: Analysis, rows: Rows) -> Found:
    """Headers whose fields have their octets in the wrong order."""
    return {"wpdu": rows[_framed(analysis, rows, Framing.SWAPPED)], "stop": 8}


@wpdu_check(
    "wports-not-exchanged",
    Severity.WARNING,
    Group.WRAPPER,
    "source and destination wPort stand as in WPDUs of the other direction: an answer exchanges them",
    WPDU_CLAUSE,
)
def wports_not_exchanged(analysis: Analysis, rows: Rows) -> Found:
    """WPDUs that belong to the pair of wPorts in which theirs stand the other way round."""
    wpdus = analysis.wpdus
    near = np.where(
        wpdus["direction"][rows] == 0, wpdus["source_wport"][rows], wpdus["destination_wport"][rows]
    )
    turned = near != analysis.pairs["near"][analysis.wpdu_pairs["pair"][rows]]
    return {"wpdu": rows[turned & _framed(analysis, rows, *_WRAPPED)], "start": 2, "stop": 6}
