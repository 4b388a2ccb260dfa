"""Talks of other protocols on the ports of DLMS: what both sides say, and the framing that names it.

Everything is made from a seed, so that each run may look at others; nothing is taken from captures.
"""

import random
import ssl
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from cosemscope.streams.tables.framing import Framing
from tests.helpers.wire import Tcp, Wire, wpdu

TCP, UDP = 6, 17
SERVER_NAME = "meter-7.example"
#: general-glo-ciphering of TST 00000007, as a meter pushes it.
PUSH = bytes.fromhex("db0854535400000000071a2000000010fe429c5787d402da2d5b6460ccc578eecb9d2d2a")
GET = bytes.fromhex("c001c100080000010000ff0200")
CLOCK = bytes.fromhex("c401c100090c07e40102ff0a0b0cff800000")


class Talk(NamedTuple):
    """What is said: (side, octets) in order; `apdus` are those that it carries."""

    framing: Framing
    protocol: int
    said: list[tuple[int, bytes]]
    apdus: list[bytes]


def coap(
    code: int,
    number: int,
    token: bytes = b"",
    options: tuple[tuple[int, bytes], ...] = (),
    payload: bytes = b"",
) -> bytes:
    """A confirmable message (RFC 7252); options ascend."""
    octets, last = bytes((0x40 | len(token), code)) + struct.pack(">H", number) + token, 0
    for option, value in options:
        (delta, more), (size, and_more) = _nibble(option - last), _nibble(len(value))
        octets += bytes((delta << 4 | size,)) + more + and_more + value
        last = option
    return octets + (b"\xff" + payload if payload else b"")


def _nibble(value: int) -> tuple[int, bytes]:
    if value < 13:
        return value, b""
    return (13, bytes((value - 13,))) if value < 269 else (14, struct.pack(">H", value - 269))


def blocks(apdu: bytes, option: int, size: int = 64) -> list[tuple[bytes, bytes]]:
    """The option's value and the payload of each block of `size` octets."""
    pieces = [apdu[at : at + size] for at in range(0, len(apdu), size)]
    szx = size.bit_length() - 5
    values = [number << 4 | (number + 1 < len(pieces)) << 3 | szx for number in range(len(pieces))]
    return [
        (value.to_bytes(1 + (value > 255), "big"), piece) for value, piece in zip(values, pieces, strict=True)
    ]


def mbus(data: bytes, control: int = 0x53, address: int = 0xFF) -> bytes:
    """A long frame of EN 13757-2 around user data."""
    body = bytes((control, address)) + data
    return bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) & 0xFF, 0x16))


def mbus_apdu(apdu: bytes, size: int = 240) -> list[bytes]:
    """The frames of an APDU in segments of `size` octets."""
    pieces = [apdu[at : at + size] for at in range(0, len(apdu), size)]
    return [
        mbus(bytes(((number & 15) | 0x10 * (number + 1 == len(pieces)), 1, 0x67)) + piece)
        for number, piece in enumerate(pieces)
    ]


def prime_new_device(device: int, identifier: bytes) -> bytes:
    """The message of a PRIME data concentrator on a new device."""
    return struct.pack(">BHHB", 1, device, 0x11, len(identifier)) + identifier + bytes.fromhex("40406f000001")


@cache
def certificate() -> tuple[bytes, bytes]:
    """A self-signed certificate in PEM, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, SERVER_NAME)])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(7).not_valid_before(begin).not_valid_after(begin + timedelta(days=36_500))
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem, secret


@cache
def tls_talk(version: ssl.TLSVersion) -> tuple[tuple[int, bytes], ...]:
    """A whole handshake and some data, by Python's own TLS."""
    import tempfile
    from pathlib import Path

    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    server.maximum_version = client.maximum_version = version
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.pem"
        path.write_bytes(b"".join(certificate()))
        server.load_cert_chain(path)
    wires = [ssl.MemoryBIO() for _ in range(4)]  # in and out of the client, in and out of the server
    ends = [
        client.wrap_bio(wires[0], wires[1], server_hostname=SERVER_NAME),
        server.wrap_bio(wires[2], wires[3], server_side=True),
    ]
    said: list[tuple[int, bytes]] = []
    waiting = [True, True]
    while any(waiting):
        for side, end in enumerate(ends):
            try:
                if waiting[side]:
                    end.do_handshake()
                    waiting[side] = False
                    end.write(b"x" * (100 + side))
            except ssl.SSLWantReadError:
                pass
            if octets := wires[1 + 2 * side].read():
                said.append((side, octets))
                wires[2 - 2 * side].write(octets)
    return tuple(said)


