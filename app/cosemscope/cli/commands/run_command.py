"""`run`: a saved sequence of steps at one meter, or at several, one after the other."""

import argparse
import sys
from pathlib import Path

from cosemscope.cli.capture_arguments import CommandError
from cosemscope.cli.consent import ask_before
from cosemscope.cli.event_lines import Teller
from cosemscope.cli.live_run import add_live_arguments, run_live
from cosemscope.cli.meter_secrets import access_of, secrets_of
from cosemscope.cli.reading_lines import ReadingLines, progress_line
from cosemscope.live.client.client_refused import MeterError
from cosemscope.live.client.saved_meters import SavedMeter, load_meters, meter_of, meters_file
from cosemscope.live.links.addresses import parse_address
from cosemscope.live.links.faults import LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.live.sequences.sequence_job import run_sequence
from cosemscope.live.sequences.step_tables import MeterSequence, NoStepError, load_sequence

DESCRIPTION = (
    "Run a sequence of steps out of a TOML file: read (and expect), profile, set, act, clock, switch, image, "
    "wait, repeat. The first step that fails ends it, with exit status 1. Where steps change the meter it "
    "says what it will send, and asks. With --json the events are those of read and write, and step (number, "
    "what)."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `run`."""
    parser.add_argument("sequence", type=Path, metavar="SEQUENCE.TOML", help="the steps")
    parser.add_argument("meter", nargs="*", metavar="METER", help="saved meters, in place of the sequence's")
    parser.add_argument("--meters", type=Path, metavar="METERS.TOML", help="the file of saved meters")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_live_arguments(parser, control=False)


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope run`; 0 when all steps were done, 1 when not, 2 when nothing was sent."""
    try:
        sequence = load_sequence(arguments.sequence)
        meters = _meters(sequence, tuple(arguments.meter), arguments.meters)
        accesses = [access_of(meter.access, secrets_of(meter)) for meter in meters]
        names = ", ".join(f"{meter.name} ({parse_address(meter.access.address)})" for meter in meters)
        ask_before(sequence.changes, names, sure=arguments.yes)
    except (CommandError, LinkError, MeterError, NoStepError) as error:
        print(f"cosemscope run: {error}", file=sys.stderr)
        return 2

    async def work(tell: Teller, recorder: Recorder) -> bool:
        good = True
        for meter, access in zip(meters, accesses, strict=True):
            good = await run_sequence(sequence.steps, meter.access, access, tell, recorder) and good
        return good

    return run_live("run", arguments, work, ReadingLines(), progress=progress_line)


def _meters(sequence: MeterSequence, names: tuple[str, ...], file: Path | None) -> list[SavedMeter]:
    """The meters by name, or the sequence's own. Raises CommandError, MeterError."""
    if not names:
        if not sequence.meter:
            raise CommandError("at which meter? Name a saved one, or say it in the sequence: meter = ...")
        if not isinstance(sequence.meter, str):
            return [meter_of(sequence.meter, sequence.folder)]
        names = (sequence.meter,)
    path = file if file is not None else meters_file()
    saved = load_meters(path)
    missing = next((name for name in names if name not in saved), None)
    if missing is not None:
        known = ", ".join(saved) or "none"
        raise CommandError(f"{path} has no meter {missing!r}: there are {known}")
    return [saved[name] for name in names]
