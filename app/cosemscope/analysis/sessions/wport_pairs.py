"""Counts by wPort pair: a row for each pair of each stream, and votes on which end is the DLMS client.

An answer whose wPorts were not exchanged, but stand as in the request, belongs to the pair of the request.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.apdu.names import tags as t
from cosemscope.capture.columns import Columns
from cosemscope.streams.roles import FROM_CLIENT, FROM_SERVER, ROLES
from cosemscope.streams.stream_table import StreamTable, add_counts, first_rows
from cosemscope.streams.tables.wpdu_table import Mark, WpduTable

#: One row for each stream, low and high: the wPort pair as it stands in headers from the stream's client;
#: `wpdus`, `octets` (headers included), `first_time`, `last_time` (ns); `client_votes`, `server_votes`: WPDUs
#: that say that the stream's client is the DLMS client, or the server; `far_wpdus`: WPDUs of the other side,
#: without bare acknowledgements of blocks.
PAIR_FIELDS: dict[str, str] = {
    "stream": "u4",
    "near": "u2",
    "far": "u2",
    "wpdus": "u4",
    "octets": "i8",
    "first_time": "i8",
    "last_time": "i8",
    "client_votes": "u4",
    "server_votes": "u4",
    "far_wpdus": "u4",
}
#: Octets of a general-block-transfer without data: tag, control, two block numbers, a length of 0.
_BARE = 7


class PairCounts:
    """Counts for every wPort pair of every stream, kept up to date batch by batch."""

    def __init__(self, streams: StreamTable, wpdus: WpduTable) -> None:
        self.pairs = Columns(PAIR_FIELDS)
        self._streams = streams
        self._wpdus = wpdus
        self._keys = np.zeros(0, np.int64)  # sorted: stream, near, far
        self._rows = np.zeros(0, np.int64)  # the pair row of each key
        self._key_of = Columns({"key": "i8", "side": "u1"})  # of each pair row: key, sender of its first WPDU
        self._latest = Columns({"pair": "i8"})  # the pair row of each stream's last WPDU

    def add(self, rows: slice) -> npt.NDArray[np.int64]:
        """Count these new WPDU rows; the pair row of each."""
        wpdus = self._wpdus
        direction = wpdus["direction"][rows]
        source, destination = wpdus["source_wport"][rows], wpdus["destination_wport"][rows]
        near = np.where(direction == 0, source, destination).astype(np.int64)
        far = np.where(direction == 0, destination, source).astype(np.int64)
        keys = wpdus["stream"][rows].astype(np.int64) << 32 | near << 16 | far
        pair = self._number(keys, direction)
        self._count(pair, rows, direction)
        return pair

    def _number(self, keys: npt.NDArray[np.int64], side: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """The pair row of each key; searched only where it is not that of the stream's last WPDU."""
        missing = len(self._streams) - len(self._latest)
        if missing > 0:
            self._latest.extend(missing, pair=-1)
        stream = keys >> 32
        pair: npt.NDArray[np.int64] = self._latest["pair"][stream]
        other = np.flatnonzero((pair < 0) | (np.append(self._key_of["key"], -1)[pair] != keys))
        if len(other):
            pair[other] = self._by_first(keys[other], side[other])
            self._latest["pair"][stream] = pair
        return pair

    def _by_first(self, keys: npt.NDArray[np.int64], side: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """As `_search`, which it spares all rows with the same key as the first of their stream."""
        stream = keys >> 32
        place = np.arange(len(keys))
        first = first_rows(stream, len(self._streams))[stream]
        same = keys == keys[first]
        wanted = np.flatnonzero(~same | (first == place))
        pair = np.empty(len(keys), np.int64)
        pair[wanted] = self._search(keys[wanted], side[wanted])
        found: npt.NDArray[np.int64] = pair[np.where(same, first, place)]
        return found

    def _search(self, keys: npt.NDArray[np.int64], side: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        place = np.searchsorted(self._keys, keys)
        known = place < len(self._keys)
        known[known] = self._keys[place[known]] == keys[known]
        if not known.all():
            new, first = np.unique(keys[~known], return_index=True)
            sides = side[~known][first]
            turned = self._turned(new, first, sides)
            new, first, sides = new[turned == new], first[turned == new], sides[turned == new]
            order = np.argsort(first)
            row = np.empty(len(new), np.int64)
            row[order] = np.arange(len(self.pairs), len(self.pairs) + len(new))
            ordered = new[order]
            self._key_of.extend(len(ordered), key=ordered, side=sides[order])
            self.pairs.extend(
                len(new),
                stream=ordered >> 32,
                near=ordered >> 16 & 0xFFFF,
                far=ordered & 0xFFFF,
                first_time=np.iinfo(np.int64).max,
                last_time=np.iinfo(np.int64).min,
            )
            at = np.searchsorted(self._keys, new)
            self._keys = np.insert(self._keys, at, new)
            self._rows = np.insert(self._rows, at, row)
            self._alias(keys[~known])
            place = np.searchsorted(self._keys, keys)
        return self._rows[place]

    def _turned(
        self, new: npt.NDArray[np.int64], first: npt.NDArray[np.int64], side: npt.NDArray[Any]
    ) -> npt.NDArray[np.int64]:
        """The key under which each new one is counted: itself, or the turned one.

        That is so where the other side has used the turned one before. `new`: int64[k], ascending; `first`:
        int64[k], where each comes first; `side`: its sender.
        """
        turned = _turn(new)
        place = _among(turned, self._keys)
        sides = self._key_of["side"][self._rows[place]] if len(self._keys) else side
        known = (place >= 0) & (sides != side)
        place = _among(turned, new)
        earlier = (place >= 0) & (first[place] < first) & (side[place] != side)
        return np.where(known | earlier, turned, new)

    def _alias(self, keys: npt.NDArray[np.int64]) -> None:
        """Give keys that are counted under turned ones the rows of these."""
        missing = np.unique(keys)
        missing = missing[_among(missing, self._keys) < 0]
        if len(missing):
            rows = self._rows[_among(_turn(missing), self._keys)]
            at = np.searchsorted(self._keys, missing)
            self._keys, self._rows = np.insert(self._keys, at, missing), np.insert(self._rows, at, rows)

    def _count(self, pair: npt.NDArray[np.int64], rows: slice, direction: npt.NDArray[Any]) -> None:
        wpdus, pairs = self._wpdus, self.pairs
        whole = (wpdus["marks"][rows] & Mark.TRUNCATED) == 0
        add_counts(pairs["wpdus"], pair[whole])
        add_counts(pairs["octets"], pair, wpdus["size"][rows])
        # Who acknowledges blocks says nothing by that.
        bare = (wpdus["apdu_tag"][rows] == t.GENERAL_BLOCK_TRANSFER) & (wpdus["length"][rows] <= _BARE)
        add_counts(pairs["far_wpdus"], pair[(direction > 0) & ~bare])
        add_counts(self._streams["wpdus"], wpdus["stream"][rows][whole])
        np.minimum.at(pairs["first_time"], pair, wpdus["first_time"][rows])
        np.maximum.at(pairs["last_time"], pair, wpdus["time"][rows])
        tag = wpdus["apdu_tag"][rows]
        role = np.where(tag >= 0, ROLES[tag & 0xFF], 0)
        near_is_client = ((role == FROM_CLIENT) & (direction == 0)) | (
            (role == FROM_SERVER) & (direction == 1)
        )
        add_counts(pairs["client_votes"], pair[near_is_client])
        add_counts(pairs["server_votes"], pair[(role > 0) & ~near_is_client])

    def dlms_client_is_near(self, row: int) -> bool:
        """Whether the stream's client is the DLMS client on this pair."""
        return bool(near_is_client(self.pairs, slice(row, row + 1))[0])


def _turn(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The keys, int64[k], with near and far wPort exchanged."""
    return keys >> 32 << 32 | (keys & 0xFFFF) << 16 | keys >> 16 & 0xFFFF


def _among(keys: npt.NDArray[np.int64], some: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where keys, int64[k], stand among some ascending ones, -1 for those that do not."""
    place = np.searchsorted(some, keys)
    there = place < len(some)
    there[there] = some[place[there]] == keys[there]
    return np.where(there, place, -1)


def near_is_client(pairs: Columns, rows: slice | npt.NDArray[Any] = slice(None)) -> npt.NDArray[np.bool_]:
    """For each of these wPort pairs whether the stream's client is the DLMS client there.

    APDUs decide by majority. Where none tells (all are ciphered by general- services), the side that is
    talked to without ever answering is a client that gets pushes.
    """
    votes, against = pairs["client_votes"][rows], pairs["server_votes"][rows]
    told = (votes > 0) | (pairs["far_wpdus"][rows] > 0)
    near: npt.NDArray[np.bool_] = (votes > against) | ((votes == against) & told)
    return near


def same_pairs(pairs: Columns) -> npt.NDArray[np.uint32]:
    """The pair row that stands for each, uint32[pairs]: mostly that one itself.

    Some recordings write both directions of a talk under one sender. The wPorts then stand in both orders,
    and nothing ever comes from the other side: of two such pairs the first stands for both.
    """
    standing = np.arange(len(pairs), dtype=np.uint32)
    alone = np.flatnonzero((pairs["far_wpdus"] == 0) & (pairs["near"] != pairs["far"]))
    stream, near, far = (pairs[name][alone].astype(np.int64) for name in ("stream", "near", "far"))
    keys, turned = stream << 32 | near << 16 | far, stream << 32 | far << 16 | near
    order = np.argsort(keys)
    place = np.searchsorted(keys[order], turned)
    there = np.flatnonzero(place < len(keys))
    there = there[keys[order[place[there]]] == turned[there]]
    other = order[place[there]]
    # One of them asks and the other answers; two that both ask are two.
    asks, answers = (pairs[name][alone] > 0 for name in ("client_votes", "server_votes"))
    fits = (asks[there] & answers[other]) | (answers[there] & asks[other])
    standing[alone[there[fits]]] = np.minimum(alone[there[fits]], alone[other[fits]])
    return standing


def sent_by_client(
    pairs: Columns, pair: npt.NDArray[Any], direction: npt.NDArray[Any], tag: npt.NDArray[Any]
) -> npt.NDArray[np.bool_]:
    """Whether the DLMS client sent WPDUs of these pairs, directions and APDU tags, bool[n].

    The direction tells, whoever opened the connection. Where both roles speak and nothing ever comes from the
    other side, each APDU tells for itself, as far as it does.
    """
    used, places = np.unique(pair, return_inverse=True)
    places = places.reshape(-1)
    by_side: npt.NDArray[np.bool_] = near_is_client(pairs, used)[places] == (direction == 0)
    one_way = (pairs["far_wpdus"] == 0) & (pairs["client_votes"] > 0) & (pairs["server_votes"] > 0)
    if not one_way[used].any():
        return by_side
    role = np.where(tag >= 0, ROLES[tag & 0xFF], 0)
    return np.where(one_way[used][places] & (role > 0), role == FROM_CLIENT, by_side)
