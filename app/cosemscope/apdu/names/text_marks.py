"""Texts are known by their beginning or characters: telegrams of P1, read-outs of IEC 62056-21, others."""

import re

TELEGRAM = "IEC 62056-21 text"
"""The name of the field of such a text in a tree."""

_BEGINS = re.compile(rb"/[A-Za-z]{2}[A-Za-z0-9][0-9A-Za-z](?:\\.)?[ -~]{0,32}\r?\n")
_LEAST = 16


def is_telegram(octets: bytes) -> bool:
    """Whether octets begin with the identification of a meter, as telegrams of P1 and read-outs do."""
    return octets[:1] == b"/" and _BEGINS.match(octets) is not None


def is_text(octets: bytes) -> bool:
    """Whether octets are text from beginning to end, too long to be so by chance."""
    printable = all(31 < octet < 127 or octet in b"\t\r\n" for octet in octets)
    return len(octets) >= _LEAST and printable
