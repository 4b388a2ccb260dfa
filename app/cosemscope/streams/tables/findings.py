"""What is wrong or remarkable in streams: one row a finding, with the place where it stands.

A finding names a stream, a direction, a packet, the offset in the stream of
that direction and a number of octets. What the offset and the amount mean is
in `FindingKind`; `describe` makes the sentence.
"""

from enum import IntEnum
from typing import Any

from cosemscope.capture.columns import Columns


class FindingKind(IntEnum):
    """What was found; the comment says what `amount` counts."""

    RETRANSMISSION = 1  # octets of a segment of which at least one octet had been seen before
    OUT_OF_ORDER = 2  # octets of a segment that arrived after one that was sent later
    CONFLICT = 3  # octets that differ from those first seen at the same place (the first ones stand)
    HOLE = 4  # octets of the stream that are not in the capture
    CUT = 5  # octets that the snap length cut off
    SKIPPED = 6  # octets that are no WPDU: skipped up to the next believable header
    TRUNCATED = 7  # octets that the WPDU lacks: its connection, datagram or capture ended before it
    TRAILING = 8  # octets behind the WPDU of a datagram that are no WPDU
    SEVERAL = 9  # WPDUs in one datagram (the standard allows one)
    KEEP_ALIVE = 10  # octets (0 or 1) of a keep-alive or zero-window probe


#: Finding columns: `kind` (FindingKind), `stream` and `packet` rows, `direction` (0: client to server of
#: the stream), `offset` (octet of the stream's direction, 0 the first), `amount` (see FindingKind).
FINDING_FIELDS: dict[str, str] = {
    "kind": "u1",
    "stream": "u4",
    "direction": "u1",
    "packet": "u4",
    "offset": "i8",
    "amount": "u4",
}

_SENTENCES = {
    FindingKind.RETRANSMISSION: "{count} octets retransmitted",
    FindingKind.OUT_OF_ORDER: "segment of {count} octets out of order",
    FindingKind.CONFLICT: "{count} retransmitted octets differ from those first seen",
    FindingKind.HOLE: "{count} octets are missing in the capture",
    FindingKind.CUT: "{count} octets cut off by the snap length",
    FindingKind.SKIPPED: "{count} octets skipped: no WPDU",
    FindingKind.TRUNCATED: "WPDU ends {count} octets too early",
    FindingKind.TRAILING: "{count} octets behind the WPDU of the datagram",
    FindingKind.SEVERAL: "{count} WPDUs in one datagram",
    FindingKind.KEEP_ALIVE: "keep-alive or zero-window probe",
}


class FindingTable(Columns):
    """The findings, in the order in which they became known."""

    def __init__(self) -> None:
        super().__init__(FINDING_FIELDS)

    def describe(self, row: int) -> str:
        """The finding as a sentence: what, how much and where in the stream."""
        kind = FindingKind(int(self["kind"][row]))
        values: dict[str, Any] = {"count": int(self["amount"][row])}
        return f"{_SENTENCES[kind].format(**values)}, at octet {int(self['offset'][row])} of the stream"
