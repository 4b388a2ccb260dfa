"""The outcome of each TCP connection and UDP flow that carries DLMS, with its first cause, in columns.

The first trouble that was not made good decides. Where there is none, the connection did what it was for:
pushes, or exchanges that were all answered, unless the capture ended before it. Connections that never came
about are those to a port or an end where DLMS is spoken.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.connection_ends import ConnectionEnds
from cosemscope.analysis.exchanges.exchange_table import Exchanges
from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.outcomes.association_table import AssociationEnd, AssociationTable
from cosemscope.analysis.outcomes.capture_losses import lost_answers
from cosemscope.analysis.outcomes.outcome_words import OUTCOMES, Cause, ConnectionOutcome
from cosemscope.analysis.outcomes.troubles import troubles
from cosemscope.analysis.sessions.wport_pairs import near_is_client
from cosemscope.apdu.first_look import ApduKind
from cosemscope.capture.columns import Columns
from cosemscope.capture.packets.packet_row import SYN, TCP
from cosemscope.transport.wports import DLMS_PORT

Numbers = npt.NDArray[np.int64]
_OUTCOME_OF = np.full(256, ConnectionOutcome.NOT_DLMS, np.uint8)
for _cause, _outcome in OUTCOMES.items():
    _OUTCOME_OF[_cause] = _outcome


class ConnectionOutcomes(NamedTuple):
    """Outcomes by stream: `outcome`, `cause` u1[streams]; the others int64[streams].

    `exchange`: the one that the cause is about, -1 none; `packet`: that of the cause, -1 none; `exchanges`,
    `errors`, `unanswered`: how many, and `lost` how many of the unanswered had answers that the capture may
    lack; `client_side`: the side of the DLMS client, -1 unknown.
    """

    outcome: npt.NDArray[np.uint8]
    cause: npt.NDArray[np.uint8]
    exchange: Numbers
    packet: Numbers
    exchanges: Numbers
    errors: Numbers
    unanswered: Numbers
    lost: Numbers
    client_side: Numbers


def connection_outcomes(
    analysis: Analysis,
    exchanges: Exchanges,
    statuses: npt.NDArray[np.uint8],
    associations: AssociationTable,
    ends: ConnectionEnds,
) -> ConnectionOutcomes:
    """The outcomes of all streams as of now."""
    streams, count = analysis.streams, len(analysis.streams)
    stream = exchanges["stream"].astype(np.int64)

    def counted(mask: npt.NDArray[np.bool_]) -> Numbers:
        return np.bincount(stream[mask], minlength=count).astype(np.int64)

    total = np.bincount(stream, minlength=count).astype(np.int64)
    carries = np.zeros(count, np.bool_)
    carries[analysis.pairs["stream"]] = True
    found = _Causes(count)
    carrying = np.flatnonzero(carries)
    found.put(carrying, Cause.NOTHING_ASKED, packet=streams["first_packet"][carrying])
    telling = np.flatnonzero((_messages(analysis) > 0) & (total == 0))
    found.put(telling, Cause.TOLD, packet=streams["first_packet"][telling])
    _quiet_ones(found, streams, total, counted(statuses == ExchangeStatus.NOTIFICATION), associations)
    unanswered = np.flatnonzero(statuses == ExchangeStatus.UNANSWERED)
    lost = unanswered[lost_answers(analysis, exchanges, unanswered)]
    first = troubles(analysis, exchanges, statuses, associations, ends, lost)
    # Invariant: `order` has the troubles of each stream together, the first in the capture first.
    order = np.lexsort((first.cause, first.at, first.stream))
    order = order[np.diff(first.stream[order], prepend=-1) != 0]
    found.put(first.stream[order], first.cause[order], first.exchange[order], first.packet[order])
    _one_sided(found, analysis, total, counted(np.isin(statuses, _WITHOUT_BOTH)))
    _never_came_about(found, analysis, carries, ends)
    return ConnectionOutcomes(
        _OUTCOME_OF[found.cause],
        found.cause,
        found.exchange,
        found.packet,
        total,
        counted(statuses == ExchangeStatus.ERROR),
        counted(statuses == ExchangeStatus.UNANSWERED),
        np.bincount(stream[lost], minlength=count).astype(np.int64),
        _client_sides(analysis.pairs, count),
    )


def _messages(analysis: Analysis) -> Numbers:
    """The number of messages in each stream that tell something and are no APDUs, int64[streams]."""
    kinds = analysis.first_look["kind"]
    tags = analysis.wpdus["apdu_tag"][: len(kinds)]
    rows = np.flatnonzero((tags < 0) & (kinds == ApduKind.NOTIFICATION))
    stream = analysis.wpdus["stream"][rows]
    return np.bincount(stream, minlength=len(analysis.streams)).astype(np.int64)


#: Exchanges of which one side is not in the capture.
_WITHOUT_BOTH = (ExchangeStatus.UNANSWERED, ExchangeStatus.UNFINISHED, ExchangeStatus.UNASKED)


class _Causes:
    """The cause of each stream, its exchange and packet; what is put later overwrites."""

    def __init__(self, count: int) -> None:
        self.cause = np.full(count, Cause.NONE, np.uint8)
        self.exchange = np.full(count, -1, np.int64)
        self.packet = np.full(count, -1, np.int64)

    def put(
        self,
        streams: Numbers,
        cause: Cause | Numbers,
        exchange: Numbers | int = -1,
        packet: npt.ArrayLike = -1,
    ) -> None:
        """These streams have this cause."""
        self.cause[streams], self.exchange[streams], self.packet[streams] = cause, exchange, packet


def _quiet_ones(
    found: _Causes, streams: Columns, total: Numbers, pushes: Numbers, associations: AssociationTable
) -> None:
    """Streams without trouble: done, still open, or with pushes alone; their last association tells."""
    last = np.full(len(total), -1, np.int64)
    order = np.argsort(associations.last_packet, kind="stable")
    last[associations.stream[order]] = order
    rows = np.flatnonzero(last >= 0)
    mine = last[rows]
    still = np.zeros(len(total), np.bool_)
    still[associations.stream[associations.ended == AssociationEnd.END_OF_CAPTURE]] = True
    still &= streams["protocol"] == TCP  # nobody closes a flow of datagrams
    packet = np.where(
        associations.ended_packet[mine] >= 0, associations.ended_packet[mine], associations.last_packet[mine]
    )
    found.put(rows, np.where(still[rows], Cause.CAPTURE_ENDED, Cause.DONE), packet=packet)
    pushing = np.flatnonzero((total > 0) & (pushes == total))
    firsts = np.full(len(total), -1, np.int64)
    firsts[associations.stream[::-1]] = associations.first[::-1]
    found.put(pushing, Cause.PUSHED, firsts[pushing], found.packet[pushing])


def _one_sided(found: _Causes, analysis: Analysis, total: Numbers, without: Numbers) -> None:
    """TCP connections with octets of one side, and no packet of the other: the capture lacks a direction.

    Where the octets came with SYNs alone (RFC 7413) nobody answered these.
    """
    streams = analysis.streams
    asked = (streams["protocol"] == TCP) & (total > 0) & (without == total)
    if not asked.any():
        return
    stream = analysis.packet_streams["stream"]
    rows = np.flatnonzero(np.append(asked, False)[stream])
    side = analysis.packets["direction"][rows]
    sides = np.bincount(stream[rows] * 2 + side, minlength=2 * len(asked)).reshape(-1, 2)
    one = np.flatnonzero(asked & (sides.min(1) == 0))
    established = np.bincount(stream[rows], (analysis.packets["flags"][rows] & SYN) == 0, len(asked))[one] > 0
    cause = np.where(established, Cause.ONE_DIRECTION, Cause.SYN_UNANSWERED)
    found.put(one, cause, packet=streams["first_packet"][one])


def _never_came_about(
    found: _Causes, analysis: Analysis, carries: npt.NDArray[np.bool_], ends: ConnectionEnds
) -> None:
    """Connections to where DLMS is spoken that were not answered, refused, or closed without an octet."""
    streams = analysis.streams
    empty = (streams["protocol"] == TCP) & streams["start_seen"] & (streams["octets"] == 0) & ~carries
    rows = np.flatnonzero(empty)
    if not len(rows):
        return
    flow, far = streams["flow"][rows], 1 - streams["client_side"][rows]
    flows = analysis.flows
    port = np.where(far == 0, flows["a_port"][flow], flows["b_port"][flow])
    rows = rows[(port == DLMS_PORT) | _speaks(flows, streams, carries, flow, far)]
    answered = streams.answered[rows]
    packet, side = ends.first(rows)
    refused = ~answered & (side == 1)
    # A single SYN is unanswered as a request is: when there was silence for so long.
    soon = analysis.packets["time"][-1:].max(initial=0) - streams["last_time"][rows] <= analysis.patience
    still = soon & (streams["packets"][rows] == 1)
    cause = np.where(still, Cause.SYN_OPEN, Cause.SYN_UNANSWERED)
    found.put(rows, cause, packet=streams["first_packet"][rows])
    found.put(rows[refused], Cause.SYN_REFUSED, packet=packet[refused])
    told = np.where(packet >= 0, packet, streams["first_packet"][rows])
    cause = np.where((packet < 0) & soon, Cause.NOTHING_SAID_YET, Cause.NOTHING_SAID)
    found.put(rows[answered], cause[answered], packet=told[answered])


def _speaks(
    flows: Columns, streams: Columns, carries: npt.NDArray[np.bool_], flow: Numbers, far: Numbers
) -> npt.NDArray[np.bool_]:
    """Whether these ends of flows, by side, are ends of streams that carry DLMS."""
    count = len(flows)
    parts = [
        np.concatenate([flows[f"{letter}_{part}"] for letter in "ab"]) for part in ("high", "low", "port")
    ]
    code = np.zeros(2 * count, np.int64)
    for part in parts:
        own = np.unique(part, return_inverse=True)[1].reshape(-1)
        code = np.unique(code * (2 * count + 1) + own, return_inverse=True)[1].reshape(-1)
    spoken = np.zeros(2 * count + 1, np.bool_)
    used = streams["flow"][carries]
    spoken[code[used]] = spoken[code[used + count]] = True
    speaks: npt.NDArray[np.bool_] = spoken[code[flow + far.astype(np.int64) * count]]
    return speaks


def _client_sides(pairs: Columns, count: int) -> Numbers:
    """The side of the DLMS client by stream, told by most of its WPDUs; -1 where there are none."""
    sign = np.where(near_is_client(pairs), 1, -1)
    weight = np.bincount(pairs["stream"], sign * np.maximum(pairs["wpdus"].astype(np.int64), 1), count)
    return np.where(weight == 0, -1, np.where(weight > 0, 0, 1)).astype(np.int64)