def client_hello() -> bytes:
    """A ClientHello of DTLS 1.2 with a server name."""
    name = SERVER_NAME.encode()
    names = struct.pack(">BH", 0, len(name)) + name
    extension = struct.pack(">HHH", 0, len(names) + 2, len(names)) + names
    return (
        b"\xfe\xfd"
        + bytes(32)
        + b"\0"
        + b"\0"
        + b"\0\2\xc0\x2b"
        + b"\1\0"
        + struct.pack(">H", len(extension))
        + extension
    )


def dtls_handshake(kind: int, body: bytes, number: int, cuts: tuple[int, ...] = ()) -> list[bytes]:
    """The records of a handshake message, in fragments if it is cut."""
    records = []
    ends = [0, *cuts, len(body)]
    for start, stop in pairwise(ends):
        head = struct.pack(
            ">B3sH3s3s", kind, *_threes(len(body)), number, *_threes(start), *_threes(stop - start)
        )
        records.append(dtls_record(22, head + body[start:stop]))
    return records


def _threes(value: int) -> tuple[bytes]:
    return (value.to_bytes(3, "big"),)


def dtls_record(kind: int, body: bytes, epoch: int = 0) -> bytes:
    """A record of DTLS 1.2."""
    return struct.pack(">BHHHIH", kind, 0xFEFD, epoch, 0, 1, len(body)) + body


def dtls_certificate() -> bytes:
    """The body of a Certificate message with the made certificate."""
    der = ssl.PEM_cert_to_DER_cert(certificate()[0].decode())
    return (len(der) + 3).to_bytes(3, "big") + len(der).to_bytes(3, "big") + der


def _coap_dlms(r: random.Random) -> Talk:
    token = r.randbytes(r.randint(1, 8))
    done, names = b"\xc5\x01\xc1\x00", bytes.fromhex("c001c100010000600100ff0200")
    long = CLOCK[:4] + b"\x09\x82\x01\x00" + r.randbytes(256)
    request = b"\xc1\x01\xc1" + bytes.fromhex("00070100630100ff0200") + b"\x09\x81\xb4" + r.randbytes(180)
    path = (11, b"dlms")
    said = [(0, coap(2, 1, token, (path,), GET)), (1, coap(0x44, 1, token, (), CLOCK))]
    for number, (value, piece) in enumerate(blocks(request, 27)):
        said.append((0, coap(2, 10 + number, token, (path, (27, value)), piece)))
        said.append((1, coap(0x5F, 10 + number, token, ((27, value),))))
    said += [(1, coap(0x44, 18, token, (), done)), (0, coap(2, 19, token, (path,), names))]
    for number, (value, piece) in enumerate(blocks(long, 23)):
        said.append((1, coap(0x44, 20 + number, bytes((number,)), ((23, value),), piece)))
        said.append((1, coap(0x44, 20 + number, bytes((number,)), ((23, value),), piece)))  # sent again
    said.append((0, coap(2, 99, token, (path,), wpdu(GET, 16, 1))))
    said.append((1, coap(0x44, 99, token, (), wpdu(CLOCK, 1, 16))))
    return Talk(Framing.COAP, UDP, said, [GET, CLOCK, request, done, names, long, GET, CLOCK])


