"""A wPort pair as a conversation, without Qt: its WPDUs in turn, who says each, how long after the last one.

The blocks of a transfer, and what asks for each, fold into one line, which stands for them all.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.analysis.sessions.wport_pairs import same_pairs
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look.apdu_kinds import Kind
from cosemscope.transport.wports import Side, wport_name
from cosemscope.wording import printable, short_duration

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: A transfer of fewer WPDUs is not worth folding.
_FOLDED = 3


class FollowedSession(NamedTuple):
    """The WPDUs of a pair, in the order of the capture; arrays are [n].

    `rows` of the table; `times` in ns; `by_client`; `kinds`; `unanswered` requests. `fold`: number of the
    transfer that a WPDU is part of, -1 none; `stands`: whether it stands for its transfer where that is
    folded. `blocks`: WPDUs of each transfer. `client` and `server` say who speaks.
    """

    pair: int
    stream: int
    client: str
    server: str
    rows: Numbers
    times: Numbers
    by_client: Mask
    kinds: npt.NDArray[np.uint8]
    unanswered: Mask
    fold: Numbers
    stands: Mask
    blocks: Numbers

    def lines(self, opened: frozenset[int]) -> Numbers:
        """The places of the WPDUs that have a line, where the transfers `opened` are not folded."""
        open_ones = np.zeros(len(self.blocks) + 1, np.bool_)
        open_ones[list(opened)] = True
        open_ones[-1] = True  # of no transfer
        return np.flatnonzero(self.stands | open_ones[self.fold])

    def place(self, row: int) -> int:
        """The place of a WPDU row, -1 where it is of another pair."""
        place = int(np.searchsorted(self.rows, row))
        return place if place < len(self.rows) and self.rows.item(place) == row else -1

    def standing(self, place: int) -> int:
        """The place of the WPDU that stands for the transfer of the one at `place`."""
        fold = self.fold.item(place)
        return place if fold < 0 else int(np.flatnonzero((self.fold == fold) & self.stands)[0])

    def speaker(self, place: int) -> str:
        """Who says a WPDU."""
        return self.client if self.by_client.item(place) else self.server

    def delay(self, place: int, before: int) -> str:
        """How long after the WPDU at `before` (-1 none) one came, in few figures."""
        return short_duration(max(0, self.times.item(place) - self.times.item(before))) if before >= 0 else ""

    def prefix(self, place: int) -> str:
        """What is said of a line that stands for a transfer: "12 WPDUs in blocks: "; else ""."""
        return (
            f"{self.blocks.item(self.fold.item(place))} WPDUs in blocks: " if self.stands.item(place) else ""
        )


def followed_session(traffic: Traffic, pair: int) -> FollowedSession:
    """The conversation of a pair's row, as far as the capture is read. For the background."""
    analysis = traffic.analysis
    facts = capture_facts(analysis)
    same, known = same_pairs(analysis.pairs), len(facts.of)
    rows = np.flatnonzero(same[analysis.wpdu_pairs["pair"][:known]] == same[pair])
    by_client = analysis.sent_by_client(rows)
    of = facts.of[rows]
    statuses = facts.statuses[np.maximum(of, 0)] if facts.count else np.zeros(len(rows), np.uint8)
    asks = facts.table["request"][np.maximum(of, 0)] == rows if facts.count else np.zeros(len(rows), np.bool_)
    fold, stands, blocks = _folds(of, facts.table["blocks"], by_client, analysis.wpdus["size"][rows])
    stream = int(analysis.pairs["stream"][pair])
    ends = analysis.endpoints(stream)
    near = analysis.dlms_client_is_near(pair)
    wports = [int(analysis.pairs[name][pair]) for name in (("near", "far") if near else ("far", "near"))]
    speakers = zip(ends if near else ends[::-1], wports, (Side.CLIENT, Side.SERVER), strict=True)
    client, server = (
        f"{traffic.named(end.address)} : {wport} {wport_name(wport, side)}" for end, wport, side in speakers
    )
    return FollowedSession(
        pair,
        stream,
        printable(client),
        printable(server),
        rows,
        analysis.wpdus["time"][rows],
        by_client,
        traffic.kinds(rows),
        (of >= 0) & asks & (statuses == ExchangeStatus.UNANSWERED),
        fold,
        stands,
        blocks,
    )


def _folds(of: Numbers, blocks: Numbers, by_client: Mask, sizes: Numbers) -> tuple[Numbers, Mask, Numbers]:
    """The transfers among WPDUs: the number of each one's, which stands for it, and how many each has."""
    fold, stands = np.full(len(of), -1, np.int64), np.zeros(len(of), np.bool_)
    in_blocks = np.flatnonzero((of >= 0) & (blocks[np.maximum(of, 0)] > 1)) if len(blocks) else of[:0]
    lengths: list[int] = []
    order = in_blocks[np.argsort(of[in_blocks], kind="stable")]
    borders = np.flatnonzero(np.diff(of[order], prepend=-1, append=-1))
    for start, stop in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True):
        members = order[start:stop]
        # Who sends the blocks sends the most octets; the other's first request, or last answer, stays a line.
        sent = sizes[members].astype(np.int64)
        by = by_client[members]
        sends = by == (sent[by].sum() > sent[~by].sum())
        inner = members[np.flatnonzero(sends)[0] : np.flatnonzero(sends)[-1] + 1]
        if len(inner) >= _FOLDED:
            fold[inner] = len(lengths)
            stands[inner[-1]] = True
            lengths.append(len(inner))
    return fold, stands, np.array(lengths, np.int64)


def is_trouble(conversation: FollowedSession, place: int) -> bool:
    """Whether a WPDU is an error, a refusal or an abort."""
    return conversation.kinds.item(place) == Kind.ERROR
