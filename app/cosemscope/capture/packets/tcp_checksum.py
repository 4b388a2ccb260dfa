"""The checksum of a TCP segment (RFC 9293, 3.1), looked at only where two copies of one differ."""

from collections.abc import Callable

import numpy as np

from cosemscope.capture.columns import Columns
from cosemscope.capture.packets.packet_row import TCP

_HEADER_SIZES = range(20, 64, 4)


def has_right_checksum(packets: Columns, flows: Columns, row: int, read: Callable[[int, int], bytes]) -> bool:
    """True if a segment was captured whole and its checksum is that of its octets and ends.

    `read(address, length)` gives octets of the capture.
    """
    length, address = int(packets["payload_length"][row]), int(packets["payload"][row])
    if packets["protocol"][row] != TCP or packets["payload_captured"][row] < length:
        return False
    head = read(address - 60, 60) if address >= 60 else b""
    number = int(packets["seq"][row]).to_bytes(4, "big")
    for size in _HEADER_SIZES:
        begun = len(head) - size
        if begun >= 0 and head[begun + 12] >> 4 == size // 4 and head[begun + 4 : begun + 8] == number:
            segment = head[begun:] + read(address, length)
            return _total(_ends(flows, int(packets["flow"][row])) + segment, TCP + len(segment)) == 0xFFFF
    return False


def _ends(flows: Columns, flow: int) -> bytes:
    """The addresses of the pseudo header, in any order: the sum is the same."""
    six = flows["family"][flow] == 6
    names = ("a_high", "a_low", "b_high", "b_low") if six else ("a_low", "b_low")
    return b"".join(int(flows[name][flow]).to_bytes(8, "big") for name in names)


def _total(octets: bytes, total: int) -> int:
    """The one's complement sum of octets and a number."""
    total += int(np.frombuffer(octets + bytes(len(octets) % 2), ">u2").sum(dtype=np.int64))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total
