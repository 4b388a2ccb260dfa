"""What is done to a meter, step by step: read, set, act, clock, switch, image, wait, repeat, expect.

A step is a value that says in words what it will send (`str`), whether it changes the meter (`changes`), and
does it (`run`). The command line makes steps of words, a sequence file of tables.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Protocol

from cosemscope.apdu.context import Reference
from cosemscope.apdu.data.dates import moment
from cosemscope.apdu.names.blue_book import dotted
from cosemscope.application.encoding.data_values import (
    Data,
    boolean,
    date_time_octets,
    integer,
    long,
    octet_string,
)
from cosemscope.application.object_model.profile_selections import CLOCK_TIME
from cosemscope.application.object_model.unit_values import UnitValue
from cosemscope.capture.events import Event
from cosemscope.live.client.client_refused import MeterError
from cosemscope.live.client.meter_client import Meter
from cosemscope.live.client.reading_events import (
    ImageProgress,
    MeterChanged,
    ProfileBegun,
    ProfileEnded,
    ProfileRow,
    ValueRead,
)
from cosemscope.live.client.value_words import data_text, reference_words, value_text
from cosemscope.live.sequences.image_transfer import send_image
from cosemscope.wording import count

Report = Callable[[Event], None]
_DISCONNECTOR = Reference(70, bytes.fromhex("000060030aff"), 2)
_DISCONNECT, _RECONNECT = 1, 2
_SHIFT_TIME, _MOST_SHIFT, _TIME_ZONE = 6, 900, 3
_VALUE = 2


class MeterStep(Protocol):
    """One step."""

    @property
    def changes(self) -> bool:
        """Whether the meter is another one afterwards: a user is asked first."""

    def __str__(self) -> str:
        """What it will do, in words."""

    async def run(self, meter: Meter, report: Report) -> None:
        """Do it. Raises MeterError."""


@dataclass(frozen=True)
class Expectation:
    """What the values of a reading have to be: `equals` (a number or a text), between `least` and `most`.

    With `refused` the meter has to refuse them.
    """

    equals: float | str | bool | None = None
    least: float | None = None
    most: float | None = None
    refused: bool = False

    def wrong(self, value: UnitValue) -> str:
        """Why a value is not as expected; empty where it is."""
        if self.refused:
            return "" if value.refusal is not None else f"it was to be refused, and is {value_text(value)}"
        if value.refusal is not None:
            return str(value.refusal)
        text = value_text(value)
        found = _comparable(value)
        if self.equals is not None and self.equals not in (found, text):
            return f"it is {text}, expected {self.equals}"
        for limit, below in ((self.least, True), (self.most, False)):
            if limit is None:
                continue
            if not isinstance(found, int | float):
                return f"it is {text}, which is no number"
            if found < limit if below else found > limit:
                return f"it is {text}, expected {'at least' if below else 'at most'} {limit:g}"
        return ""


def _comparable(value: UnitValue) -> object:
    if value.number is not None:
        return float(value.number)
    return value.value.plain if value.value is not None else None


@dataclass(frozen=True)
class ReadStep:
    """Read attributes, and hold them against what is expected."""

    objects: tuple[str, ...]
    attribute: int = _VALUE
    expect: Expectation | None = None
    changes = False

    def __str__(self) -> str:
        return f"read {', '.join(self.objects)}"

    async def run(self, meter: Meter, report: Report) -> None:
        """Every value is told; MeterError where one is not as expected."""
        values = await meter.read_many(self.objects, self.attribute)
        wrong = []
        for value in values:
            report(ValueRead.of(value, meter.last_seconds))
            reason = (self.expect or Expectation()).wrong(value)
            if reason:
                wrong.append(f"{reference_words(value.reference)}: {reason}")
        if wrong:
            raise MeterError("; ".join(wrong))


@dataclass(frozen=True)
class ProfileStep:
    """Read rows of a profile."""

    profile: str
    last: int | None = None
    entries: tuple[int, int] | None = None
    since: datetime | None = None
    until: datetime | None = None
    changes = False

    def __str__(self) -> str:
        return f"read rows of {self.profile}"

    async def run(self, meter: Meter, report: Report) -> None:
        """Every row is told."""
        first, last = self.entries or (None, 0)
        table = await meter.profile(
            self.profile,
            last=self.last,
            first_entry=first,
            last_entry=last,
            since=self.since,
            until=self.until,
        )
        obis = dotted(table.reference.instance)
        report(ProfileBegun(obis=obis, titles=table.titles, units=table.units))
        for row in table.rows:
            report(ProfileRow.of(row))
        report(ProfileEnded(rows=len(table.rows), problems=table.problems))


@dataclass(frozen=True)
class SetStep:
    """Set one attribute."""

    object: str
    value: Data
    attribute: int = _VALUE
    changes = True

    def __str__(self) -> str:
        return f"set {self.object} to {self.value.type_name} {data_text(self.value)}"

    async def run(self, meter: Meter, report: Report) -> None:
        """MeterError where the meter refuses."""
        reference = await meter.reference(self.object, self.attribute)
        await meter.write(reference, self.value)
        report(MeterChanged.of("set", reference, data_text(self.value, reference)))


@dataclass(frozen=True)
class ActStep:
    """Invoke one method."""

    object: str
    method: int
    value: Data | None = None
    changes = True

    def __str__(self) -> str:
        with_what = f" with {self.value.type_name} {data_text(self.value)}" if self.value is not None else ""
        return f"invoke method {self.method} of {self.object}{with_what}"

    async def run(self, meter: Meter, report: Report) -> None:
        """MeterError where the meter refuses."""
        reference = await meter.reference(self.object, self.method, method=True)
        returned = await meter.act(reference, reference.member, self.value)
        report(MeterChanged.of("act", reference, data_text(returned)))


@dataclass(frozen=True)
class ClockStep:
    """Set the clock to this computer's time or to `to`; `shift`: move it by what it is off, 900 s at most."""

    to: datetime | None = None
    shift: bool = False
    changes = True

    def __str__(self) -> str:
        if self.shift:
            return "move the clock (shift_time) to the time of this computer"
        return f"set the clock to {self.to.isoformat() if self.to else 'the time of this computer'}"

    async def run(self, meter: Meter, report: Report) -> None:
        """MeterError where the meter refuses, or the clock is too far off to be moved."""
        before = (await meter.read_data(CLOCK_TIME)).value
        octets = before if isinstance(before, bytes) and len(before) == 12 else b""
        zone = await self._zone(meter, octets)
        if self.shift:
            await self._move(meter, octets, zone, report)
            return
        wanted = self.to or datetime.now(UTC)
        if wanted.tzinfo is not None:
            wanted = wanted.astimezone(zone)
        status = octets[11] if octets and octets[11] != 0xFF else None
        value = octet_string(date_time_octets(wanted, status))
        await meter.write(CLOCK_TIME, value)
        report(MeterChanged.of("set", CLOCK_TIME, data_text(value, CLOCK_TIME)))

    @staticmethod
    async def _zone(meter: Meter, octets: bytes) -> timezone:
        """The zone in which the meter tells its time; where it does not, that of its time_zone."""
        told = moment(octets)
        offset = told.utcoffset() if told is not None else None
        if offset is None:
            minutes = (await meter.read_data(CLOCK_TIME._replace(member=_TIME_ZONE))).value
            offset = timedelta(minutes=-minutes if isinstance(minutes, int) and abs(minutes) <= 840 else 0)
        return timezone(offset)

    @staticmethod
    async def _move(meter: Meter, octets: bytes, zone: timezone, report: Report) -> None:
        told = moment(octets)
        if told is None:
            raise MeterError("the clock does not tell its whole time: set it instead of moving it")
        now = datetime.now(UTC) - timedelta(seconds=meter.last_seconds / 2)
        off = round((now - (told if told.tzinfo else told.replace(tzinfo=zone))).total_seconds())
        if abs(off) > _MOST_SHIFT:
            raise MeterError(f"the clock is {off:+d} s off, more than it can be moved by: set it instead")
        if off:
            reference = CLOCK_TIME._replace(member=_SHIFT_TIME, method=True)
            await meter.act(reference, _SHIFT_TIME, long(off))
            report(MeterChanged.of("act", reference, f"moved by {off:+d} s"))
        else:
            report(MeterChanged.of("act", CLOCK_TIME, "right to the second: nothing was sent"))


