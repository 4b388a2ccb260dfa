"""Sockets under the transport layer: links and servers, and the commands and checks made of them.

What scripts use is here by name; inside the package names are imported from their homes.
"""

from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.faults import (
    Fault,
    LinkClosedError,
    LinkConnectionError,
    LinkError,
    LinkRefusedError,
    LinkResetError,
    LinkTimeoutError,
)
from cosemscope.live.links.networks import Origin
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_link import TcpLink, connect_tcp
from cosemscope.live.links.tcp_server import TcpServer, serve_tcp
from cosemscope.live.links.tcp_sockets import LinkOptions
from cosemscope.live.links.udp_link import UdpLink, UdpServer, connect_udp, serve_udp

__all__ = [
    "Fault",
    "LinkAddress",
    "LinkClosedError",
    "LinkConnectionError",
    "LinkError",
    "LinkOptions",
    "LinkRefusedError",
    "LinkResetError",
    "LinkTimeoutError",
    "Origin",
    "Recorder",
    "TcpLink",
    "TcpServer",
    "UdpLink",
    "UdpServer",
    "connect_tcp",
    "connect_udp",
    "serve_tcp",
    "serve_udp",
]
