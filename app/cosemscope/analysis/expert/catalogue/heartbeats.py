"""Heartbeats: the same few octets between WPDUs again and again, which keep a connection up."""

import numpy as np

from cosemscope.streams.tables.expert_items import ExpertItems, Group, Severity, declare
from cosemscope.streams.tables.stream_kinds import SKIPPED

HEARTBEAT = declare(
    "heartbeat", Severity.CHAT, Group.WRAPPER, "{octets} that come again and again between WPDUs"
)
#: Octets of a heartbeat at most, and how often it comes at least in one direction.
_LONGEST, _OFTEN = 16, 3


def settle_heartbeats(items: ExpertItems) -> None:
    """Turn skipped octets into heartbeats where a direction of a stream has as few of them three times."""
    rows = np.flatnonzero((items["kind"] == SKIPPED.number) & (items["amount"] <= _LONGEST))
    if not len(rows):
        return
    key = items["stream"][rows] << 8 | items["direction"][rows].astype(np.int64) << 5 | items["amount"][rows]
    _, number, count = np.unique(key, return_inverse=True, return_counts=True)
    items["kind"][rows[count[number.reshape(-1)] >= _OFTEN]] = HEARTBEAT.number
