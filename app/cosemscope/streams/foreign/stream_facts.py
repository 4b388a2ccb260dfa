"""Facts on streams of foreign framings, read from their first segments when somebody asks for them.

Loading a capture costs nothing for them. Of each stream a bounded number of octets is looked at.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from cosemscope.capture.columns import Columns
from cosemscope.capture.packets.packet_row import TCP
from cosemscope.streams.foreign.coap_messages import read_coap
from cosemscope.streams.foreign.tls_facts import tls_facts
from cosemscope.streams.tables.framing import Framing

#: Segments of each direction that are looked at, and octets of all of them.
MAX_SEGMENTS = 64
MAX_OCTETS = 1 << 16
#: Different facts of a stream that are told.
MAX_FACTS = 8
_Sides = Sequence[Sequence[bytes]]


def _alarms(sides: _Sides) -> list[str]:
    return [
        f"{octets[:17].decode('ascii', 'replace')}: "
        + (f"alarm register {octets[18:].hex().upper()}" if len(octets) == 22 else _logical_name(octets[18:]))
        for side in sides
        for octets in side
        if len(octets) in (22, 24)
    ]


def _logical_name(octets: bytes) -> str:
    return f"logical name {'.'.join(map(str, octets))}"


def _identification(sides: _Sides) -> list[str]:
    begun = [octets.partition(b"/")[2].partition(b"\r")[0] for side in sides for octets in side]
    return [f"identification /{line.decode('ascii', 'replace')}" for line in begun if line]


def _paths(sides: _Sides) -> list[str]:
    messages = [read_coap(octets) for side in sides for octets in side]
    return [f"path /{message.path}" for message in messages if message is not None and message.path]


_READERS: dict[Framing, Callable[[_Sides], list[str]]] = {
    Framing.TLS: lambda sides: tls_facts(sides, datagrams=False),
    Framing.DTLS: lambda sides: tls_facts(sides, datagrams=True),
    Framing.DSMR_ALARM: _alarms,
    Framing.P1: _identification,
    Framing.COAP: _paths,
    Framing.COAP_OTHER: _paths,
}


def stream_facts(
    streams: Columns, packets: Columns, owner: npt.NDArray[np.int32], read: Callable[[int, int], bytes]
) -> dict[int, list[str]]:
    """The facts of all streams of framings that have some, by stream.

    `owner`: int32[n], the stream of each packet, -1 for none.
    Raises CaptureError and OSError when octets cannot be read any more.
    """
    framings = streams["framing"]
    told = np.zeros(len(framings) + 1, np.bool_)  # the last one: packets of no stream
    told[:-1] = np.isin(framings, list(_READERS))
    count = len(owner)
    rows = np.flatnonzero(told[owner] & (packets["payload_length"][:count] > 0))
    rows = rows[np.argsort(owner[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(owner[rows], prepend=-1))
    found: dict[int, list[str]] = {}
    for mine in np.split(rows, starts[1:]) if len(rows) else ():
        stream = int(owner[mine[0]])
        sides = [_first(packets, mine[packets["direction"][mine] == side], read) for side in (0, 1)]
        facts = list(dict.fromkeys(_READERS[Framing(int(framings[stream]))](sides)))
        if facts:
            found[stream] = facts[:MAX_FACTS]
    return found


def _first(packets: Columns, rows: npt.NDArray[np.intp], read: Callable[[int, int], bytes]) -> list[bytes]:
    """The first octets of a direction: datagrams as they came, segments in order and each octet once."""
    rows = rows[:MAX_SEGMENTS]
    if not len(rows):
        return []
    length = packets["payload_captured"][rows].astype(np.int64)
    if packets["protocol"][rows[0]] != TCP:
        few = np.flatnonzero(np.cumsum(length) <= MAX_OCTETS)
        return [read(int(packets["payload"][rows[one]]), int(length[one])) for one in few.tolist()]
    distance = (packets["seq"][rows] - packets["seq"][rows[0]]).astype(np.int32).astype(np.int64)
    begin, at, found = int(distance.min()), 0, []
    for one in np.argsort(distance, kind="stable").tolist():
        start, stop = int(distance[one]) - begin, int(distance[one] + length[one]) - begin
        if start > at or at >= MAX_OCTETS:
            break
        if stop > at:
            found.append(read(int(packets["payload"][rows[one]]) + at - start, stop - at))
            at = stop
    return found
