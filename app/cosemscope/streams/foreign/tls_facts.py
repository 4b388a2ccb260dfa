"""Facts that TLS and DTLS tell in clear: names of the server and of certificates, and sizes of records.

Nothing is decrypted. From version 1.3 on certificates are encrypted, so that only the server's name is told.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from cosemscope.streams.foreign.octet_frames import DTLS_HEADER

_CHANGE_CIPHER, _HANDSHAKE, _APPLICATION = 20, 22, 23
_CLIENT_HELLO, _CERTIFICATE = 1, 11
_SERVER_NAME, _HOST_NAME = 0, 0
_TLS_HEADER = 5
#: Certificates of which names are told, and the longest name.
MAX_CERTIFICATES, MAX_NAME = 4, 128


class Record(NamedTuple):
    """A record: its content type, and its body as far as it is there; `length` octets were sent."""

    kind: int
    body: bytes
    length: int


def tls_facts(sides: Sequence[Sequence[bytes]], *, datagrams: bool) -> list[str]:
    """Sentences on a session, from the first octets of both sides in order, whole datagrams or segments."""
    facts: list[str] = []
    sizes: list[int] = []
    for side in sides:
        records = list(_datagram_records(side) if datagrams else _records(b"".join(side)))
        sizes += [record.length for record in records if record.kind == _APPLICATION]
        for kind, body in _messages(records, datagrams=datagrams):
            if kind == _CLIENT_HELLO:
                facts += [f"server name {name}" for name in _guarded(_server_names, body, datagrams)]
            elif kind == _CERTIFICATE:
                facts += [f"certificate of {name}" for name in _guarded(_certificate_names, body, datagrams)]
    if sizes:
        least, most = min(sizes), max(sizes)
        spread = f"{least:,}" if least == most else f"{least:,} to {most:,}"
        facts.append(f"records of application data with {spread} octets")
    return list(dict.fromkeys(facts))


def _records(octets: bytes) -> Iterator[Record]:
    at = 0
    while at + _TLS_HEADER <= len(octets):
        length = int.from_bytes(octets[at + 3 : at + 5], "big")
        if octets[at + 1] != 3 or not _CHANGE_CIPHER <= octets[at] <= _APPLICATION + 1:
            return
        yield Record(octets[at], octets[at + _TLS_HEADER : at + _TLS_HEADER + length], length)
        at += _TLS_HEADER + length


def _datagram_records(datagrams: Sequence[bytes]) -> Iterator[Record]:
    for octets in datagrams:
        at = 0
        while at + DTLS_HEADER <= len(octets) and octets[at + 1] == 0xFE:
            length = int.from_bytes(octets[at + 11 : at + 13], "big")
            yield Record(octets[at], octets[at + DTLS_HEADER : at + DTLS_HEADER + length], length)
            at += DTLS_HEADER + length


def _messages(records: list[Record], *, datagrams: bool) -> Iterator[tuple[int, bytes]]:
    """Type and body of each handshake message in clear: those before the ciphers change."""
    clear: list[bytes] = []
    for record in records:
        if record.kind == _CHANGE_CIPHER:
            break
        if record.kind == _HANDSHAKE:
            clear.append(record.body)
    yield from _joined_fragments(clear) if datagrams else _in_stream(b"".join(clear))


def _in_stream(octets: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(octets):
        length = int.from_bytes(octets[at + 1 : at + 4], "big")
        yield octets[at], octets[at + 4 : at + 4 + length]
        at += 4 + length


def _joined_fragments(records: list[bytes]) -> Iterator[tuple[int, bytes]]:
    """DTLS: a message may come in fragments, each with its offset; those behind a gap are left out."""
    parts: dict[tuple[int, int], bytearray] = {}
    for octets in records:
        at = 0
        while at + 12 <= len(octets):
            start, size = (int.from_bytes(octets[at + place : at + place + 3], "big") for place in (6, 9))
            body = parts.setdefault((int.from_bytes(octets[at + 4 : at + 6], "big"), octets[at]), bytearray())
            if start <= len(body):
                body[start:] = octets[at + 12 : at + 12 + size]
            at += 12 + size
    for (_, kind), body in sorted(parts.items()):
        yield kind, bytes(body)


def _guarded(read: Callable[[bytes, bool], list[str]], body: bytes, datagrams: bool) -> list[str]:
    """The names that `read` finds, none where octets are missing or wrong."""
    try:
        return [name[:MAX_NAME] for name in read(body, datagrams) if name]
    except (ValueError, IndexError):
        return []


def _server_names(hello: bytes, datagrams: bool) -> list[str]:
    """The host names in the extension of RFC 6066, section 3."""
    at = 34  # behind version and random
    for size in (1, 1, 2, 1) if datagrams else (1, 2, 1):  # session, cookie of DTLS, ciphers, compression
        at += size + int.from_bytes(hello[at : at + size], "big")
    end = at + 2 + int.from_bytes(hello[at : at + 2], "big")
    at += 2
    names = []
    while at + 4 <= min(end, len(hello)):
        kind, size = (int.from_bytes(hello[at + place : at + place + 2], "big") for place in (0, 2))
        if kind == _SERVER_NAME and hello[at + 6] == _HOST_NAME:
            length = int.from_bytes(hello[at + 7 : at + 9], "big")
            names.append(hello[at + 9 : at + 9 + length].decode("ascii"))
        at += 4 + size
    return names


def _certificate_names(message: bytes, datagrams: bool) -> list[str]:
    """The subjects of the certificates."""
    from cryptography import x509  # most captures do without

    names: list[str] = []
    at = 3
    while at + 3 < len(message) and len(names) < MAX_CERTIFICATES:
        size = int.from_bytes(message[at : at + 3], "big")
        certificate = x509.load_der_x509_certificate(message[at + 3 : at + 3 + size])
        names.append(certificate.subject.rfc4514_string() or "nobody")
        at += 3 + size
    return names
