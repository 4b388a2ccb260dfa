"""Values of live options: what argparse calls with an option's text, and what is wrong with one, in words."""

from argparse import ArgumentTypeError


def wport(text: str) -> int:
    """A wPort, decimal or as 0x..."""
    try:
        number = int(text, 0)
    except ValueError:
        number = -1
    if not 0 <= number <= 0xFFFF:
        raise ArgumentTypeError(f"{text!r} is no wPort (0 to 65535, or 0x0000 to 0xffff)")
    return number


def octets(text: str) -> bytes:
    """An APDU in hexadecimal, with or without spaces or colons."""
    try:
        found = bytes.fromhex(text.replace(":", " "))
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no APDU in hexadecimal") from None
    if not found:
        raise ArgumentTypeError("an APDU has at least one octet")
    return found
