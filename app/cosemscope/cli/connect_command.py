"""`connect`: a test link to a server, which sends APDUs and shows each answer."""

import argparse

from cosemscope.capture.option_values import count, seconds
from cosemscope.cli.event_lines import Teller
from cosemscope.cli.live_run import add_live_arguments, read_commands, run_live
from cosemscope.live.commands.link_job import ConnectJob, run_connect
from cosemscope.live.commands.live_values import octets, wport
from cosemscope.live.links.addresses import parse_address
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_sockets import LinkOptions

DESCRIPTION = (
    "Connect over TCP (or UDP) with the wrapper, send APDUs one by one and show each answer "
    "with its response time. Without --send a public client's AARQ is sent, then RLRQ."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `connect`."""
    parser.add_argument("address", metavar="HOST[:PORT]", help="port 4059 unless given; [::1]:4059 for IPv6")
    parser.add_argument("--client", type=wport, default=16, metavar="WPORT", help="own wPort (default 16)")
    parser.add_argument("--server", type=wport, default=1, metavar="WPORT", help="its wPort (default 1)")
    parser.add_argument("--udp", action="store_true", help="UDP instead of TCP")
    parser.add_argument(
        "--send", type=octets, action="append", metavar="HEX", help="an APDU; may be repeated"
    )
    parser.add_argument("--repeat", type=count, default=1, metavar="N", help="send the APDUs N times")
    parser.add_argument("--pause", type=seconds, default=0.0, metavar="S", help="seconds between repeats")
    parser.add_argument(
        "--timeout", type=seconds, default=10.0, metavar="S", help="wait for an answer (10 s)"
    )
    parser.add_argument("--connect-timeout", type=seconds, default=10.0, metavar="S", help="(10 s)")
    parser.add_argument("--keep-alive", type=seconds, metavar="S", help="TCP keep-alive after S idle seconds")
    add_live_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope connect`; 0 when everything was answered, else 1."""

    async def work(tell: Teller, recorder: Recorder) -> bool:
        job = ConnectJob(
            parse_address(arguments.address),
            client=arguments.client,
            server=arguments.server,
            udp=arguments.udp,
            repeat=arguments.repeat,
            pause=arguments.pause,
            options=LinkOptions(
                connect_timeout=arguments.connect_timeout,
                answer_timeout=arguments.timeout,
                keep_alive=arguments.keep_alive,
            ),
            **({"apdus": arguments.send} if arguments.send else {}),
        )
        return await run_connect(job, tell, recorder, read_commands(tell) if arguments.control else None)

    return run_live("connect", arguments, work)
