"""Kinds of expert items that reassembly finds: in the octets of streams and datagrams.

The span of an item are the octets that it is about, and `amount` is their number, where no comment says
otherwise.
"""

from cosemscope.streams.tables.expert_items import Group, Severity, declare

WPDU_CLAUSE = "IEC 62056-4-7, 5.3.2 and 6.3.2 (WPDU)"
FRAME_CLAUSE = "IEC 62056-46, frame format type 3"
_ONE_WPDU = "IEC 62056-4-7, 5.3.3"

#: A segment of which at least one octet had been seen before, or that fills a gap long after.
RETRANSMISSION = declare(
    "retransmission", Severity.NOTE, Group.TCP, "{octets} retransmitted", "RFC 9293, 3.8.1"
)
#: A copy of a packet, which the capture made: no sender sent it again.
CAPTURED_TWICE = declare("captured-twice", Severity.CHAT, Group.TCP, "captured twice: a copy of {octets}")
#: A segment that arrived after one that was sent later.
OUT_OF_ORDER = declare("out-of-order", Severity.NOTE, Group.TCP, "segment of {octets} out of order")
#: A retransmitted segment; the amount are the octets that differ. The first ones stand, unless their checksum
#: is wrong and that of the others right.
CONFLICT = declare(
    "conflict", Severity.WARNING, Group.TCP, "retransmission differs from what was first seen in {octets}"
)
#: A segment further ahead than any window reaches, behind which the connection does not go on.
STRAY = declare(
    "stray-segment",
    Severity.WARNING,
    Group.TCP,
    "segment of {octets} outside any window: of another connection, or forged",
    "RFC 9293, 3.4",
)
HOLE = declare("hole", Severity.WARNING, Group.TCP, "{octets} missing in the capture")
CUT = declare("snap-length", Severity.WARNING, Group.FILE, "{octets} cut off by the snap length")
#: A datagram of which IP fragments are missing; the amount are the octets that were not captured of it.
NO_FRAGMENT = declare(
    "fragment-missing",
    Severity.WARNING,
    Group.FILE,
    "{octets} missing: not all IP fragments of the datagram are in the capture",
    "RFC 791, 3.2, and RFC 8200, 4.5",
)
KEEP_ALIVE = declare(
    "keep-alive", Severity.CHAT, Group.TCP, "keep-alive or zero-window probe", "RFC 9293, 3.8.4 and 3.8.6.1"
)
SKIPPED = declare("skipped-octets", Severity.WARNING, Group.WRAPPER, "{octets} skipped: no WPDU", WPDU_CLAUSE)
#: A header whose length fits, and whose version, the amount, is not 1: it is skipped, too.
WRONG_VERSION = declare(
    "wrong-version",
    Severity.WARNING,
    Group.WRAPPER,
    "a WPDU's header has the version {amount}, not 1",
    WPDU_CLAUSE,
)
#: The beginning of a header; the amount are the octets that it lacks.
CUT_HEADER = declare(
    "cut-header", Severity.WARNING, Group.WRAPPER, "a WPDU's header ends {octets} too early", WPDU_CLAUSE
)
TRAILING = declare(
    "trailing-octets", Severity.WARNING, Group.WRAPPER, "{octets} behind the WPDU of a datagram", _ONE_WPDU
)
#: A datagram; the amount are its WPDUs.
SEVERAL = declare(
    "several-wpdus", Severity.WARNING, Group.WRAPPER, "{amount} WPDUs in one datagram", _ONE_WPDU
)
NO_FRAME = declare("no-frame", Severity.WARNING, Group.HDLC, "{octets} skipped: no HDLC frame", FRAME_CLAUSE)
DAMAGED_FRAME = declare(
    "damaged-frame",
    Severity.ERROR,
    Group.HDLC,
    "a check sequence, length field or address of an HDLC frame is wrong",
    FRAME_CLAUSE,
)
#: An information frame, or several that are segments; what they carry is in no row.
NO_LLC = declare(
    "no-llc",
    Severity.WARNING,
    Group.HDLC,
    "{octets} without LLC octets before them: perhaps the rest of an APDU",
    "IEC 62056-46, LLC sublayer",
)
#: The beginning of a frame; the amount are the octets that it lacks at least.
CUT_FRAME = declare(
    "cut-frame", Severity.WARNING, Group.HDLC, "HDLC frame ends at least {octets} too early", FRAME_CLAUSE
)
