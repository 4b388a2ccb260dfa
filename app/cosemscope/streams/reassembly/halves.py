"""Halves: the table of what is kept of each direction of each stream.

A half has the number 2 x stream + side of the flow.
"""

#: HALF columns: `base`, the sequence number of octet 0, once `known`; `trusted`: by a SYN; `highest`, the
#: octet behind the highest seen; `ack` and `window`, the last of the other side (-1 none), `asked`: its last
#: acknowledgement that came with octets, while `base` is not known; `fin`: the packet with its FIN (-1 none);
#: `slow`: a Reassembler has it.
HALF_FIELDS = {
    "base": "u4",
    "known": "?",
    "trusted": "?",
    "highest": "i8",
    "ack": "i8",
    "window": "i4",
    "asked": "i8",
    "fin": "i8",
    "slow": "?",
}
