"""Octets as text for people: a stream of hexadecimal digits, or a dump with offsets and characters."""


def hex_stream(octets: bytes) -> str:
    """The octets as hexadecimal without spaces."""
    return octets.hex()


def character(octet: int) -> str:
    """The octet's ASCII character, a middle dot for one that cannot be printed."""
    return chr(octet) if 0x20 <= octet < 0x7F else "·"


def hex_dump(octets: bytes, start: int = 0) -> str:
    """The octets as lines of offset, sixteen octets and characters; offsets begin at `start`."""
    lines = []
    for at in range(0, len(octets), 16):
        part = octets[at : at + 16]
        text = "".join(character(octet).replace("·", ".") for octet in part)
        lines.append(f"{start + at:04x}  {part.hex(' '):<47}  {text}")
    return "\n".join(lines)
