"""Reading a meter as a job: objects, object list, logical devices, profiles; once or again and again."""

import asyncio
import random
import statistics
from argparse import ArgumentTypeError
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

from cosemscope.apdu.context import Reference
from cosemscope.apdu.names.blue_book import dotted
from cosemscope.application.object_model.unit_values import UnitValue
from cosemscope.capture.events import Trouble
from cosemscope.capture.job_options import flag, option
from cosemscope.capture.option_values import COUNT, SECONDS, SOME_SECONDS, ValueKind
from cosemscope.live.client.access_job import AccessJob
from cosemscope.live.client.client_refused import MeterError, UnknownObjectError
from cosemscope.live.client.meter_access import MeterAccess
from cosemscope.live.client.meter_client import Meter, MeterProfile
from cosemscope.live.client.meter_session import METER, meter_session
from cosemscope.live.client.reading_events import (
    DeviceListed,
    ObjectListed,
    ProfileBegun,
    ProfileEnded,
    ProfileRow,
    ReadingStatistics,
    Remarked,
    ValueRead,
)
from cosemscope.live.commands.live_events import Report
from cosemscope.live.links.recording import Recorder
from cosemscope.transport.wports import MANAGEMENT_LOGICAL_DEVICE, PUBLIC_CLIENT

_VALUE = 2
_SHARE = 95


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        words = f"{text!r} is no time: write it as 2026-03-01 or 2026-03-01T12:30, +01:00 or Z may follow"
        raise ArgumentTypeError(words) from None


def _entries(text: str) -> tuple[int, int]:
    first, dots, last = text.partition("..")
    if not first.isdecimal() or (last and not last.isdecimal()) or int(first) < 1:
        raise ArgumentTypeError(f"{text!r} is no range of entries: write 1..96, or 90.. to the last")
    end = int(last) if last else 0 if dots else int(first)
    if max(int(first), end) >= 1 << 32 or (end and end < int(first)):
        raise ArgumentTypeError(f"{text!r} is no range of entries: the first is 1, the last not before it")
    return int(first), end


def _member(text: str) -> int:
    if not text.lstrip("-").isdecimal() or not -0x80 <= int(text) <= 0x7F:
        raise ArgumentTypeError(f"{text!r} is no number of an attribute (-128 to 127)")
    return int(text)


TIME = ValueKind("TIME", _moment, lambda moment: moment.isoformat() if moment else "")
ENTRIES = ValueKind("A..B", _entries, lambda pair: f"{pair[0]}..{pair[1] or ''}" if pair else "")


@dataclass(frozen=True)
class ReadJob:
    """What to read of a meter, and how often."""

    command: ClassVar = "read"

    access: AccessJob = field(default_factory=AccessJob)
    objects: tuple[str, ...] = option(
        (),
        ValueKind("OBJECT"),
        help="a logical name (1.0.1.8.0.255; CLASS: before it, :ATTRIBUTE behind it), or part of a name",
    )
    attribute: int = option(_VALUE, ValueKind("N", _member), "--attribute", help="which one (default {})")
    listing: bool = flag(False, "--list", help="the objects of this association, with access rights")
    sap: bool = flag(False, "--sap", help="the logical devices, asked as the public client")
    last: int | None = option(None, COUNT, "--last", help="the last N rows of a profile")
    since: datetime | None = option(None, TIME, "--since", help="rows of a profile from this time on")
    until: datetime | None = option(None, TIME, "--until", help="rows of a profile up to this time")
    entries: tuple[int, int] | None = option(
        None, ENTRIES, "--entries", help="rows of a profile by number; 1 is the oldest"
    )
    every: float = option(0.0, SECONDS, "--every", help="read again every S seconds")
    times: int = option(0, COUNT, "--times", help="so many times (with --every: until it is interrupted)")
    jitter: float = option(0.0, SECONDS, "--jitter", help="each up to S seconds later, by chance")
    slow: float = option(0.0, SOME_SECONDS, "--slower-than", help="count answers that take longer")
    give_up: int = option(10, COUNT, "--give-up", help="end after so many losses in a row ({})")

    @property
    def of_profile(self) -> bool:
        """Whether rows of profiles are asked for."""
        return any(one is not None for one in (self.last, self.since, self.until, self.entries))

    def trouble(self) -> str:
        """Why this cannot be done; empty when it can."""
        what = [self.last is not None, self.since is not None or self.until is not None, bool(self.entries)]
        if sum(what) > 1:
            return "--last, --since with --until, and --entries ask for different rows: give one of them"
        if self.of_profile and not self.objects:
            return "rows of which profile? Name it: 1.0.99.1.0.255"
        if not (self.objects or self.listing or self.sap):
            return "nothing is asked for: name an OBJECT, or --list, or --sap"
        return ""


async def run_read(
    job: ReadJob, access: MeterAccess, report: Report, recorder: Recorder | None = None
) -> bool:
    """Do a job; whether all was read. Raises LinkError for an address that is none."""
    if job.sap:
        device = replace(job.access, client=PUBLIC_CLIENT, server=MANAGEMENT_LOGICAL_DEVICE)
        reader = _Reader(replace(job, access=device), MeterAccess(timeout=access.timeout), report, recorder)
        good = await reader.once(reader.devices) and reader.good
        if not (job.objects or job.listing):
            return good
    else:
        good = True
    reader = _Reader(job, access, report, recorder)
    if not job.every and job.times <= 1:
        return await reader.once(reader.read_all) and reader.good and good
    return await reader.again_and_again() and good


