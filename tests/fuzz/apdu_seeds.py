"""APDUs to begin with: the shared vectors where they are, and what an encoder makes.

What is sealed was sealed with the keys here, so that an association that has them opens it.
"""

import json
import sys

from tests.apdu.hdlc_encoder import RESPONSE, frame
from tests.helpers import apdu_encoder as encode
from tests.helpers import traffic_apdus as sealed
from tests.helpers.shared import shared_path

TITLE, KEY, AUTHENTICATION = b"CSP\x10\x00\x00\x00\x01", bytes(range(16)), bytes(range(0xD0, 0xE0))


def corpus() -> list[bytes]:
    """What is mutated: the shared vectors where they are, and APDUs of the encoder."""
    path = shared_path("vectors/apdu.jsonl")
    found = []
    if path.exists():
        lines = path.read_text().splitlines()
        found = [
            bytes.fromhex(vector[key])
            for vector in map(json.loads, lines)
            for key in ("hex", "plain")
            if key in vector
        ]
    else:
        print(f"fuzz: no vectors at {path}: generated APDUs only", file=sys.stderr)
    return found + generated()


def generated() -> list[bytes]:
    """APDUs of the encoder: what the vectors have few of."""
    clock = (8, bytes.fromhex("0000010000ff"), 2)
    profile = (7, bytes.fromhex("0100630100ff"), 2)
    moment = bytes.fromhex("07ea04040604042b00fe9801")
    rows = [("structure", [("octet-string", moment), ("double-long-unsigned", 7), ("enum", 30)])] * 4
    plain = encode.get_response(("array", rows))
    return [
        plain,
        encode.get_request(profile, encode.selection(2, ("structure", [("double-long-unsigned", 1)] * 4))),
        encode.get_request_list([(clock, None), (profile, None)]),
        encode.get_response_block(True, 1, plain[4:]),
        encode.set_request(clock, ("octet-string", moment)),
        encode.access_request(
            [(1, clock, b""), (4, profile, encode.selection(1, ("null-data", None)))], rows[:2]
        ),
        encode.access_response(rows, [(1, 0), (3, 2)], moment),
        encode.event_notification(clock, ("date-time", moment), moment),
        encode.get_response(("bit-string", "10110")),
        frame(0x30, RESPONSE + plain[:60], segmented=True) + frame(0x32, plain[60:]) + frame(0x93),
        bytes.fromhex("900101") + plain,
        bytes.fromhex("c401c100") + encode.compact_array(b"\x02\x02\x01\x00\x02\x11\x09", bytes(40)),
        encode.block_transfer(True, 1, plain),
        encode.ciphered(0xCC, 0x10, 5, plain, bytes(12)),
        encode.ciphered(0xDB, 0x30, 5, plain, bytes(12), b"ABC12345"),
        encode.gateway(False, 1, b"12", encode.gateway(True, 2, b"", plain)),
        encode.aarq(
            encode.element(0xA6, encode.element(0x04, b"ABC12345"), indefinite=True),
            user_information=encode.initiate_request(key=bytes(16), quality=3),
            long=True,
        ),
        encode.aare(
            0, 14, user_information=encode.ciphered(0x28, 0x30, 1, bytes(14), bytes(12)), indefinite=True
        ),
    ]


def protected() -> list[bytes]:
    """APDUs sealed with the keys that the associations have, and what makes an association."""
    end = sealed.Cipher(TITLE, KEY, AUTHENTICATION)
    read, result = sealed.get_request(0xC1, 3, "1.0.1.8.0.255"), sealed.get_response(0xC1, sealed.unsigned(1))
    initiate = b"\x01\x01\x10" + KEY + sealed.initiate_request()[2:]
    security_setup = sealed.action_request(
        0xC1,
        64,
        "0.0.43.0.0.255",
        2,
        sealed.array(sealed.structure(sealed.enum(0), sealed.octet_string(bytes(24)))),
    )
    proof = sealed.octet_string(end.gmac(b"StoC" * 4))
    found = [
        sealed.aarq(end.glo(0x21, initiate), context=3, mechanism=5, title=TITLE, authentication=b"CtoS" * 4),
        sealed.aare(
            end.glo(0x28, sealed.initiate_response()),
            context=3,
            mechanism=5,
            title=TITLE,
            authentication=b"StoC" * 4,
        ),
        sealed.action_request(0xC1, 15, "0.0.40.0.0.255", 1, proof),
        b"\x05\x01\x04\xfa\x58\x01" + proof,
        security_setup,
        sealed.action_response(0xC1),
        sealed.RLRE,
    ]
    for control in (0x10, 0x20, 0x30):
        found += [
            end.glo(tag, plain, control) for tag, plain in ((0xC8, read), (0xCC, result), (0xD4, result))
        ]
        found += [end.general_glo(result, control), end.glo(0xCB, security_setup, control)]
    return found
