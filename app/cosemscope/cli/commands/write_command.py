"""`write`: one change to a meter: an attribute, a method, its clock, its switch, its image; asked before."""

import argparse
import sys
from dataclasses import dataclass, field
from typing import ClassVar

from cosemscope.capture.job_options import add_options, flag, job_of, option
from cosemscope.capture.option_values import ValueKind
from cosemscope.cli.capture_arguments import CommandError
from cosemscope.cli.consent import ask_before
from cosemscope.cli.event_lines import Teller
from cosemscope.cli.live_run import add_live_arguments, run_live
from cosemscope.cli.meter_secrets import access_of, add_secret_arguments, saved_or_typed, secret_words
from cosemscope.cli.reading_lines import ReadingLines, progress_line
from cosemscope.live.client.access_job import AccessJob
from cosemscope.live.client.reading_events import StepDone
from cosemscope.live.links.addresses import parse_address
from cosemscope.live.links.faults import LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.live.sequences.sequence_job import run_sequence
from cosemscope.live.sequences.step_tables import NoStepError, step_of_words

DESCRIPTION = (
    "Change a meter: set OBJECT TYPE:VALUE, act OBJECT:METHOD [TYPE:VALUE], clock now|shift|TIME, switch "
    "disconnect|reconnect, image FILE (goes on where it stood, verifies). It says what it will send, and "
    "asks. With --json the events are changed (service, class_id, obis, member, name, text), image, remark, "
    "error and kept."
)


@dataclass(frozen=True)
class WriteJob:
    """One change to a meter."""

    command: ClassVar = "write"

    access: AccessJob = field(default_factory=AccessJob)
    change: tuple[str, ...] = option((), ValueKind("WHAT"), help="the change in words, as above")
    identifier: str = option(
        "", ValueKind("TEXT"), "--identifier", help="of an image (default: the file's name); 0x... for octets"
    )
    activate: bool = flag(False, "--activate", help="activate the image when it is verified")
    yes: bool = flag(False, "--yes", help="do not ask")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `write`."""
    add_options(parser, WriteJob)
    add_secret_arguments(parser)
    add_live_arguments(parser, control=False)


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope write`; 0 when it was done, 1 when not, 2 when nothing was sent."""
    job = job_of(WriteJob, arguments)
    try:
        step = step_of_words(job.change, identifier=job.identifier, activate=job.activate)
        where, words = saved_or_typed(job.access, secret_words(arguments), arguments.meters)
        access = access_of(where, words)
        ask_before([step], f"{parse_address(where.address)}, wPort {where.server}", sure=job.yes)
    except (CommandError, LinkError, NoStepError) as error:
        print(f"cosemscope write: {error}", file=sys.stderr)
        return 2

    async def work(tell: Teller, recorder: Recorder) -> bool:
        return await run_sequence([step], where, access, tell, recorder)

    return run_live("write", arguments, work, ReadingLines(), quiet=(StepDone,), progress=progress_line)
