"""Checks of TCP connections: those that never came about, that ended amid a WPDU, or that another one cut."""

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.checks import Found, Rows, capture_check
from cosemscope.analysis.outcomes.association_table import AssociationEnd
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.analysis.outcomes.outcome_words import Cause
from cosemscope.capture.columns import Columns, stable_order
from cosemscope.capture.packets.packet_row import FIN, RST, SYN, TCP
from cosemscope.streams.tables.expert_items import Group, Severity
from cosemscope.streams.tables.wpdu_table import Mark

_TCP = "RFC 9293, 3.5 and 3.6"
_MILLISECOND, _SECOND = 1_000_000, 1_000_000_000
#: Between the end of a connection and the next one on its ports there are two maximum segment lifetimes.
_TWO_LIFETIMES = 240 * _SECOND
#: A pause within a WPDU that the usual time-outs between octets do not bear, and until when a reset comes
#: with the connection that caused it.
_LONG_PAUSE, _AT_ONCE = _SECOND, 2 * _SECOND
_DEFAULT_SIZE, _MSS = 536, 2
_Numbers = npt.NDArray[np.int64]


def _with_cause(analysis: Analysis, cause: Cause) -> Found:
    """An item for each stream with this first cause, at its packet."""
    outcomes = capture_facts(analysis).outcomes
    stream = np.flatnonzero(outcomes.cause == cause)
    return {"stream": stream, "packet": outcomes.packet[stream]}


@capture_check("syn-unanswered", Severity.WARNING, Group.TCP, "nobody answered the SYN", _TCP)
def syn_unanswered(analysis: Analysis, rows: Rows) -> Found:
    """Connections towards an end that speaks DLMS, of which only SYNs are there."""
    return _with_cause(analysis, Cause.SYN_UNANSWERED)


@capture_check("connection-refused", Severity.WARNING, Group.TCP, "the connection was refused", _TCP)
def connection_refused(analysis: Analysis, rows: Rows) -> Found:
    """Connections towards an end that speaks DLMS, whose SYN was answered with a RST."""
    return _with_cause(analysis, Cause.SYN_REFUSED)


@capture_check("nothing-said", Severity.NOTE, Group.TCP, "the connection was opened, and carried no octet")
def nothing_said(analysis: Analysis, rows: Rows) -> Found:
    """Connections towards an end that speaks DLMS, in which nobody said anything."""
    return _with_cause(analysis, Cause.NOTHING_SAID)


def _within(analysis: Analysis, rows: Rows, flag: int) -> Found:
    """The last WPDU of a direction, where its octets were cut off by a FIN of its sender or by a RST."""
    wpdus, packets = analysis.wpdus, analysis.packets
    cut = rows[(wpdus["marks"][rows] & Mark.TRUNCATED) > 0]
    stream = wpdus["stream"][cut]
    cut = cut[
        (analysis.streams["missing_octets"][stream] == 0) & (analysis.streams["protocol"][stream] == TCP)
    ]
    end, side = capture_facts(analysis).ends.breaking(wpdus["stream"][cut], wpdus["direction"][cut])
    is_so = (
        (end >= 0)
        & ((packets["flags"][end] & flag) > 0)
        & ((side == wpdus["direction"][cut]) | (flag == RST))
    )
    if flag == FIN:
        is_so &= (packets["flags"][end] & RST) == 0
    return {"wpdu": cut[is_so], "packet": end[is_so]}


@capture_check("reset-in-wpdu", Severity.WARNING, Group.TCP, "a RST came amid the WPDU", _TCP)
def reset_within(analysis: Analysis, rows: Rows) -> Found:
    """WPDUs that a RST of either side broke off."""
    return _within(analysis, rows, RST)


@capture_check(
    "fin-in-wpdu", Severity.WARNING, Group.TCP, "its sender closed the connection amid the WPDU", _TCP
)
def fin_within(analysis: Analysis, rows: Rows) -> Found:
    """WPDUs whose sender sent its FIN before their last octet."""
    return _within(analysis, rows, FIN)