class _Reader:
    """One job under way."""

    def __init__(self, job: ReadJob, access: MeterAccess, report: Report, recorder: Recorder | None) -> None:
        self._job, self._access, self._report, self._recorder = job, access, report, recorder
        self.good = True
        self._seconds: list[float] = []
        self._asked = self._lost = self._lost_in_row = self._slow = 0
        self._hopeless = False
        """The meter refuses the association: asking on may lock it."""

    async def once(self, work: Callable[[Meter], Awaitable[None]]) -> bool:
        """Connect and do it; whether all went well. What did not is told."""
        was_open = False

        async def at_meter(meter: Meter) -> None:
            nonlocal was_open
            was_open = True
            await work(meter)

        error = await meter_session(self._job.access, self._access, self._report, self._recorder, at_meter)
        if error is not None:
            self.good = False
            refused = isinstance(error, MeterError) and error.refusal.kind != "client"
            self._hopeless = self._hopeless or (refused and not was_open)
        return error is None

    # What is read.

    async def devices(self, meter: Meter) -> None:
        """The logical devices."""
        for sap, name in await meter.devices():
            self._report(DeviceListed(wport=sap, name=name.decode("latin-1")))

    async def read_all(self, meter: Meter) -> None:
        """Everything that the job names."""
        if self._job.listing:
            for entry in await meter.objects(again=True):
                self._report(ObjectListed.of(entry))
            for problem in meter.problems:
                self._report(Remarked(message=problem))
        if not self._job.objects:
            return
        if self._job.of_profile:
            for name in self._job.objects:
                self._tell_profile(await self._profile(meter, name))
            return
        references = await self._references(meter)
        if not references:
            return
        self._tell_values(await meter.read_references(references), meter.last_seconds)

    async def _references(self, meter: Meter) -> list[Reference]:
        """What the names mean; those that mean nothing here are told, and the others read."""
        found = []
        for name in self._job.objects:
            try:
                found.append(await meter.reference(name, self._job.attribute))
            except UnknownObjectError as error:
                self.good = False
                self._report(Trouble(fault=METER, message=str(error), remote=self._job.access.address))
        return found

    def _tell_values(self, values: Sequence[UnitValue], seconds: float) -> None:
        for value in values:
            self._report(ValueRead.of(value, seconds))
            self.good = self.good and value.refusal is None

    async def _profile(self, meter: Meter, name: str) -> MeterProfile:
        job = self._job
        first, last = job.entries or (None, 0)
        return await meter.profile(
            name, last=job.last, first_entry=first, last_entry=last, since=job.since, until=job.until
        )

    def _tell_profile(self, table: MeterProfile) -> None:
        obis = dotted(table.reference.instance)
        self._report(ProfileBegun(obis=obis, titles=table.titles, units=table.units))
        for row in table.rows:
            self._report(ProfileRow.of(row))
        self._report(ProfileEnded(rows=len(table.rows), problems=table.problems))

    # Again and again.

    async def again_and_again(self) -> bool:
        """Read as often as the job says, over one connection while it lasts; the statistics at the end."""
        try:
            while self._goes_on():
                lost_before = self._lost
                if not await self.once(self._turns):
                    self._lost += self._lost == lost_before
                    self._lost_in_row += 1
                    self._asked += self._asked < self._lost + len(self._seconds)
                    await self._pause()
        finally:
            self._report(self._statistics())
        return self.good and not self._slow

    def _goes_on(self) -> bool:
        job = self._job
        if self._hopeless:
            return False
        return (not job.times or self._asked < job.times) and self._lost_in_row < job.give_up

    async def _turns(self, meter: Meter) -> None:
        references = await self._references(meter)
        if not references:
            self._hopeless = True
        while self._goes_on():
            self._asked += 1
            try:
                values = await meter.read_references(references)
            except MeterError:
                self._lost += 1
                raise
            self._lost_in_row = 0
            seconds = meter.last_seconds
            self._seconds.append(seconds)
            self._tell_values(values, seconds)
            if self._job.slow and seconds > self._job.slow:
                self._slow += 1
                limit = f"{self._job.slow * 1e3:g} ms"
                self._report(Remarked(message=f"the answer took {seconds * 1e3:.1f} ms, more than {limit}"))
            if self._goes_on():
                await self._pause()

    async def _pause(self) -> None:
        await asyncio.sleep(self._job.every + random.uniform(0, self._job.jitter))

    def _statistics(self) -> ReadingStatistics:
        taken = sorted(one * 1e3 for one in self._seconds)
        if not taken:
            return ReadingStatistics(asked=self._asked, answered=0, lost=self._lost, slow=0)
        at = min(len(taken) - 1, -(-len(taken) * _SHARE // 100) - 1)
        least, median, share, most = (
            round(one, 3) for one in (taken[0], statistics.median(taken), taken[at], taken[-1])
        )
        return ReadingStatistics(
            asked=self._asked,
            answered=len(taken),
            lost=self._lost,
            slow=self._slow,
            least_ms=least,
            median_ms=median,
            p95_ms=share,
            most_ms=most,
        )
