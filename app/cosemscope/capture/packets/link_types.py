"""Link layers: the names and numbers of capture link types, and what stands in their headers.

The numbers are those of the tcpdump.org registry (LINKTYPE_), which pcap and pcapng files use. Types that
carry IP in a way that this program does not read still have a name, and any other is named by its number.
"""

from enum import IntEnum
from types import MappingProxyType


class LinkType(IntEnum):
    """The link types whose packets are opened."""

    NULL = 0
    ETHERNET = 1
    SLIP = 8
    PPP = 9
    RAW_BSD = 12
    RAW_OPENBSD = 14
    PPP_HDLC = 50
    PPPOE = 51
    RAW = 101
    CISCO_HDLC = 104
    IEEE_802_11 = 105
    FRAME_RELAY = 107
    LOOP = 108
    LINUX_SLL = 113
    RADIOTAP = 127
    PPP_PPPD = 166
    PPI = 192
    PPP_DIRECTION = 204
    IPV4 = 228
    IPV6 = 229
    NFLOG = 239
    PKTAP = 258
    LINUX_SLL2 = 276
    BROADCOM = 281
    BROADCOM_BEFORE = 282
    DSA = 284
    EDSA = 285


OPENED_TYPES = frozenset(LinkType)
RAW_TYPES = frozenset((LinkType.RAW_BSD, LinkType.RAW_OPENBSD, LinkType.RAW, LinkType.IPV4, LinkType.IPV6))
LOOPBACK_TYPES = frozenset((LinkType.NULL, LinkType.LOOP))

# EtherTypes (IEEE 802), which serve here as the names of network layers on every link.
IPV4 = 0x0800
IPV6 = 0x86DD
TRANSPARENT_ETHERNET = 0x6558
PPPOE_SESSION = 0x8864
PPP_IN_GRE = 0x880B
# Labels before an IP packet (RFC 3032): the second type was once for multicast (RFC 5332).
MPLS, MPLS_UPSTREAM = 0x8847, 0x8848
MPLS_LABELS = frozenset((MPLS, MPLS_UPSTREAM))
VLAN_TAGS = frozenset((0x8100, 0x88A8, 0x9100, 0x9200))
# Tags of port extenders and virtual interfaces (IEEE 802.1BR, VN-Tag), provider backbones (IEEE 802.1ah), and
# service functions (RFC 8300).
E_TAG, VN_TAG, PROVIDER_BACKBONE, NSH = 0x893F, 0x8926, 0x88E7, 0x894F
# Protocol types of GRE for packets that a switch mirrors.
ERSPAN, ERSPAN_3 = 0x88BE, 0x22EB
# Below this a frame's type field is a length (IEEE 802.3).
FIRST_ETHERTYPE = 0x0600

# Address families in the header of NULL and LOOP: 2 everywhere, IPv6 by operating system
# (Linux 10, Windows 23, NetBSD and OpenBSD 24, FreeBSD 28, Darwin 30).
FAMILIES = MappingProxyType({2: IPV4, 10: IPV6, 23: IPV6, 24: IPV6, 28: IPV6, 30: IPV6})

# PPP protocol numbers (RFC 1332, RFC 5072, RFC 3032).
PPP_PROTOCOLS = MappingProxyType({0x0021: IPV4, 0x0057: IPV6, 0x0281: MPLS, 0x0283: MPLS_UPSTREAM})

# Next protocols of NSH (RFC 8300), and of VXLAN with such a field.
NEXT_PROTOCOLS = MappingProxyType({1: IPV4, 2: IPV6, 3: TRANSPARENT_ETHERNET, 4: NSH, 5: MPLS})

_NAMES = MappingProxyType(
    {
        LinkType.NULL: "NULL (BSD loopback)",
        LinkType.ETHERNET: "Ethernet",
        6: "IEEE 802.5 Token Ring",
        LinkType.SLIP: "SLIP",
        LinkType.PPP: "PPP",
        LinkType.RAW_BSD: "Raw IP",
        LinkType.RAW_OPENBSD: "Raw IP",
        LinkType.PPP_HDLC: "PPP in HDLC-like framing",
        LinkType.PPPOE: "PPPoE",
        LinkType.RAW: "Raw IP",
        LinkType.CISCO_HDLC: "Cisco HDLC",
        LinkType.IEEE_802_11: "IEEE 802.11",
        LinkType.FRAME_RELAY: "Frame Relay",
        LinkType.LOOP: "LOOP (OpenBSD loopback)",
        LinkType.LINUX_SLL: "Linux cooked (SLL)",
        119: "IEEE 802.11 with Prism header",
        LinkType.RADIOTAP: "IEEE 802.11 with radiotap",
        163: "IEEE 802.11 with AVS header",
        **{147 + user: f"USER{user}" for user in range(16)},
        LinkType.PPP_PPPD: "PPP of pppd, with direction",
        177: "Linux LAPD",
        187: "Bluetooth HCI H4",
        189: "USB (Linux)",
        LinkType.PPI: "PPI",
        195: "IEEE 802.15.4 with FCS",
        LinkType.PPP_DIRECTION: "PPP with direction",
        LinkType.IPV4: "Raw IPv4",
        LinkType.IPV6: "Raw IPv6",
        230: "IEEE 802.15.4",
        LinkType.NFLOG: "Linux netfilter log (NFLOG)",
        249: "USB (USBPcap)",
        252: "Wireshark upper PDU",
        LinkType.PKTAP: "PKTAP (macOS)",
        LinkType.LINUX_SLL2: "Linux cooked (SLL2)",
        LinkType.BROADCOM: "Ethernet with Broadcom tag",
        LinkType.BROADCOM_BEFORE: "Ethernet behind Broadcom tag",
        283: "IEEE 802.15.4 TAP",
        LinkType.DSA: "Ethernet with DSA tag",
        LinkType.EDSA: "Ethernet with EDSA tag",
    }
)


def link_type_name(link_type: int) -> str:
    """The name of a link type, such as "Ethernet" or "USER0"; "link type 4711" for one without."""
    return _NAMES.get(link_type, f"link type {link_type}")
