"""Chains: WPDUs that do not keep to the bounds of segments, found for a whole batch with NumPy.

A segment in order that is not exactly one WPDU begins a chain: each WPDU's length says where the next one
begins, through as many segments as it takes, until a WPDU ends where a segment does. All chains of a batch
are followed together, a WPDU of each a round. Where a chain meets a gap, an odd header or the end of the
batch it is none, and the reassembler goes through its segments one by one.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.streams.payload import PayloadSource
from cosemscope.streams.reassembly.segments_in_order import WIDTH, Layout, Segments, compact
from cosemscope.streams.recognition import HEAD, join_heads, take_heads
from cosemscope.transport.wpdu import HEADER_SIZE, VERSION

Array = npt.NDArray[Any]
#: WPDUs that a chain may have: each costs a round.
MOST_LINKS = 4096


class Links(NamedTuple):
    """The WPDUs of chains, chain by chain.

    `owner`: position of the segment that begins the chain; `position`: of the one that begins the WPDU,
    `offset`: where in it; `end`: of the one that ends it, `stop`: the octet of the half behind it; `head`:
    HEAD record.
    """

    owner: Array
    position: Array
    offset: Array
    end: Array
    stop: Array
    head: Array

    def take(self, rows: Array) -> "Links":
        """Some of them, by mask or index."""
        owner, position, offset, end, stop = (column[rows] for column in self[:-1])
        return Links(owner, position, offset, end, stop, take_heads(self.head, rows))


def find_chains(segments: Segments, layout: Layout, source: PayloadSource) -> tuple[Links, Array]:
    """All links, and for each position the one with which its chain ends (-1: it begins none)."""
    path = _Path(segments, layout)
    last = np.full(len(segments.half), -1, np.int64)
    owner = np.flatnonzero(layout.ready & ~layout.cut & ~layout.whole)
    at = Links(owner, owner, np.zeros_like(owner), owner, owner, take_heads(layout.head, owner))
    found: list[Links] = []
    while len(at.owner) and len(found) < MOST_LINKS:
        at, complete = path.ends(at)
        found.append(at)
        last[at.owner[complete]] = at.end[complete]
        at = _next(segments, at.take(~complete), source)
    if not found:
        return at, last
    *columns, heads = zip(*found, strict=True)
    position, offset, end, stop = (np.concatenate(column) for column in columns[1:])
    links = Links(np.concatenate(columns[0]), position, offset, end, stop, join_heads(heads))
    good = np.flatnonzero(last[links.owner] >= 0)
    return links.take(good[np.argsort(compact(links.owner[good]), kind="stable")]), last


class _Path:
    """Where octets of halves lie: from an octet to the segment in order that holds it."""

    def __init__(self, segments: Segments, layout: Layout) -> None:
        self._segments, self._ordered = segments, layout.ordered
        self._keys = segments.group[layout.ordered] * WIDTH + segments.stop[layout.ordered]
        in_order = segments.start == segments.before
        # A gap, or a segment that overlaps one, was cut, or may be a probe.
        odd = (segments.stop > segments.before) | (segments.stop - segments.start == 1)
        self._irregular = np.cumsum((~in_order & odd) | (in_order & layout.cut))

    def ends(self, at: Links) -> tuple[Links, Array]:
        """Those of which all octets are there, with their ends; and whether each ends with its segment."""
        segments, group = self._segments, self._segments.group[at.position]
        stop = segments.start[at.position] + at.offset + HEADER_SIZE + at.head["length"]
        place = np.searchsorted(self._keys, group * WIDTH + stop)
        end = self._ordered[np.minimum(place, len(self._ordered) - 1)]
        there = (place < len(self._ordered)) & (segments.group[end] == group)
        there &= self._irregular[end] == self._irregular[at.position]
        at = at._replace(end=end, stop=stop).take(there)
        return at, segments.stop[at.end] == at.stop


def _next(segments: Segments, at: Links, source: PayloadSource) -> Links:
    """The WPDUs that begin where these end, inside the same segment."""
    address = segments.address[at.end] + at.stop - segments.start[at.end]
    room = segments.stop[at.end] - at.stop
    readable = (room >= HEADER_SIZE) & source.at_hand(address)
    head = source.gather(HEAD, address[readable])
    owner, end, stop = at.owner[readable], at.end[readable], at.stop[readable]
    following = Links(owner, end, stop - segments.start[end], end, stop, head)
    tag_there = (head["length"] == 0) | (room[readable] > HEADER_SIZE)
    return following.take((head["version"] == VERSION) & tag_there)


def apart(position: Array, last: Array) -> tuple[Array, Array]:
    """The chains that stand apart from all others, and the positions that remain to be looked at in order.

    `position`: of irregular segments, ascending; `last`: with which the chain ends that each begins, or -1. A
    chain within another is none, for its first segment begins inside a WPDU.
    """
    if not len(position):
        return position, position
    reach = np.maximum.accumulate(last)
    opens = last >= 0
    opens[1:] &= position[1:] > reach[:-1]
    heads = np.flatnonzero(opens)
    if not len(heads):
        return heads, position
    plain = np.maximum.reduceat(last, heads) == last[heads]
    cluster = np.cumsum(opens) - 1
    settled = (cluster >= 0) & (position <= reach) & plain[cluster]
    return position[heads[plain]], position[~settled]


def covered(begins: Array, last: Array) -> Array:
    """Which positions lie within the chains that begin at these (mask by position)."""
    first = np.flatnonzero(begins)
    edges = np.zeros(len(begins) + 1, np.int8)
    edges[first] += 1
    edges[last[first] + 1] -= 1
    return np.cumsum(edges[:-1], dtype=np.int8) > 0
