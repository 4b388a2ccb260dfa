"""The table of foreign framings: how each is told, and what is decoded inside; the README has it as it is.

Octets are judged by it only where no DLMS was recognised: a TCP connection once, by its first segments, a UDP
flow by the datagrams that are looked at anyway. What recognition itself tells early has no function here.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from cosemscope.capture.packets.packet_row import TCP, UDP
from cosemscope.streams.foreign.coap_messages import is_coap
from cosemscope.streams.foreign.octet_frames import (
    is_dsmr_alarm,
    is_dtls,
    is_hex_text,
    is_iec_104,
    is_mbus,
    is_modbus,
    is_p1,
    is_sml,
)
from cosemscope.streams.tables.framing import Framing

#: Segments of each direction that are looked at, and octets of each.
MAX_LOOKED_AT = 4
MAX_OCTETS_LOOKED_AT = 4096
#: Messages of one direction alone that name Modbus, which has no mark of its own.
_ALONE = 3
#: The first segments of both directions, as far as they were captured whole.
Firsts = tuple[Sequence[bytes], Sequence[bytes]]


class ForeignFraming(NamedTuple):
    """A framing of others: `sign` and `inside` are for people, `matches` judges first segments."""

    framing: Framing
    protocols: tuple[int, ...]
    sign: str
    inside: str
    matches: Callable[[Firsts], bool] | None = None


def _all(is_one: Callable[[bytes], bool]) -> Callable[[Firsts], bool]:
    """Every segment at hand is one."""

    def matches(firsts: Firsts) -> bool:
        segments = [octets for side in firsts for octets in side]
        return bool(segments) and all(map(is_one, segments))

    return matches


def _any(is_one: Callable[[bytes], bool]) -> Callable[[Firsts], bool]:
    """One of the segments at hand is one."""
    return lambda firsts: any(is_one(octets) for side in firsts for octets in side)


def _modbus_talk(firsts: Firsts) -> bool:
    """Messages of both directions, the first ones with one transaction, unit and function; or many of one."""
    if not _all(is_modbus)(firsts):
        return False
    one, other = firsts
    if not one or not other:
        return len(one) + len(other) >= _ALONE
    return (
        one[0][:4] == other[0][:4] and one[0][6:7] == other[0][6:7] and not (one[0][7] ^ other[0][7]) & 0x7F
    )


def _mbus_talk(firsts: Firsts) -> bool:
    """Frames to the last octet, among them a long one: short ones alone may be anything."""
    return _all(is_mbus)(firsts) and any(0x68 in octets[:1] for side in firsts for octets in side)


_BOTH = (TCP, UDP)
#: Every framing of others that has a name, in the order in which they are tried.
FOREIGN: tuple[ForeignFraming, ...] = (
    ForeignFraming(
        Framing.COAP,
        (UDP,),
        "POST or answer by RFC 7252 with an APDU, or a first block of one, as payload",
        "the APDUs, joined from Block1 and Block2 by token, with or without the wrapper's header",
    ),
    ForeignFraming(
        Framing.MBUS,
        _BOTH,
        "long frames 68 L L 68 ... 16 with right checksums and an APDU behind both SAPs",
        "the APDUs, mostly general-glo-ciphering, joined from their frames",
    ),
    ForeignFraming(
        Framing.COAP_OTHER,
        (UDP,),
        "messages by RFC 7252 with a path, or answers with a token",
        "nothing",
        _all(is_coap),
    ),
    ForeignFraming(
        Framing.TLS, (TCP,), "a handshake, or records that follow each other", "server and certificate names"
    ),
    ForeignFraming(
        Framing.DTLS,
        (UDP,),
        "records of version 1.0 or 1.2 to the end of the datagram",
        "server and certificate names",
        _all(is_dtls),
    ),
    ForeignFraming(
        Framing.DSMR_ALARM,
        _BOTH,
        "equipment identifier of 17 characters, comma, 4 or 6 octets",
        "equipment and alarm register or logical name",
        _all(is_dsmr_alarm),
    ),
    ForeignFraming(
        Framing.MBUS_OTHER, _BOTH, "frames of EN 13757-2 with right checksums", "nothing", _mbus_talk
    ),
    ForeignFraming(
        Framing.P1, _BOTH, "identification, empty line and an OBIS code", "the identification", _any(is_p1)
    ),
    ForeignFraming(Framing.SML, _BOTH, "escapes 1B 1B 1B 1B and version 1", "nothing", _any(is_sml)),
    ForeignFraming(
        Framing.IEC_104,
        (TCP,),
        "frames 68 L with defined control fields, types and causes",
        "nothing",
        _all(is_iec_104),
    ),
    ForeignFraming(
        Framing.MODBUS,
        (TCP,),
        "headers with protocol 0 and right lengths, defined functions, answers that fit",
        "nothing",
        _modbus_talk,
    ),
    ForeignFraming(
        Framing.HEX_TEXT,
        _BOTH,
        "digits and spaces that spell a WPDU, an HDLC frame or an APDU: octets should have been sent instead",
        "nothing; `decode` reads them",
        _all(is_hex_text),
    ),
    ForeignFraming(Framing.IEC_62056_21, (TCP,), "/?...! or an identification", "nothing"),
    ForeignFraming(Framing.HTTP, (TCP,), "a request or status line", "nothing"),
    ForeignFraming(Framing.SSH, (TCP,), "SSH- at the beginning", "nothing"),
    ForeignFraming(Framing.STUN, _BOTH, "magic cookie and right length (RFC 8489)", "nothing"),
    ForeignFraming(Framing.RPCAP, (TCP,), "a header of version 0 with right length", "nothing"),
)


def foreign_framing(firsts: Firsts, protocol: int) -> Framing:
    """The framing that names first segments of a stream (6 TCP, 17 UDP) without DLMS; UNKNOWN for none."""
    for row in FOREIGN:
        if row.matches is not None and protocol in row.protocols and row.matches(firsts):
            return row.framing
    return Framing.UNKNOWN


def markdown() -> Iterator[str]:
    """The lines of the table in Markdown."""
    names = {TCP: "TCP", UDP: "UDP"}
    yield "| Framing | Over | Told by | Decoded inside |"
    yield "| --- | --- | --- | --- |"
    for row in FOREIGN:
        over = ", ".join(names[protocol] for protocol in row.protocols)
        yield f"| {row.framing.label} | {over} | {row.sign} | {row.inside} |"
