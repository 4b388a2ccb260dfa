"""What a lane of the timing graph stands for, and its name: a pair of wPorts, a connection or a meter."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.engine import Analysis
from cosemscope.capture.columns import Columns
from cosemscope.gui.document.traffic import Traffic
from cosemscope.transport.wports import Side, wport_name
from cosemscope.wording import printable

Keys = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Lane(NamedTuple):
    """A lane: the key that its wPort pairs share, and the row of one of them; -1 in the lane of the rest."""

    key: int
    pair: int


#: The lane that those share that have no room for their own.
REST = Lane(-1, -1)


def _wports(analysis: Analysis, pairs: Columns, straight: Mask) -> Keys:
    near, far = (pairs[name][: len(straight)].astype(np.int64) for name in ("near", "far"))
    return np.where(straight, near << 16 | far, far << 16 | near)


def _connections(analysis: Analysis, pairs: Columns, straight: Mask) -> Keys:
    return pairs["stream"][: len(straight)].astype(np.int64)


def _meters(analysis: Analysis, pairs: Columns, straight: Mask) -> Keys:
    stream = pairs["stream"][: len(straight)]
    flow, side = analysis.streams["flow"][stream], analysis.streams["client_side"][stream]
    of_a = (side == 1) == straight  # whether the meter is the flow's first end
    flows = analysis.flows
    # Ranks of their parts, since whole addresses are records, which sort a hundred times slower.
    key = flows["family"][flow].astype(np.int64)
    for part in ("high", "low"):
        told = np.where(of_a, flows[f"a_{part}"][flow], flows[f"b_{part}"][flow])
        parts, rank = np.unique(told, return_inverse=True)
        key = key * (len(parts) + 1) + rank
    return key


def _meter(traffic: Traffic, pair: int) -> tuple[str, str]:
    """The addresses of meter and client of a wPort pair's row, the client's with its port."""
    analysis = traffic.analysis
    client, server = analysis.endpoints(int(analysis.pairs["stream"][pair]))
    if not analysis.dlms_client_is_near(pair):
        client, server = server, client
    return printable(
        traffic.named(server.address)
    ), f"{printable(traffic.named(client.address))}:{client.port}"


def _wports_text(traffic: Traffic, lane: Lane) -> tuple[str, str]:
    client, server = lane.key >> 16, lane.key & 0xFFFF
    names = wport_name(client, Side.CLIENT), wport_name(server, Side.SERVER)
    return f"{client} ↔ {server}", f"{client}: {names[0]} ↔ {server}: {names[1]}"


def _connection_text(traffic: Traffic, lane: Lane) -> tuple[str, str]:
    meter, client = _meter(traffic, lane.pair)
    return f"{meter}  #{lane.key}", f"stream {lane.key}: {client} ↔ {meter}"


def _meter_text(traffic: Traffic, lane: Lane) -> tuple[str, str]:
    meter, _ = _meter(traffic, lane.pair)
    return meter, meter


class LaneKind(NamedTuple):
    """A kind of lane: its word, the axis' title, the key of each wPort pair, and a lane's label and tip."""

    word: str
    title: str
    keys: Callable[[Analysis, Columns, Mask], Keys]
    text: Callable[[Traffic, Lane], tuple[str, str]]


#: The kinds, by the name under which the choice is remembered.
LANE_KINDS = {
    "wports": LaneKind("wPort pair", "client ↔ server wPort", _wports, _wports_text),
    "meter": LaneKind("meter", "meter", _meters, _meter_text),
    "connection": LaneKind("connection", "meter, stream", _connections, _connection_text),
}