def _coap_other(r: random.Random) -> Talk:
    said = [
        (0, coap(1, 5, b"\1", ((11, b".well-known"), (11, b"core")))),
        (1, coap(0x45, 5, b"\1", ((12, b"\x28"),), b"</sensors>;if=sensor")),
        (0, coap(1, 6, b"\2", ((11, b"temperature"),))),
    ]
    return Talk(Framing.COAP_OTHER, UDP, said, [])


def _tls(version: ssl.TLSVersion) -> Callable[[random.Random], Talk]:
    return lambda r: Talk(Framing.TLS, TCP, list(tls_talk(version)), [])


def _dtls(r: random.Random) -> Talk:
    sealed = [(side, dtls_record(23, r.randbytes(r.randint(20, 300)), 1)) for side in (0, 1, 0)]
    said = [(0, octets) for octets in dtls_handshake(1, client_hello(), 0)]
    said += [(1, octets) for octets in dtls_handshake(11, dtls_certificate(), 1, (100, 200))]
    return Talk(Framing.DTLS, UDP, said + sealed, [])


def _prime(r: random.Random) -> Talk:
    device = r.randint(1, 200)
    messages = [
        prime_new_device(device, b"ZIV003%07d" % r.randint(0, 9_999_999)),
        b"\2" + struct.pack(">H", device),
    ]
    orders = [b"\3", b"\4" + struct.pack(">H", device), b"\5\0\7", b"\6\0\7"]
    said = [(1, wpdu(message, 1, 16)) for message in messages] + [(0, wpdu(order, 16, 1)) for order in orders]
    return Talk(Framing.WRAPPER, TCP, said, [*messages, *orders])


def _alarm(protocol: int) -> Callable[[random.Random], Talk]:
    def make(r: random.Random) -> Talk:
        equipment = b"E%04d%012d," % (r.randint(0, 9999), r.randint(0, 10**12 - 1))
        tail = r.choice([r.randbytes(4), bytes.fromhex("0000190900ff")])
        return Talk(Framing.DSMR_ALARM, protocol, [(0, equipment + tail)], [])

    return make


def _mbus_dlms(protocol: int) -> Callable[[random.Random], Talk]:
    def make(r: random.Random) -> Talk:
        title = b"KFM" + r.randbytes(5)
        sizes = [r.randint(30, 100), r.randint(250, 600)]
        apdus = [
            b"\xdb\x08" + title + b"\x82" + struct.pack(">H", size + 5) + b"\x21" + r.randbytes(4 + size)
            for size in sizes
        ]
        frames = [frame for apdu in apdus for frame in mbus_apdu(apdu)]
        return Talk(Framing.MBUS, protocol, [(0, frame) for frame in frames], apdus)

    return make


def _mbus_other(r: random.Random) -> Talk:
    answer = mbus(b"\x72" + r.randbytes(8) + b"\1\0\0\0\x0c\x78" + r.randbytes(4), 0x08, 5)
    asked = bytes((0x10, 0x5B, 5, 0x60, 0x16))
    return Talk(
        Framing.MBUS_OTHER, TCP, [(0, b"\x10\x40\x05\x45\x16"), (1, b"\xe5"), (0, asked), (1, answer)], []
    )


def _p1(r: random.Random) -> Talk:
    lines = [
        b"1-3:0.2.8(50)",
        b"0-0:1.0.0(%012dW)" % r.randint(0, 10**12 - 1),
        b"1-0:1.8.1(%010.3f*kWh)" % r.random(),
    ]
    telegram = b"/ISk5\\2MT382-1000\r\n\r\n" + b"\r\n".join(lines) + b"\r\n!%04X\r\n" % r.randint(0, 65535)
    return Talk(Framing.P1, TCP, [(0, telegram)], [])


def _sml(r: random.Random) -> Talk:
    body = bytes.fromhex("7605") + r.randbytes(4) + bytes.fromhex("620062007263010176") + r.randbytes(40)
    return Talk(
        Framing.SML,
        TCP,
        [(0, bytes.fromhex("1b1b1b1b01010101") + body + bytes.fromhex("1b1b1b1b1a00") + r.randbytes(2))],
        [],
    )


