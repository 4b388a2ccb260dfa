"""The events that a relay tells and the commands that it takes, beside those of every link.

With `--control` they are lines of JSON, see `live_events`. A number that an event `held` has told stands for
that WPDU or datagram in the commands about it.
"""

from dataclasses import dataclass
from pathlib import Path

from cosemscope.capture.events import Command, Event, Trouble, Vocabulary
from cosemscope.live.commands.live_events import CloseLink, LinkKept
from cosemscope.live.relay.held_edits import (
    DelayBy,
    DoubleIt,
    DropIt,
    GoOn,
    HeldEdit,
    ReplaceApdu,
    SetFields,
    SplitAt,
    parse_edit,
)


@dataclass(frozen=True, kw_only=True)
class Relaying(Event):
    """What comes to `address` over `transport` goes to `target`, recorded in `file`."""

    word = "relaying"
    address: str
    target: str
    transport: str
    file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class RelayJoined(Event):
    """`client` came to `address`; for it there is a connection, or a socket, from `local` to `target`."""

    word = "joined"
    client: str
    address: str
    local: str
    target: str
    transport: str


@dataclass(frozen=True, kw_only=True)
class RelayParted(Event):
    """What `client` had is over; `message` says how. `sent` octets came from it, `received` went to it."""

    word = "parted"
    client: str
    target: str
    message: str
    sent: int
    received: int
    transport: str


@dataclass(frozen=True, kw_only=True)
class WpduHeld(Event):
    """A WPDU, or with UDP a datagram, waits as `number`; `direction` is "to-target" or "to-client"."""

    word = "held"
    number: int
    direction: str
    octets: bytes
    name: str
    client: str
    target: str
    transport: str


@dataclass(frozen=True, kw_only=True)
class HeldGone(Event):
    """It waits no more after `held_ms`: `how` says what was done, in the words of `--on-match`, or why."""

    word = "gone"
    number: int
    how: str
    held_ms: float


@dataclass(frozen=True, kw_only=True)
class BreakpointSet(Event):
    """From now on what the display filter `hold` leaves is held, or with `on_match` dealt with at once.

    None: nothing is held.
    """

    word = "breakpoint"
    hold: str | None = None
    on_match: str | None = None


@dataclass(frozen=True, kw_only=True)
class SetBreakpoint(Command):
    """`{"hold": FILTER}` sets the breakpoint, `on_match` says as `--on-match` what is done; null ends it."""

    word = "hold"
    hold: str | None
    on_match: str | None = None

    def change(self) -> HeldEdit | None:
        """What is done with what matches; None: it waits. Raises ArgumentTypeError."""
        return None if self.on_match is None else parse_edit(self.on_match)


@dataclass(frozen=True, kw_only=True)
class HeldCommand(Command):
    """What becomes of something held."""

    @property
    def number(self) -> int:
        """Its number."""
        number: int = getattr(self, self.word)
        return number

    def change(self) -> HeldEdit:
        """What is done. Raises ValueError, in words."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class LetGo(HeldCommand):
    """`{"let_go": N}` lets it go on as it came."""

    word = "let_go"
    let_go: int

    def change(self) -> HeldEdit:
        """What is done."""
        return GoOn()


@dataclass(frozen=True, kw_only=True)
class ReplaceHeld(HeldCommand):
    """`{"replace": N, "apdu": HEX}` has another APDU go on."""

    word = "replace"
    replace: int
    apdu: bytes

    def change(self) -> HeldEdit:
        """What is done."""
        return ReplaceApdu(self.apdu)


@dataclass(frozen=True, kw_only=True)
class EditHeld(HeldCommand):
    """`{"edit": N, "source_wport": 17, "at": 8, "octets": HEX}` sets fields, see `SetFields`."""

    word = "edit"
    edit: int
    source_wport: int | None = None
    destination_wport: int | None = None
    invoke_id: int | None = None
    at: int | None = None
    octets: bytes = b""

    def change(self) -> HeldEdit:
        """What is done."""
        wports = self.source_wport, self.destination_wport
        return SetFields(*wports, self.invoke_id, self.at, self.octets)


@dataclass(frozen=True, kw_only=True)
class DropHeld(HeldCommand):
    """`{"drop": N}` lets nothing go on."""

    word = "drop"
    drop: int

    def change(self) -> HeldEdit:
        """What is done."""
        return DropIt()


@dataclass(frozen=True, kw_only=True)
class DoubleHeld(HeldCommand):
    """`{"double": N}` lets it go on twice."""

    word = "double"
    double: int

    def change(self) -> HeldEdit:
        """What is done."""
        return DoubleIt()


@dataclass(frozen=True, kw_only=True)
class SplitHeld(HeldCommand):
    """`{"split": N, "at": 8}` lets its first octets go on, and the others a moment later."""

    word = "split"
    split: int
    at: int

    def change(self) -> HeldEdit:
        """What is done."""
        return SplitAt(self.at)


@dataclass(frozen=True, kw_only=True)
class DelayHeld(HeldCommand):
    """`{"delay": N, "ms": 500}` lets it go on so much later."""

    word = "delay"
    delay: int
    ms: float

    def change(self) -> HeldEdit:
        """What is done."""
        return DelayBy(self.ms / 1000)


RELAY_EVENTS: Vocabulary[Event] = Vocabulary(
    "event", Relaying, RelayJoined, RelayParted, WpduHeld, HeldGone, BreakpointSet, LinkKept, Trouble
)
RELAY_COMMANDS: Vocabulary[Command] = Vocabulary(
    "command",
    SetBreakpoint,
    LetGo,
    ReplaceHeld,
    EditHeld,
    DropHeld,
    DoubleHeld,
    SplitHeld,
    DelayHeld,
    CloseLink,
)
