"""Messages of PRIME data concentrators: told from APDUs with the same first octets, and read to the end."""

import pytest

from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import walk
from cosemscope.apdu.services.prime_messages import prime_name
from cosemscope.apdu.summary import summarise
from tests.helpers.foreign_traffic import prime_new_device

NEW = prime_new_device(5, b"ZIV0034567890")
INITIATE = bytes.fromhex("01000000065f1f0400007e1f04b0")


@pytest.mark.parametrize(
    ("octets", "line"),
    [
        (NEW, "PRIME new device id 5, ZIV0034567890, EUI-48 40406f000001, capabilities 0x0011"),
        (b"\2\0\7", "PRIME device removed id 7"),
        (b"\3", "PRIME start reporting meters"),
        (b"\4\0\7", "PRIME delete meters id 7"),
        (b"\5\xff\xff", "PRIME enable auto-close id 65535"),
        (b"\6\0\1", "PRIME disable auto-close id 1"),
    ],
)
def test_each_type_has_its_line(octets: bytes, line: str) -> None:
    """Nothing is broken, and every octet belongs to a field."""
    decoded = decode_apdu(octets)
    assert summarise(decoded) == line
    assert decoded.problems == ()
    leaves = [field for field in walk(decoded.root) if not field.children]
    assert [(leaf.start, leaf.stop) for leaf in leaves][-1][1] == len(octets)
    assert prime_name(octets)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        INITIATE,
        NEW[:-1],
        NEW + b"\0",
        NEW[:6] + b"\0" + NEW[7:],
        b"\2\0",
        b"\3\0",
        bytes.fromhex("0501020008"),
        bytes.fromhex("06010200080109"),
        b"\7\0\1",
        b"\0\0\1",
    ],
)
def test_what_is_none(octets: bytes) -> None:
    """Longer or shorter, other letters, and the APDUs that begin alike."""
    assert prime_name(octets) == ""
    assert not decode_apdu(octets).root.name.startswith("PRIME")
