"""A small pcapng with what people and programs write into captures: a comment, a name, a count of drops."""

import socket
from pathlib import Path

from tests.helpers.files import Pcapng
from tests.helpers.packets import B4, ethernet, ipv4, udp

WPDU = bytes.fromhex("000100010010000d c001c100080000010000ff0200")
NAME = "meter-17"


def write_annotated(path: Path, *comments: bytes, name: str = NAME) -> Path:
    """A datagram, then one with each of the comments; `B4` has `name`; the interface dropped 7 packets."""
    b = Pcapng()
    frame = ethernet(ipv4(udp(WPDU), 17))
    commented = (
        b.enhanced(1_700_000_000_000_000 + 100_000 * place, frame, (1, comment))
        for place, comment in enumerate(comments, 1)
    )
    path.write_bytes(
        b.section()
        + b.interface()
        + b.names((1, socket.inet_aton(B4) + name.encode() + b"\0"))
        + b.enhanced(1_700_000_000_000_000, frame)
        + b"".join(commented)
        + b.statistics(0, 1_700_000_001_000_000, (4, b.number(9, 8)), (5, b.number(7, 8)))
    )
    return path
