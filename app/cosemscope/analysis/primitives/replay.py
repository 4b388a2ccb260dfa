"""Replay of a captured stream through the transport layer's core, one core an end.

The core says which primitives pass between the transport layer and its users, as Figures
8 to 10 and A.2 to A.6 draw them. What it is told comes from the capture; what it says
comes out with time and parameters. What it does not let pass is a refusal with its clause.
"""

from collections.abc import Iterator

import numpy as np

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.primitives.happenings import REPLAYED, Grouped, Happenings
from cosemscope.analysis.primitives.stream_ends import Told, UdpEnds
from cosemscope.analysis.primitives.tcp_ends import TcpEnds
from cosemscope.capture.columns import Array
from cosemscope.capture.packets.packet_row import TCP
from cosemscope.transport.bindings import WPortBindings
from cosemscope.transport.wports import ALL_STATION, MANAGEMENT_LOGICAL_DEVICE, NO_STATION, Side


class Replay:
    """Replays streams of an analysis that has been read to its end."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._happenings = Happenings(analysis)
        self._pairs = Grouped(analysis.pairs["stream"])

    def streams(self) -> list[int]:
        """The streams whose ends have primitives: TCP connections, and UDP flows that carry WPDUs."""
        streams = self._analysis.streams
        told = (streams["protocol"] == TCP) | np.isin(streams["framing"], REPLAYED)
        found: list[int] = np.flatnonzero(told).tolist()
        return found

    def told(self, stream: int) -> Iterator[Told]:
        """The primitives and refusals at both ends of a stream, in the order of the capture.

        Of a connection that carries no WPDUs of IEC 62056-4-7 there is its beginning and its end alone.
        """
        happenings = self._happenings.of(stream)
        tcp = self._analysis.streams["protocol"][stream] == TCP
        ends = (TcpEnds if tcp else UdpEnds)(self._analysis, stream, self._bindings(stream))
        now = 0.0
        for happening in happenings:
            self._analysis.look()
            now = max(now, (happening.time - happenings[0].time) / 1e9)
            yield from ends.take(happening, now)

    def _bindings(self, stream: int) -> tuple[WPortBindings, WPortBindings]:
        """The wPorts of both ends: those that send there, and those addressed there but for nobody's."""
        rows = self._pairs.rows(stream)
        near, far = (self._analysis.pairs[name][rows] for name in ("near", "far"))
        senders = self._happenings.senders(stream)
        near_is_client = all(self._analysis.dlms_client_is_near(row) for row in rows.tolist())
        roles = (Side.CLIENT, Side.SERVER) if near_is_client else (Side.SERVER, Side.CLIENT)
        return (_bound(roles[0], near, senders[0]), _bound(roles[1], far, senders[1]))


def _bound(role: Side, wports: Array, sends: set[int]) -> WPortBindings:
    """The bindings of an end with these wPorts, uint16[n], and those that send."""
    addressed = set(wports.tolist()) - {NO_STATION}
    bound = addressed | sends  # who sends as No-station has bound it, against Table 1
    if role is Side.SERVER:
        # No logical device is All-station, which reaches all of them, and the one that every device has.
        bound = bound - {ALL_STATION} or {MANAGEMENT_LOGICAL_DEVICE}
    return WPortBindings(role, sorted(bound))
