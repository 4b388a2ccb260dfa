"""`meter`: a meter to talk to, or a fleet of them, recorded; it does wrong on demand what it is told to."""

import argparse
import sys
from pathlib import Path

from cosemscope.capture.events import Event
from cosemscope.capture.job_options import add_options, job_of
from cosemscope.cli.capture_arguments import CommandError
from cosemscope.cli.event_lines import Teller
from cosemscope.cli.live_run import add_live_arguments, read_commands, run_live
from cosemscope.cli.meters.meter_makers import built_in
from cosemscope.live.links.recording import Recorder
from cosemscope.live.meter.meter_endpoint import MeterMaker
from cosemscope.live.meter.meter_events import METER_COMMANDS, FaultsOrdered, MeterListening, MeterPushed
from cosemscope.live.meter.meter_job import MeterJob, run_meter
from cosemscope.wording import count

DESCRIPTION = (
    "Be a meter: two logical devices with a clock, registers that move, a year of load profile, event log, "
    "disconnector, push setups, image transfer and security setup. On this computer only (127.0.0.1) unless "
    "another address is given. Its keys are published test keys, in a file that it names."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `meter`."""
    add_options(parser, MeterJob)
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="KEYS.TOML",
        help="other keys, by the names in meter-keys.toml",
    )
    parser.add_argument(
        "--from",
        dest="capture",
        metavar="CAPTURE",
        help="answer as a meter of a capture did",
    )
    parser.add_argument("--meter", default="", metavar="ADDRESS", help="which one of --from")
    parser.add_argument("--at-speed", action="store_true", help="with --from: as slowly as it did")
    add_live_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope meter` until it is interrupted; 2 for options or keys that make no meter."""
    job = job_of(MeterJob, arguments)
    try:
        if trouble := job.trouble():
            raise CommandError(trouble)
        maker = _maker(job, arguments)
    except CommandError as error:
        print(f"cosemscope meter: {error}", file=sys.stderr)
        return 2

    async def work(tell: Teller, recorder: Recorder) -> bool:
        commands = read_commands(tell, METER_COMMANDS) if arguments.control else None
        await run_meter(job, tell, maker, recorder, commands)
        return True

    return run_live("meter", arguments, work, _line)


def _maker(job: MeterJob, arguments: argparse.Namespace) -> MeterMaker:
    """How the meters are made that are asked for. Raises CommandError."""
    if not arguments.capture:
        if arguments.meter or arguments.at_speed:
            raise CommandError("--meter and --at-speed belong to --from, which is not there")
        return built_in(job, arguments.keys)
    from cosemscope.cli.meters.recorded_makers import (
        recorded,  # the analysis, which a built-in meter does without
    )

    keys = str(arguments.keys) if arguments.keys else None
    return recorded(arguments.capture, arguments.meter, keys, at_speed=arguments.at_speed)


def _line(event: Event) -> str:
    """An event of a meter as lines for people; empty for one of another kind."""
    match event:
        case MeterListening():
            over = " and ".join(word.upper() for word in event.transports)
            where = event.addresses[0]
            if len(event.addresses) > 1:
                where = f"{count(len(event.addresses), 'meter')}, {where} to {event.addresses[-1]}"
            devices = ", ".join(map(str, event.devices))
            lines = [f"meter      {where} {over}, logical devices at wPorts {devices}"]
            lines += [f"client     {words}" for words in event.clients]
            lines += [f"keys       {event.keys}"] if event.keys else []
            return "\n".join(lines)
        case FaultsOrdered():
            return f"faults     {', '.join(event.faults) or 'none any more'}"
        case MeterPushed():
            return f"pushed     {event.octets} octets to {event.remote} over {event.transport.upper()}"
    return ""
