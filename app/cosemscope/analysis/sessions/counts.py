"""Counts of a whole capture, as `stats` prints them."""

from typing import Any, NamedTuple

import numpy as np

from cosemscope.apdu.names.tags import apdu_name
from cosemscope.capture.columns import Columns
from cosemscope.capture.packets.packet_row import TCP, UDP
from cosemscope.streams.tables.expert_items import ExpertItems
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.stream_kinds import (
    CAPTURED_TWICE,
    CONFLICT,
    CUT,
    HOLE,
    NO_FRAGMENT,
    NO_FRAME,
    OUT_OF_ORDER,
    RETRANSMISSION,
    SKIPPED,
    TRAILING,
)
from cosemscope.streams.tables.wpdu_table import Mark

# Framings that carry APDUs without WPDUs.
_NO_WPDUS = (Framing.HDLC, Framing.IEC_61334_4_32, Framing.MBUS, Framing.COAP)


class TableCounts(NamedTuple):
    """Rows of the WPDU table: whole WPDUs, truncated ones, and APDUs that came without a WPDU."""

    wpdus: int = 0
    truncated: int = 0
    others: int = 0

    def plus(self, other: "TableCounts") -> "TableCounts":
        """Both together."""
        return TableCounts(*(one + more for one, more in zip(self, other, strict=True)))


def table_counts(wpdus: Columns, rows: slice = slice(None)) -> TableCounts:
    """What these rows are: whoever counts rows tells these numbers."""
    carried = ~np.isin(wpdus["framing"][rows], _NO_WPDUS)
    truncated = int(np.count_nonzero(carried & ((wpdus["marks"][rows] & Mark.TRUNCATED) > 0)))
    whole = int(np.count_nonzero(carried)) - truncated
    return TableCounts(whole, truncated, len(carried) - whole - truncated)


def statistics(
    packets: Columns, streams: Columns, wpdus: Columns, items: ExpertItems, incomplete_datagrams: int
) -> dict[str, Any]:
    """The counts by name: packets, streams, WPDUs, APDUs by name (`apdu_tags`), and what was wrong.

    `wpdus` and `apdu_tags` count whole WPDUs, `truncated_wpdus` those of which octets are missing; what HDLC,
    IEC 61334-4-32, M-Bus and CoAP carry is no WPDU: `hdlc_frames` counts right frames, `other_apdus` the
    APDUs of all four.
    `missing_bytes` are octets of TCP and UDP that the capture lacks (holes, snap length, IP fragments),
    `incomplete_datagrams` IP datagrams of which not all fragments are there, `skipped_bytes` octets of
    recognised streams that are no WPDU.
    """
    carried = ~np.isin(wpdus["framing"], _NO_WPDUS)
    complete = (wpdus["marks"] & Mark.TRUNCATED) == 0
    whole = carried & complete
    tags = wpdus["apdu_tag"][whole]
    found, counts = np.unique(tags[tags >= 0], return_counts=True)
    framings, streams_of = np.unique(streams["framing"], return_counts=True)
    protocol = streams["protocol"]
    return {
        "packets": len(packets),
        "tcp_streams": int((protocol == TCP).sum()),
        "udp_flows": int((protocol == UDP).sum()),
        "wpdus": int(whole.sum()),
        "apdu_tags": {apdu_name(int(tag)): int(count) for tag, count in zip(found, counts, strict=True)},
        "retransmissions": items.count(RETRANSMISSION),
        "out_of_order": items.count(OUT_OF_ORDER),
        "missing_bytes": sum(map(items.total, (HOLE, CUT, NO_FRAGMENT))),
        "skipped_bytes": sum(map(items.total, (SKIPPED, TRAILING, NO_FRAME))),
        "truncated_wpdus": int((carried & ~complete).sum()),
        "conflicts": items.count(CONFLICT),
        "captured_twice": items.count(CAPTURED_TWICE),
        "holes": items.count(HOLE),
        "incomplete_datagrams": incomplete_datagrams,
        "hdlc_frames": int(streams["frames"].sum()),
        "other_apdus": int((~carried & complete).sum()),
        "framings": {
            Framing(int(framing)).label: int(count)
            for framing, count in zip(framings, streams_of, strict=True)
        },
    }
