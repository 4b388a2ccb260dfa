"""`listen`: the other end of a test link, which takes connections and datagrams and answers if told to."""

import argparse
from dataclasses import replace

from cosemscope.capture.option_values import count, seconds
from cosemscope.cli.event_lines import Teller
from cosemscope.cli.live_run import add_live_arguments, read_commands, run_live
from cosemscope.live.commands.listen_job import ListenJob, run_listen
from cosemscope.live.commands.live_values import octets, wport
from cosemscope.live.links.addresses import parse_address
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_server import SERVER_OPTIONS

DESCRIPTION = (
    "Listen for TCP connections and UDP datagrams with the wrapper and show each APDU. On "
    "this computer only (127.0.0.1) unless another address is given; 0.0.0.0 or [::] is every network."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `listen`."""
    parser.add_argument("address", nargs="?", default="", metavar="HOST:PORT", help="default 127.0.0.1:4059")
    parser.add_argument("--wport", type=wport, action="append", metavar="WPORT", help="listens (default 1)")
    parser.add_argument(
        "--answer",
        type=_answer,
        action="append",
        default=[],
        metavar="[TAG=]HEX",
        help="the APDU to answer with; several are given in turn; 60=61... answers requests of tag 60 only",
    )
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--tcp-only", action="store_true", help="no UDP")
    only.add_argument("--udp-only", action="store_true", help="no TCP")
    parser.add_argument("--count", type=count, default=0, metavar="N", help="end after N APDUs")
    parser.add_argument("--limit", type=count, default=1000, metavar="N", help="connections at most (1000)")
    parser.add_argument("--inactivity", type=seconds, default=180.0, metavar="S", help="close after (180 s)")
    add_live_arguments(parser)


def _answer(text: str) -> tuple[int | None, bytes]:
    tag, equals, rest = text.rpartition("=")
    if not equals:
        return None, octets(text)
    first = octets(tag)
    if len(first) != 1:
        raise argparse.ArgumentTypeError(f"{tag!r} is no tag: one octet in hexadecimal, as in 60=61...")
    return first[0], octets(rest)


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope listen` until it is interrupted."""

    async def work(tell: Teller, recorder: Recorder) -> bool:
        job = ListenJob(
            parse_address(arguments.address),
            wports=arguments.wport or (1,),
            tcp=not arguments.udp_only,
            udp=not arguments.tcp_only,
            answers=[octets for tag, octets in arguments.answer if tag is None],
            by_tag={tag: octets for tag, octets in arguments.answer if tag is not None},
            count=arguments.count,
            limit=arguments.limit,
            options=replace(SERVER_OPTIONS, inactivity_timeout=arguments.inactivity),
        )
        await run_listen(job, tell, recorder, read_commands(tell) if arguments.control else None)
        return True

    return run_live("listen", arguments, work)
