"""Chains: WPDUs that do not keep to the bounds of segments, found for a whole batch with NumPy.

A segment in order that is not exactly one WPDU begins a chain: each WPDU's length says where the next one
begins, through as many segments as it takes, until a WPDU ends where a segment does. All chains of a batch
are followed together, a WPDU of each a round. Where a chain meets a gap, an odd header or the end of the
batch it is none, and the reassembler goes through its segments one by one.
"""

from typing import NamedTuple

import numpy as np

from cosemscope.capture.columns import Array
from cosemscope.streams.payload import PayloadSource
from cosemscope.streams.reassembly.segments_in_order import WIDTH, Layout, Segments, compact
from cosemscope.streams.recognition import HEAD, believable, join_heads, take_heads
from cosemscope.transport.wpdu import HEADER_SIZE, VERSION

#: WPDUs that a chain may have: each costs a round.
MOST_LINKS = 4096


class Links(NamedTuple):
    """The l WPDUs of chains, chain by chain; each array is int64[l], but `head`, HEAD[l].

    `owner`: position of the segment that begins the chain; `position`: of the segment that begins the WPDU;
    `offset`: octets of that segment before it; `end`: position of the segment that ends the WPDU; `stop`: the
    octet of the half behind the WPDU.
    """

    owner: Array
    position: Array
    offset: Array
    end: Array
    stop: Array
    head: Array

    def take(self, rows: Array) -> "Links":
        """The links at these indexes, int64[k], or where this mask, bool[l], is set."""
        owner, position, offset, end, stop = (column[rows] for column in self[:-1])
        return Links(owner, position, offset, end, stop, take_heads(self.head, rows))


def find_chains(segments: Segments, layout: Layout, source: PayloadSource) -> tuple[Links, Array]:
    """Follow all chains; returns (links, last).

    `links`: the WPDUs of all chains that end where a segment does. `last`: int64[s], the position with which
    the chain ends that begins at this position, or -1.
    """
    path = _Path(segments, layout)
    last = np.full(len(segments.half), -1, np.int64)
    owner = np.flatnonzero(layout.ready & ~layout.cut & ~layout.whole)
    at = Links(owner, owner, np.zeros_like(owner), owner, owner, take_heads(layout.head, owner))
    found: list[Links] = []
    # Invariant: `at` has one WPDU of each chain that is neither complete nor given up, with its header.
    while len(at.owner) and len(found) < MOST_LINKS:
        at, complete = path.ends(at)
        found.append(at)
        last[at.owner[complete]] = at.end[complete]
        at = _next(segments, at.take(~complete), source)
    if not found:
        return at, last
    last[_doubtful(segments, layout, last)] = -1
    *columns, heads = zip(*found, strict=True)
    position, offset, end, stop = (np.concatenate(column) for column in columns[1:])
    links = Links(np.concatenate(columns[0]), position, offset, end, stop, join_heads(heads))
    good = np.flatnonzero(last[links.owner] >= 0)
    return links.take(good[np.argsort(compact(links.owner[good]), kind="stable")]), last


class _Path:
    """The segments in order as one sorted line of octets, half after half: finds where a WPDU ends."""

    def __init__(self, segments: Segments, layout: Layout) -> None:
        # Ascending, since within a half segments in order end at ever higher octets.
        self._segments, self._ordered = segments, layout.ordered
        self._keys = segments.group[layout.ordered] * WIDTH + segments.stop[layout.ordered]
        in_order = segments.start == segments.before
        # A gap, a segment that overlaps another, was cut, or may be a probe: where the count of these goes up
        # between two positions, no WPDU goes from one to the other.
        odd = (segments.stop > segments.before) | (segments.stop - segments.start == 1)
        self._irregular = np.cumsum((~in_order & odd) | (in_order & layout.cut))

    def ends(self, at: Links) -> tuple[Links, Array]:
        """Find the ends of WPDUs; returns those of which all octets are there, and a mask of them, bool.

        The mask tells which end where a segment does.
        """
        segments, group = self._segments, self._segments.group[at.position]
        stop = segments.start[at.position] + at.offset + HEADER_SIZE + at.head["length"]
        place = np.searchsorted(self._keys, group * WIDTH + stop)
        end = self._ordered[np.minimum(place, len(self._ordered) - 1)]
        there = (place < len(self._ordered)) & (segments.group[end] == group)
        there &= self._irregular[end] == self._irregular[at.position]
        at = at._replace(end=end, stop=stop).take(there)
        return at, segments.stop[at.end] == at.stop


