"""A session with HLS-GMAC in which everything is ciphered, as packets."""

from typing import Any

from tests.helpers import traffic_apdus as a
from tests.helpers.association_ends import CLIENT as CLIENT_TITLE
from tests.helpers.association_ends import METER as METER_TITLE
from tests.helpers.traffic_meters import AUTHENTICATION, ENCRYPTION
from tests.helpers.wire import Tcp, Wire, wpdu

CLIENT, SERVER = 0, 1
GET = a.get_request(0xC1, 3, "1.0.1.8.0.255")
ANSWER = a.get_response(0xC1, a.double_long_unsigned(5009))


class CipheredSession:
    """The packets of the session; `wrong`: the meter's answer to the challenge has a wrong tag."""

    def __init__(self, *, wrong: bool = False) -> None:
        self.wire = Wire()
        client = a.Cipher(CLIENT_TITLE, ENCRYPTION, AUTHENTICATION, 0x100)
        meter = a.Cipher(METER_TITLE, ENCRYPTION, AUTHENTICATION, 0x200)
        challenges = b"CtoS" * 4, b"StoC" * 4
        self._tcp = Tcp(self.wire).handshake()
        asked = client.glo(0x21, a.initiate_request())
        how: dict[str, Any] = {"context": 3, "mechanism": 5}
        self._say(CLIENT, a.aarq(asked, title=CLIENT_TITLE, authentication=challenges[0], **how))
        agreed = meter.glo(0x28, a.initiate_response())
        answer = a.aare(agreed, title=METER_TITLE, authentication=challenges[1], diagnostic=14, **how)
        self._say(SERVER, answer)
        reply = a.octet_string(client.gmac(challenges[1]))
        action = a.action_request(0xC1, 15, "0.0.40.0.0.255", 1, reply)
        self._say(CLIENT, client.glo(0xCB, action))
        proof = meter.gmac(challenges[1 if wrong else 0])
        self._say(SERVER, meter.glo(0xCF, a.action_response(0xC1, 0, a.octet_string(proof))))
        self._say(CLIENT, client.glo(0xC8, GET))
        self._say(SERVER, meter.glo(0xCC, ANSWER))

    def _say(self, side: int, apdu: bytes) -> None:
        self._tcp.say(side, wpdu(apdu, *((1, 16) if side else (16, 1))))
