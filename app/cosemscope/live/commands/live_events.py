"""The events that a test link or a listener tells, and the commands that it takes.

With `--control` events go out as JSON lines on standard output and commands come in as JSON lines on standard
input (see `capture.events`). The end of standard input ends the command as `CloseLink` does. Whoever starts
one has to read its output: a full pipe holds up the link.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cosemscope.apdu.names.tags import apdu_name
from cosemscope.capture.events import Command, Event, Trouble, Vocabulary
from cosemscope.live.links.faults import LinkError

Report = Callable[[Event], None]
Commands = asyncio.Queue[Command | None]
"""Commands as they come; None: there will be no more."""


@dataclass(frozen=True, kw_only=True)
class Connecting(Event):
    """A link to the address `to` is being opened over `transport`, "tcp" or "udp", recorded in `file`."""

    word = "connecting"
    to: str
    transport: str
    file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Listening(Event):
    """A listener is ready at `address` for `transport`, recorded in `file`."""

    word = "listening"
    address: str
    transport: str
    file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Connected(Event):
    """A connection between the addresses `local` and `remote` is there."""

    word = "connected"
    local: str
    remote: str
    transport: str


@dataclass(frozen=True, kw_only=True)
class ApduEvent(Event):
    """Something happened to an APDU, whose `name` follows from its octets."""

    apdu: bytes
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", apdu_name(self.apdu[0]) if self.apdu else "empty")


@dataclass(frozen=True, kw_only=True)
class ApduSent(ApduEvent):
    """An APDU was sent: by a listener when the socket has taken it, by a link when it is handed over."""

    word = "sent"
    local_wport: int
    remote_wport: int
    remote: str
    transport: str | None = None


@dataclass(frozen=True, kw_only=True)
class ApduReceived(ApduEvent):
    """An APDU came; `response_ms` after its request, when it is an answer. `remark`: what is odd about it."""

    word = "received"
    local_wport: int
    remote_wport: int
    remote: str
    transport: str | None = None
    response_ms: float | None = None
    remark: str | None = None


@dataclass(frozen=True, kw_only=True)
class ApduDiscarded(ApduEvent):
    """An APDU came for a wPort that nobody here has; `advice` says what would take it."""

    word = "discarded"
    source_wport: int
    destination_wport: int
    remote: str | None = None
    advice: str | None = None


@dataclass(frozen=True, kw_only=True)
class LinkClosed(Event):
    """The connection to `remote` ended in order; `message` says by whom."""

    word = "closed"
    message: str
    remote: str


@dataclass(frozen=True, kw_only=True)
class LinkKept(Event):
    """The recording is complete; the last event, unless nothing went over the wire."""

    word = "kept"
    file: Path
    packets: int


@dataclass(frozen=True, kw_only=True)
class PushReceived(Event):
    """A push was understood: who sent it, what it holds, how many came of it, `gap_s` since the last one."""

    word = "push"
    meter: str
    remote: str
    transport: str
    local_wport: int
    invoke_id: int | None = None
    date_time: str | None = None
    names: tuple[str, ...]
    texts: tuple[str, ...]
    protected: bool
    pushes: int
    lost: int
    gap_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class PushNotOpened(Event):
    """What came cannot be understood, in a sentence."""

    word = "push-trouble"
    remote: str
    message: str


@dataclass(frozen=True, kw_only=True)
class MeterSeen(Event):
    """A line of the table at the end: a meter, its pushes, what it said last; `silent`: one is overdue."""

    word = "meter"
    meter: str
    pushes: int
    lost: int
    usual_gap_s: float | None = None
    most_gap_s: float | None = None
    silent: bool
    last: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SendApdu(Command):
    """`{"send": HEX}` sends an APDU; a listener sends it `to` the remote address of an earlier event."""

    word = "send"
    send: bytes
    local_wport: int | None = None
    remote_wport: int | None = None
    to: str | None = None

    def __post_init__(self) -> None:
        if not self.send:
            raise ValueError("an APDU has at least one octet")


@dataclass(frozen=True, kw_only=True)
class AnswerWith(Command):
    """`{"answer": HEX}` has a listener answer with this APDU from now on, null with nothing."""

    word = "answer"
    answer: bytes | None


@dataclass(frozen=True, kw_only=True)
class CloseLink(Command):
    """`{"close": true}` ends the link or the listener."""

    word = "close"
    close: bool = True


LIVE_EVENTS: Vocabulary[Event] = Vocabulary(
    "event",
    Connecting,
    Listening,
    Connected,
    ApduSent,
    ApduReceived,
    ApduDiscarded,
    PushReceived,
    PushNotOpened,
    MeterSeen,
    LinkClosed,
    LinkKept,
    Trouble,
)
LIVE_COMMANDS: Vocabulary[Command] = Vocabulary("command", SendApdu, AnswerWith, CloseLink)


def trouble_of(error: LinkError, remote: str | None = None) -> Trouble:
    """The event about a fault of a link."""
    return Trouble(fault=error.fault.value, message=error.message, remote=remote)
