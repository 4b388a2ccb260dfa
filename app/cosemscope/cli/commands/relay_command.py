"""`relay`: stands between clients and meters, passes on and records what they say, and holds some of it.

Without `--control` a line on standard input says what becomes of something held: its number, then what to do
in the words of `--on-match`; the number alone lets it go.
"""

import argparse
import signal
import sys
from dataclasses import dataclass

from cosemscope.capture.events import Command, Event, MessageError, Vocabulary
from cosemscope.capture.job_options import add_options, job_of
from cosemscope.cli.event_lines import Teller
from cosemscope.cli.held_matching import make_matches
from cosemscope.cli.live_run import add_live_arguments, read_commands, run_live
from cosemscope.live.links.faults import LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.live.relay.held_edits import MOST_SECONDS, GoOn, HeldEdit, parse_edit
from cosemscope.live.relay.relay_events import (
    RELAY_COMMANDS,
    BreakpointSet,
    HeldCommand,
    HeldGone,
    Relaying,
    RelayJoined,
    RelayParted,
    WpduHeld,
)
from cosemscope.live.relay.relay_job import RelayJob, run_relay
from cosemscope.wording import count

DESCRIPTION = (
    "Pass TCP connections and UDP datagrams on to a target, unchanged, and record them: a client connects "
    "to LISTEN in the place of its meter, and no rights to capture are needed. On this computer only "
    "(127.0.0.1) unless another address is given. With --hold what a display filter leaves waits, for a "
    "minute at most, and can be changed, delayed, doubled, split or dropped."
)
_SHOWN_OCTETS = 48


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `relay`."""
    add_options(parser, RelayJob)
    add_live_arguments(parser)


@dataclass(frozen=True, kw_only=True)
class _TypedCommand(HeldCommand):
    """What was typed about something held."""

    word = "held"
    held: int
    what: HeldEdit

    def change(self) -> HeldEdit:
        return self.what


class _TypedCommands(Vocabulary[Command]):
    """Lines as people type them: a number, and what to do."""

    def decode(self, line: bytes) -> Command:
        number, _, words = line.decode(errors="replace").strip().partition(" ")
        try:
            return _TypedCommand(held=int(number), what=parse_edit(words) if words.strip() else GoOn())
        except (ValueError, argparse.ArgumentTypeError) as error:
            said = str(error) if words else f"{number!r} is no number of something held, such as: 7 drop"
            raise MessageError(said) from None


_TYPED_COMMANDS = _TypedCommands("command", _TypedCommand)


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope relay` until it is interrupted; 2 for routes or a filter that are none."""
    job = job_of(RelayJob, arguments)
    wrong = _trouble(job)
    if wrong:
        print(f"cosemscope relay: {wrong}", file=sys.stderr)
        return 2

    async def work(tell: Teller, recorder: Recorder) -> bool:
        commands = None
        if arguments.control:
            commands = read_commands(tell, RELAY_COMMANDS)
        elif job.hold and job.on_match is None and sys.stdin is not None:
            if hasattr(signal, "SIGTTIN"):
                signal.signal(
                    signal.SIGTTIN, signal.SIG_IGN
                )  # in the background nobody types, and it goes on
            commands = read_commands(tell, _TYPED_COMMANDS, ends=False)
        await run_relay(job, tell, make_matches, recorder, commands)
        return True

    return run_live("relay", arguments, work, _line)


def _trouble(job: RelayJob) -> str:
    """Why nobody can do what is asked for; empty when somebody can."""
    try:
        job.all_routes()
        if job.hold:
            make_matches(job.hold)
        elif job.on_match is not None:
            return "--on-match says what is done with what --hold leaves: there is no --hold"
        if job.hold_seconds > MOST_SECONDS:
            return f"--hold-seconds {job.hold_seconds:g}: nothing is held for more than {MOST_SECONDS:g} s"
    except LinkError as error:
        return error.message
    except ValueError as error:
        return f"--hold: {error}"
    return ""


def _line(event: Event) -> str:
    """An event of a relay as a line for people; empty for one of another kind."""
    match event:
        case Relaying():
            return f"relaying   {event.address} to {event.target} over {event.transport.upper()}"
        case RelayJoined():
            return f"joined     {event.client} to {event.target} over {event.transport.upper()}"
        case RelayParted():
            unit = "octet" if event.transport == "tcp" else "datagram"
            counts = f"{count(event.sent, unit)} sent, {event.received:,} received"
            return f"parted     {event.client}: {event.message} ({counts})"
        case BreakpointSet():
            what = f": {event.on_match}" if event.on_match else ""
            return f"holding    {event.hold}{what}" if event.hold else "holding    nothing any more"
        case WpduHeld():
            shown = event.octets[:_SHOWN_OCTETS].hex(" ")
            more = " ..." if len(event.octets) > _SHOWN_OCTETS else ""
            way = f"{event.client} {'>' if event.direction == 'to-target' else '<'} {event.target}"
            size = len(event.octets)
            return f"held       {event.number}: {way} {event.name}, {size} octets  {shown}{more}"
        case HeldGone():
            return f"gone       {event.number}: {event.how}, after {event.held_ms:.0f} ms"
    return ""
