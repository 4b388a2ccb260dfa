"""The session tree: peers, their TCP connections and UDP flows, and the wPort pairs on each.

`PairCounts` keeps one row a wPort pair of a stream while WPDUs come in, so
the tree costs what has changed, not what has been read. A pair is (client
wPort, server wPort) by DLMS roles: the sender of a request is the client,
whoever opened the connection.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.framing import Framing
from cosemscope.analysis.roles import FROM_CLIENT, FROM_SERVER, ROLES
from cosemscope.analysis.streams import StreamTable, add_counts, first_rows
from cosemscope.analysis.wpdus import Mark, WpduTable
from cosemscope.capture.columns import Columns
from cosemscope.capture.packets import Endpoint, PacketTable
from cosemscope.capture.rows import TCP
from cosemscope.transport.wports import Side, wport_name

#: One row for each stream, low and high: the wPort pair as it stands in headers from the stream's client;
#: `wpdus`, `octets` (headers included), `first_time`, `last_time` (ns); `client_votes`, `server_votes`: WPDUs
#: that say that the stream's client is the DLMS client, or the server; `far_wpdus`: WPDUs of the other side.
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


class WPortPair(NamedTuple):
    """The traffic between two wPorts of one stream: `wpdus` whole WPDUs of `octets` octets, times in ns.

    `row` is the pair's row in `PairCounts.pairs`, the same for as long as the analysis lives.
    """

    client_wport: int
    server_wport: int
    client_name: str
    server_name: str
    wpdus: int
    octets: int
    first_time: int
    last_time: int
    row: int


class StreamSession(NamedTuple):
    """A TCP connection or UDP flow: `client` is the TCP initiator (see `roles`), `octets` its payload."""

    stream: int
    protocol: int
    client: Endpoint
    server: Endpoint
    framing: Framing
    packets: int
    wpdus: int
    octets: int
    first_time: int
    last_time: int
    wports: tuple[WPortPair, ...]


class Peers(NamedTuple):
    """Two IP addresses and the streams between them, `client` first as in the first of these."""

    client: str
    server: str
    streams: tuple[StreamSession, ...]


class PairCounts:
    """Counts for every wPort pair of every stream, kept up to date batch by batch."""

    def __init__(self, streams: StreamTable, wpdus: WpduTable) -> None:
        self.pairs = Columns(PAIR_FIELDS)
        self._streams = streams
        self._wpdus = wpdus
        self._keys = np.zeros(0, np.int64)  # sorted: stream, near, far
        self._rows = np.zeros(0, np.int64)  # the pair row of each key
        self._key_of = Columns({"key": "i8"})  # the key of each pair row
        self._latest = Columns({"pair": "i8"})  # the pair row of each stream's last WPDU

    def add(self, rows: slice) -> npt.NDArray[np.int64]:
        """Count these new WPDU rows; the pair row of each."""
        wpdus = self._wpdus
        direction = wpdus["direction"][rows]
        source, destination = wpdus["source_wport"][rows], wpdus["destination_wport"][rows]
        near = np.where(direction == 0, source, destination).astype(np.int64)
        far = np.where(direction == 0, destination, source).astype(np.int64)
        keys = wpdus["stream"][rows].astype(np.int64) << 32 | near << 16 | far
        pair = self._number(keys)
        self._count(pair, rows, direction)
        return pair

    def _number(self, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The pair row of each key; searched only where it is not that of the stream's last WPDU."""
        missing = len(self._streams) - len(self._latest)
        if missing > 0:
            self._latest.extend(missing, pair=-1)
        stream = keys >> 32
        pair: npt.NDArray[np.int64] = self._latest["pair"][stream]
        other = np.flatnonzero((pair < 0) | (np.append(self._key_of["key"], -1)[pair] != keys))
        if len(other):
            pair[other] = self._by_first(keys[other])
            self._latest["pair"][stream] = pair
        return pair

    def _by_first(self, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """As `_search`, which it spares all rows with the same key as the first of their stream."""
        stream = keys >> 32
        place = np.arange(len(keys))
        first = first_rows(stream, len(self._streams))[stream]
        same = keys == keys[first]
        wanted = np.flatnonzero(~same | (first == place))
        pair = np.empty(len(keys), np.int64)
        pair[wanted] = self._search(keys[wanted])
        found: npt.NDArray[np.int64] = pair[np.where(same, first, place)]
        return found

    def _search(self, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        place = np.searchsorted(self._keys, keys)
        known = place < len(self._keys)
        known[known] = self._keys[place[known]] == keys[known]
        if not known.all():
            new, first = np.unique(keys[~known], return_index=True)
            order = np.argsort(first)
            row = np.empty(len(new), np.int64)
            row[order] = np.arange(len(self.pairs), len(self.pairs) + len(new))
            ordered = new[order]
            self._key_of.extend(len(ordered), key=ordered)
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
            place = np.searchsorted(self._keys, keys)
        return self._rows[place]

    def _count(self, pair: npt.NDArray[np.int64], rows: slice, direction: npt.NDArray[Any]) -> None:
        wpdus, pairs = self._wpdus, self.pairs
        whole = (wpdus["marks"][rows] & Mark.TRUNCATED) == 0
        add_counts(pairs["wpdus"], pair[whole])
        add_counts(pairs["octets"], pair, wpdus["size"][rows])
        add_counts(pairs["far_wpdus"], pair[direction > 0])
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


def near_is_client(pairs: Columns, rows: slice = slice(None)) -> npt.NDArray[np.bool_]:
    """For each of these wPort pairs whether the stream's client is the DLMS client there.

    APDUs decide by majority. Where none tells (all are ciphered by general- services), the side that is
    talked to without ever answering is a client that gets pushes.
    """
    votes, against = pairs["client_votes"][rows], pairs["server_votes"][rows]
    told = (votes > 0) | (pairs["far_wpdus"][rows] > 0)
    near: npt.NDArray[np.bool_] = (votes > against) | ((votes == against) & told)
    return near


def session_tree(table: PacketTable, streams: StreamTable, counts: PairCounts) -> tuple[Peers, ...]:
    """The whole tree as it is now: peers in the order of their first packets, streams and pairs likewise."""
    pairs_of = _pairs_by_stream(counts)
    names = (
        "protocol",
        "flow",
        "client_side",
        "framing",
        "packets",
        "wpdus",
        "octets",
        "first_time",
        "last_time",
    )
    columns = [streams[name].tolist() for name in names]
    peers: dict[tuple[str, str], list[StreamSession]] = {}
    order: dict[frozenset[str], tuple[str, str]] = {}
    endpoints = table.all_endpoints()
    framings = {int(framing): framing for framing in Framing}
    for stream, row in enumerate(zip(*columns, strict=True)):
        protocol, flow, side, framing, packets, wpdus, octets, first, last = row
        pairs = tuple(pairs_of.get(stream, ()))
        ends = endpoints[flow]
        client, server = ends[side], ends[1 - side]
        session = StreamSession(
            stream, protocol, client, server, framings[framing], packets, wpdus, octets, first, last, pairs
        )
        key = order.setdefault(frozenset((client.address, server.address)), (client.address, server.address))
        peers.setdefault(key, []).append(session)
    return tuple(Peers(client, server, tuple(found)) for (client, server), found in peers.items())


def _pairs_by_stream(counts: PairCounts) -> dict[int, list[WPortPair]]:
    found: dict[int, list[WPortPair]] = {}
    names: dict[tuple[int, Side], str] = {}
    pairs = counts.pairs
    names_of_columns = ("stream", "near", "far", "wpdus", "octets", "first_time", "last_time")
    columns = (pairs[name].tolist() for name in names_of_columns)
    rows = zip(*columns, near_is_client(pairs).tolist(), strict=True)
    for row, (stream, near, far, wpdus, octets, first, last, straight) in enumerate(rows):
        client, server = (near, far) if straight else (far, near)
        for number, side in ((client, Side.CLIENT), (server, Side.SERVER)):
            if (number, side) not in names:
                names[number, side] = wport_name(number, side)
        found.setdefault(stream, []).append(
            WPortPair(
                client,
                server,
                names[client, Side.CLIENT],
                names[server, Side.SERVER],
                wpdus,
                octets,
                first,
                last,
                row,
            )
        )
    return found


def protocol_name(protocol: int) -> str:
    """ "tcp" or "udp"."""
    return "tcp" if protocol == TCP else "udp"
