"""Associations as rows: which exchanges are one association, how it was opened, and by what it ended.

On a wPort pair an association begins with an AARQ, or with what comes first, or comes behind a release or an
abort. So its number is a running count over the exchanges of the pair. It goes on until something ends it:
its release, an abort, another AARQ, the connection's end, silence, or the end of the capture.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.connection_ends import ConnectionEnds
from cosemscope.analysis.exchanges.exchange_table import Exchanges
from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.apdu.names import tags as t
from cosemscope.capture.columns import Array, Columns, stable_order
from cosemscope.capture.packets.packet_row import RST

Numbers = npt.NDArray[np.int64]

#: Nanoseconds without a packet, up to the end of the capture, that count as the end of an association.
IDLE = 60_000_000_000


class Acceptance(IntEnum):
    """What came of the AARQ; `NOT_SEEN` where the capture has none."""

    ACCEPTED = 0
    REFUSED = 1
    UNANSWERED = 2
    UNFINISHED = 3
    NOT_SEEN = 4

    @property
    def word(self) -> str:
        """The name for scripts: "not-seen"."""
        return self.name.lower().replace("_", "-")


class AssociationEnd(IntEnum):
    """By what an association ended."""

    RELEASE = 0
    ABORT = 1
    NEW_AARQ = 2
    FIN = 3
    RST = 4
    NEW_CONNECTION = 5  # between the same ports, without a FIN or RST
    SILENCE = 6
    END_OF_CAPTURE = 7

    @property
    def word(self) -> str:
        """The name for scripts: "end-of-capture"."""
        return self.name.lower().replace("_", "-")


class AssociationTable(NamedTuple):
    """The associations in the order in which they began: int64[n] where no other type is said.

    `of`, int64[exchanges]: the association of each exchange. `stream`, `pair`: rows of their tables; `first`,
    `opening`, `release`: exchanges, -1 none; `acceptance` u1, `ended` u1: numbers of their enums;
    `ended_packet`: -1 none; `ended_side`: of the stream, -1 nobody; `start`, `stop`: ns since the epoch;
    `last_packet`: of its WPDUs; `exchanges`, `errors`, `unanswered`, `notifications`: how many;
    `hls_asked`, `hls_answered`: calls of reply_to_HLS_authentication, and those that were a success.
    """

    of: Numbers
    stream: Numbers
    pair: Numbers
    first: Numbers
    opening: Numbers
    release: Numbers
    acceptance: npt.NDArray[np.uint8]
    ended: npt.NDArray[np.uint8]
    ended_packet: Numbers
    ended_side: Numbers
    start: Numbers
    stop: Numbers
    last_packet: Numbers
    exchanges: Numbers
    errors: Numbers
    unanswered: Numbers
    notifications: Numbers
    hls_asked: Numbers
    hls_answered: Numbers

    def __len__(self) -> int:
        return len(self.first)


_OPENINGS = (t.AARQ, t.AARE, t.INITIATE_REQUEST, t.INITIATE_RESPONSE)
_RELEASES = (t.RLRQ, t.RLRE)
_LASTS = (*_RELEASES, t.ABRT)
_ACCEPTANCES = {
    ExchangeStatus.ANSWERED: Acceptance.ACCEPTED,
    ExchangeStatus.ERROR: Acceptance.REFUSED,
    ExchangeStatus.UNANSWERED: Acceptance.UNANSWERED,
    ExchangeStatus.UNFINISHED: Acceptance.UNFINISHED,
}


def association_table(
    analysis: Analysis,
    exchanges: Exchanges,
    statuses: npt.NDArray[np.uint8],
    ends: ConnectionEnds,
    last_time: int,
) -> AssociationTable:
    """The associations of these exchanges; `last_time`: the time of the capture's last packet, in ns."""
    of, first = _numbered(exchanges)
    service, count = exchanges["service"], len(first)
    release = np.full(count, -1, np.int64)
    releases = np.flatnonzero(np.isin(service, _LASTS))
    release[of[releases]] = releases
    opening = np.where(np.isin(service[first], _OPENINGS), first, -1)
    wpdus, time = analysis.wpdus, analysis.packets["time"]
    last = np.full(count, -1, np.int64)
    for name in ("last_request", "last_response"):
        np.maximum.at(last, of, _packet(wpdus, exchanges[name]))
    ended = _Ends(count)
    ended.put(np.flatnonzero(last_time - time[last] > IDLE), AssociationEnd.SILENCE)
    stream = exchanges["stream"][first].astype(np.int64)
    ended.by_connections(analysis, ends, stream)
    ended.by_exchanges(exchanges, wpdus, first, release)
    begun = exchanges["request_start"][first]
    start = np.where(begun != 0, begun, exchanges["response_start"][first])
    until = np.maximum(ended.packet, last)
    return AssociationTable(
        of=of,
        stream=stream,
        pair=exchanges["pair"][first].astype(np.int64),
        first=first,
        opening=opening,
        release=release,
        acceptance=_acceptances(exchanges, statuses, opening, ended),
        ended=ended.by,
        ended_packet=ended.packet,
        ended_side=ended.side,
        start=start,
        stop=np.maximum(time[until], start),
        last_packet=last,
        **_counts(exchanges, statuses, of, count),
    )


