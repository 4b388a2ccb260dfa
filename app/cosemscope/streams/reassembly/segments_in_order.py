"""The fast path: the segments of a batch that stand in order, with the WPDU headers they begin with.

Segments are sorted by half (one direction of one stream), then by arrival. A segment is in order when it
begins where the highest octet before it ends. Of those in order, most hold exactly one WPDU (`whole`); the
others begin or continue a chain of WPDUs (`wpdu_chains`), or are the reassembler's.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.streams.payload import PayloadSource
from cosemscope.streams.recognition import HEAD, put_heads
from cosemscope.transport.wpdu import HEADER_SIZE, VERSION

Array = npt.NDArray[Any]
#: Offsets in a stream are below this, so that (half, offset) packs into one sortable number.
WIDTH = np.int64(1) << np.int64(42)


class Segments(NamedTuple):
    """The segments of a batch that carry octets, sorted by half, then by arrival.

    `packet`: position of the packet in the batch; `half`: 2 x stream + side; `group`: number of the half in
    this batch; `first`: true where a half begins; `start`, `stop`: octets of the half; `before`: the octet
    behind the highest one seen before; `address`, `captured`: where the octets lie, and how many of them.
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
    """Sort segments; `relative`: offset of each in its half, `highest`: of each half before the batch."""
    order = np.argsort(compact(half), kind="stable")
    half = half[order]
    first = np.ones(len(half), np.bool_)
    np.not_equal(half[1:], half[:-1], out=first[1:])
    group = np.cumsum(first) - 1
    start = relative[order]
    stop = start + length[order]
    # A running maximum that begins anew in each half: each half's numbers lie above those of the one before.
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
    """The same numbers, or numbers in the same order, of 16 bits where they fit: these sort by radix."""
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
    """What the segments of wrapper streams hold, position by position.

    `head`: HEAD records (of no meaning where not `ready`); `ready`: in order, in the fast path, with a header
    at hand; `whole`: exactly one WPDU; `cut`: octets were cut off by the snap length; `ordered`: positions in
    order, `place`: each position's place in `ordered`.
    """

    head: Array
    ready: Array
    whole: Array
    cut: Array
    ordered: Array
    place: Array


def lay_out(segments: Segments, fast: Array, source: PayloadSource) -> Layout:
    """Read the headers of the segments of halves in the fast path (`fast`: mask by position)."""
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
    """Put headers that end in the next segment together; a mask of those that could be."""
    length = segments.stop - segments.start
    after = layout.ordered[np.minimum(layout.place[short] + 1, len(layout.ordered) - 1)]
    joined = (segments.group[after] == segments.group[short]) & (
        segments.start[after] == segments.stop[short]
    )
    joined &= (length[short] + length[after] >= HEAD.itemsize) & source.at_hand(segments.address[after])
    rows, after = short[joined], after[joined]
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
