"""Values and options that live jobs share: wPorts, and APDUs in hexadecimal."""

from argparse import ArgumentTypeError
from typing import Any

from cosemscope.capture.job_options import option
from cosemscope.capture.option_values import ValueKind
from cosemscope.transport.wports import MANAGEMENT_LOGICAL_DEVICE, PUBLIC_CLIENT


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


WPORT = ValueKind("WPORT", wport)
HEX = ValueKind("HEX", octets, bytes.hex)


def client_wport() -> Any:
    """The field of a job for the own wPort of a link."""
    return option(PUBLIC_CLIENT, WPORT, "--client", help="own wPort (default {})")


def server_wport() -> Any:
    """The field of a job for the wPort at the other end of a link."""
    return option(MANAGEMENT_LOGICAL_DEVICE, WPORT, "--server", help="its wPort (default {})")
