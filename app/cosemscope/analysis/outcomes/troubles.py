"""Troubles: what may be the first cause of a connection's outcome, found in the columns of exchanges.

A trouble that was made good is none: what got no answer was asked again, and answered then.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.connection_ends import ConnectionEnds
from cosemscope.analysis.exchanges.exchange_table import Exchanges
from cosemscope.analysis.exchanges.statuses import ExchangeStatus, abort_behind, may_be_answered
from cosemscope.analysis.outcomes.association_table import (
    Acceptance,
    AssociationEnd,
    AssociationTable,
    is_hls_reply,
)
from cosemscope.analysis.outcomes.outcome_words import Cause
from cosemscope.analysis.sessions.wport_pairs import near_is_client
from cosemscope.apdu.names import tags as t
from cosemscope.capture.columns import Array
from cosemscope.capture.packets.packet_row import TCP
from cosemscope.streams.tables.wpdu_table import Mark

Numbers = npt.NDArray[np.int64]
_RELEASES = (t.RLRQ, t.RLRE)
_OPENINGS = (t.AARQ, t.INITIATE_REQUEST)
_EXCEPTIONS = (t.EXCEPTION_RESPONSE, t.CONFIRMED_SERVICE_ERROR)


class Troubles(NamedTuple):
    """Troubles in any order, int64[n]: `stream`, `cause` (Cause), `exchange` (-1 none).

    `at`: the packet in which it began, by which the first one is told; `packet`: the one to be shown.
    """

    stream: Numbers
    cause: Numbers
    exchange: Numbers
    at: Numbers
    packet: Numbers


class _Finder:
    """Collects the troubles of a capture."""

    def __init__(
        self,
        analysis: Analysis,
        exchanges: Exchanges,
        statuses: npt.NDArray[np.uint8],
        associations: AssociationTable,
        ends: ConnectionEnds,
        lost: Numbers,
    ) -> None:
        self._lost = lost
        self._exchanges, self._statuses, self._associations = exchanges, statuses, associations
        self._ends = ends
        self._patience = analysis.patience
        self._streams, self._pairs = analysis.streams, analysis.pairs
        self._wpdus, self._packet_table = analysis.wpdus, analysis.packets
        self._place = analysis.wpdus["last_packet"]
        self._found: list[Troubles] = []

    def troubles(self) -> Troubles:
        """All that were found."""
        self._of_exchanges()
        self._of_associations()
        return Troubles(*map(np.concatenate, zip(*self._found, strict=True)))

    def _add(self, cause: Cause | Array, exchange: Numbers, at: Array, packet: Array) -> None:
        stream = self._exchanges["stream"][exchange].astype(np.int64)
        causes = np.broadcast_to(np.asarray(cause, np.int64), stream.shape)
        self._found.append(Troubles(stream, causes, exchange, at.astype(np.int64), packet.astype(np.int64)))

    def _packets(self, exchange: Numbers, *names: str) -> Numbers:
        """The last packet of the last of these WPDU rows of exchanges, int64[n]."""
        row = np.max([self._exchanges[name][exchange] for name in names], 0)
        packets: Numbers = self._place[row].astype(np.int64)
        return packets

    def _of_exchanges(self) -> None:
        exchanges, statuses = self._exchanges, self._statuses
        service = exchanges["service"]
        opens, releases = np.isin(service, _OPENINGS), np.isin(service, _RELEASES)
        refused = (statuses == ExchangeStatus.ERROR) & (opens | is_hls_reply(exchanges))
        refused |= (service == t.AARE) & (exchanges["result"] > 0)
        rows = self._not_made_good(np.flatnonzero(refused))
        cause = np.where(is_hls_reply(exchanges)[rows], Cause.HLS_REFUSED, Cause.ASSOCIATION_REFUSED)
        self._add(
            cause, rows, self._packets(rows, "request", "response"), self._packets(rows, "last_response")
        )
        unanswered = (statuses == ExchangeStatus.UNANSWERED) & ~releases
        unanswered[self._lost] = False
        # The next block was asked for in vain, unless something else was asked in its place.
        in_vain = ~exchanges["given_up"] & (exchanges["last_request"] > exchanges["last_response"])
        partly = unanswered & (exchanges["response"] >= 0) & ~in_vain
        partly[partly] = ~self._fell_silent(np.flatnonzero(partly))
        self._open_ones(self._not_made_good(np.flatnonzero(partly)))
        rows = self._not_made_good(np.flatnonzero(unanswered & ~partly))
        at = self._packets(rows, "last_request", "last_response")
        closed = self._closed_before_going_on(rows)
        self._closed(rows[closed >= 0], at[closed >= 0], closed[closed >= 0])
        rows, at = rows[closed < 0], at[closed < 0]
        cause = np.where(self._is_outside(rows), Cause.OUTSIDE_UNANSWERED, Cause.NOT_ANSWERED)
        self._add(cause, rows, at, at)
        unfinished = (statuses == ExchangeStatus.UNFINISHED) & ~releases
        unfinished &= ~may_be_answered(exchanges, self._wpdus)
        rows = np.flatnonzero(unfinished)
        # What the other side's abort cut is no trouble of its own: the abort is.
        rows = rows[abort_behind(exchanges, rows, self._place) < 0]
        self._open_ones(self._not_made_good(rows))
        self._cut_pushes()
        rows = np.flatnonzero((statuses == ExchangeStatus.ERROR) & np.isin(exchanges["answer"], _EXCEPTIONS))
        rows = rows[self._is_outside(rows) & ~opens[rows]]
        at = self._packets(rows, "last_response")
        self._add(Cause.OUTSIDE_ANSWERED, rows, at, at)
        rows = np.flatnonzero(service == t.ABRT)
        at = self._packets(rows, "last_request", "last_response")
        self._add(Cause.ABORTED, rows, at, at)

    def _cut_pushes(self) -> None:
        """Pushes in general blocks, the last of their connections, that were closed before the last block."""
        exchanges = self._exchanges
        mask = (self._statuses == ExchangeStatus.NOTIFICATION) & ~exchanges["final"]
        mask &= (exchanges["service"] == t.GENERAL_BLOCK_TRANSFER) & (exchanges["response"] >= 0)
        latest = np.full(len(self._streams), -1, np.int64)
        latest[exchanges["stream"]] = np.arange(len(exchanges))  # of several the last one stays
        rows = np.flatnonzero(mask)
        rows = rows[latest[exchanges["stream"][rows]] == rows]
        at = self._packets(rows, "last_request", "last_response")
        end, _ = self._ends.breaking(exchanges["stream"][rows], *self._sending(rows, at))
        self._closed(rows[end >= 0], at[end >= 0], end[end >= 0])

    def _fell_silent(self, rows: Numbers) -> npt.NDArray[np.bool_]:
        """Whether these were being answered in general blocks, of which none came for longer than patience.

        Nobody asks for the next one of these: the answerer owes it.
        """
        exchanges, time = self._exchanges, self._packet_table["time"]
        general = self._wpdus["apdu_tag"][exchanges["last_response"][rows]] == t.GENERAL_BLOCK_TRANSFER
        end, _ = self._ends.first(exchanges["stream"][rows])
        until = self._ends.times(end, int(time[-1:].max(initial=0)))
        waited = until - time[self._packets(rows, "last_request", "last_response")]
        silent: npt.NDArray[np.bool_] = general & ~exchanges["given_up"][rows] & (waited > self._patience)
        return silent

    def _closed_before_going_on(self, rows: Numbers) -> Numbers:
        """The FIN or RST of the other side that came before these askers went on, int64[n]; -1 for none."""
        exchanges = self._exchanges
        end, side = self._ends.first(exchanges["stream"][rows])
        # Invariant: `order` has the exchanges of each stream together, place[k] says where exchange k stands.
        order = np.argsort(exchanges["stream"], kind="stable")
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        following = order[np.minimum(place[rows] + 1, len(order) - 1)]
        goes_on = (following != rows) & (exchanges["stream"][following] == exchanges["stream"][rows])
        later = self._packets(following, "request", "response")
        earlier = (end >= 0) & (side != exchanges["side"][rows]) & (~goes_on | (end < later))
        return np.where(earlier, end, -1)

    def _open_ones(self, rows: Numbers) -> None:
        """Exchanges whose last answer did not come, or lacks octets."""
        exchanges, associations = self._exchanges, self._associations
        at = self._packets(rows, "last_request", "last_response")
        last = np.full(len(self._streams), -1, np.int64)
        np.maximum.at(last, associations.stream, associations.last_packet)
        # An answer that lacks octets, behind which the connection went on, was lost by the capture alone.
        lost = exchanges["final"][rows] & (last[exchanges["stream"][rows]] > at)
        rows, at = rows[~lost], at[~lost]
        end, _ = self._ends.breaking(exchanges["stream"][rows], *self._sending(rows, at))
        went_on = exchanges["given_up"][rows]
        self._add(Cause.GIVEN_UP, rows[went_on], at[went_on], at[went_on])
        closed = ~went_on & (end >= 0)
        self._closed(rows[closed], at[closed], end[closed])
        left = ~went_on & (end < 0)
        silent = self._statuses[rows] == ExchangeStatus.UNANSWERED
        for cause, those in (
            (Cause.NOT_ANSWERED, left & silent),
            (Cause.CAPTURE_ENDED_WITHIN, left & ~silent),
        ):
            self._add(cause, rows[those], at[those], at[those])

    def _closed(self, rows: Numbers, at: Numbers, end: Numbers) -> None:
        """Exchanges amid which a connection was closed; who closes behind an AARQ refuses the association."""
        exchanges = self._exchanges
        packets, streams = self._packet_table, self._streams
        side = packets["direction"][end] ^ streams["client_side"][exchanges["stream"][rows]]
        cut = np.isin(exchanges["service"][rows], _OPENINGS) & (exchanges["response"][rows] < 0)
        cut &= side != exchanges["side"][rows]
        self._add(np.where(cut, Cause.ASSOCIATION_CUT, Cause.CLOSED_WITHIN), rows, at, end)

    def _sending(self, rows: Numbers, at: Numbers) -> tuple[Numbers, Numbers]:
        """Whose octets lack in open exchanges whose last packet is `at`, and until when the other may close.

        Amid a WPDU, and in a transfer whose blocks need no acknowledgement, that is the one who sent last;
        the other side may have closed its own direction before. Else whoever closes first is the one.
        """
        exchanges, wpdus = self._exchanges, self._wpdus
        last = np.max([exchanges[name][rows] for name in ("last_request", "last_response")], 0)
        goes_on = (wpdus["marks"][last] & Mark.TRUNCATED) > 0
        goes_on |= exchanges["answer"][rows] == t.GENERAL_BLOCK_TRANSFER
        goes_on |= wpdus["apdu_tag"][last] == t.GENERAL_BLOCK_TRANSFER
        return wpdus["direction"][last].astype(np.int64), np.where(goes_on, at - 1, -1)

    def _of_associations(self) -> None:
        """Associations that the meter closed, or that another connection cut, before they were released."""
        associations = self._associations
        opened = associations.acceptance == Acceptance.ACCEPTED
        opened |= (associations.acceptance == Acceptance.NOT_SEEN) & ~self._streams["start_seen"][
            associations.stream
        ]
        opened &= associations.exchanges > associations.notifications
        client = np.where(near_is_client(self._pairs)[associations.pair], 0, 1)
        closed = np.isin(associations.ended, (AssociationEnd.FIN, AssociationEnd.RST))
        rows = np.flatnonzero(opened & closed & (associations.ended_side != client))
        packet = associations.ended_packet
        self._add(Cause.CLOSED_UNRELEASED, associations.first[rows], packet[rows], packet[rows])
        rows = np.flatnonzero(opened & (associations.ended == AssociationEnd.NEW_CONNECTION))
        self._add(Cause.REPLACED, associations.first[rows], packet[rows], packet[rows])

    def _is_outside(self, rows: Numbers) -> npt.NDArray[np.bool_]:
        """Whether exchanges are of connections whose begin was captured, and have no association."""
        associations, streams = self._associations, self._streams
        mine, stream = associations.of[rows], self._exchanges["stream"][rows]
        outside: npt.NDArray[np.bool_] = associations.acceptance[mine] == Acceptance.NOT_SEEN
        outside &= streams["start_seen"][stream] & (streams["protocol"][stream] == TCP)
        return outside

    def _not_made_good(self, rows: Numbers) -> Numbers:
        """Those of these exchanges behind which nobody asked the same in their wPort pair with more luck."""
        if not len(rows):
            return rows
        exchanges, service = self._exchanges, self._exchanges["service"]
        concerned = np.zeros(len(self._pairs), np.bool_)
        concerned[exchanges["pair"][rows]] = True
        # What is not opened may ask for anything: only what names its object can be told to come again.
        named = (exchanges["class_id"] >= 0) | np.isin(service, _OPENINGS)
        some = np.flatnonzero(concerned[exchanges["pair"]] & named)
        names = ("pair", "service", "class_id", "obis", "member")
        code = np.zeros(len(some), np.int64)
        for name in names:
            own = np.unique(exchanges[name][some], return_inverse=True)[1].reshape(-1)
            code = np.unique(code * (len(some) + 1) + own, return_inverse=True)[1].reshape(-1)
        fine = self._statuses[some] == ExchangeStatus.ANSWERED
        fine |= (self._statuses[some] == ExchangeStatus.ERROR) & ~np.isin(service[some], _OPENINGS)
        latest = np.full(int(code.max(initial=-1)) + 1, -1, np.int64)
        np.maximum.at(latest, code[fine], some[fine])
        later = np.full(len(exchanges), -1, np.int64)
        later[some] = latest[code]
        return rows[(later[rows] <= rows) & ~self._sent_anew(rows)]

    def _sent_anew(self, rows: Numbers) -> npt.NDArray[np.bool_]:
        """Whether these were left amid their general blocks, and the pair's next transfer was answered."""
        exchanges = self._exchanges
        left: npt.NDArray[np.bool_] = exchanges["service"][rows] == t.GENERAL_BLOCK_TRANSFER
        left &= exchanges["given_up"][rows]
        if not left.any():
            return left
        asked = np.flatnonzero((exchanges["blocks"] > 0) & (exchanges["request"] >= 0))
        keys = np.sort(exchanges["pair"][asked].astype(np.int64) << 32 | asked)
        key = exchanges["pair"][rows].astype(np.int64) << 32 | rows
        behind = keys[np.minimum(keys.searchsorted(key, "right"), len(keys) - 1)]
        well = np.isin(self._statuses[behind & 0xFFFFFFFF], (ExchangeStatus.ANSWERED, ExchangeStatus.ERROR))
        anew: npt.NDArray[np.bool_] = left & (behind > key) & (behind >> 32 == key >> 32) & well
        return anew


def troubles(
    analysis: Analysis,
    exchanges: Exchanges,
    statuses: npt.NDArray[np.uint8],
    associations: AssociationTable,
    ends: ConnectionEnds,
    lost: Numbers,
) -> Troubles:
    """The troubles of a capture that has exchanges; none of a capture that has none.

    `lost`: exchanges whose answers the capture may lack.
    """
    if not len(exchanges):
        return Troubles(*(np.zeros(0, np.int64) for _ in Troubles._fields))
    return _Finder(analysis, exchanges, statuses, associations, ends, lost).troubles()
