"""Roles: client and server of a TCP connection, and in DLMS.

Two different questions. The *client of a stream* is the TCP initiator, as in
other tools' conversations: whoever sent the SYN. Where no handshake was
captured, the sender of DLMS requests is taken for it, else the side that is
not on the DLMS port, else the one with the higher port, else the first sender.
The *DLMS client* is told by the APDUs alone: a meter that opens a connection
and pushes is the stream's client and yet a DLMS server. The names of wPorts
(Table 1) go by the DLMS roles.
"""

import numpy as np
import numpy.typing as npt

from cosemscope.apdu.names.tags import DED_SERVICES, GLO_SERVICES
from cosemscope.transport.wports import DLMS_PORT

FROM_CLIENT = 1
FROM_SERVER = 2
#: Tags in clear that only a DLMS client, or only a server, sends; IEC 62056-5-3. The others say nothing.
_CLIENT_TAGS = {0x60, 0x62, 0x01, 0x05, 0x06, 0x16, 0xC0, 0xC1, 0xC3, 0xD9, 0x10, 0xE6}
_SERVER_TAGS = {0x61, 0x63, 0x08, 0x0C, 0x0D, 0x0E, 0x18, 0x0F, 0xC2, 0xC4, 0xC5, 0xC7, 0xD8, 0xDA, 0xE7}
#: What a server sends unasked: it tells the DLMS role, but not who opened the connection.
_UNASKED = {0x0F, 0xC2, 0x18}


def _role_table() -> npt.NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    table[list(_CLIENT_TAGS)] = FROM_CLIENT
    table[list(_SERVER_TAGS)] = FROM_SERVER
    for ciphered, plain in (GLO_SERVICES | DED_SERVICES).items():
        table[ciphered] = table[plain]
    return table


#: For each APDU tag: FROM_CLIENT, FROM_SERVER, or 0 where either may send it.
ROLES = _role_table()


def initiator_side(tag: int, sender: int, ports: tuple[int, int], first_sender: int) -> int:
    """The side (0 or 1) to take for the client of a stream whose start was not seen.

    `tag` is the tag of the first APDU recognised (-1: none) and `sender` its side; `ports` are the ports
    of side 0 and 1, `first_sender` the side that sent the first packet.
    """
    role = ROLES[tag] if tag >= 0 and tag not in _UNASKED else 0
    if role:
        return sender if role == FROM_CLIENT else 1 - sender
    on_dlms_port = [port == DLMS_PORT for port in ports]
    if on_dlms_port[0] != on_dlms_port[1]:
        return int(on_dlms_port[0])
    if ports[0] != ports[1]:
        return int(ports[1] > ports[0])
    return first_sender
