"""`listen`: the other end of a test link; it understands pushes, keeps them by meter, answers if told to."""

import argparse
import sys

from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.apdu.security.opener import KeyedOpener
from cosemscope.capture.events import Event
from cosemscope.capture.job_options import add_options, job_of
from cosemscope.capture.packets.flows import Endpoint
from cosemscope.cli.capture_arguments import CommandError, add_keys_argument, load_keys
from cosemscope.cli.event_lines import Teller
from cosemscope.cli.live_run import add_live_arguments, read_commands, run_live
from cosemscope.live.commands.listen_job import ListenJob, PushOrigin, run_listen
from cosemscope.live.commands.live_events import MeterSeen, PushNotOpened, PushReceived
from cosemscope.live.links.addresses import parse_address
from cosemscope.live.links.recording import Recorder
from cosemscope.live.pushes.push_reader import OpenerOf, PushReader
from cosemscope.live.pushes.push_teller import PushTeller
from cosemscope.wording import count

DESCRIPTION = (
    "Listen for TCP connections and UDP datagrams with the wrapper and show each APDU; what meters push is "
    "told by its values, ciphered too where keys are given, and kept by meter: at the end a table with last "
    "values and gaps. On this computer only (127.0.0.1) unless another address is given; 0.0.0.0 or [::] is "
    "every network."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `listen`."""
    add_options(parser, ListenJob)
    add_keys_argument(parser)
    parser.add_argument(
        "--confirm", action="store_true", help="confirm pushes and general blocks where that is wanted"
    )
    add_live_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope listen` until it is interrupted."""
    try:
        openers = _openers(load_keys(arguments))
    except CommandError as error:
        print(f"cosemscope listen: {error}", file=sys.stderr)
        return 2

    async def work(tell: Teller, recorder: Recorder) -> bool:
        job = job_of(ListenJob, arguments)
        pushes = PushTeller(PushReader(openers, confirm=arguments.confirm), tell)
        commands = read_commands(tell) if arguments.control else None
        try:
            await run_listen(job, tell, recorder, commands, pushes.respond)
        finally:
            pushes.tell_table()
        return True

    return run_live("listen", arguments, work, _line)


def _openers(table: KeyTable) -> OpenerOf:
    """The keys for what a sender sends, out of the user's table."""

    def opener_of(title: bytes | None, origin: PushOrigin) -> KeyedOpener:
        host, port = parse_address(origin.remote)
        wports = (origin.local_wport, origin.remote_wport)
        return KeyedOpener(table.select((title,), (Endpoint(host, port),), wports), title)

    return opener_of


def _line(event: Event) -> str:
    """An event of pushes as a line for people; empty for one of another kind."""
    match event:
        case PushReceived():
            pairs = zip(event.names, event.texts, strict=True)
            values = ", ".join(text if name.startswith("[") else f"{name} {text}" for name, text in pairs)
            gap = f", {event.gap_s:g} s after the last" if event.gap_s is not None else ""
            lost = f", {count(event.lost, 'push', 'pushes')} missing" if event.lost else ""
            opened = ", ciphered" if event.protected else ""
            return f"push       {event.meter}: {values} (number {event.pushes}{gap}{lost}{opened})"
        case PushNotOpened():
            return f"push       not understood: {event.message}"
        case MeterSeen():
            gaps = ""
            if event.usual_gap_s is not None:
                gaps = f", every {event.usual_gap_s:g} s, {event.most_gap_s:g} s at most"
            lost = f", {event.lost} missing" if event.lost else ""
            silent = ", SILENT now" if event.silent else ""
            pushes = count(event.pushes, "push", "pushes")
            return f"meter      {event.meter}: {pushes}{gaps}{lost}{silent}; last {', '.join(event.last)}"
    return ""
