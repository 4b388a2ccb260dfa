"""Parts of a check: its description, its verdict, and the bench that it runs on.

A bench knows the one address that may be talked to, the limits of time, and
the harmless APDUs. A check opens probes on it, sends, waits and gives a verdict.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum

from cosemscope.apdu.names.tags import APDU_TAGS, apdu_name
from cosemscope.capture.job_options import flag, option
from cosemscope.capture.option_values import SECONDS, ValueKind
from cosemscope.live.check.probe import SILENCE, Diary, Gone, Outcome, Probe, StepKind, Unfinished
from cosemscope.live.commands.live_values import WPORT, client_wport, server_wport
from cosemscope.live.commands.ready_made import public_aarq, release_request
from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.answers import Standing
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.reasons import looks_like
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_sockets import LinkOptions
from cosemscope.transport.wpdu import HEADER_SIZE, BadVersion, Wpdu


class CheckVerdict(Enum):
    """Verdict of a check; the value is the word in reports. What wants attention comes first."""

    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    PASSED = "passed"
    INAPPLICABLE = "inapplicable"


@dataclass(frozen=True)
class Finding:
    """A verdict and the sentence that gives the reason."""

    verdict: CheckVerdict
    reason: str


def passed(reason: str) -> Finding:
    """The server does what the check wants."""
    return Finding(CheckVerdict.PASSED, reason)


def failed(reason: str) -> Finding:
    """It does not."""
    return Finding(CheckVerdict.FAILED, reason)


def inconclusive(reason: str) -> Finding:
    """The answers prove neither, or the standard gives no rule."""
    return Finding(CheckVerdict.INCONCLUSIVE, reason)


def inapplicable(reason: str) -> Finding:
    """There is nothing to check: not offered by the server, or not asked for."""
    return Finding(CheckVerdict.INAPPLICABLE, reason)


_TEXT = ValueKind("TEXT")


@dataclass(frozen=True)
class CheckOptions:
    """Limits of a run; times in seconds. What is tested, and by whom, goes into the report as it stands.

    `answer` is how long an answer may take, `quiet` how long is waited where none should come, `idle` how
    long the idle check rests, `connect` bounds one connection attempt, `slot` how long a server may take to
    serve the next connection after one has ended, `total` the whole run.
    """

    client: int = client_wport()
    server: int = server_wport()
    second: int = option(0, WPORT, "--second", help="wPort of a second logical device, to check that too")
    udp: bool = flag(True, "--no-udp", help="leave out the checks over UDP")
    group: str = option(
        "", ValueKind("ADDRESS"), "--group", help="a group or broadcast address to check, too"
    )
    answer: float = option(5.0, SECONDS, "--timeout", help="wait for an answer ({} s)")
    quiet: float = option(1.0, SECONDS, "--quiet", help="wait where no answer should come ({} s)")
    idle: float = option(5.0, SECONDS, "--idle", help="rest of the idle check ({} s)")
    connect: float = option(5.0, SECONDS, "--connect-timeout", help="wait for a connection ({} s)")
    slot: float = option(5.0, SECONDS, "--slot", help="wait for the server to serve the next one ({} s)")
    total: float = option(300.0, SECONDS, "--total", help="the whole run at most ({} s)")
    unknown_wport: int = option(0x000F, WPORT, "--unknown-wport", help="a wPort nobody has (default {})")
    meter: str = option("", _TEXT, "--meter", help="what is tested, for the report")
    firmware: str = option("", _TEXT, "--firmware", help="its firmware, for the report")
    tester: str = option("", _TEXT, "--tester", help="who tests, for the report")
    pause: float = 0.05


@dataclass(frozen=True)
class Check:
    """One test of the transport layer: what is sent, what is expected, and what that rests on.

    `rule` is what the standard says, at `clause`; `reading` is what we take from it, empty where the rule
    says it all.
    """

    key: str
    title: str
    clause: str
    rule: str
    reading: str
    sends: str
    expects: str
    run: "Callable[[Bench], Awaitable[Finding]]"
    needs: tuple[str, ...] = ()
    """Keys of checks that must have passed for this one to say anything."""
    control: "Callable[[Bench], Awaitable[str | None]] | None" = None
    """The same without what is checked: None when that works, else what happened. By default one exchange."""


@dataclass
class Slots:
    """How soon a server serves the next connection after one: `seconds`, learnt as it shows.

    `gone`: it serves none any more, since a check that is to blame for that. `releases`: whether it answers
    RLRQ, None until that is known.
    """

    seconds: float = 0.0
    gone: bool = False
    releases: bool | None = None
    freed_at: float = field(default_factory=time.monotonic)

    async def wait(self) -> None:
        """Wait until the server is ready for a connection, as far as is known."""
        if self.seconds:
            await asyncio.sleep(max(0.0, self.freed_at + 1.25 * self.seconds + 0.05 - time.monotonic()))

    @property
    def words(self) -> str:
        """What was learnt, as the end of a sentence."""
        return f" (the next connection is served {self.seconds:.1f} s after one)" if self.seconds else ""


@dataclass
class Bench:
    """Address, limits and probes of one check that runs.

    `diary` collects its steps; `clear` ends the probes still open at its end.
    """

    address: LinkAddress
    options: CheckOptions
    recorder: Recorder | None = None
    diary: Diary = field(default_factory=Diary)
    slots: Slots = field(default_factory=Slots)
    noted: Counter[Standing] = field(default_factory=Counter)
    """What came and was no answer to what was asked."""
    _probes: list[Probe] = field(default_factory=list)

    @property
    def aarq(self) -> bytes:
        """A WPDU with the public client's AARQ."""
        return self.wpdu(public_aarq())

    @property
    def rlrq(self) -> bytes:
        """A WPDU with an RLRQ."""
        return self.wpdu(release_request())

    def wpdu(self, apdu: bytes, *, destination: int | None = None, version: int = 1) -> bytes:
        """A WPDU from the client's wPort to the server's, or to `destination`."""
        target = self.options.server if destination is None else destination
        return Wpdu(self.options.client, target, apdu, version).encode()

    async def connect(self, name: str = "", *, beside: bool = False) -> Probe:
        """A new connection to the address under test; `beside` others that are open. Raises LinkError."""
        if not beside:
            await self.slots.wait()
        options = LinkOptions(connect_timeout=self.options.connect, send_timeout=self.options.answer)
        probe = await Probe.connect(self.address, options, self.recorder, self.diary, name)
        self._probes.append(probe)
        return probe

    async def ask(self, probe: Probe, *pieces: bytes, pause: float = 0.0) -> Outcome:
        """Send a WPDU in pieces; its answer, or what came in its place within the time for an answer.

        A broken connection is an outcome, too. Pushes, and a second answer to what was asked before, are
        noted and passed over.
        """
        self.expect(probe, b"".join(pieces))
        try:
            await probe.send(*pieces, pause=pause)
        except LinkError as error:
            return Gone(error)
        return await self.answer(probe)

    def expect(self, probe: Probe, wpdu: bytes) -> None:
        """A WPDU will be sent whose answer will be asked for with `answer`."""
        probe.answers.ask(wpdu[HEADER_SIZE:], 0, 0, time.monotonic())

    async def answer(self, probe: Probe, seconds: float | None = None) -> Outcome:
        """The next answer, or what came in its place. `seconds`: those for an answer unless given."""
        ends_at = time.monotonic() + (self.options.answer if seconds is None else seconds)
        while True:
            outcome = await probe.outcome(max(0.0, ends_at - time.monotonic()))
            if not isinstance(outcome, Wpdu) or self.standing(probe, outcome) is Standing.ANSWER:
                return outcome

    def standing(self, probe: Probe, wpdu: Wpdu) -> Standing:
        """What a WPDU that came is to what was asked on this connection; other than an answer it is noted."""
        if not wpdu.data:
            return Standing.ANSWER
        standing = probe.answers.came(wpdu.data, 0, 0, time.monotonic()).standing
        if standing is not Standing.ANSWER:
            self.noted[standing] += 1
            self.diary.note(StepKind.REMARK, text=f"{standing.value}: {apdu_name(wpdu.data[0])}")
        return standing

    async def release(self, probe: Probe) -> None:
        """Release the association, if the connection is still there and that is answered, and close."""
        if self.slots.releases is False or isinstance(await self.ask(probe, self.rlrq), Wpdu):
            await self.close(probe)
        else:
            self.abort(probe)

    def abort(self, probe: Probe) -> None:
        """Break a connection."""
        probe.abort()
        self.slots.freed_at = time.monotonic()

    async def close(self, probe: Probe) -> None:
        """Close a connection in order."""
        await probe.close()
        self.slots.freed_at = time.monotonic()

    async def exchange(self) -> str | None:
        """The plain case: one connection, one AARQ, its answer. None when that works, else what happened."""
        try:
            probe = await self.connect("control")
        except LinkError as error:
            return error.message
        outcome = await self.ask(probe, self.aarq)
        if not isinstance(outcome, Wpdu):
            probe.abort()  # it had no slot
            return self.describe(outcome)
        await self.release(probe)
        return None

    async def works_again(self) -> str | None:
        """Wait until the plain case works, at most `slot` s; None when it does, else what happened.

        How long that takes after the last connection is how long this server keeps a slot.
        """
        last = self.slots.freed_at
        ends_at = time.monotonic() + self.options.slot
        pause = 0.05
        while True:
            begun = time.monotonic()
            trouble = await self.exchange()
            if trouble is None:
                if begun - last > self.slots.seconds and pause > 0.05:
                    self.slots.seconds = begun - last
                return None
            if time.monotonic() + pause >= ends_at:
                return trouble
            await asyncio.sleep(pause)
            pause = min(2 * pause, 1.0)

    async def served_again(self, after: str) -> Finding | None:
        """Try a new connection: None when it is answered, else the failure, said to come `after` ..."""
        try:
            probe = await self.connect("new")
        except LinkError as error:
            return failed(f"after {after} no new connection can be opened: {error.message}")
        outcome = await self.ask(probe, self.aarq)
        if not isinstance(outcome, Wpdu):
            return failed(f"after {after} a new connection gets no answer: {self.describe(outcome)}")
        await self.release(probe)
        return None

    def describe(self, outcome: Outcome) -> str:
        """An outcome as part of a sentence, the server being its subject; silence with the time allowed."""
        return describe(outcome, self.options.answer)

    async def clear(self) -> None:
        """End what the check left open."""
        for probe in self._probes:
            if probe.served:
                self.slots.freed_at = time.monotonic()
            if probe.is_open:
                probe.reset()
        await asyncio.gather(*(probe.wait_ended() for probe in self._probes))
        self._probes.clear()


def describe(outcome: Outcome, seconds: float | None = None) -> str:
    """An outcome as part of a sentence, the server being its subject; `seconds`: how long was waited."""
    limit = f" for {seconds:g} s" if seconds is not None else ""
    if outcome is SILENCE:
        return f"it stayed silent{limit}"
    if isinstance(outcome, Unfinished):
        return f"it began an answer and did not end it{limit.replace('for', 'in')}: {outcome.words}"
    if isinstance(outcome, Gone):
        return f"it {outcome.words}"
    if isinstance(outcome, BadVersion):
        octets = outcome.octets
        return f"it sent what is no WPDU ({octets.hex(' ')}{looks_like(octets)})"
    if isinstance(outcome, Wpdu):
        if not outcome.data:
            return "it answered with an empty WPDU"
        unknown = "" if outcome.data[0] in APDU_TAGS else ", a kind of APDU that is not known"
        return f"it answered with {apdu_name(outcome.data[0])}{unknown}"
    raise TypeError(outcome)


def is_reset(outcome: Outcome) -> bool:
    """Whether the server broke the connection instead of closing it."""
    return isinstance(outcome, Gone) and outcome.fault.fault is Fault.RESET