@capture_check(
    "half-open", Severity.NOTE, Group.TCP, "one side closed the connection, the other never did", _TCP
)
def half_open(analysis: Analysis, rows: Rows) -> Found:
    """Connections with the FIN of one side, to which the other sent neither a FIN nor a RST for a minute."""
    streams, packets = analysis.streams, analysis.packets
    stream = analysis.packet_streams["stream"]
    ends = np.flatnonzero((packets["flags"][: len(stream)] & (FIN | RST)) > 0)
    ends = ends[stream[ends] >= 0]
    side = packets["direction"][ends] ^ streams["client_side"][stream[ends]]
    closed = np.zeros((len(streams), 2), np.bool_)
    closed[stream[ends], side] = True
    reset = np.zeros(len(streams), np.bool_)
    reset[stream[ends[(packets["flags"][ends] & RST) > 0]]] = True
    first = np.full(len(streams), -1, np.int64)
    first[stream[ends[::-1]]] = ends[::-1]
    told = np.flatnonzero((closed.sum(1) == 1) & ~reset & (streams["wpdus"] > 0))
    last = capture_facts(analysis).last_time
    told = told[last - packets["time"][first[told]] > 60 * _SECOND]
    return {"stream": told, "packet": first[told]}


@capture_check(
    "connection-replaced",
    Severity.WARNING,
    Group.TCP,
    "another connection to the same end was opened, and this one was reset",
)
def replaced(analysis: Analysis, rows: Rows) -> Found:
    """Connections that their responder reset at once when another one to it was opened."""
    streams, packets, flows = analysis.streams, analysis.packets, analysis.flows
    stream = analysis.packet_streams["stream"]
    resets = np.flatnonzero((packets["flags"][: len(stream)] & RST) > 0)
    resets = resets[stream[resets] >= 0]
    far = 1 - streams["client_side"][stream[resets]]
    resets = resets[packets["direction"][resets] == far]
    begun = np.flatnonzero(streams["start_seen"])
    if not len(resets) or not len(begun):
        return {}
    server = _servers(flows, streams)
    # Invariant: `known` has the openings of each server end in order; the one before a reset is looked up.
    key = server[begun] << 32 | streams["first_packet"][begun].astype(np.int64)
    order = np.argsort(key)
    known, opened = key[order], begun[order]
    mine = stream[resets].astype(np.int64)
    at = np.searchsorted(known, server[mine] << 32 | resets) - 1
    other = opened[np.maximum(at, 0)]
    cut = (at >= 0) & (server[other] == server[mine]) & (other != mine)
    cut &= streams["first_packet"][other] > streams["first_packet"][mine]
    cut &= packets["time"][resets] - streams["first_time"][other] < _AT_ONCE
    cut &= streams["wpdus"][mine] > 0
    mine, first = np.unique(mine[cut], return_index=True)
    return {"stream": mine, "packet": resets[cut][first], "direction": 1}


