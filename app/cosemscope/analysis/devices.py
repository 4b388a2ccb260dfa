"""Which wPort pairs of a capture belong together: those of one client and one server in many connections.

A head-end that connects anew for every reading asks for a scaler once. What it told holds for the later
connections between the same two hosts, to the same port and the same wPorts. Where the server is the one that
connects (push), many may come from behind one address: there nothing is taken to be the same.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.engine import Analysis


class Device(NamedTuple):
    """Who talks to which logical device: addresses, the server's port, client's and server's wPort."""

    client: str
    server: str
    port: int
    near: int
    far: int


def device_of(analysis: Analysis, pair: int) -> Device | None:
    """The device of a pair's row; None where the stream's client is not the DLMS client."""
    if not analysis.dlms_client_is_near(pair):
        return None
    pairs = analysis.pairs
    client, server = analysis.endpoints(pairs["stream"].item(pair))
    near, far = pairs["near"].item(pair), pairs["far"].item(pair)
    return Device(client.address, server.address, server.port, near, far)


def rows_of_device(analysis: Analysis, row: int) -> npt.NDArray[np.int64]:
    """The WPDU rows up to and with this one that belong to its device (else to its pair), in order."""
    owners = analysis.wpdu_pairs["pair"][: row + 1]
    pair = int(owners[row])
    if not analysis.dlms_client_is_near(pair):
        return np.flatnonzero(owners == pair)
    pairs = analysis.pairs
    same = (pairs["near"] == pairs["near"][pair]) & (pairs["far"] == pairs["far"][pair])
    same &= pairs["client_votes"] >= pairs["server_votes"]
    chosen = np.flatnonzero(same)
    ends = _ends(analysis, chosen)
    mine = ends[chosen == pair][0]
    chosen = chosen[(ends == mine).all(1)]
    return np.flatnonzero(np.isin(owners, chosen))


def _ends(analysis: Analysis, pairs: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Client's address, server's address and port of each of these pairs, as numbers."""
    stream = analysis.pairs["stream"][pairs]
    flow, side = analysis.streams["flow"][stream], analysis.streams["client_side"][stream]
    flows = analysis.flows

    def of(what: str, server: int) -> npt.NDArray[np.uint64]:
        found = np.where(side == server, flows[f"a_{what}"][flow], flows[f"b_{what}"][flow])
        return found.astype(np.uint64)

    family = flows["family"][flow].astype(np.uint64)
    columns = [of("high", 0), of("low", 0), of("high", 1), of("low", 1), of("port", 1), family]
    return np.stack(columns, axis=1)