def _doubtful(segments: Segments, layout: Layout, last: Array) -> Array:
    """Positions, int64[k], of chains within which a segment begins like a WPDU: their senders may have erred.

    `last`: int64[s], position with which the chain ends that begins there, or -1.
    """
    owner = np.flatnonzero(last > np.arange(len(last)))
    begins = np.cumsum(layout.ready)
    owner = owner[begins[last[owner]] > begins[owner]]
    if not len(owner):
        return np.asarray(owner)
    # Of all headers that segments begin with only those within these chains are looked at.
    edges = np.zeros(len(last) + 1, np.int64)
    np.add.at(edges, owner + 1, 1)
    np.add.at(edges, last[owner] + 1, -1)
    inner = np.flatnonzero((np.cumsum(edges[:-1]) > 0) & layout.ready)
    head = take_heads(layout.head, inner)
    reach = np.maximum.accumulate(last[owner])[np.searchsorted(owner, inner, "right") - 1]
    ends = segments.start[inner] + HEADER_SIZE + head["length"]
    begins = np.zeros(len(last), np.int64)
    begins[inner[believable(head) & (ends <= segments.stop[reach])]] = 1
    begins = np.cumsum(begins)
    return np.asarray(owner[begins[last[owner]] > begins[owner]])


def _next(segments: Segments, at: Links, source: PayloadSource) -> Links:
    """The WPDUs that begin where these end, inside the same segment, if a header of version 1 is there."""
    address = segments.address[at.end] + at.stop - segments.start[at.end]
    room = segments.stop[at.end] - at.stop
    readable = (room >= HEADER_SIZE) & source.at_hand(address)
    head = source.gather(HEAD, address[readable])
    owner, end, stop = at.owner[readable], at.end[readable], at.stop[readable]
    following = Links(owner, end, stop - segments.start[end], end, stop, head)
    tag_there = (head["length"] == 0) | (room[readable] > HEADER_SIZE)
    return following.take((head["version"] == VERSION) & tag_there)


def apart(position: Array, last: Array) -> tuple[Array, Array]:
    """Tell chains that overlap no other from those to be judged in order; returns (heads, rest).

    `heads`: int64[k], positions of segments that begin a chain which overlaps no other; `rest`: int64[m],
    positions to take one by one, ascending. A chain wholly within another needs no look: its first segment
    stands inside a WPDU. `position`: int64[n], irregular segments, ascending; `last`: int64[n], the position
    of the segment that ends the chain begun there, or -1.
    """
    if not len(position):
        return position, position
    reach = np.maximum.accumulate(last)
    opens = last >= 0
    opens[1:] &= position[1:] > reach[:-1]
    heads = np.flatnonzero(opens)
    if not len(heads):
        return heads, position
    # A cluster is a chain that begins behind all before it, with the positions up to the next such chain. It
    # is settled, up to its reach, if no chain within it goes further than the first.
    plain = np.maximum.reduceat(last, heads) == last[heads]
    cluster = np.cumsum(opens) - 1
    settled = (cluster >= 0) & (position <= reach) & plain[cluster]
    return position[heads[plain]], position[~settled]


def covered(begins: Array, last: Array) -> Array:
    """Mask, bool[s], of positions within chains, their first and last segments included.

    `begins`: bool[s], where chains begin, none of which overlap; `last`: int64[s], where each ends.
    """
    first = np.flatnonzero(begins)
    edges = np.zeros(len(begins) + 1, np.int8)
    edges[first] += 1
    edges[last[first] + 1] -= 1
    return np.cumsum(edges[:-1], dtype=np.int8) > 0
