"""The fast path: the segments of a batch that stand in order, with the WPDU headers they begin with.

Segments are sorted by half (one direction of one stream), then by arrival. A segment is in order when it
begins where the highest octet before it ends. Of those in order, most hold exactly one WPDU (`whole`); the
others begin or continue a chain of WPDUs (`wpdu_chains`), or are the reassembler's.
"""

from typing import NamedTuple

import numpy as np

from cosemscope.capture.columns import Array
from cosemscope.streams.payload import PayloadSource
from cosemscope.streams.recognition import HEAD, put_heads
from cosemscope.transport.wpdu import HEADER_SIZE, VERSION

#: Offsets in a stream are below this, so that (half, offset) packs into one sortable number.
WIDTH = np.int64(1) << np.int64(42)


class Segments(NamedTuple):
    """The s segments of a batch that carry octets, sorted by half, then by arrival; each array is [s].

    `packet`: int64, position of the packet in the batch; `half`: int64, 2 x stream + side; `group`: int64,
    number of the half in this batch, ascending; `first`: bool, a half begins; `start`, `stop`: int64, octets
    of the half; `before`: int64, the octet behind the highest one seen before; `address`, `captured`: int64,
    where the octets lie, and how many of them. An int64 that indexes these arrays is called a position.
    """

    packet: Array
    half: Array
    group: Array
    first: Array
    start: Array
    stop: Array
    before: Array
    address: Array
    captured: Array


def sort_segments(
    index: Array, half: Array, relative: Array, length: Array, highest: Array, address: Array, captured: Array
) -> Segments:
    """Sort segments, each array [s], in any order of halves but in order of arrival.

    `index`: int64, position of the packet; `relative`: int64, first octet; `length`: int64, octets on the
    wire; `highest`: int64[h], of all halves, the octet behind the highest one seen before the batch.
    """
    order = np.argsort(compact(half), kind="stable")
    half = half[order]
    first = np.ones(len(half), np.bool_)
    np.not_equal(half[1:], half[:-1], out=first[1:])
    group = np.cumsum(first) - 1
    start = relative[order]
    stop = start + length[order]
    # `before` is a running maximum of `stop` that begins anew, with `highest`, in each half. So that one
    # maximum does for all of them, each half's numbers are lifted above those of the half before.
    lift = group * WIDTH
    top = np.maximum(stop, 0)
    heads = np.flatnonzero(first)
    top[heads] = np.maximum(top[heads], highest[half[heads]])
    top += lift
    np.maximum.accumulate(top, out=top)
    top -= lift
    before = np.empty_like(top)
    before[1:] = top[:-1]
    before[heads] = highest[half[heads]]
    return Segments(index[order], half, group, first, start, stop, before, address[order], captured[order])


def compact(half: Array) -> Array:
    """Sort keys that order halves, or streams, as their numbers do; uint16[n] where these allow it.

    NumPy sorts 16-bit numbers by radix, several times faster than longer ones. `half`: integers[n], from 0.
    """
    most = int(half.max()) if len(half) else 0
    if most < 1 << 16:
        return half.astype(np.uint16)
    if len(half) < 2048:
        return half
    least = int(half.min())
    present = np.zeros(most - least + 1, np.bool_)
    present[half - least] = True
    rank = np.cumsum(present) - 1
    numbers: Array = rank[half - least].astype(np.uint16)
    return numbers


class Layout(NamedTuple):
    """Contents of the s segments of wrapper streams; each array is [s], but `ordered`.

    `head`: HEAD (of no meaning where not `ready`); `ready`: bool, in order, in the fast path, with a header
    of version 1 at hand; `whole`: bool, exactly one WPDU; `cut`: bool, the snap length cut octets off;
    `ordered`: int64[o], positions in order, in the fast path and not cut; `place`: int64, index in `ordered`.
    """

    head: Array
    ready: Array
    whole: Array
    cut: Array
    ordered: Array
    place: Array


def lay_out(segments: Segments, fast: Array, source: PayloadSource) -> Layout:
    """Read the headers that segments in order begin with; `fast`: bool[s], segments of the fast path."""
    length = segments.stop - segments.start
    in_order = segments.start == segments.before
    at_hand = source.at_hand(segments.address)
    head = np.zeros(len(length), HEAD)
    ready = fast & in_order & (segments.captured >= HEADER_SIZE) & at_hand
    rows = np.flatnonzero(ready)
    if len(rows) == len(ready):
        head = source.gather(HEAD, segments.address)
    else:
        put_heads(head, rows, source.gather(HEAD, segments.address[rows]))
    ready &= head["version"] == VERSION
    total = head["length"].astype(np.int64) + HEADER_SIZE
    cut = segments.captured < length
    whole = ready & (total == length) & (~cut | (segments.captured > HEADER_SIZE))
    orderly = in_order & fast & ~cut
    ordered = np.flatnonzero(orderly)
    place = np.zeros(len(length), np.int64)
    place[ordered] = np.arange(len(ordered))
    layout = Layout(head, ready, whole, cut, ordered, place)
    short = np.flatnonzero(orderly & (length < HEAD.itemsize) & ~whole & at_hand)
    if len(short):
        joined = _join_heads(segments, layout, short, source)
        ready[short] = joined & (head["version"][short] == VERSION)
    return layout


def _join_heads(segments: Segments, layout: Layout, short: Array, source: PayloadSource) -> Array:
    """Complete headers, in `layout.head`, that end in the next segment; returns bool[k], those complete.

    `short`: int64[k], positions of segments in order that are shorter than HEAD.
    """
    length = segments.stop - segments.start
    after = layout.ordered[np.minimum(layout.place[short] + 1, len(layout.ordered) - 1)]
    joined = (segments.group[after] == segments.group[short]) & (
        segments.start[after] == segments.stop[short]
    )
    joined &= (length[short] + length[after] >= HEAD.itemsize) & source.at_hand(segments.address[after])
    rows, after = short[joined], after[joined]
    # Octet i of a header is octet i of its segment or, from `length` on, octet i - length of the next one.
    ends, begins = (
        source.gather(HEAD, segments.address[which]).view(np.uint8).reshape(-1, HEAD.itemsize)
        for which in (after, rows)
    )
    column = np.arange(HEAD.itemsize)
    missing = column - length[rows, np.newaxis]
    whole = np.where(
        missing < 0,
        begins,
        np.take_along_axis(ends, np.maximum(missing, 0), axis=1),
    )
    put_heads(layout.head, rows, np.ascontiguousarray(whole, np.uint8).view(HEAD)[:, 0])
    return np.asarray(joined)
