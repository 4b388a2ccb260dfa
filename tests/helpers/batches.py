"""Batches of records in memory: packets as a reader would hand them on, without a file."""

from collections.abc import Sequence

import numpy as np

from cosemscope.capture.records import PADDING, Interface, RecordBatch

#: Octets of other things before the first packet, and the address of the buffer in its file.
GAP, BASE = 24, 1_000


def batch_of(
    packets: Sequence[bytes],
    *,
    links: Sequence[int] = (),
    originals: Sequence[int] = (),
    gap: int = GAP,
    base: int = BASE,
) -> RecordBatch:
    """Packets of the link types `links` (Ethernet unless given), `originals` octets long on the wire."""
    types = list(dict.fromkeys(links)) or [1]
    offset, octets = [], bytearray(b"\xa5" * gap)
    for packet in packets:
        offset.append(base + len(octets))
        octets += packet + b"\xa5" * 16
    captured = np.array([len(packet) for packet in packets], np.uint32)
    return RecordBatch(
        time=np.arange(len(packets), dtype=np.int64),
        offset=np.array(offset, np.int64),
        captured=captured,
        original=np.array(originals, np.uint32) if originals else captured,
        interface=np.array([types.index(link) for link in links] or [0] * len(packets), np.uint16),
        interfaces=[Interface(link) for link in types],
        buffer=np.frombuffer(bytes(octets) + bytes(PADDING), np.uint8),
        base=base,
    )
