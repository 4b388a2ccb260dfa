"""Sockets under the transport layer: links and servers, and the commands and checks made of them.

What scripts use is here by name; inside the package names are imported from their homes. The client of meters
is imported when somebody asks for it: links alone need nothing of the application layer.
"""

import importlib
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from cosemscope.live.client.client_refused import MeterError
    from cosemscope.live.client.counter_book import CounterBook
    from cosemscope.live.client.meter_access import MeterAccess
    from cosemscope.live.client.meter_client import Meter, MeterProfile, connect_meter
    from cosemscope.live.sequences.sequence_job import run_steps
    from cosemscope.live.sequences.step_tables import load_sequence

#: Where the names of the client are at home.
_CLIENT = {
    "CounterBook": "client.counter_book",
    "Meter": "client.meter_client",
    "MeterAccess": "client.meter_access",
    "MeterError": "client.client_refused",
    "MeterProfile": "client.meter_client",
    "connect_meter": "client.meter_client",
    "load_sequence": "sequences.step_tables",
    "run_steps": "sequences.sequence_job",
}

__all__ = [
    "CounterBook",
    "Fault",
    "LinkAddress",
    "LinkClosedError",
    "LinkConnectionError",
    "LinkError",
    "LinkOptions",
    "LinkRefusedError",
    "LinkResetError",
    "LinkTimeoutError",
    "Meter",
    "MeterAccess",
    "MeterError",
    "MeterProfile",
    "Origin",
    "Recorder",
    "TcpLink",
    "TcpServer",
    "UdpLink",
    "UdpServer",
    "connect_meter",
    "connect_tcp",
    "connect_udp",
    "load_sequence",
    "run_steps",
    "serve_tcp",
    "serve_udp",
]


def __getattr__(name: str) -> Any:
    """The names of the client, which come from their homes."""
    if name in _CLIENT:
        return getattr(importlib.import_module(f"{__name__}.{_CLIENT[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
