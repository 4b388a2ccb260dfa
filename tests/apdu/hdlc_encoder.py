"""HDLC frames built octet by octet, for tests: a check sequence bit by bit, headers by hand."""


def crc(octets: bytes) -> bytes:
    """CRC-16/X-25 by its definition, one bit after the other; low octet first."""
    register = 0xFFFF
    for octet in octets:
        for place in range(8):
            low = (register ^ octet >> place) & 1
            register = register >> 1 ^ (0x8408 if low else 0)
    return (register ^ 0xFFFF).to_bytes(2, "little")


def frame(
    control: int,
    information: bytes | None = None,
    *,
    destination: bytes = b"\x03",
    source: bytes = b"\x21",
    segmented: bool = False,
    length: int | None = None,
) -> bytes:
    """A frame with both flags; `length` is written into the length field instead of the right one."""
    header = 2 + len(destination) + len(source) + 1 + 2
    right = header if information is None else header + len(information) + 2
    number = 0xA000 | segmented << 11 | (right if length is None else length)
    body = number.to_bytes(2, "big") + destination + source + bytes([control])
    body += crc(body)
    if information is not None:
        body += information
        body += crc(body)
    return b"\x7e" + body + b"\x7e"


GET = bytes.fromhex("c001c100030100010800ff0200")
COMMAND = b"\xe6\xe6\x00"
RESPONSE = b"\xe6\xe7\x00"


def i_control(send: int, receive: int = 0, *, poll: bool = True) -> int:
    """The control field of an I frame."""
    return receive % 8 << 5 | poll << 4 | send % 8 << 1


def segments(information: bytes, size: int, *, send: int = 0, source: bytes = b"\x03") -> list[bytes]:
    """An information field in frames of at most `size` octets."""
    parts = [information[at : at + size] for at in range(0, len(information), size)]
    return [
        frame(
            i_control(send + number, poll=number == len(parts) - 1),
            part,
            destination=b"\x21",
            source=source,
            segmented=number < len(parts) - 1,
        )
        for number, part in enumerate(parts)
    ]
