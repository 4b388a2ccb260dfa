"""Captures on which a reader could do more than linear work, written to a path, as long as is asked for.

`COSTLY` has some for each splitter, joiner and reader: what waits, comes back to front, is looked at in vain.
"""

import struct
from collections.abc import Callable
from pathlib import Path

from tests.apdu.hdlc_encoder import COMMAND, GET, frame, i_control
from tests.helpers import packets
from tests.helpers.files import Pcapng, Record, pcap
from tests.helpers.foreign_traffic import CLOCK, PUSH, coap, mbus, mbus_apdu
from tests.helpers.wire import ACK, CLIENT, PSH, RST, SERVER, Tcp, Wire, get_request, get_response, wpdu

_SEGMENT = 12
"""Segments of a stream that comes back to front."""


def _torn_blocks(path: Path, count: int) -> None:
    """Blocks whose two lengths differ, each believed because another one follows."""
    made = Pcapng("<")
    block = made.enhanced(1, bytes(40))
    torn = block[:-4] + struct.pack("<I", len(block) + 4)
    path.write_bytes(made.section() + made.interface(1) + torn * count)


def _records_that_cannot_be(path: Path, count: int) -> None:
    """Two records, then one whose lengths lead on, but which nobody can have captured."""
    rest = b"\xff" * 400
    good, bad = (struct.pack("<4I", time, 0x31313131, 400, 400 * time) + rest for time in (1, 0))
    path.write_bytes(pcap([]) + (good + good + bad) * (count // 3))


def _many_back_to_front(path: Path, count: int) -> None:
    """Streams without a handshake, never recognised, whose segments come from the last to the first."""
    wire = Wire(step=0)
    for number in range(count // _SEGMENT):
        connection = Tcp(wire, (f"10.0.{number >> 8}.{number & 255}", 50_000))
        for place in reversed(range(_SEGMENT)):
            connection.packet(0, place, b"\0")
    wire.capture(path)


def _both_ways_from_the_middle(path: Path, count: int) -> None:
    """The same of one stream, whose segments lie behind and before those that came, in turn."""
    connection = Tcp(Wire(step=0))
    for place in range(count):
        connection.packet(0, place if place % 2 else -place, b"\0")
    connection.wire.capture(path)


def _holes(path: Path, count: int) -> None:
    """Octets that are missing behind each WPDU, acknowledged all the same."""
    connection = Tcp(Wire(step=200_000_000)).handshake()
    for place in range(count):
        connection.packet(0, place * 50, get_request(place))
        connection.packet(1, 0, ack=place * 50 + 50)
    connection.wire.capture(path)


def _wpdu_in_pieces_behind_others(path: Path, count: int) -> None:
    """WPDUs in four pieces, the second of which comes last."""
    connection = Tcp(Wire()).handshake()
    for number in range(count // 4):
        octets, start = get_response(number, 40), 48 * number
        for begin, end in ((0, 12), (24, 36), (36, 48), (12, 24)):
            connection.packet(1, start + begin, octets[begin:end])
    connection.wire.capture(path)


def _hdlc_pairs(path: Path, count: int) -> None:
    """First segments of APDUs between ever other HDLC addresses."""
    connection = Tcp(Wire()).handshake()
    whole = frame(i_control(0), COMMAND + GET)
    connection.say(0, whole * 3)
    for number in range(count):
        first = frame(
            i_control(0), COMMAND + GET, source=bytes((number % 128 << 1 | 1,)), segmented=number % 3 > 0
        )
        connection.say(0, first)
    connection.wire.capture(path)


def _bare_apdus(path: Path, count: int) -> None:
    """An association, then requests without any framing."""
    connection = Tcp(Wire()).handshake()
    connection.say(0, bytes.fromhex("601da109060760857405080101be10040e01000000065f1f0400001e1dffff"))
    for _ in range(count):
        connection.say(0, GET)
    connection.wire.capture(path)


def _hdlc_segments(path: Path, count: int) -> None:
    """Segments of one APDU, of an octet each, that never end."""
    connection = Tcp(Wire()).handshake()
    connection.say(0, frame(i_control(0), COMMAND + GET) * 3)
    for number in range(count // 8):
        first = COMMAND if number == 0 else b""
        connection.say(
            0, b"".join(frame(i_control(send), first + b"\xc0", segmented=True) for send in range(8))
        )
    connection.wire.capture(path)


def _blocks(path: Path, count: int) -> None:
    """Blocks of one GET that never end, an octet each."""
    connection = Tcp(Wire()).handshake()
    for number in range(count):
        block = bytes.fromhex("c402c100") + struct.pack(">I", number + 1) + b"\0\1x"
        connection.say(1, struct.pack(">4H", 1, 1, 16, len(block)) + block)
    connection.wire.capture(path)


def _half_wpdus(path: Path, count: int) -> None:
    """Streams that each have the beginning of a WPDU."""
    wire = Wire()
    for number in range(count):
        connection = Tcp(wire, (f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 50_000))
        connection.packet(0, 0, get_request(1)[:12])
    wire.capture(path)


def _comments(path: Path, count: int) -> None:
    """A packet with comments without a letter."""
    made = Pcapng("<")
    packet = made.enhanced(1, bytes(40), *[(1, b"")] * (4 * count))
    path.write_bytes(made.section() + made.interface(1) + packet)


def _names(path: Path, count: int) -> None:
    """Names of ever other addresses."""
    made = Pcapng("<")
    records = [(1, struct.pack(">I", number) + b"a\0") for number in range(count)]
    path.write_bytes(made.section() + made.interface(1) + made.names(*records) + made.enhanced(1, b""))


def _fragments(path: Path, count: int) -> None:
    """Fragments of datagrams, from the last to the second: the first never comes."""
    records = []
    for number in range(count):
        place = 64 - number % 64
        header = struct.pack(">BBHHHBBH", 0x45, 0, 28, number // 64, 0x2000 | place, 64, 17, 0) + bytes(
            (10, 0, 0, 1, 10, 0, 0, 2)
        )
        records.append(Record(number * 1_000_000, header + bytes(8)))
    path.write_bytes(pcap(records, link_type=101))


def _first_fragment(number: int) -> bytes:
    whole = packets.udp(get_request(number, 64))
    return packets.ipv4(whole[:40], 17, fragment=packets.MORE_FRAGMENTS, number=number & 0xFFFF)


def _first_fragments(path: Path, count: int) -> None:
    """First fragments of datagrams, of which no more comes; a minute and more between some."""
    wire = Wire(step=200_000_000)
    for number in range(count):
        wire.add(_first_fragment(number))
    wire.capture(path)


def _clocks_that_jump(path: Path, count: int) -> None:
    """A packet far ahead of all others, then first fragments."""
    wire = Wire(step=1000)
    wire.add(packets.ipv4(packets.tcp(b"")), wait=10**13)
    wire.time -= 10**13
    for number in range(count):
        wire.add(_first_fragment(number))
    wire.capture(path)


def _mbus_beginnings(path: Path, count: int) -> None:
    """A frame with an APDU, then beginnings of frames in segments of an octet."""
    connection = Tcp(Wire(step=0)).handshake()
    connection.say(0, mbus_apdu(PUSH)[0])
    for _ in range(count):
        connection.say(0, b"\x68")
    connection.wire.capture(path)


def _mbus_parts(path: Path, count: int) -> None:
    """Segments of one APDU that never end, in frames of their own."""
    connection = Tcp(Wire(step=0)).handshake()
    for number in range(count):
        connection.say(0, mbus(bytes((number & 15, 1, 0x67)) + PUSH))
    connection.wire.capture(path)


def _coap_blocks(path: Path, count: int) -> None:
    """Blocks of one answer that never end."""
    wire = Wire(step=0)
    for number in range(count):
        value = (number << 4 | 8).to_bytes(3, "big")
        wire.udp(CLIENT, SERVER, coap(0x45, number, b"\7", ((23, value),), CLOCK[:16]))
    wire.capture(path)


def _coap_tokens(path: Path, count: int) -> None:
    """First blocks, each of another transfer."""
    wire = Wire(step=0)
    for number in range(count):
        token = number.to_bytes(4, "big")
        wire.udp(CLIENT, SERVER, coap(0x45, number, token, ((23, b"\x08"),), CLOCK[:16]))
    wire.capture(path)


def _headers_of_links(path: Path, count: int) -> None:
    """One packet of link headers in each other, and one of a header with many values."""
    values = packets.nflog("<", 0)[4:12] * count
    nested = packets.ppi(192) * count
    made = Pcapng("<")
    blocks = [made.section(), made.interface(192), made.interface(239)]
    blocks += [made.enhanced(1, nested), made.enhanced(2, b"\2\0\0\5" + values, interface=1)]
    path.write_bytes(b"".join(blocks))


def _headers_that_lead_nowhere(path: Path, count: int) -> None:
    """Segments of no known stream, full of believable headers of which none meets another."""
    connection = Tcp(Wire(), server=("10.0.0.2", 80)).handshake()
    for number in range(count):
        connection.say(0, b"\xff" + (wpdu(bytes([0xC0, 1]), 16, 1)[:-2] + b"\xc0\1\xff") * (4 + number % 3))
    connection.wire.capture(path)


def _senders_that_cut_short(path: Path, count: int) -> None:
    """WPDUs of which only the beginning was sent, each behind another."""
    connection = Tcp(Wire()).handshake()
    for number in range(count):
        connection.say(1, get_response(number, 400)[:60])
    connection.wire.capture(path)


def _strays(path: Path, count: int) -> None:
    """Every second segment is far outside the window."""
    connection = Tcp(Wire()).handshake()
    for number in range(count // 2):
        connection.packet(0, number * 21, get_request(number))
        connection.packet(0, (1 << 25) + number * (1 << 26), b"stray")
    connection.wire.capture(path)


def _resets_that_end_nothing(path: Path, count: int) -> None:
    """A late reset within every WPDU."""
    connection = Tcp(Wire()).handshake()
    for number in range(count // 4):
        octets, start = get_response(number, 40), 48 * number
        connection.packet(1, start, octets[:20])
        connection.packet(0, 0, ack=start + 20)
        connection.packet(1, -500_000, flags=RST | ACK)
        connection.packet(1, start + 20, octets[20:])
    connection.wire.capture(path)


def _fillers(path: Path, count: int) -> None:
    """Gaps that are filled long after, by senders whose numbers tell nothing."""
    connection = Tcp(Wire(step=40_000_000)).handshake()
    for number in range(count // 2):
        connection.packet(0, 42 * number + 21, get_request(number), identification=0)
        connection.packet(0, 42 * number, get_request(number), identification=0)
    connection.wire.capture(path)


def _copies(path: Path, count: int) -> None:
    """Every segment twice, and many of them a third time much later."""
    connection = Tcp(Wire(step=1_000)).handshake()
    for number in range(count // 3):
        connection.say(0, get_request(number))
        same = connection.identification[0]
        connection.packet(0, 21 * number, get_request(number), identification=same, flags=PSH | ACK)
        connection.packet(0, 21 * (number // 2), get_request(number // 2))
    connection.wire.capture(path)


COSTLY: dict[str, Callable[[Path, int], None]] = {
    "torn-blocks": _torn_blocks,
    "records-that-cannot-be": _records_that_cannot_be,
    "many-back-to-front": _many_back_to_front,
    "both-ways-from-the-middle": _both_ways_from_the_middle,
    "holes": _holes,
    "pieces-behind-others": _wpdu_in_pieces_behind_others,
    "hdlc-pairs": _hdlc_pairs,
    "bare-apdus": _bare_apdus,
    "headers-that-lead-nowhere": _headers_that_lead_nowhere,
    "senders-that-cut-short": _senders_that_cut_short,
    "strays": _strays,
    "resets-that-end-nothing": _resets_that_end_nothing,
    "fillers": _fillers,
    "copies": _copies,
    "hdlc-segments": _hdlc_segments,
    "blocks": _blocks,
    "half-wpdus": _half_wpdus,
    "comments": _comments,
    "names": _names,
    "fragments": _fragments,
    "first-fragments": _first_fragments,
    "clocks-that-jump": _clocks_that_jump,
    "mbus-beginnings": _mbus_beginnings,
    "mbus-parts": _mbus_parts,
    "coap-blocks": _coap_blocks,
    "coap-tokens": _coap_tokens,
    "headers-of-links": _headers_of_links,
}