def _counts(
    exchanges: Exchanges, statuses: npt.NDArray[np.uint8], of: Numbers, count: int
) -> dict[str, Numbers]:
    """The columns that count exchanges of associations."""
    hls = is_hls_reply(exchanges)
    counted = {
        "exchanges": np.ones(len(of), np.bool_),
        "errors": statuses == ExchangeStatus.ERROR,
        "unanswered": statuses == ExchangeStatus.UNANSWERED,
        "notifications": statuses == ExchangeStatus.NOTIFICATION,
        "hls_asked": hls,
        "hls_answered": hls & (statuses == ExchangeStatus.ANSWERED),
    }
    return {name: np.bincount(of[mask], minlength=count).astype(np.int64) for name, mask in counted.items()}


def _numbered(exchanges: Exchanges) -> tuple[Numbers, Numbers]:
    """The association of each exchange, int64[exchanges], and the first exchange of each association."""
    service, pair = exchanges["service"], exchanges["pair"].astype(np.int64)
    order = stable_order(pair)
    # Invariant: `order` has the exchanges of each pair together, in their own order; `begins` marks where an
    # association begins, so that `group` runs through all exchanges of one and then on to the next.
    fresh = np.diff(pair[order], prepend=-1) != 0
    behind_last = np.append(False, np.isin(service[order[:-1]], _LASTS))[: len(order)]
    opens = np.isin(service[order], _OPENINGS)
    begins = fresh | behind_last | (opens & ~_answers_again(exchanges, order, opens))
    group = np.cumsum(begins) - 1
    heads = order[begins]
    number = np.empty(len(heads), np.int64)
    number[np.argsort(heads)] = np.arange(len(heads))
    of = np.empty(len(order), np.int64)
    of[order] = number[group]
    return of, np.sort(heads)