def _iec_104(r: random.Random) -> Talk:
    point = bytes((0x68, 14, 2, 0, 2, 0, 1, 1, 3, 0, 1, 0)) + r.randbytes(3) + b"\1"
    asked = bytes.fromhex("680e0000000064010600010000000014")
    said = [
        (0, bytes.fromhex("680407000000")),
        (1, bytes.fromhex("68040b000000")),
        (0, asked),
        (1, point + point),
    ]
    return Talk(Framing.IEC_104, TCP, said, [])


def _modbus(r: random.Random) -> Talk:
    said = []
    unit = r.randint(0, 255)
    for number in range(r.randint(1, 5)):
        transaction = struct.pack(">HH", (number + r.randint(0, 3)) & 0xFFFF, 0)
        said.append((0, transaction + struct.pack(">HBBHH", 6, unit, 3, r.randint(0, 9999), 2)))
        said.append((1, transaction + struct.pack(">HBBB", 7, unit, 3, 4) + r.randbytes(4)))
    return Talk(Framing.MODBUS, TCP, said, [])


def _text(framing: Framing, *said: bytes) -> Callable[[random.Random], Talk]:
    return lambda r: Talk(framing, TCP, [(number % 2, octets) for number, octets in enumerate(said)], [])


def _stun(protocol: int) -> Callable[[random.Random], Talk]:
    def make(r: random.Random) -> Talk:
        binding = bytes.fromhex("000100002112a442") + r.randbytes(12)
        return Talk(Framing.STUN, protocol, [(0, binding), (1, b"\1\1" + binding[2:])], [])

    return make


#: Makers of talks, by name: each takes its chance from a seed.
TALKS: dict[str, Callable[[random.Random], Talk]] = {
    "DLMS over CoAP": _coap_dlms,
    "CoAP": _coap_other,
    "TLS 1.2": _tls(ssl.TLSVersion.TLSv1_2),
    "TLS 1.3": _tls(ssl.TLSVersion.TLSv1_3),
    "DTLS": _dtls,
    "PRIME": _prime,
    "DSMR alarm over TCP": _alarm(TCP),
    "DSMR alarm over UDP": _alarm(UDP),
    "DLMS in M-Bus over TCP": _mbus_dlms(TCP),
    "DLMS in M-Bus over UDP": _mbus_dlms(UDP),
    "M-Bus": _mbus_other,
    "P1": _p1,
    "SML": _sml,
    "IEC 104": _iec_104,
    "Modbus": _modbus,
    "hex text": _text(
        Framing.HEX_TEXT, wpdu(GET).hex(" ").upper().encode(), wpdu(CLOCK).hex().encode() + b"\r\n"
    ),
    "IEC 62056-21": _text(Framing.IEC_62056_21, b"/?!\r\n", b"/ABC5METER-1\r\n", b"\x06050\r\n"),
    "HTTP": _text(Framing.HTTP, b"GET /meters HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"),
    "SSH": _text(Framing.SSH, b"SSH-2.0-OpenSSH_9.2\r\n", b"SSH-2.0-dropbear\r\n"),
    "STUN over TCP": _stun(TCP),
    "STUN over UDP": _stun(UDP),
    "RPCAP": _text(Framing.RPCAP, struct.pack(">BBHI", 0, 8, 0, 8) + bytes(8)),
}


def put_on(wire: Wire, talk: Talk, number: int, port: int = 4059) -> None:
    """Say a talk on a wire, as stream `number` of it, to this port."""
    client, server = (f"10.1.{number >> 8}.{number & 255}", 50_000), ("10.0.0.2", port)
    if talk.protocol == UDP:
        ends = client, server
        for side, octets in talk.said:
            wire.udp(ends[side], ends[1 - side], octets)
        return
    connection = Tcp(wire, client, server).handshake()
    for side, octets in talk.said:
        connection.say(side, octets)
    connection.close()
