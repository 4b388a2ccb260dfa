"""Checks of wPorts and framings: numbers that Table 1 reserves or does not list, HDLC where WPDUs belong."""

import numpy as np

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.checks import Found, Rows, capture_check, first_of_each
from cosemscope.analysis.sessions.wport_pairs import near_is_client
from cosemscope.capture.columns import Array
from cosemscope.streams.tables.expert_items import Group, Severity
from cosemscope.streams.tables.framing import Framing
from cosemscope.transport.wports import DLMS_PORT, NO_STATION, TABLE_1, Side, WPortUse

_CLAUSE = "IEC 62056-4-7, 5.3.4 (Table 1)"
_WRAPPED = (Framing.WRAPPER, Framing.SWAPPED)


def _used(side: Side, use: WPortUse) -> Array:
    """Which wPorts have this use on a side, bool[65536]."""
    mask = np.zeros(1 << 16, np.bool_)
    for row in TABLE_1[side]:
        if row.use is use:
            mask[row.first : row.last + 1] = True
    return mask


def _first_of_pairs(analysis: Analysis, rows: Rows, use: WPortUse) -> Rows:
    """The first WPDU of each wPort pair one of whose wPorts has this use on its side."""
    number, first = first_of_each(analysis.wpdu_pairs["pair"][rows], len(analysis.pairs))
    pairs, near = analysis.pairs, near_is_client(analysis.pairs)[number]
    client = np.where(near, pairs["near"][number], pairs["far"][number])
    server = np.where(near, pairs["far"][number], pairs["near"][number])
    odd = _used(Side.CLIENT, use)[client] | _used(Side.SERVER, use)[server]
    found: Rows = rows[first[odd]]
    return np.asarray(found[_is_wrapped(analysis, found)])


def _is_wrapped(analysis: Analysis, rows: Rows) -> Array:
    """Which of these rows are WPDUs, bool[n]."""
    return np.isin(analysis.wpdus["framing"][rows], _WRAPPED)


@capture_check("reserved-wport", Severity.NOTE, Group.WRAPPER, "a wPort is reserved", _CLAUSE)
def reserved(analysis: Analysis, rows: Rows) -> Found:
    """wPort pairs with a number that is kept for future use."""
    return {"wpdu": _first_of_pairs(analysis, rows, WPortUse.RESERVED)}


@capture_check("unlisted-wport", Severity.NOTE, Group.WRAPPER, "a wPort is not listed", _CLAUSE)
def unlisted(analysis: Analysis, rows: Rows) -> Found:
    """wPort pairs with a number that no row of the table has."""
    return {"wpdu": _first_of_pairs(analysis, rows, WPortUse.UNLISTED)}


@capture_check(
    "no-station", Severity.NOTE, Group.WRAPPER, "is sent as No-station, which names nobody", _CLAUSE
)
def no_station(analysis: Analysis, rows: Rows) -> Found:
    """The first WPDU of each wPort pair with source 0; those to 0 the transport layer refuses."""
    sent = rows[(analysis.wpdus["source_wport"][rows] == NO_STATION) & _is_wrapped(analysis, rows)]
    _, first = first_of_each(analysis.wpdu_pairs["pair"][sent], len(analysis.pairs))
    return {"wpdu": sent[first]}


@capture_check(
    "hdlc-on-wrapper-port",
    Severity.NOTE,
    Group.WRAPPER,
    "HDLC frames on the port that is registered for WPDUs",
    "IANA, port 4059 (dlms)",
)
def hdlc(analysis: Analysis, rows: Rows) -> Found:
    """Streams of HDLC frames to or from port 4059, by their first row."""
    streams, flows = analysis.streams, analysis.flows
    flow = streams["flow"]
    port = (flows["a_port"][flow] == DLMS_PORT) | (flows["b_port"][flow] == DLMS_PORT)
    odd = port & (streams["framing"] == Framing.HDLC)
    stream, first = first_of_each(analysis.wpdus["stream"][rows], len(streams))
    return {"wpdu": rows[first[odd[stream]]]}
