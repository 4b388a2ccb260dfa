"""`listen`: the other end of a test link, which takes connections and datagrams and answers if told to."""

import argparse

from cosemscope.capture.job_options import add_options, job_of
from cosemscope.cli.event_lines import Teller
from cosemscope.cli.live_run import add_live_arguments, read_commands, run_live
from cosemscope.live.commands.listen_job import ListenJob, run_listen
from cosemscope.live.links.recording import Recorder

DESCRIPTION = (
    "Listen for TCP connections and UDP datagrams with the wrapper and show each APDU. On "
    "this computer only (127.0.0.1) unless another address is given; 0.0.0.0 or [::] is every network."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `listen`."""
    add_options(parser, ListenJob)
    add_live_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope listen` until it is interrupted."""

    async def work(tell: Teller, recorder: Recorder) -> bool:
        job = job_of(ListenJob, arguments)
        await run_listen(job, tell, recorder, read_commands(tell) if arguments.control else None)
        return True

    return run_live("listen", arguments, work)
