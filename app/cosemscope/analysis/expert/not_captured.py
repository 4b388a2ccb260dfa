"""Items that may follow from what the capture lacks alone are taken back: nobody is to be alarmed by a gap.

Octets lack where a hole is, where the snap length cut a packet off, where a WPDU is not whole, and of a whole
direction where the capture has the other one alone. What lacks so near an item may be what would explain it.
"""

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.exchange_roles import Role
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.analysis.outcomes.outcome_words import Cause
from cosemscope.capture.packets.packet_row import TCP
from cosemscope.streams.tables.expert_items import KINDS, ExpertItems, Group, Severity, declare
from cosemscope.streams.tables.stream_kinds import CUT, CUT_FRAME, HOLE, SKIPPED
from cosemscope.streams.tables.wpdu_table import Mark

#: Kinds of items that what lacks among the WPDUs around them may explain.
_AROUND = (
    *("unanswered", "unknown-invoke-id", "invoke-id-reused", "asked-again", "block-missing"),
    "wrong-block-number",
    *("counter-jump", "ill-formed-frame", "unknown-mechanism", "unknown-context"),
)
#: Kinds that what lacks anywhere before them in their stream may explain.
_BEFORE = ("outside-association",)
#: Kinds that what came before the capture may explain.
_OF_BLOCKS = ("block-missing", "block-order")
#: How many WPDUs before and behind an item are around it.
_NEAR = 8
#: What is left of a WPDU is no fault of its sender.
REST = declare(
    "rest-of-wpdu", Severity.CHAT, Group.WRAPPER, "{octets} of a WPDU whose beginning was not captured"
)

_Numbers = npt.NDArray[np.int64]


def take_back(analysis: Analysis, items: ExpertItems) -> None:
    """Remove the items of an analysis that need not say anything of the devices, or say so of them."""
    _name_rests(analysis, items)
    _forget_cut_frames(items)
    _forget_begun_transfers(analysis, items)
    numbers = [[KINDS[word].number for word in words] for words in (_AROUND, _BEFORE)]
    concerned = np.isin(items["kind"], np.concatenate(numbers)) & (items["wpdu"] >= 0)
    rows = np.flatnonzero(concerned)
    if not len(rows):
        return
    stream, wpdu = (items[name][rows].astype(np.int64) for name in ("stream", "wpdu"))
    start, stop = _around(analysis, wpdu)
    before = np.isin(items["kind"][rows], numbers[1])
    start[before], stop[before] = 0, analysis.wpdus["last_packet"][wpdu[before]]
    lacking = _lacking(analysis, items)
    at = np.searchsorted(lacking, stream << 32 | start)
    known = np.append(lacking, np.iinfo(np.int64).max)[at] <= (stream << 32 | stop)
    known |= capture_facts(analysis).outcomes.cause[stream] == Cause.ONE_DIRECTION
    items.keep(np.setdiff1d(np.arange(len(items)), rows[known]))


def _name_rests(analysis: Analysis, items: ExpertItems) -> None:
    """Octets that were skipped behind a hole, or at the begin of the capture, are the rest of a WPDU."""
    skipped = np.flatnonzero((items["kind"] == SKIPPED.number) & (items["stream"] >= 0))
    if not len(skipped):
        return
    stream, half, start = items["stream"][skipped], _half(items, skipped), items["start"][skipped]
    holes = np.flatnonzero(items["kind"] == HOLE.number)
    # Offsets count from the first octet that is known of a side; halves and offsets are few beside 2^40.
    rest = np.isin(half << 40 | start, _half(items, holes) << 40 | items["stop"][holes])
    begun = (analysis.streams["protocol"] == TCP) & ~analysis.streams["start_seen"]
    rest |= begun[stream] & (start == 0)
    items["kind"][skipped[rest]] = REST.number


def _forget_cut_frames(items: ExpertItems) -> None:
    """A frame that ends where octets begin to lack was cut by the capture, not by its sender."""
    frames = np.flatnonzero((items["kind"] == CUT_FRAME.number) & (items["stream"] >= 0))
    if not len(frames):
        return
    lacking = np.flatnonzero(np.isin(items["kind"], (HOLE.number, CUT.number)))
    ends = _half(items, frames) << 40 | items["stop"][frames]
    cut = frames[np.isin(ends, _half(items, lacking) << 40 | items["start"][lacking])]
    items.keep(np.setdiff1d(np.arange(len(items)), cut))


def _forget_begun_transfers(analysis: Analysis, items: ExpertItems) -> None:
    """Blocks before the first one that a capture has, which began amid their transfer, were not captured."""
    kinds = [KINDS[word].number for word in _OF_BLOCKS]
    rows = np.flatnonzero(np.isin(items["kind"], kinds) & (items["wpdu"] >= 0))
    if not len(rows):
        return
    table = capture_facts(analysis).table
    exchange = table.of["exchange"][items["wpdu"][rows]]
    rows, exchange = rows[exchange >= 0], exchange[exchange >= 0].astype(np.int64)
    first = np.full(len(analysis.pairs), len(table))
    np.minimum.at(first, table["pair"], np.arange(len(table)))
    begun = (table["request"][exchange] < 0) | (table["role"][exchange] == Role.GO_ON)
    begun &= first[table["pair"][exchange]] == exchange
    # The first block that such an exchange has says so, and none behind it.
    order = np.lexsort((items["wpdu"][rows], exchange))
    begun[order[1:]] &= np.diff(exchange[order]) > 0
    begun &= ~analysis.streams["start_seen"][table["stream"][exchange]]
    items.keep(np.setdiff1d(np.arange(len(items)), rows[begun]))


def _half(items: ExpertItems, rows: _Numbers) -> _Numbers:
    """Stream and side of items as one number, int64[n]."""
    found: _Numbers = items["stream"][rows].astype(np.int64) * 2 + items["direction"][rows]
    return found


def _lacking(analysis: Analysis, items: ExpertItems) -> _Numbers:
    """Where octets lack: stream << 32 | packet, int64[n], ascending."""
    wpdus = analysis.wpdus
    gaps = np.flatnonzero(np.isin(items["kind"], (HOLE.number, CUT.number)))
    cut = np.flatnonzero((wpdus["marks"] & Mark.TRUNCATED) > 0)
    stream = np.concatenate([items["stream"][gaps], wpdus["stream"][cut]]).astype(np.int64)
    packet = np.concatenate([items["packet"][gaps], wpdus["last_packet"][cut]]).astype(np.int64)
    found: _Numbers = np.unique(stream[stream >= 0] << 32 | packet[stream >= 0])
    return found


def _around(analysis: Analysis, wpdu: _Numbers) -> tuple[_Numbers, _Numbers]:
    """The first and the last packet of the WPDUs around these rows in their streams, int64[n] each."""
    wpdus = analysis.wpdus
    stream = wpdus["stream"]
    order = np.argsort(stream, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    mine = stream[order]
    first = np.searchsorted(mine, stream[wpdu])
    last = np.searchsorted(mine, stream[wpdu], "right") - 1
    before = order[np.maximum(place[wpdu] - _NEAR, first)]
    behind = order[np.minimum(place[wpdu] + _NEAR, last)]
    return wpdus["first_packet"][before].astype(np.int64), wpdus["last_packet"][behind].astype(np.int64)
