"""Ways to associate with the built-in meter and its published test keys."""

from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.application.protection.sealing import CipheringForm
from cosemscope.live.client.meter_access import MeterAccess
from tests.helpers.loopback_meter import published

READING = MeterAccess(1, password=b"12345678")


def managing(mechanism: int = 5, form: CipheringForm = CipheringForm.GLOBAL, suite: int = 0) -> MeterAccess:
    """The client that may change the meter."""
    tail = ", suite 2" if suite == 2 else ""
    meter, client = published("meter" + tail), published("client" + tail)
    peer = KeySet("meter", signing_public=meter.signing_point)
    return MeterAccess(mechanism, keys=meter, own=client, peer=peer, ciphering=form, suite=suite)
