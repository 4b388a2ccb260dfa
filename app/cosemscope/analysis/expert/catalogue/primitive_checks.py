"""The check of WPDUs against the transport layer's own core: what it refuses is an item.

Octets that are no WPDU, and WPDUs that break off or stand behind another one in their
datagram, are items of their streams already. What is left has to do with wPorts.
"""

import numpy as np

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.checks import Found, Rows, capture_check
from cosemscope.analysis.primitives.happenings import REPLAYED
from cosemscope.analysis.primitives.replay import Replay
from cosemscope.analysis.primitives.stream_ends import Refused
from cosemscope.streams.tables.expert_items import Group, Severity, Words
from cosemscope.transport.wpdu import BadVersion, Trailing, Truncated
from cosemscope.transport.wports import ALL_STATION, NO_STATION

_SAID_OF_STREAMS = (BadVersion, Trailing, Truncated)


@capture_check(
    "transport-refuses",
    Severity.WARNING,
    Group.WRAPPER,
    "the transport layer does not let the WPDU pass",
    "IEC 62056-4-7, 6.3.5",
)
def refused(analysis: Analysis, rows: Rows) -> Found:
    """WPDUs that the core refuses to send or to deliver, in streams with No-station or All-station."""
    suspects = _suspects(analysis)
    if not suspects:
        return {}
    replay = Replay(analysis)
    told = [
        (one.row, Words(one.sentence, one.clause))
        for stream in suspects
        for one in replay.told(stream)
        if isinstance(one, Refused) and one.row >= 0 and one.problem not in _SAID_OF_STREAMS
    ]
    return dict(zip(("wpdu", "said"), zip(*told, strict=True), strict=True)) if told else {}


def _suspects(analysis: Analysis) -> list[int]:
    """The streams of which the core may refuse something; to replay the others would show nothing."""
    wpdus = analysis.wpdus
    odd = np.zeros(len(wpdus), np.bool_)
    for wport in (wpdus["source_wport"], wpdus["destination_wport"]):
        odd |= (wport == NO_STATION) | (wport == ALL_STATION)
    streams = np.unique(wpdus["stream"][odd])
    carried: list[int] = streams[np.isin(analysis.streams["framing"][streams], REPLAYED)].tolist()
    return carried
