"""Texts of people: key files and pasted octets end in what they hold or in a sentence, which shows no key."""

import re

from cosemscope.analysis.keys.key_entry import KeyFileError
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.analysis.pasted.messages import messages_of
from cosemscope.analysis.pasted.pasted_trees import decode_pasted
from cosemscope.apdu.pasted.pasted_text import read_pasted
from cosemscope.apdu.pasted.pieces import HexError
from tests.apdu.hdlc_encoder import COMMAND, GET, frame, i_control
from tests.fuzz.target import Target
from tests.helpers.apdu_checks import check_tree
from tests.helpers.wire import get_request, get_response

_KEY = "000102030405060708090A0B0C0D0E0F"
_KEY_FILE = f"""# Keys of a meter.
[[key]]
label = "meter"
system_title = "4353500000000001"
suite = 0
encryption = "{_KEY}"
authentication = "{_KEY[::-1]}"
dedicated = "{_KEY}"
address = "192.0.2.7:4059"
client = 16
[[key]]
password = "12345678"
hls_secret = "abcdef"
"""
_LONG_HEX = re.compile(r"[0-9A-Fa-f]{24,}")


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")


def take_key_file(octets: bytes) -> None:
    """A key file: a table that its own text makes again, or a sentence without a key in it."""
    text = _text(octets)
    try:
        table = KeyTable.parse(text)
    except KeyFileError as error:
        said = str(error)
        assert not _LONG_HEX.search(said), "a message shows a key"
        return
    assert KeyTable.parse(table.text()).text() == table.text()
    assert not _LONG_HEX.search(repr(table)), "what is shown of a table shows a key"


def take_pasted(octets: bytes) -> None:
    """Pasted text: the octets that it spells, each in one message and in one leaf, or a sentence."""
    try:
        pasted = read_pasted(_text(octets))
    except HexError:
        return
    assert b"".join(message.octets for message in messages_of(pasted)) == pasted.octets
    for tree in decode_pasted(pasted):
        check_tree(tree.decoded, tree.decoded.sources[0].data)


def _pasted() -> list[bytes]:
    """Octets as people paste them."""
    ask, answer = get_request(1), get_response(1)
    spaced, lines = ask.hex(" "), answer.hex(" ").upper()
    hdlc = frame(i_control(0), COMMAND + GET)
    dump = "\n".join(f"{at:04x}  {ask[at : at + 16].hex(' ')}  |........|" for at in range(0, len(ask), 16))
    texts = [
        spaced,
        f"2026-01-02 03:04:05.678 TX: {spaced}\n2026-01-02 03:04:05.789 RX: {lines}\n",
        f"[DEBUG] -> {ask.hex()}\n[DEBUG] <- {answer.hex()}",
        dump,
        f"{dump}\n\n{dump}",
        ", ".join(f"0x{octet:02X}" for octet in ask),
        "{" + ", ".join(str(octet - 256 if octet > 127 else octet) for octet in ask) + "}",
        f"b'{''.join(f'{chr(92)}x{octet:02x}' for octet in ask)}'",
        f"// an HDLC frame\nuint8_t frame[] = {{ {', '.join(f'0x{octet:02x}' for octet in hdlc)} }};",
        f'{{"request": "{ask.hex()}", "answer": "{answer.hex()}"}}',
        "AAEAEAABAA3AAcEAAwEAAQgA/wIA",
        f"Sent:\n{hdlc.hex(':')}\nReceived:\n{hdlc.hex('-')}",
    ]
    return [text.encode() for text in texts]


KEY_FILE = Target("key-file", take_key_file, lambda: [_KEY_FILE.encode()], 4_000, 40)
PASTED = Target("pasted", take_pasted, _pasted, 60_000, 150, longest=2048)