@dataclass(frozen=True)
class SwitchStep:
    """Disconnect or reconnect the supply."""

    connect: bool
    changes = True

    def __str__(self) -> str:
        return "reconnect the supply" if self.connect else "DISCONNECT the supply"

    async def run(self, meter: Meter, report: Report) -> None:
        """Switch, and tell how it stands then. MeterError where the meter refuses."""
        number = _RECONNECT if self.connect else _DISCONNECT
        reference = _DISCONNECTOR._replace(member=number, method=True)
        await meter.act(reference, number, integer(0))
        (state,) = await meter.read_references([_DISCONNECTOR])
        now = {boolean(True): "connected", boolean(False): "disconnected"}
        text = now.get(state.value, value_text(state)) if state.value is not None else value_text(state)
        report(MeterChanged.of("act", reference, f"output is {text}"))


@dataclass(frozen=True)
class ImageStep:
    """Send an image, go on where it stood, verify, activate where that is wanted."""

    file: Path
    identifier: bytes
    activate: bool = False
    anew: bool = False
    changes = True

    def __str__(self) -> str:
        end = "verify and ACTIVATE it" if self.activate else "verify it"
        return f"send the image {self.file} as {self.identifier!r}, and {end}"

    async def run(self, meter: Meter, report: Report) -> None:
        """Raises MeterError, also where the file cannot be read."""
        try:
            image = await asyncio.to_thread(self.file.read_bytes)
        except OSError as error:
            raise MeterError(f"{self.file} cannot be read: {error.strerror or error}") from None

        def progress(done: int, blocks: int) -> None:
            report(ImageProgress(blocks=done, of=blocks))

        sent = await send_image(
            meter, image, self.identifier, activate=self.activate, anew=self.anew, progress=progress
        )
        words = f"{count(sent, 'block')} sent, verified{' and activated' if self.activate else ''}"
        reference = Reference(18, bytes.fromhex("00002c0000ff"), 3, method=True)
        report(MeterChanged.of("act", reference, words))


@dataclass(frozen=True)
class WaitStep:
    """Wait for so many seconds."""

    seconds: float
    changes = False

    def __str__(self) -> str:
        return f"wait {self.seconds:g} s"

    async def run(self, meter: Meter, report: Report) -> None:
        """Nothing is sent."""
        await asyncio.sleep(self.seconds)


@dataclass(frozen=True)
class RepeatStep:
    """Do steps again and again: `times`, one round every `every` seconds."""

    times: int
    steps: "tuple[MeterStep, ...]"
    every: float = 0.0

    @property
    def changes(self) -> bool:
        """Whether any of them does."""
        return any(step.changes for step in self.steps)

    def __str__(self) -> str:
        return f"{self.times} times: {', then '.join(map(str, self.steps))}"

    async def run(self, meter: Meter, report: Report) -> None:
        """The first that fails ends it."""
        for turn in range(self.times):
            begun = time.monotonic()
            for step in self.steps:
                await step.run(meter, report)
            if self.every and turn + 1 < self.times:
                await asyncio.sleep(max(0.0, self.every - (time.monotonic() - begun)))
