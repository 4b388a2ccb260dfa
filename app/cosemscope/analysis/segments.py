"""The fast path: all segments of a batch that stand in order and hold whole WPDUs, in NumPy.

Segments are sorted by half (one direction of one stream), then by arrival. A
segment is in order when it begins where the highest octet before it ends.
Of those in order, most hold exactly one WPDU (`whole`), some begin one that
ends with a later segment (`spread`), some hold several (`shared`). These are
read here; every other segment is named in `special`, for the reassembler.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.recognition import HEAD, join_heads, put_heads, take_heads
from cosemscope.transport.wpdu import HEADER_SIZE, VERSION

Array = npt.NDArray[Any]
# Offsets in a stream are below this, so that (half, offset) packs into one sortable number.
_WIDTH = np.int64(1) << np.int64(42)
_MOST_SHARED = 4096


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
    lift = group * _WIDTH
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

    `head`: HEAD records (of no meaning where not `ready`); `ready`: in order, in the fast path, with a
    header at hand; `whole`: exactly one WPDU; `cut`: octets were cut off by the snap length; `last`: for a
    segment that begins a WPDU which ends with a later one, the position of that (else -1); `ordered`:
    positions in order, `place`: each position's place in `ordered`; `shared`: the WPDUs of segments that hold
    several.
    """

    head: Array
    ready: Array
    whole: Array
    cut: Array
    last: Array
    ordered: Array
    place: Array
    shared: "Shared"


class Shared(NamedTuple):
    """WPDUs that share a segment with others: position of the segment, offset in it, HEAD record."""

    position: Array
    offset: Array
    head: Array


def lay_out(segments: Segments, fast: Array, gather: Any, at_hand: Any) -> Layout:
    """Read the headers of the segments of halves in the fast path (`fast`: mask by position)."""
    length = segments.stop - segments.start
    in_order = segments.start == segments.before
    head = np.zeros(len(length), HEAD)
    ready = fast & in_order & (segments.captured >= HEADER_SIZE) & at_hand(segments.address)
    rows = np.flatnonzero(ready)
    if len(rows) == len(ready):
        head = gather(HEAD, segments.address)
    else:
        put_heads(head, rows, gather(HEAD, segments.address[rows]))
    ready &= head["version"] == VERSION
    total = head["length"].astype(np.int64) + HEADER_SIZE
    cut = segments.captured < length
    whole = ready & (total == length) & (~cut | (segments.captured > HEADER_SIZE))
    ordered = np.flatnonzero(in_order & fast & ~cut)
    place = np.zeros(len(length), np.int64)
    place[ordered] = np.arange(len(ordered))
    short = np.flatnonzero(
        in_order & fast & ~cut & (length < HEAD.itemsize) & ~whole & at_hand(segments.address)
    )
    if len(short):
        joined = _join_heads(segments, length, ordered, place, short, head, gather, at_hand)
        ready[short] = joined & (head["version"][short] == VERSION)
        total[short] = head["length"][short].astype(np.int64) + HEADER_SIZE
    spread = np.flatnonzero(ready & ~cut & (total > length))
    last = np.full(len(length), -1, np.int64)
    if len(spread):
        _find_ends(segments, in_order, cut, ordered, spread, total, last)
    shared = _read_shared(segments, head, np.flatnonzero(ready & ~cut & (total < length)), gather)
    return Layout(head, ready, whole, cut, last, ordered, place, shared)


def _join_heads(
    segments: Segments,
    length: Array,
    ordered: Array,
    place: Array,
    short: Array,
    head: Array,
    gather: Any,
    at_hand: Any,
) -> Array:
    """Put headers that end in the next segment together into `head`; a mask of those that could be."""
    after = ordered[np.minimum(place[short] + 1, len(ordered) - 1)]
    joined = (segments.group[after] == segments.group[short]) & (
        segments.start[after] == segments.stop[short]
    )
    joined &= (length[short] + length[after] >= HEAD.itemsize) & at_hand(segments.address[after])
    rows, after = short[joined], after[joined]
    ends, begins = (
        gather(HEAD, segments.address[which]).view(np.uint8).reshape(-1, HEAD.itemsize)
        for which in (after, rows)
    )
    column = np.arange(HEAD.itemsize)
    missing = column - length[rows, np.newaxis]
    whole = np.where(
        missing < 0,
        begins,
        np.take_along_axis(ends, np.maximum(missing, 0), axis=1),
    )
    put_heads(head, rows, np.ascontiguousarray(whole, np.uint8).view(HEAD)[:, 0])
    return np.asarray(joined)


def _find_ends(
    segments: Segments, in_order: Array, cut: Array, ordered: Array, spread: Array, total: Array, last: Array
) -> None:
    """For WPDUs that go on in later segments: the position with which each ends, into `last`."""
    keys = segments.group[ordered] * _WIDTH + segments.stop[ordered]
    ends = segments.group[spread] * _WIDTH + segments.start[spread] + total[spread]
    place = np.searchsorted(keys, ends)
    found = place < len(keys)
    found[found] = keys[place[found]] == ends[found]
    position = ordered[place[found]]
    # A gap, or a segment that overlaps one, on the way: then it is the reassembler's.
    irregular = np.cumsum((~in_order & (segments.stop > segments.before)) | (in_order & cut))
    smooth = irregular[position] == irregular[spread[found]]
    last[spread[found][smooth]] = position[smooth]


def _read_shared(segments: Segments, head: Array, position: Array, gather: Any) -> Shared:
    """The WPDUs of segments that hold nothing but several whole ones."""
    length = (segments.stop - segments.start)[position]
    owner, offset = position, np.zeros(len(position), np.int64)
    record = take_heads(head, position)
    found: list[tuple[Array, Array, Array]] = []
    good = np.zeros(len(segments.half), np.bool_)
    rounds = 0
    while len(owner) and rounds < _MOST_SHARED:
        found.append((owner, offset, record))
        after = offset + HEADER_SIZE + record["length"]
        good[owner[after == length]] = True
        more = after + HEADER_SIZE <= length
        owner, offset, length = owner[more], after[more], length[more]
        record = gather(HEAD, segments.address[owner] + offset)
        fits = (record["version"] == VERSION) & (offset + HEADER_SIZE + record["length"] <= length)
        owner, offset, length, record = owner[fits], offset[fits], length[fits], take_heads(record, fits)
        rounds += 1
    if not found:
        return Shared(position, offset, record)
    owners, offsets, records = zip(*found, strict=True)
    owner, offset, record = np.concatenate(owners), np.concatenate(offsets), join_heads(records)
    keep = np.flatnonzero(good[owner])
    order = keep[np.lexsort((offset[keep], owner[keep]))]
    return Shared(owner[order], offset[order], take_heads(record, order))
