"""A capture made by hand: the tables of an analysis without a file, for tests of single panes."""

import numpy as np

from cosemscope.analysis.sessions.session_tree import Peers, StreamSession, WPortPair
from cosemscope.analysis.sessions.wport_pairs import PAIR_FIELDS
from cosemscope.capture.columns import Columns
from cosemscope.capture.packets.flows import FLOW_FIELDS, Endpoint
from cosemscope.gui.document.traffic import Traffic
from cosemscope.streams.stream_table import STREAM_FIELDS
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.wpdu_table import WPDU_FIELDS

START = 1_700_000_000_000_000_000

REQUEST = bytes.fromhex("c001c100080000010000ff0200")
ANSWER = bytes.fromhex("c401c10006000004d2")


def wpdu(source: int, destination: int, data: bytes) -> bytes:
    header = b"".join(number.to_bytes(2, "big") for number in (1, source, destination, len(data)))
    return header + data


class FakeAnalysis:
    """`streams` connections from 10.0.0.1 to 10.0.1.n, requests and answers in turn, a millisecond apart."""

    def __init__(self, wpdus: int, streams: int = 2) -> None:
        self.wpdus = Columns(WPDU_FIELDS)
        self.streams = Columns(STREAM_FIELDS)
        self.flows = Columns(FLOW_FIELDS)
        self.pairs = Columns(PAIR_FIELDS)
        self.wpdu_pairs = Columns({"pair": "u4"})
        self._add_streams(streams)
        self._add_wpdus(wpdus, streams)

    def _add_streams(self, streams: int) -> None:
        number = np.arange(streams)
        self.flows.extend(
            streams,
            protocol=6,
            family=4,
            a_low=0x0A000001,
            a_port=50000 - number,
            b_low=0x0A000101 + number,
            b_port=4059,
        )
        self.streams.extend(streams, protocol=6, flow=number, framing=Framing.WRAPPER, rtt=-1)
        self.pairs.extend(streams, stream=number, near=16 + number % 3, far=1, client_votes=1)

    def _add_wpdus(self, wpdus: int, streams: int) -> None:
        row = np.arange(wpdus)
        stream = row // 2 % streams
        direction = row % 2
        client = 16 + stream % 3
        self.wpdus.extend(
            wpdus,
            first_packet=row,
            last_packet=row,
            segments=1,
            time=START + row * 1_000_000,
            first_time=START + row * 1_000_000,
            stream=stream,
            direction=direction,
            framing=Framing.WRAPPER,
            version=1,
            source_wport=np.where(direction == 0, client, 1),
            destination_wport=np.where(direction == 0, 1, client),
            length=np.where(direction == 0, 13, 9),
            apdu_tag=np.where(direction == 0, 0xC0, 0xC4),
            size=np.where(direction == 0, 21, 17),
        )
        self.wpdu_pairs.extend(wpdus, pair=stream)

    def endpoints(self, stream: int) -> tuple[Endpoint, Endpoint]:
        return Endpoint("10.0.0.1", 50000 - stream), Endpoint(f"10.0.1.{1 + stream}", 4059)

    def dlms_client_is_near(self, pair: int) -> bool:
        return True

    def octets(self, row: int) -> bytes:
        source, destination = (self.wpdus[name].item(row) for name in ("source_wport", "destination_wport"))
        return wpdu(source, destination, ANSWER if self.wpdus["direction"].item(row) else REQUEST)

    def sessions(self) -> tuple[Peers, ...]:
        found = []
        for stream in range(len(self.streams)):
            mask = self.wpdus["stream"] == stream
            times = self.wpdus["time"][mask]
            if not len(times):
                continue
            first, last, number = int(times[0]), int(times[-1]), int(mask.sum())
            client, server = self.endpoints(stream)
            pair = WPortPair(
                16 + stream % 3,
                1,
                "Public Client",
                "Management Logical Device",
                number,
                19 * number,
                first,
                last,
                stream,
            )
            session = StreamSession(
                stream,
                6,
                client,
                server,
                Framing.WRAPPER,
                number,
                number,
                19 * number,
                first,
                last,
                (pair,),
            )
            found.append(Peers(client.address, server.address, (session,)))
        return tuple(found)


def fake_traffic(wpdus: int, streams: int = 2) -> Traffic:
    """The window's view of a capture made by hand, all of it read."""
    traffic = Traffic(FakeAnalysis(wpdus, streams))
    traffic.total = wpdus
    return traffic
