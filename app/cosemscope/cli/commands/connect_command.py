"""`connect`: a test link to a server, which sends APDUs and shows each answer."""

import argparse

from cosemscope.capture.job_options import add_options, job_of
from cosemscope.cli.event_lines import Teller
from cosemscope.cli.live_run import add_live_arguments, read_commands, run_live
from cosemscope.live.commands.link_job import ConnectJob, run_connect
from cosemscope.live.links.recording import Recorder

DESCRIPTION = (
    "Connect over TCP (or UDP) with the wrapper, send APDUs one by one and show each answer "
    "with its response time. Without --send a public client's AARQ is sent, then RLRQ."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `connect`."""
    add_options(parser, ConnectJob)
    add_live_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope connect`; 0 when everything was answered, else 1."""

    async def work(tell: Teller, recorder: Recorder) -> bool:
        job = job_of(ConnectJob, arguments)
        return await run_connect(job, tell, recorder, read_commands(tell) if arguments.control else None)

    return run_live("connect", arguments, work)
