"""Table 1 of IEC 62056-4-7 (5.3.4; 6.3.4 makes it valid for TCP): which wPort names whom.

A number means one thing on the client's side and another on the server's: 0x0010 is the public client there
and an open logical device here. `TABLE_1` holds both columns; everything else looks up in it.
Whether the printed table lists the open ranges or only the five named rows was not seen; the numbers agree
either way. Numbers that no row has are "not listed".
"""

import enum
from typing import Final, NamedTuple

NO_STATION: Final = 0x0000
CLIENT_MANAGEMENT_PROCESS: Final = 0x0001
PUBLIC_CLIENT: Final = 0x0010
MANAGEMENT_LOGICAL_DEVICE: Final = 0x0001
ALL_STATION: Final = 0x007F
"""Server side: every logical device of the physical device (broadcast)."""
DLMS_PORT: Final = 4059
"""The TCP and UDP port registered for DLMS/COSEM."""


class Side(enum.Enum):
    """On which side of an association a wPort stands: a DLMS role, not who opened the TCP connection."""

    CLIENT = "client"
    SERVER = "server"

    @property
    def other(self) -> "Side":
        """The opposite side."""
        return Side.SERVER if self is Side.CLIENT else Side.CLIENT


class WPortUse(enum.Enum):
    """What a row of Table 1 is for."""

    NAMED = "named"  # one process, fixed by the standard
    NO_STATION = "no station"  # nobody: not meaningful in a message
    BROADCAST = "broadcast"  # everybody on that side
    OPEN = "open"  # free for assignment
    RESERVED = "reserved"  # kept for future use
    UNLISTED = "not listed"  # no row of the table


class WPortRow(NamedTuple):
    """Numbers `first` to `last` (inclusive), their name, and their use."""

    first: int
    last: int
    name: str
    use: WPortUse


TABLE_1: Final[dict[Side, tuple[WPortRow, ...]]] = {
    Side.CLIENT: (
        WPortRow(0x0000, 0x0000, "No-station", WPortUse.NO_STATION),
        WPortRow(0x0001, 0x0001, "Client Management Process", WPortUse.NAMED),
        WPortRow(0x0002, 0x000F, "client SAP", WPortUse.OPEN),
        WPortRow(0x0010, 0x0010, "Public Client", WPortUse.NAMED),
        WPortRow(0x0011, 0x00FF, "client SAP", WPortUse.OPEN),
        WPortRow(0x0100, 0xFFFF, "not listed", WPortUse.UNLISTED),
    ),
    Side.SERVER: (
        WPortRow(0x0000, 0x0000, "No-station", WPortUse.NO_STATION),
        WPortRow(0x0001, 0x0001, "Management Logical Device", WPortUse.NAMED),
        WPortRow(0x0002, 0x000F, "reserved", WPortUse.RESERVED),
        WPortRow(0x0010, 0x007E, "server SAP", WPortUse.OPEN),
        WPortRow(0x007F, 0x007F, "All-station (Broadcast)", WPortUse.BROADCAST),
        WPortRow(0x0080, 0xFFFF, "not listed", WPortUse.UNLISTED),
    ),
}


def wport_row(number: int, side: Side) -> WPortRow:
    """The row of Table 1 that `number` falls in on `side`. ValueError if it is no 16-bit number."""
    for row in TABLE_1[side]:
        if row.first <= number <= row.last:
            return row
    raise ValueError(f"a wPort is 0 to 65535, not {number}")


def wport_name(number: int, side: Side) -> str:
    """What `number` is called on `side`: "Public Client", "server SAP", "reserved", "not listed" ..."""
    return wport_row(number, side).name


def wport_use(number: int, side: Side) -> WPortUse:
    """Whether `number` is named, open, reserved, broadcast or not listed on `side`."""
    return wport_row(number, side).use
