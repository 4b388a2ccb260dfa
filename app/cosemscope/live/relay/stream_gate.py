"""One direction of a relayed connection: what came goes on in its order, WPDUs past the breakpoints.

Without a breakpoint octets go on in the very call that brought them. With one they are cut into WPDUs, each
is asked about, and those behind it wait; the sender is not read meanwhile, so what waits is bounded by one
read and one WPDU.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from cosemscope.live.relay.breakpoints import AskedPassing, Breakpoints, Passing
from cosemscope.live.relay.held_edits import Plan
from cosemscope.live.relay.wpdu_cutter import CutPiece, WpduCutter


class GateOutlet(Protocol):
    """Where a gate's octets go."""

    def put(self, octets: bytes) -> None:
        """These go on."""

    def remark(self, words: str) -> None:
        """What the recording is to say of what goes on next."""

    def put_end(self) -> None:
        """Nothing more comes."""


class StreamGate:
    """Takes what came in one direction and gives it to `outlet`.

    `passing` makes of a WPDU what breakpoints are asked; `changed` is called when `is_busy` has changed: more
    shall be read only while it is not.
    """

    def __init__(
        self,
        breakpoints: Breakpoints,
        passing: Callable[[bytes], Passing],
        outlet: GateOutlet,
        changed: Callable[[], None],
    ) -> None:
        self._breakpoints = breakpoints
        self._passing = passing
        self._outlet = outlet
        self._changed = changed
        self._cutter = WpduCutter()
        self._pieces: deque[CutPiece] = deque()
        self._waiting: AskedPassing | None = None
        self._plan: deque[tuple[bytes, float]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._partial: asyncio.TimerHandle | None = None
        self._ended = False
        self._over = False

    @property
    def is_busy(self) -> bool:
        """Whether something waits, so that nothing behind it may go on."""
        return bool(self._pieces or self._waiting or self._plan)

    def take(self, octets: bytes) -> None:
        """Octets came."""
        was_foreign = self._cutter.foreign
        pieces = self._cutter.take(octets, cutting=self._breakpoints.active)
        for piece in pieces:
            if self.is_busy or piece.whole:
                self._pieces.append(piece)
            else:
                self._outlet.put(piece.octets)
        self._watch_partial(moved=bool(pieces))
        if self._cutter.foreign and self._breakpoints.active and not was_foreign:
            self._breakpoints.cannot_cut(self._passing(octets))
        self._go()

    def let_go(self) -> None:
        """There is no breakpoint any more: what was kept of a WPDU goes on."""
        self._give_up()
        self._watch_partial(moved=True)
        self._go()

    def end(self) -> None:
        """Nothing more comes; what was kept of a WPDU that is not whole goes on."""
        self._ended = True
        self._give_up()
        self._go()

    def stop(self) -> None:
        """The connection is gone: nothing goes on any more."""
        self._over = True
        for timer in (self._timer, self._partial):
            if timer is not None:
                timer.cancel()
        if self._waiting is not None:
            self._breakpoints.forget(self._waiting)
        self._pieces.clear()
        self._plan.clear()
        self._waiting = None

    def _go(self) -> None:
        """Let on what may go on."""
        while self._pieces and self._waiting is None and not self._plan:
            piece = self._pieces.popleft()
            if piece.whole and self._breakpoints.active:
                self._waiting = self._breakpoints.ask(self._passing(piece.octets), self._answered)
            else:
                self._outlet.put(piece.octets)
        if self._ended and not self.is_busy and not self._over:
            self._over = True
            self._outlet.put_end()
        self._changed()

    def _answered(self, plan: Plan, remark: str) -> None:
        self._waiting = None
        if remark:
            self._outlet.remark(remark)
        self._plan.extend(plan)
        self._follow_plan()

    def _follow_plan(self) -> None:
        """The next of what goes on in the place of a WPDU, each in its time."""
        self._timer = None
        while self._plan:
            octets, after = self._plan[0]
            if after:
                self._plan[0] = (octets, 0.0)
                self._timer = asyncio.get_running_loop().call_later(after, self._follow_plan)
                return
            self._plan.popleft()
            self._outlet.put(octets)
        self._go()

    def _watch_partial(self, *, moved: bool) -> None:
        """A WPDU that does not become whole is kept no longer than one that is held."""
        if self._partial is not None and moved:
            self._partial.cancel()
            self._partial = None
        if self._cutter.kept and self._partial is None:
            loop = asyncio.get_running_loop()
            self._partial = loop.call_later(self._breakpoints.seconds, self._partial_is_late)

    def _partial_is_late(self) -> None:
        self._partial = None
        self._give_up()
        self._go()

    def _give_up(self) -> None:
        kept = self._cutter.give_up()
        if kept:
            self._pieces.append(CutPiece(kept, False))
