"""Octets as text: a stream that can be pasted anywhere, and a dump that people read."""

from cosemscope.apdu.pasted.pasted_text import parse_octets
from cosemscope.gui.look.hex_text import hex_dump, hex_stream


def test_hex_dump_lines():
    """Offset, sixteen octets, characters; the last line is aligned as the others."""
    lines = hex_dump(b"GET \x00\xff" + bytes(12)).splitlines()
    assert lines[0] == "0000  47 45 54 20 00 ff 00 00 00 00 00 00 00 00 00 00  GET ............"
    assert lines[1] == "0010  00 00" + " " * 44 + "..".rjust(2)


def test_a_stream_is_hex_alone():
    """Two digits an octet and nothing else."""
    assert hex_stream(b"\x00\xffA") == "00ff41"
    assert hex_stream(b"") == ""


def test_what_is_copied_can_be_pasted_back():
    """A dump from any offset is read again as the octets it was made of."""
    octets = bytes(range(200))
    assert parse_octets(hex_stream(octets)) == octets
    assert parse_octets(hex_dump(octets)) == octets
