"""What a WPDU carries: ACSE and xDLMS APDUs as trees of fields with octet spans; security; HDLC.

The names below are loaded when they are first used: the table of tags alone does not load the decoder.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_HOMES = {
    "context": ("Context", "Opening", "Reference", "Request"),
    "decoder": ("decode_apdu",),
    "fields": ("ByteSource", "Decoded", "Field", "Problem"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
