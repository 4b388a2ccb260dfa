"""Fields of a packet row, and the limits within which headers are believed, for both ways of reading packets.

Every packet is one row. One that carries no TCP or UDP that can be read is all zeros. Lengths on the wire
follow the IP header, so that Ethernet trailers do not count; where IP tells none (segmentation offload), the
packet's length does. Addresses are those of the octets in the file or the side store. `tsval` is the time
stamp of TCP, `vlan` the identifier in the innermost tag, `unopened` the kind of an encapsulation that was met
and is not opened (see `unopened`); each is 0 for none.
"""

from typing import NamedTuple

import numpy as np

TCP = 6
UDP = 17
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
IP_IN_IP = 4
IPV6_IN_IP = 41
GRE = 47
AH = 51
ETHER_IP = 97
# Headers of IPv6 for mobile nodes, host identities and shim6 (RFC 6275, 7401, 5533): sized as options are.
IPV6_MOVING = (135, 139, 140)
VXLAN_PORT = 4789
VXLAN_GPE_PORT = 4790
GENEVE_PORT = 6081
# GRE in UDP (RFC 8086).
GRE_PORT = 4754
GTP_U_PORT = 2152
# The message type of GTP-U that carries a packet (3GPP TS 29.281).
G_PDU = 255
# Tunnels in tunnels, tags on tags: no more than this many headers are opened in one packet.
MAX_LAYERS = 32
# The part of a VLAN's tag that is its identifier.
VLAN_ID = 0x0FFF


class PacketRow(NamedTuple):
    """Values that the headers of one packet give; the columns of `ROW` by the same names."""

    protocol: int
    family: int
    source_high: int
    source_low: int
    source_port: int
    destination_high: int
    destination_low: int
    destination_port: int
    seq: int
    ack: int
    flags: int
    window: int
    payload: int
    payload_length: int
    payload_captured: int
    ip_id: int
    unopened: int = 0
    tsval: int = 0
    vlan: int = 0


# A packet row as a NumPy type, field by field as in `PacketRow`.
ROW = np.dtype(
    [
        ("protocol", "u1"),
        ("family", "u1"),
        ("source_high", "u8"),
        ("source_low", "u8"),
        ("source_port", "u2"),
        ("destination_high", "u8"),
        ("destination_low", "u8"),
        ("destination_port", "u2"),
        ("seq", "u4"),
        ("ack", "u4"),
        ("flags", "u2"),
        ("window", "u2"),
        ("payload", "i8"),
        ("payload_length", "u4"),
        ("payload_captured", "u4"),
        ("ip_id", "u2"),
        ("unopened", "u1"),
        ("tsval", "u4"),
        ("vlan", "u2"),
    ]
)
