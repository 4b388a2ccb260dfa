"""The events that a meter tells and the commands that it takes, beside those of every link."""

from argparse import ArgumentTypeError
from dataclasses import dataclass
from pathlib import Path

from cosemscope.capture.events import Command, Event, Trouble, Vocabulary
from cosemscope.live.commands.live_events import (
    ApduDiscarded,
    CloseLink,
    Connected,
    LinkClosed,
    LinkKept,
)
from cosemscope.live.meter.fault_orders import FaultOrder, parse_fault


@dataclass(frozen=True, kw_only=True)
class MeterListening(Event):
    """Meters are ready, one at each of `addresses` over each of `transports`, recorded in `file`.

    `devices` are the wPorts of logical devices; `clients` say who may associate, `keys` with which keys.
    """

    word = "listening"
    addresses: tuple[str, ...]
    transports: tuple[str, ...]
    devices: tuple[int, ...]
    clients: tuple[str, ...]
    keys: str | None = None
    file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class FaultsOrdered(Event):
    """What goes wrong from now on, in the words of `--fault`; empty: nothing."""

    word = "faults"
    faults: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MeterPushed(Event):
    """A push of the meter at `address` went to `remote` over `transport`."""

    word = "pushed"
    address: str
    remote: str
    transport: str
    octets: int


@dataclass(frozen=True, kw_only=True)
class OrderFaults(Command):
    """`{"faults": ["delay=300ms", "loss=10%"]}` has these in force, and no others; [] none."""

    word = "faults"
    faults: tuple[str, ...]

    def __post_init__(self) -> None:
        self.orders()

    def orders(self) -> tuple[FaultOrder, ...]:
        """The faults. Raises ValueError."""
        try:
            return tuple(map(parse_fault, self.faults))
        except ArgumentTypeError as error:
            raise ValueError(str(error)) from None


@dataclass(frozen=True, kw_only=True)
class PushNow(Command):
    """`{"push": true}` has every push setup that names somebody push at once."""

    word = "push"
    push: bool


METER_EVENTS: Vocabulary[Event] = Vocabulary(
    "event",
    MeterListening,
    Connected,
    LinkClosed,
    ApduDiscarded,
    FaultsOrdered,
    MeterPushed,
    LinkKept,
    Trouble,
)
METER_COMMANDS: Vocabulary[Command] = Vocabulary("command", OrderFaults, PushNow, CloseLink)
