"""Live links as a stream of events, for a person, a script and the window alike.

A live command (`cosemscope connect`, `listen`) tells events, each a name and values that JSON can hold, and
may be given commands. With `--control` events go out as JSON lines on standard output and commands come in as
JSON lines on standard input.

Events, `{"event": NAME, "time": nanoseconds since the epoch, ...}`:

- `connecting`: `to`, `transport` ("tcp" or "udp"), `file` (the recording)
- `listening`: `address`, `transport`, `file`
- `connected`: `local`, `remote`, `transport`
- `sent`: `apdu` (hex), `name`, `local_wport`, `remote_wport`, `remote`
- `received`: the same, and `response_ms` since the last APDU sent, when one was waiting for an answer
- `discarded`: an APDU for a wPort that nobody here has: `apdu`, `name`, `source_wport`, `destination_wport`
- `closed`: `remote`, `message`
- `error`: `fault` (one of `Fault`'s words, or "command"), `message`, `remote`
- `kept`: `file`, `packets`; the last event, unless nothing went over the wire

Commands: `{"send": HEX}` with, if need be, `"local_wport"`, `"remote_wport"` and for a listener `"to"` (the
remote address of an earlier event); `{"answer": HEX}` or `{"answer": null}`: what a listener answers from now
on; `{"close": true}`, as the end of standard input, ends it. Whoever starts a command has to read its output:
a full pipe holds up the link.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from cosemscope.apdu.names.tags import apdu_name
from cosemscope.live.links.faults import Fault, LinkError

Event = dict[str, Any]
Report = Callable[[Event], None]
Commands = asyncio.Queue[Mapping[str, Any] | None]
"""Commands as they come; None: there will be no more."""


def event(kind: str, /, **values: Any) -> Event:
    """An event that happens now; values that are None are left out."""
    given = {key: value for key, value in values.items() if value is not None}
    return {"event": kind, "time": time.time_ns(), **given}


def apdu_event(kind: str, apdu: bytes, **values: Any) -> Event:
    """An event about an APDU."""
    return event(kind, apdu=apdu.hex(), name=apdu_name(apdu[0]) if apdu else "empty", **values)


def error_event(error: LinkError, **values: Any) -> Event:
    """An event about a fault."""
    return event("error", fault=error.fault.value, message=error.message, **values)


def octets_of(text: Any) -> bytes:
    """Octets written in hexadecimal, with or without spaces. Raises LinkError that says what is wrong."""
    if not isinstance(text, str):
        raise LinkError(Fault.ADDRESS, f"an APDU is written in hexadecimal, not as {text!r}")
    try:
        octets = bytes.fromhex(text.replace(":", " "))
    except ValueError:
        raise LinkError(Fault.ADDRESS, f"{text!r} is no APDU in hexadecimal") from None
    if not octets:
        raise LinkError(Fault.ADDRESS, "an APDU has at least one octet")
    return octets
