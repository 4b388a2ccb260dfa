"""Texts of capture filters (BPF): what every one needs besides ports and addresses.

Later fragments of an IP packet have no ports, and VLAN tags shift what stands behind them.
"""

#: Later fragments, of IPv4 and of IPv6.
LATER_FRAGMENTS = "(ip[6:2] & 0x1fff) != 0 or ip6[6] = 44"
# Link types whose frames can carry VLAN tags that a filter can look behind.
_TAGGED_LINKS = frozenset((1,))


def behind_tags(plain: str, link_type: int) -> str:
    """A filter that also looks behind VLAN tags, for interfaces of a link type whose frames may have them."""
    if link_type not in _TAGGED_LINKS:
        return plain
    # `vlan` shifts everything behind it by one tag: an inner one is looked for behind the outer one.
    return f"({plain}) or (vlan and (({plain}) or (vlan and ({plain}))))"
