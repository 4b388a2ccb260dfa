"""Breakpoints: what a filter matches waits for a word about it, and goes on by itself after a minute.

What passes is asked about one by one with `ask`, which gives its plan to a callback: soon where nothing
matches, later where something does. Filters are asked in a thread, many WPDUs at a time, while octets of
others go on. A filter that fails lets everything pass.
"""

import asyncio
import contextlib
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from cosemscope.apdu.names.tags import apdu_name
from cosemscope.capture.events import Trouble, not_obeyed
from cosemscope.live.commands.live_events import Report
from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.faults import Fault
from cosemscope.live.relay.held_edits import MOST_SECONDS, GoOn, HeldEdit, Plan
from cosemscope.live.relay.relay_events import BreakpointSet, HeldCommand, HeldGone, SetBreakpoint, WpduHeld
from cosemscope.transport.wpdu import HEADER_SIZE

#: WPDUs that wait at once, at most: one each way of a thousand connections. Others pass, and that is told.
_MOST_WAITING = 2048
_MOST_ASKED = 256
_TELL_EVERY = 60.0


@dataclass(frozen=True)
class Passing:
    """A WPDU, or with UDP a datagram, on its way between `client` and `target`."""

    octets: bytes
    to_target: bool
    client: LinkAddress
    target: LinkAddress
    udp: bool = False


Matches = Callable[[Sequence[Passing]], Sequence[bool]]
"""Which of those that pass are to be held; called in a thread."""
MakeMatches = Callable[[str], Matches]
"""Makes one of a display filter. Raises ValueError, in words, for text that is none."""
Then = Callable[[Plan, str], None]
"""Told what goes on, and what the recording is to say of it, if anything."""


class AskedPassing:
    """Something that was asked about. `forget`: it is not wanted any more, as its connection is gone."""

    def __init__(self, passing: Passing, then: Then, asked_at: float) -> None:
        self.passing = passing
        self.number = 0
        self.asked_at = asked_at
        self.forgotten = False
        self.timer: asyncio.TimerHandle | None = None
        self._then = then

    def go(self, plan: Plan, remark: str) -> None:
        """Hand on the plan."""
        if self.timer is not None:
            self.timer.cancel()
        if not self.forgotten:
            self._then(plan, remark)


