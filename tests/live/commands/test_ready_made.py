"""The APDUs that a test link sends by itself, octet for octet and as our decoder reads them."""

import pytest

from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.summary import summarise
from cosemscope.live.commands.ready_made import (
    READY_MADE,
    get_request,
    get_request_next,
    public_aarq,
    release_request,
)


@pytest.mark.parametrize(("max_pdu", "size"), [(0xFFFF, "ffff"), (0x04B0, "04b0"), (0, "0000")])
def test_the_public_client_asks(max_pdu: int, size: str) -> None:
    """LN referencing, DLMS version 6, and services that only read, or that a server need not allow."""
    octets = f"601d a109 0607 60857405080101 be10 040e 01 00 00 00 06 5f1f 04 00 001e1d {size}"
    assert public_aarq(max_pdu) == bytes.fromhex(octets)


@pytest.mark.parametrize(
    ("octets", "wanted"),
    [
        (release_request(), "62 03 80 01 00"),
        (get_request(8, "0.0.1.0.0.255", 2), "c0 01 c1 0008 0000010000ff 02 00"),
        (get_request(0x1234, "1.2.3.4.5.6", 7), "c0 01 c1 1234 010203040506 07 00"),
        (get_request_next(1), "c0 02 c1 00000001"),
        (get_request_next(0x01020304), "c0 02 c1 01020304"),
    ],
)
def test_other_requests(octets: bytes, wanted: str) -> None:
    """RLRQ with reason normal, GET of one attribute without selection, GET of a next block."""
    assert octets == bytes.fromhex(wanted)


def test_all_that_are_offered_are_sound() -> None:
    """Each decodes without a problem, and is what its name says."""
    told = {name: summarise(decode_apdu(octets)) for name, octets in READY_MADE}
    assert not [name for name, octets in READY_MADE if decode_apdu(octets).problems]
    for name, words in {
        "AARQ, public client, logical names": "LN referencing, no ciphering",
        "RLRQ, normal": "RLRQ",
        "GET Clock, time": "GET 0.0.1.0.0.255 Clock",
        "GET COSEM logical device name": "GET 0.0.42.0.0.255",
        "GET SAP assignment, list": "GET 0.0.41.0.0.255",
        "GET association, object list": "GET 0.0.40.0.0.255 Current association",
        "GET association, status": "association_status",
        "GET next, behind block 1": "GET next block 1",
    }.items():
        assert words in told.pop(name)
    assert not told
