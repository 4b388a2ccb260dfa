"""Capture filters (BPF) out of a capture: take only the packets of one session from now on."""

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.sessions.session_tree import protocol_name
from cosemscope.capture.filter_text import LATER_FRAGMENTS, behind_tags


def session_capture_filter(
    analysis: Analysis, stream: int, *, link_type: int = 1, again: bool = False
) -> str:
    """The capture filter that takes a stream's packets alone: both addresses, both ports, later fragments.

    With `again` also later connections of the same client to the same server, whose own port is another one.
    `link_type` is that of the interfaces to capture on.

    >>> session_capture_filter(analysis, 0, link_type=113)
    'host 192.0.2.10 and host 198.51.100.21 and (tcp port 50112 and tcp port 4059 or ...)'
    """
    client, server = analysis.endpoints(stream)
    protocol = protocol_name(int(analysis.streams["protocol"][stream]))
    ports = dict.fromkeys((server.port,) if again else (client.port, server.port))
    named = " and ".join(f"{protocol} port {port}" for port in ports)
    hosts = " and ".join(f"host {address}" for address in dict.fromkeys((client.address, server.address)))
    return behind_tags(f"{hosts} and ({named} or {LATER_FRAGMENTS})", link_type)