def _answers_again(
    exchanges: Exchanges, order: npt.NDArray[np.intp], opens: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Which AAREs without an AARQ open nothing, bool[n]: answers to AARQs that were sent again, or copies.

    `order`: exchanges, those of each pair together; `opens`, bool[n]: which of these are openings.
    """
    found = np.zeros(len(order), np.bool_)
    unasked = opens & (exchanges["request"][order] < 0)
    if not unasked.any():
        return found
    pair = exchanges["pair"][order]
    result = exchanges["result"][order]
    copies = np.append(False, opens[:-1] & (pair[1:] == pair[:-1]) & (result[1:] == result[:-1]))
    rows = np.flatnonzero(opens & np.isin(pair, pair[unasked]))
    given_up = exchanges["given_up"][order[rows]]
    # AARQs of the pair so far that were given up, and whose answers may yet come.
    waiting, before = 0, -1
    lines = zip(rows.tolist(), pair[rows].tolist(), unasked[rows].tolist(), given_up.tolist(), strict=True)
    for at, owner, again, left in lines:
        waiting, before = waiting if owner == before else 0, owner
        if not again:
            waiting += left
        elif waiting or copies[at]:
            found[at] = True
            waiting = max(waiting - 1, 0)
    return found


def is_hls_reply(exchanges: Exchanges) -> npt.NDArray[np.bool_]:
    """Whether each exchange is a call of reply_to_HLS_authentication (IEC 62056-6-2, class 15, method 1)."""
    calls = (exchanges["service"] == t.ACTION_REQUEST) & (exchanges["class_id"] == 15)
    mask: npt.NDArray[np.bool_] = calls & (exchanges["member"] == 1)
    return mask


def _packet(wpdus: Columns, row: Numbers) -> Numbers:
    """The last packet of WPDU rows, int64[n]; -1 for none."""
    if not len(wpdus):
        return np.full(len(row), -1, np.int64)
    return np.where(row >= 0, wpdus["last_packet"][np.maximum(row, 0)].astype(np.int64), -1)


def _acceptances(
    exchanges: Exchanges, statuses: npt.NDArray[np.uint8], opening: Numbers, ended: "_Ends"
) -> npt.NDArray[np.uint8]:
    """What came of the exchange with which each association was opened, u1[n]."""
    table = np.full(256, Acceptance.NOT_SEEN, np.uint8)
    for status, acceptance in _ACCEPTANCES.items():
        table[status] = acceptance
    found = np.full(len(opening), Acceptance.NOT_SEEN, np.uint8)
    seen = np.flatnonzero(opening >= 0)
    found[seen] = table[statuses[opening[seen]]]
    # Who closes the connection in the place of an answer refuses, as well as who aborts.
    mine = opening[seen]
    cut = np.isin(ended.by[seen], (AssociationEnd.FIN, AssociationEnd.RST))
    cut &= (exchanges["request"][mine] >= 0) & (exchanges["response"][mine] < 0)
    cut &= ended.side[seen] == 1 - exchanges["side"][mine].astype(np.int64)
    found[seen[cut]] = Acceptance.REFUSED
    # Of an AARE whose AARQ was not captured the result alone tells.
    alone = seen[statuses[opening[seen]] == ExchangeStatus.UNASKED]
    refused = exchanges["result"][opening[alone]] > 0
    found[alone] = np.where(refused, Acceptance.REFUSED, Acceptance.ACCEPTED)
    return found


class _Ends:
    """By what associations ended: `by` u1[n], `packet` and `side` int64[n]; what is put later tells more."""

    def __init__(self, count: int) -> None:
        self.by = np.full(count, AssociationEnd.END_OF_CAPTURE, np.uint8)
        self.packet = np.full(count, -1, np.int64)
        self.side = np.full(count, -1, np.int64)

    def put(self, rows: Numbers, by: Array | int, packet: Array | int = -1, side: Array | int = -1) -> None:
        """These associations ended so."""
        self.by[rows], self.packet[rows], self.side[rows] = by, packet, side

    def by_connections(self, analysis: Analysis, ends: ConnectionEnds, stream: Numbers) -> None:
        """Connections that ended, or were followed by others between their ports."""
        packet = _replaced(analysis.streams)[stream]
        rows = np.flatnonzero(packet >= 0)
        self.put(rows, AssociationEnd.NEW_CONNECTION, packet[rows])
        packet, side = ends.first(stream)
        rows = np.flatnonzero(packet >= 0)
        reset = (analysis.packets["flags"][packet[rows]] & RST) > 0
        by = np.where(reset, AssociationEnd.RST, AssociationEnd.FIN)
        self.put(rows, by, packet[rows], side[rows])

    def by_exchanges(self, exchanges: Exchanges, wpdus: Columns, first: Numbers, release: Numbers) -> None:
        """Associations behind which another one was opened, that were released or aborted."""
        # Invariant: `order` has the associations of each pair together; each but the last has one behind it.
        pair = exchanges["pair"][first]
        order = stable_order(pair)
        before, behind = order[:-1], order[1:]
        opens = np.isin(exchanges["service"][first[behind]], _OPENINGS) & (pair[before] == pair[behind])
        before, opener = before[opens], first[behind[opens]]
        begun = exchanges.first_rows()[opener]
        self.put(before, AssociationEnd.NEW_AARQ, wpdus["last_packet"][begun], exchanges["side"][opener])
        rows = np.flatnonzero(release >= 0)
        release = release[rows]
        # Whom the other side's end came before could not release any more: nobody heard it.
        asked = wpdus["last_packet"][np.maximum(exchanges["last_request"][release], 0)]
        closed = np.isin(self.by[rows], (AssociationEnd.FIN, AssociationEnd.RST))
        closed &= (self.packet[rows] < asked) & (self.side[rows] != exchanges["side"][release])
        heard = ~closed | (exchanges["last_response"][release] >= 0)
        rows, release = rows[heard], release[heard]
        told = np.maximum(exchanges["last_response"][release], exchanges["last_request"][release])
        by = np.where(exchanges["service"][release] == t.ABRT, AssociationEnd.ABORT, AssociationEnd.RELEASE)
        self.put(rows, by, wpdus["last_packet"][told], exchanges["side"][release])


def _replaced(streams: Columns) -> Numbers:
    """The packet with which another connection began between the ports of each stream, int64[streams]; -1."""
    order = np.argsort(streams["flow"], kind="stable")
    before, behind = order[:-1], order[1:]
    same = streams["flow"][before] == streams["flow"][behind]
    found = np.full(len(streams), -1, np.int64)
    found[before[same]] = streams["first_packet"][behind[same]]
    return found
