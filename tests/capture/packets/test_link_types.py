"""Names of link types, their numbers against those of dpkt, and the types whose packets are opened."""

import dpkt
import pytest

from cosemscope.capture.packets import link_types
from cosemscope.capture.packets.link_types import OPENED_TYPES, LinkType, link_type_name


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (LinkType.NULL, dpkt.pcap.DLT_NULL),
        (LinkType.ETHERNET, dpkt.pcap.DLT_EN10MB),
        (LinkType.PPP, dpkt.pcap.DLT_PPP),
        (LinkType.PPP_HDLC, dpkt.pcap.DLT_PPP_SERIAL),
        (LinkType.CISCO_HDLC, dpkt.pcap.DLT_C_HDLC),
        (LinkType.LOOP, dpkt.pcap.DLT_LOOP),
        (LinkType.LINUX_SLL, dpkt.pcap.DLT_LINUX_SLL),
        (LinkType.LINUX_SLL2, dpkt.pcap.DLT_LINUX_SLL2),
        (link_types.IPV4, dpkt.ethernet.ETH_TYPE_IP),
        (link_types.IPV6, dpkt.ethernet.ETH_TYPE_IP6),
        (link_types.MPLS, dpkt.ethernet.ETH_TYPE_MPLS),
        (link_types.MPLS_UPSTREAM, dpkt.ethernet.ETH_TYPE_MPLS_MCAST),
        (link_types.PPPOE_SESSION, dpkt.ethernet.ETH_TYPE_PPPoE),
        (link_types.TRANSPARENT_ETHERNET, dpkt.ethernet.ETH_TYPE_TEB),
    ],
)
def test_numbers_are_those_of_others(mine: int, theirs: int) -> None:
    """A number that is wrong here would be wrong in files, too."""
    assert mine == theirs


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (1, "Ethernet"),
        (101, "Raw IP"),
        (113, "Linux cooked (SLL)"),
        (276, "Linux cooked (SLL2)"),
        (147, "USER0"),
        (162, "USER15"),
        (163, "IEEE 802.11 with AVS header"),
        (164, "link type 164"),
        (4711, "link type 4711"),
        (-1, "link type -1"),
    ],
)
def test_names(number: int, name: str) -> None:
    """Every number has a name, known or not."""
    assert link_type_name(number) == name


def test_every_type_that_is_opened_has_a_name_of_its_own() -> None:
    """Three numbers are the same raw IP; no other two share a name."""
    names = [link_type_name(number) for number in OPENED_TYPES]
    assert not any(name.startswith("link type") for name in names)
    assert sorted(names).count("Raw IP") == 3
    assert len(set(names)) == len(names) - 2
