"""What a WPDU carries: ACSE and xDLMS APDUs as trees of fields with octet spans; security; HDLC."""

from cosemscope.apdu.context import Context, Opening, Reference, Request
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import ByteSource, Decoded, Field, Problem

__all__ = [
    "ByteSource",
    "Context",
    "Decoded",
    "Field",
    "Opening",
    "Problem",
    "Reference",
    "Request",
    "decode_apdu",
]
