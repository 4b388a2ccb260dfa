"""Sentences about files that are no captures: their kind by their first octets, and what to do about it.

Formats of captures that other programs read, containers, and what people take for a capture by mistake. A
table of first octets, then one of text; what is in neither is told by its octets alone.
"""

import re
import stat
from typing import NamedTuple

#: Octets of a file that `sentence` wants to see.
LOOKED_AT = 64

_SAVE = "Save it as pcapng with Wireshark or editcap, then open that."
_UNPACK = "Unpack it, then open the capture in it."
_NO_CAPTURE = "Open the capture itself: a pcap or pcapng file."


class _Kind(NamedTuple):
    """A kind of file: the octets that it begins with, what it is, what to do with it."""

    magic: bytes
    name: str
    advice: str


_KINDS = (
    _Kind(b"snoop\0\0\0", "a snoop capture", _SAVE),
    _Kind(b"btsnoop\0", "a btsnoop capture (Bluetooth)", _SAVE),
    _Kind(b"GMBU", "a Network Monitor 2 capture", _SAVE),
    _Kind(b"RTSS", "a Network Monitor 1 capture", _SAVE),
    _Kind(b"TRSNIFF data    \x1a", "a capture of the DOS Sniffer", _SAVE),
    _Kind(b"XCP\0", "a Sniffer or NetXRay capture", _SAVE),
    _Kind(b"\x7fver", "an EtherPeek or OmniPeek capture", _SAVE),
    _Kind(b"\x54\x52\x00\x64\x00", "an iptrace capture", _SAVE),
    _Kind(b"iptrace ", "an iptrace capture", _SAVE),
    _Kind(b"LOGG", "a Vector BLF log", _SAVE),
    _Kind(b"PK\3\4", "a zip archive", _UNPACK),
    _Kind(b"PK\5\6", "an empty zip archive", _NO_CAPTURE),
    _Kind(b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    _Kind(b"Rar!\x1a\x07", "a rar archive", _UNPACK),
    _Kind(b"\xfd7zXZ\0", "compressed with xz", _UNPACK),
    _Kind(b"BZh", "compressed with bzip2", _UNPACK),
    _Kind(b"\x04\x22\x4d\x18", "compressed with lz4", _UNPACK),
    _Kind(b"\x7fELF", "a program (ELF)", _NO_CAPTURE),
    _Kind(b"MZ", "a program of Windows", _NO_CAPTURE),
    _Kind(b"%PDF", "a PDF document", _NO_CAPTURE),
    _Kind(b"\x89PNG", "a picture (PNG)", _NO_CAPTURE),
    _Kind(b"\xff\xd8\xff", "a picture (JPEG)", _NO_CAPTURE),
    _Kind(b"GIF8", "a picture (GIF)", _NO_CAPTURE),
    _Kind(b"\0\x0a", "perhaps IPFIX records, which hold no packets", _NO_CAPTURE),
)
_TEXTS = (
    (
        re.compile(rb"(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\.\d{3,9} "),
        "what tcpdump printed, as text",
        "Capture with tcpdump -w FILE, then open that.",
    ),
    (
        re.compile(rb"\s*(0x)?[0-9a-fA-F]{4,8}:?\s+([0-9a-fA-F]{2,4}\s+){4}"),
        "a hex dump",
        "Make a pcapng of it with Wireshark's text2pcap, or paste one WPDU into “Decode octets…”.",
    ),
    (re.compile(rb"\s*<[?!a-zA-Z]"), "XML or HTML", _NO_CAPTURE),
    (re.compile(rb"\s*[{\[]"), "JSON", _NO_CAPTURE),
    (re.compile(rb""), "a text", _NO_CAPTURE),
)
_TEXT = re.compile(rb"(\xef\xbb\xbf)?[\t\n\r\x0c -\x7e\x80-\xff]{8,}")

_PLACES = {
    stat.S_IFDIR: "is a folder. Name a capture file in it.",
    stat.S_IFIFO: "is a named pipe, which is no file. Read what comes through it with "
    "`cosemscope list --follow {path}` or `cosemscope list - < {path}`.",
    stat.S_IFCHR: "is a device, which is no file. To capture from an interface, use `cosemscope capture`.",
    stat.S_IFBLK: "is a disk, which is no file. Name a capture file on it.",
    stat.S_IFSOCK: "is a socket, which is no file. Name a capture file.",
}


def place_sentence(path: object, mode: int) -> str:
    """Sentence about a `path` that is no regular file; `mode` as `os.stat` gives it. "" for a file."""
    if stat.S_ISREG(mode):
        return ""
    words = _PLACES.get(stat.S_IFMT(mode), "is no file of octets on a disk. Name a capture file.")
    return f"{path} {words.format(path=path)}"


def sentence(octets: bytes) -> str:
    """Sentence with the kind of a file by its first `octets`, up to `LOOKED_AT`, and with what to do."""
    for kind in _KINDS:
        if octets.startswith(kind.magic):
            return f"it is {kind.name}. {kind.advice}"
    if _TEXT.fullmatch(octets):
        name, advice = next((name, advice) for pattern, name, advice in _TEXTS if pattern.match(octets))
        return f"it is {name}. {advice}"
    return f"it begins with {octets[:4].hex(' ')}."
