"""How long the TCP-based transport layer waits for what, and what is due when.

The standard's wrapper has no timers of its own; these are practice (a meter library, a client library, the
inactivity_time_out of the TCP-UDP setup object). No clock is read: whoever asks says what time it is.
"""

from dataclasses import dataclass
from typing import Final

from cosemscope.transport.parameters import ReasonOfFailure
from cosemscope.transport.states import Input


@dataclass(frozen=True, slots=True)
class TcpTimeouts:
    """How long to wait, in seconds; None: for ever."""

    connect: float | None = 10.0
    """From the active OPEN until the connection is there."""
    wpdu: float | None = 20.0
    """From the first octet of a header until the last octet of that WPDU."""
    inactivity: float | None = None
    """From the last octets received until the connection is aborted (a TCP-UDP setup object says 180 s)."""
    send: float | None = None
    """While a WPDU is being handed over and SEND accepts nothing."""
    disconnect: float | None = 10.0
    """From TCP-DISCONNECT.request or .response until the connection is closed.

    It begins anew whenever SEND accepts octets of the last WPDUs: 6.3.5.4 has a WPDU handed over with as many
    SENDs as it takes, and Figure 9 has CLOSE after them, so a slow peer that reads is waited for. What is
    left is bounded, and one that reads nothing is given up.
    """
    poll: float | None = None
    """Between two STATUS calls, the way of Annex A.3. Not needed for sockets that tell of a reset."""


TIMERS: Final[dict[Input, tuple[str, ReasonOfFailure]]] = {
    # the input that fires: its field in TcpTimeouts, the reason it gives
    Input.CONNECT_TIMEOUT: ("connect", ReasonOfFailure.TIMED_OUT),
    Input.WPDU_TIMEOUT: ("wpdu", ReasonOfFailure.WPDU_TIMED_OUT),
    Input.INACTIVITY_TIMEOUT: ("inactivity", ReasonOfFailure.INACTIVE),
    Input.SEND_TIMEOUT: ("send", ReasonOfFailure.NOT_READING),
    Input.DISCONNECT_TIMEOUT: ("disconnect", ReasonOfFailure.TIMED_OUT),
    Input.POLL: ("poll", ReasonOfFailure.LINK_LOST),
}


class Timers:
    """The deadlines that are running."""

    def __init__(self, timeouts: TcpTimeouts) -> None:
        self._seconds: dict[Input, float | None] = {
            timer: getattr(timeouts, field) for timer, (field, _) in TIMERS.items()
        }
        self._deadlines: dict[Input, float] = {}
        self._suspended: set[Input] = set()

    def start(self, timer: Input, now: float) -> None:
        """Start a timer, or start it anew."""
        self._suspended.discard(timer)
        seconds = self._seconds[timer]
        if seconds is not None:
            self._deadlines[timer] = now + seconds

    def restart(self, timer: Input, now: float) -> None:
        """Start a timer anew if it runs."""
        if timer in self._deadlines:
            self.start(timer, now)

    def stop(self, *timers: Input) -> None:
        """Stop timers, whether they run or not."""
        for timer in timers:
            self._deadlines.pop(timer, None)
            self._suspended.discard(timer)

    def suspend(self, *timers: Input) -> None:
        """Stop those of these timers that run, until `resume` starts them anew."""
        for timer in timers:
            if self._deadlines.pop(timer, None) is not None:
                self._suspended.add(timer)

    def resume(self, now: float) -> None:
        """Start the suspended timers anew."""
        for timer in tuple(self._suspended):
            self.start(timer, now)

    def stop_all(self) -> None:
        """Stop every timer."""
        self._deadlines.clear()
        self._suspended.clear()

    def next(self) -> float | None:
        """The earliest deadline; None if no timer runs."""
        return min(self._deadlines.values(), default=None)

    def take_due(self, now: float) -> Input | None:
        """The timer whose deadline is the earliest and not after `now`; it has stopped then."""
        if not self._deadlines:
            return None
        timer = min(self._deadlines, key=self._deadlines.__getitem__)
        if self._deadlines[timer] > now:
            return None
        del self._deadlines[timer]
        return timer
