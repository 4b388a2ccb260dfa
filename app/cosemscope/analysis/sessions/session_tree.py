"""The session tree: peers, their TCP connections and UDP flows, and the wPort pairs on each.

`PairCounts` keeps one row a wPort pair of a stream while WPDUs come in, so
the tree costs what has changed, not what has been read. A pair is (client
wPort, server wPort) by DLMS roles: the sender of a request is the client,
whoever opened the connection.
"""

from typing import NamedTuple

from cosemscope.analysis.sessions.wport_pairs import PairCounts, near_is_client
from cosemscope.capture.cancelling import Look, no_look
from cosemscope.capture.packets.flows import Endpoint
from cosemscope.capture.packets.packet_row import TCP
from cosemscope.capture.packets.packet_table import PacketTable
from cosemscope.streams.stream_table import StreamTable
from cosemscope.streams.tables.framing import Framing
from cosemscope.transport.wports import Side, wport_name


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


def session_tree(
    table: PacketTable, streams: StreamTable, counts: PairCounts, look: Look = no_look
) -> tuple[Peers, ...]:
    """The whole tree as it is now: peers in the order of their first packets, streams and pairs likewise.

    `look` is asked at each row, and may raise Cancelled.
    """
    pairs_of = _pairs_by_stream(counts, look)
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
    endpoints = table.all_endpoints(look)
    framings = {int(framing): framing for framing in Framing}
    for stream, row in enumerate(zip(*columns, strict=True)):
        look()
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


def _pairs_by_stream(counts: PairCounts, look: Look) -> dict[int, list[WPortPair]]:
    found: dict[int, list[WPortPair]] = {}
    names: dict[tuple[int, Side], str] = {}
    pairs = counts.pairs
    names_of_columns = ("stream", "near", "far", "wpdus", "octets", "first_time", "last_time")
    columns = (pairs[name].tolist() for name in names_of_columns)
    rows = zip(*columns, near_is_client(pairs).tolist(), strict=True)
    for row, (stream, near, far, wpdus, octets, first, last, straight) in enumerate(rows):
        look()
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
