"""What a WPDU carries: ACSE and xDLMS APDUs as trees of fields with octet spans; security; HDLC.

The names below are loaded when they are first used: the table of tags alone does not load the decoder.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cosemscope.apdu.context import Context, Reference, Request
    from cosemscope.apdu.decoder import decode_apdu
    from cosemscope.apdu.fields import ByteSource, Decoded, Field, Problem
    from cosemscope.apdu.opening import Opening, Verdict

__all__ = [
    "ByteSource",
    "Context",
    "Decoded",
    "Field",
    "Opening",
    "Problem",
    "Reference",
    "Request",
    "Verdict",
    "decode_apdu",
]

_HOMES = {
    "context": ("Context", "Reference", "Request"),
    "decoder": ("decode_apdu",),
    "fields": ("ByteSource", "Decoded", "Field", "Problem"),
    "opening": ("Opening", "Verdict"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