class Breakpoints:
    """The breakpoint of a relay, none at first, and what waits at it; `seconds` is how long something may."""

    def __init__(self, report: Report, make_matches: MakeMatches, seconds: float = MOST_SECONDS) -> None:
        self._report = report
        self._make_matches = make_matches
        self.seconds = min(seconds, MOST_SECONDS)
        self._matches: Matches | None = None
        self._on_match: HeldEdit | None = None
        self._asked: list[AskedPassing] = []
        self._held: dict[int, AskedPassing] = {}
        self._numbers = 0
        self._asking: asyncio.Task[None] | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._told_at: float | None = None

    @property
    def active(self) -> bool:
        """Whether there is one: without, nothing needs to ask."""
        return self._matches is not None

    def set(self, text: str, on_match: HeldEdit | None = None) -> None:
        """Hold from now on what the filter leaves. Raises ValueError, in words, when it is none."""
        self._matches = self._make_matches(text)
        self._on_match = on_match
        self._report(BreakpointSet(hold=text, on_match=on_match.words if on_match else None))

    def clear(self) -> None:
        """Hold nothing any more: what waits goes on."""
        self._matches = None
        self._on_match = None
        for number in tuple(self._held):
            self._end(number, GoOn(), "the breakpoint ended")
        self._report(BreakpointSet())

    def ask(self, passing: Passing, then: Then) -> AskedPassing:
        """Whether this may pass; `then` is called once, never before this returns, unless it is forgotten."""
        loop = asyncio.get_running_loop()
        waiting = AskedPassing(passing, then, loop.time())
        if len(self._asked) + len(self._held) >= _MOST_WAITING:
            self._tell(f"{_MOST_WAITING:,} WPDUs are held, the most that may be: others pass as they come")
            loop.call_soon(waiting.go, GoOn().plan(passing.octets), "")
            return waiting
        self._asked.append(waiting)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._look())
        return waiting

    def forget(self, waiting: AskedPassing) -> None:
        """Its connection is gone."""
        waiting.forgotten = True
        if waiting.number in self._held:
            self._end(waiting.number, GoOn(), "its connection ended")

    def cannot_cut(self, passing: Passing) -> None:
        """What passes there is no wrapper: nothing of it can be held."""
        sender, way = (passing.client, "to") if passing.to_target else (passing.target, "from")
        words = f"what {sender} sends is no wrapper: nothing more of it is held on its way {way} the target"
        self._report(Trouble(fault=Fault.NOT_WRAPPER.value, message=words, remote=str(passing.client)))

    def obey(self, command: SetBreakpoint | HeldCommand) -> None:
        """Do what a command says; what cannot be done is told."""
        try:
            if isinstance(command, HeldCommand):
                self._change(command.number, command.change())
            elif command.hold is None:
                self.clear()
            else:
                self.set(command.hold, command.change())
        except (ValueError, ArgumentTypeError) as error:
            self._report(not_obeyed(str(error)))

    async def close(self) -> None:
        """Let everything go, and end the thread."""
        if self._asking is not None:
            self._asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._asking
        for number in tuple(self._held):
            self._end(number, GoOn(), "the relay ended")
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    async def _look(self) -> None:
        """Ask the filter about all that wait to be asked about."""
        while self._asked:
            batch, self._asked = self._asked[:_MOST_ASKED], self._asked[_MOST_ASKED:]
            found: Sequence[bool] = ()
            if self._matches is not None:
                found = await self._found(self._matches, [one.passing for one in batch])
            hits = found if self.active and len(found) == len(batch) else [False] * len(batch)
            for one, hit in zip(batch, hits, strict=True):
                if hit and not one.forgotten:
                    self._hold(one)
                else:
                    one.go(GoOn().plan(one.passing.octets), "")

    async def _found(self, matches: Matches, passing: list[Passing]) -> Sequence[bool]:
        loop = asyncio.get_running_loop()
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "breakpoints")
        try:
            return await loop.run_in_executor(self._pool, matches, passing)
        except Exception as error:  # whatever it is, it must not stop the traffic
            self._tell(f"the filter failed on {len(passing)} WPDUs, which pass: {error}")
            return ()

    def _hold(self, waiting: AskedPassing) -> None:
        self._numbers += 1
        waiting.number = self._numbers
        passing = waiting.passing
        self._held[waiting.number] = waiting
        self._report(
            WpduHeld(
                number=waiting.number,
                direction="to-target" if passing.to_target else "to-client",
                octets=passing.octets,
                name=apdu_name(passing.octets[HEADER_SIZE]) if len(passing.octets) > HEADER_SIZE else "empty",
                client=str(passing.client),
                target=str(passing.target),
                transport="udp" if passing.udp else "tcp",
            )
        )
        if self._on_match is None:
            how = f"let go after {self.seconds:g} s"
            loop = asyncio.get_running_loop()
            waiting.timer = loop.call_later(self.seconds, self._end, waiting.number, GoOn(), how)
            return
        try:
            self._end(waiting.number, self._on_match)
        except ValueError as error:
            self._end(waiting.number, GoOn(), str(error))

    def _change(self, number: int, edit: HeldEdit) -> None:
        if number not in self._held:
            raise ValueError(f"nothing is held as number {number}")
        self._end(number, edit)

    def _end(self, number: int, edit: HeldEdit, how: str = "") -> None:
        """One of those held goes on. Raises ValueError, and it stays, when the edit cannot be made."""
        waiting = self._held[number]
        plan = edit.plan(waiting.passing.octets)
        del self._held[number]
        taken = asyncio.get_running_loop().time() - waiting.asked_at
        how = how or edit.words
        self._report(HeldGone(number=number, how=how, held_ms=round(taken * 1000, 3)))
        waiting.go(plan, f"relay: held as number {number} for {taken * 1000:.0f} ms, then {how}")

    def _tell(self, words: str) -> None:
        """At most once a minute."""
        now = asyncio.get_running_loop().time()
        if self._told_at is None or now - self._told_at >= _TELL_EVERY:
            self._told_at = now
            self._report(Trouble(fault=Fault.FAILED.value, message=words))
