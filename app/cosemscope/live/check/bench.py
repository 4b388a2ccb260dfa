"""Parts of a check: its description, its verdict, and the bench that it runs on.

A bench knows the one address that may be talked to, the limits of time, and
the harmless APDUs. A check opens probes on it, sends, waits and gives a verdict.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum

from cosemscope.apdu.names.tags import apdu_name
from cosemscope.capture.job_options import flag, option
from cosemscope.capture.option_values import SECONDS
from cosemscope.live.check.probe import SILENCE, Diary, Gone, Outcome, Probe
from cosemscope.live.commands.live_values import client_wport, server_wport
from cosemscope.live.commands.ready_made import public_aarq, release_request
from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.faults import LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_sockets import LinkOptions
from cosemscope.transport.wpdu import BadVersion, Wpdu


class CheckVerdict(Enum):
    """Verdict of a check; the value is the word in reports."""

    PASS = "pass"
    FAIL = "fail"
    UNDECIDED = "not decidable"


@dataclass(frozen=True)
class Finding:
    """A verdict and the sentence that gives the reason."""

    verdict: CheckVerdict
    reason: str


def passed(reason: str) -> Finding:
    """The server does what the check wants."""
    return Finding(CheckVerdict.PASS, reason)


def failed(reason: str) -> Finding:
    """It does not."""
    return Finding(CheckVerdict.FAIL, reason)


def undecided(reason: str) -> Finding:
    """The answers prove neither, or the standard gives no rule."""
    return Finding(CheckVerdict.UNDECIDED, reason)


@dataclass(frozen=True)
class CheckOptions:
    """Limits of a run; times in seconds.

    `answer` is how long an answer may take, `quiet` how long is waited where none should come, `idle` how
    long the idle check rests, `connect` bounds one connection attempt, `total` the whole run.
    """

    client: int = client_wport()
    server: int = server_wport()
    udp: bool = flag(True, "--no-udp", help="leave out the check over UDP")
    answer: float = option(5.0, SECONDS, "--timeout", help="wait for an answer ({} s)")
    quiet: float = option(1.0, SECONDS, "--quiet", help="wait where no answer should come ({} s)")
    idle: float = option(5.0, SECONDS, "--idle", help="rest of the idle check ({} s)")
    connect: float = option(5.0, SECONDS, "--connect-timeout", help="wait for a connection ({} s)")
    total: float = option(180.0, SECONDS, "--total", help="the whole run at most ({} s)")
    unknown_wport: int = 0x000F
    pause: float = 0.05


@dataclass(frozen=True)
class Check:
    """One test of the transport layer: what the standard wants (`clause`), what is sent, what is expected."""

    key: str
    title: str
    clause: str
    sends: str
    expects: str
    run: "Callable[[Bench], Awaitable[Finding]]"
    needs: tuple[str, ...] = ()
    """Keys of checks that must have passed for this one to say anything."""


@dataclass
class Bench:
    """Address, limits and probes of one check that runs.

    `diary` collects its steps; `clear` ends the probes still open at its end.
    """

    address: LinkAddress
    options: CheckOptions
    recorder: Recorder | None = None
    diary: Diary = field(default_factory=Diary)
    #: Answers that AARQ and RLRQ, one at a time, got in the basic check: two, one or none.
    answers_to_pair: int = 0
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

    async def connect(self, name: str = "") -> Probe:
        """A new connection to the address under test. Raises LinkError."""
        options = LinkOptions(connect_timeout=self.options.connect, send_timeout=self.options.answer)
        probe = await Probe.connect(self.address, options, self.recorder, self.diary, name)
        self._probes.append(probe)
        return probe

    async def ask(self, probe: Probe, *pieces: bytes, pause: float = 0.0) -> Outcome:
        """Send pieces; what comes within the time for an answer. A broken connection is an outcome, too."""
        try:
            await probe.send(*pieces, pause=pause)
        except LinkError as error:
            return Gone(error)
        return await probe.outcome(self.options.answer)

    async def release(self, probe: Probe) -> None:
        """Release the association, if the connection is still there, and close."""
        if isinstance(await self.ask(probe, self.rlrq), Wpdu):
            await probe.close()
        else:
            probe.abort()

    async def served_again(self, after: str) -> Finding | None:
        """Try a new connection: None when it is answered, else the failure, said to come `after` ..."""
        try:
            probe = await self.connect("new")
        except LinkError as error:
            return failed(f"after {after} no new connection can be opened: {error.message}")
        outcome = await self.ask(probe, self.aarq)
        if not isinstance(outcome, Wpdu):
            return failed(f"after {after} a new connection gets no answer: {describe(outcome)}")
        await self.release(probe)
        return None

    async def clear(self) -> None:
        """End what the check left open."""
        for probe in self._probes:
            if probe.is_open:
                probe.reset()
        await asyncio.gather(*(probe.wait_ended() for probe in self._probes))
        self._probes.clear()


def describe(outcome: Outcome) -> str:
    """An outcome as part of a sentence, the server being its subject."""
    if outcome is SILENCE:
        return "it stayed silent"
    if isinstance(outcome, Gone):
        return f"it {outcome.words}"
    if isinstance(outcome, BadVersion):
        return f"it sent what is no WPDU ({outcome.octets.hex(' ')})"
    if isinstance(outcome, Wpdu):
        name = apdu_name(outcome.data[0]) if outcome.data else "an empty WPDU"
        return f"it answered with {name}"
    raise TypeError(outcome)
