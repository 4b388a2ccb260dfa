"""`read`: values, object lists and profiles of a meter, over an association of any kind; recorded."""

import argparse
import sys
from dataclasses import replace

from cosemscope.capture.job_options import add_options, job_of
from cosemscope.cli.capture_arguments import CommandError
from cosemscope.cli.event_lines import Teller
from cosemscope.cli.live_run import add_live_arguments, run_live
from cosemscope.cli.meter_secrets import access_of, add_secret_arguments, saved_or_typed, secret_words
from cosemscope.cli.reading_lines import ReadingLines
from cosemscope.live.client.read_job import ReadJob, run_read
from cosemscope.live.client.reading_events import Associated
from cosemscope.live.commands.live_events import LinkKept
from cosemscope.live.links.faults import LinkError
from cosemscope.live.links.recording import Recorder

DESCRIPTION = (
    "Read a meter: values with their units, any attribute, its object list, its logical devices, profiles. "
    "Blocks, lists and the splitting of long readings happen by themselves; invocation counters are kept and "
    "never used twice. With --json each line has event and time; the events are value (class_id, obis, "
    "attribute, name, value, type, number, unit, text, error, result, response_ms), object, device, profile, "
    "row, profile-end, statistics, remark, error and kept."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `read`."""
    add_options(parser, ReadJob)
    add_secret_arguments(parser)
    parser.add_argument("--csv", action="store_true", help="values and rows as CSV, and nothing else")
    add_live_arguments(parser, control=False)


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope read`; 0 when all was read, 1 when not, 2 for options that ask for nothing."""
    job = job_of(ReadJob, arguments)
    try:
        if trouble := job.trouble():
            raise CommandError(trouble)
        where, words = saved_or_typed(job.access, secret_words(arguments), arguments.meters)
        job = replace(job, access=where)
        access = access_of(where, words)
    except (CommandError, LinkError) as error:
        print(f"cosemscope read: {error}", file=sys.stderr)
        return 2

    async def work(tell: Teller, recorder: Recorder) -> bool:
        return await run_read(job, access, tell, recorder)

    lines = ReadingLines(as_csv=arguments.csv)
    return run_live("read", arguments, work, lines, quiet=(Associated, LinkKept) if arguments.csv else ())