def _servers(flows: Columns, streams: Columns) -> _Numbers:
    """A number for the address and port of each stream's responder, int64[streams]."""
    far = np.where(streams["client_side"] == 0, "b", "a")
    ends = np.zeros(len(streams), [(part, "u8") for part in ("high", "low", "port")])
    for part in ends.dtype.names or ():
        for letter in "ab":
            mine = far == letter
            ends[part][mine] = flows[f"{letter}_{part}"][streams["flow"][mine]]
    numbers: _Numbers = np.unique(ends, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return numbers


@capture_check(
    "ports-reused",
    Severity.NOTE,
    Group.TCP,
    "begins {amount} ms after the last connection on its ports",
    _TCP,
)
def reused(analysis: Analysis, rows: Rows) -> Found:
    """Connections on the ports of one that ended less than two maximum segment lifetimes before."""
    streams = analysis.streams
    order = np.argsort(streams["flow"], kind="stable")
    before, behind = order[:-1], order[1:]
    passed = streams["first_time"][behind] - streams["last_time"][before]
    same = (streams["flow"][before] == streams["flow"][behind]) & (streams["protocol"][behind] == TCP)
    same &= (passed >= 0) & (passed < _TWO_LIFETIMES) & (streams["wpdus"][before] > 0)
    return {
        "stream": behind[same],
        "packet": streams["first_packet"][behind[same]],
        "amount": passed[same] // _MILLISECOND,
    }


@capture_check("zero-window", Severity.NOTE, Group.TCP, "the receive window is closed", "RFC 9293, 3.8.6")
def zero_window(analysis: Analysis, rows: Rows) -> Found:
    """The packets with which a side of a stream that carries WPDUs closes its window."""
    packets, streams = analysis.packets, analysis.streams
    stream = analysis.packet_streams["stream"]
    count = len(stream)
    shut = (packets["window"][:count] == 0) & ((packets["flags"][:count] & (SYN | RST)) == 0)
    shut &= (packets["protocol"][:count] == TCP) & (stream >= 0)
    at = np.flatnonzero(shut)
    at = at[streams["wpdus"][stream[at]] > 0]
    half = stream[at].astype(np.int64) * 2 + packets["direction"][at]
    if not len(at):
        return {}
    # Of packets of one side behind one another, the first one with a closed window counts.
    sides = np.flatnonzero(np.isin(stream[:count] * 2 + packets["direction"][:count], np.unique(half)))
    of = stream[sides].astype(np.int64) * 2 + packets["direction"][sides]
    order = stable_order(of)
    sides, of = sides[order], of[order]
    closes = shut[sides] & ~(np.append(False, shut[sides[:-1]]) & np.append(False, of[1:] == of[:-1]))
    found = np.sort(sides[closes])
    direction = packets["direction"][found] ^ streams["client_side"][stream[found]]
    return {"stream": stream[found], "packet": found, "direction": direction}


@capture_check(
    "pause-in-wpdu",
    Severity.CHAT,
    Group.TCP,
    "{amount} ms between its first and its last octet: a shorter time-out would break it off",
)
def paused(analysis: Analysis, rows: Rows) -> Found:
    """Of each stream the WPDU that took longest, where that is over a second."""
    wpdus = analysis.wpdus
    took = wpdus["time"][rows] - wpdus["first_time"][rows]
    long = np.flatnonzero(took > _LONG_PAUSE)
    long = long[np.argsort(-took[long], kind="stable")]
    _, first = np.unique(wpdus["stream"][rows[long]], return_index=True)
    found = np.sort(long[first])
    return {"wpdu": rows[found], "amount": took[found] // _MILLISECOND}


@capture_check(
    "not-released",
    Severity.CHAT,
    Group.ASSOCIATION,
    "the connection ended, and the association was not released",
    "IEC 62056-5-3, COSEM-RELEASE",
)
def not_released(analysis: Analysis, rows: Rows) -> Found:
    """Associations whose connection ended by FIN, RST or another connection before their release."""
    table = capture_facts(analysis).associations
    closed = (AssociationEnd.FIN, AssociationEnd.RST, AssociationEnd.NEW_CONNECTION)
    found = np.flatnonzero(np.isin(table.ended, closed) & (table.opening >= 0) & (table.acceptance == 0))
    return {"stream": table.stream[found], "packet": table.ended_packet[found]}


@capture_check("small-mss", Severity.NOTE, Group.TCP, "takes segments of at most {octets}", "RFC 9293, 3.7.1")
def small_mss(analysis: Analysis, rows: Rows) -> Found:
    """SYNs whose option says a maximum segment size below the default of 536 octets."""
    packets, stream = analysis.packets, analysis.packet_streams["stream"]
    syns = np.flatnonzero((packets["flags"][: len(stream)] & SYN) > 0)
    syns = syns[stream[syns] >= 0]
    syns = syns[analysis.streams["wpdus"][stream[syns]] > 0]
    sizes = np.array([_segment_size(analysis, packet) for packet in syns.tolist()], np.int64)
    small = (sizes > 0) & (sizes < _DEFAULT_SIZE)
    found = syns[small]
    direction = packets["direction"][found] ^ analysis.streams["client_side"][stream[found]]
    return {"stream": stream[found], "packet": found, "direction": direction, "amount": sizes[small]}


def _segment_size(analysis: Analysis, packet: int) -> int:
    """The maximum segment size among the options of a SYN; 0 where there is none."""
    packets = analysis.packets
    end = int(packets["payload"][packet])
    start = max(int(packets["offset"][packet]), end - 60)
    octets = analysis.reader.octets(start, end - start)
    sequence = int(packets["seq"][packet]).to_bytes(4, "big")
    # The header ends where the payload begins, and says itself how long it is.
    for size in range(20, len(octets) + 1, 4):
        header = octets[len(octets) - size :]
        if header[12] >> 4 == size // 4 and header[4:8] == sequence:
            return _option(header[20:], _MSS)
    return 0


def _option(options: bytes, wanted: int) -> int:
    """The value of a TCP option; 0 where it is not there."""
    at = 0
    while at < len(options) and options[at] != 0:
        size = 1 if options[at] == 1 else options[at + 1] if at + 1 < len(options) else 0
        if size < 1 or at + size > len(options):
            return 0
        if options[at] == wanted:
            return int.from_bytes(options[at + 2 : at + size], "big")
        at += size
    return 0
