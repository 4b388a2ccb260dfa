"""`self-test`: whether this installation works, step by step, with nothing but what it brings itself.

A step is a row of `STEPS`: a name and a function that does the work and returns a sentence of what came of
it, or raises StepError with one. A step that tells what is missing for something else never fails.
"""

import argparse
import json
import os
import platform
import subprocess
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cosemscope import __version__
from cosemscope.program import is_frozen, program_words
from cosemscope.resources import resource

if TYPE_CHECKING:
    from cosemscope.analysis.associations.looks import Associations

DESCRIPTION = (
    "Test this installation with the samples that it brings: open, decode, decrypt, paint the window off "
    "screen; tell what live capture lacks here. The exit status is 0 when every step passed, 1 otherwise."
)
#: Samples that open without a fault, each with its keys.
_SAMPLES = {"first-look": "first-look-keys.toml", "push": "push-keys.toml"}
#: Display filters that leave some WPDUs: of columns, of words, of regular expressions, of decoded trees.
_FILTERS = (
    "wport == 16 && wpdu.length > 8",
    "obis == 1.0.*.8.0.255 && response_time > 1ms",
    'info matches "active +energy"',
    "aarq.mechanism-name && field == mechanism-name",
)
#: Seconds that painting the window may take on a slow machine.
_PATIENCE = 120
#: A picture of one colour has fewer different octets.
_DIFFERENT_OCTETS = 32


class StepError(Exception):
    """A step that did not pass; the text says what was seen and what was to be."""


class Step(NamedTuple):
    """One thing that must work: its name, and what tries it, given where the picture goes."""

    name: str
    try_it: Callable[[Path], str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `self-test`."""
    parser.add_argument("--json", action="store_true", help="JSON, one object a step")
    parser.add_argument("--picture", type=Path, metavar="FILE.png", help="keep the picture of the window")


def run(arguments: argparse.Namespace) -> int:
    """Run every step and print what came of it; 0 when all passed, else 1."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="cosemscope-") as folder:
        picture = arguments.picture or Path(folder, "window.png")
        for step in STEPS:
            passed, text = _tried(step, picture.absolute())
            failed += not passed
            if arguments.json:
                print(json.dumps({"step": step.name, "passed": passed, "text": text}), flush=True)
            else:
                print(f"{'ok' if passed else 'FAILED':<8}{step.name:<14}{text}", flush=True)
    if not arguments.json:
        print(f"{failed} of {len(STEPS)} steps failed." if failed else f"All {len(STEPS)} steps passed.")
    return 1 if failed else 0


def _tried(step: Step, picture: Path) -> tuple[bool, str]:
    try:
        return True, step.try_it(picture)
    except StepError as error:
        return False, str(error)
    except Exception as error:  # whatever is broken in an installation: the other steps are still of interest
        return False, f"{type(error).__name__}: {error}"


def _versions(_: Path) -> str:
    import cryptography
    import numpy

    kind = "frozen program" if is_frozen() else "Python package"
    return (
        f"Cosemscope {__version__} ({kind}), Python {platform.python_version()}, NumPy {numpy.__version__}, "
        f"cryptography {cryptography.__version__}, {platform.platform(terse=True)}"
    )


def _samples(_: Path) -> str:
    from cosemscope.analysis.engine import Analysis
    from cosemscope.capture.files.reader import open_capture

    counts = []
    for name in (*_SAMPLES, "faults"):
        with open_capture(str(resource(f"samples/{name}.pcapng"))) as reader:
            counts.append(len(Analysis(reader).run().wpdus))
            if reader.problems:
                raise StepError(f"{name}: {reader.problems[0].message}")
    if not all(counts):
        raise StepError(f"no WPDUs in a sample: {counts}")
    return f"opened {len(counts)} captures with {sum(counts)} WPDUs"


@contextmanager
def _with_keys(name: str) -> Iterator["Associations"]:
    """What is known of the rows of a sample, read with its keys."""
    from cosemscope.analysis.associations.looks import Associations
    from cosemscope.analysis.engine import Analysis
    from cosemscope.analysis.keys.key_table import KeyTable
    from cosemscope.capture.files.reader import open_capture

    with open_capture(str(resource(f"samples/{name}.pcapng"))) as reader:
        keys = KeyTable.load(str(resource(f"samples/{_SAMPLES[name]}")))
        yield Associations(Analysis(reader).run(), keys)


def _decoding(_: Path) -> str:
    decoded = 0
    for name in _SAMPLES:
        with _with_keys(name) as associations:
            for row in range(len(associations.analysis.wpdus)):
                for problem in associations.decode(row).problems:
                    if problem.severity != "note":
                        raise StepError(f"{name}, WPDU {row + 1}: {problem.message}")
                decoded += 1
    return f"decoded {decoded} WPDUs down to the octet"


def _decrypting(_: Path) -> str:
    from cosemscope.apdu.opening import Verdict

    opened = 0
    for name in _SAMPLES:
        with _with_keys(name) as associations:
            for row in range(len(associations.analysis.wpdus)):
                verdict = associations.look(row).verdict
                if verdict not in (Verdict.CLEAR, Verdict.OPENED):
                    raise StepError(f"{name}, WPDU {row + 1} is {verdict}, it was to be opened")
                opened += verdict == Verdict.OPENED
    if not opened:
        raise StepError("no ciphered APDU was opened")
    return f"opened {opened} ciphered APDUs; their tags are right"


def _filtering(_: Path) -> str:
    from cosemscope.analysis.filter.display_filter import compile_filter

    found = []
    with _with_keys("first-look") as associations:
        for text in _FILTERS:
            wanted = compile_filter(text)
            wanted.prepare(associations)
            found.append(len(wanted.rows(associations.analysis, associations=associations)))
    if not all(found):
        raise StepError(
            f"a display filter left nothing of a sample: {dict(zip(_FILTERS, found, strict=True))}"
        )
    return f"filtered a sample {len(found)} times; {sum(found)} WPDUs were left"


def _meter(_: Path) -> str:
    from cosemscope.cli.meters.meter_trial import read_once

    how, answers = read_once()
    if [answer[0] for answer in answers] != [0x61, 0xC4, 0xC4] or b"CSM0000000001001" not in answers[1]:
        raise StepError(f"the built-in meter answered {' '.join(answer.hex() for answer in answers)[:200]}")
    return f"read the built-in meter {how}"


def _window(picture: Path) -> str:
    """Another process of the program paints the window, so that a crash of it is a step that failed."""
    words = [*program_words(), f"--picture={picture}", str(resource("samples/first-look.pcapng"))]
    process = subprocess.Popen(
        words,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said: list[bytes] = []
    # What the window's process started may hold its output open: the end of the process counts.
    reading = threading.Thread(target=lambda: said.extend(process.stdout or ()), daemon=True)
    reading.start()
    try:
        status = process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise StepError(f"the window was not painted within {_PATIENCE} s") from None
    reading.join(1)
    if status:
        last = said[-1].decode(errors="replace").strip() if said else "no word"
        raise StepError(f"the window ended with status {status}: {last}")
    width, height = _checked_picture(picture.read_bytes())
    return f"painted the window, {width} by {height} pixels"


def _checked_picture(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG in pixels; raises StepError where it shows nothing."""
    width, height = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
    pixels, at = b"", 8
    while at < len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        if png[at + 4 : at + 8] == b"IDAT":
            pixels += png[at + 8 : at + 8 + size]
        at += size + 12
    if len(set(zlib.decompress(pixels))) < _DIFFERENT_OCTETS:
        raise StepError(f"the picture of {width} by {height} pixels is empty")
    return width, height


def _capture(_: Path) -> str:
    from cosemscope.capture.capturing.interfaces import interfaces
    from cosemscope.capture.spool.chunks import SourceError

    try:
        found = interfaces()
    except SourceError as fault:
        return f"not possible here, which is no fault of the installation: {fault.message}"
    ready = [interface.name for interface in found if not interface.reason]
    if ready:
        return f"possible on {len(ready)} of {len(found)} interfaces"
    reason = next((interface.reason for interface in found if interface.reason), "there is no interface.")
    return f"not possible now, which is no fault of the installation: {reason}"


def _key_store(_: Path) -> str:
    from cosemscope.analysis.keys.key_store import why_not

    reason = why_not()
    return (
        f"the system's key store cannot be used: {reason}" if reason else "the system's key store can be used"
    )


STEPS = (
    Step("versions", _versions),
    Step("samples", _samples),
    Step("decoding", _decoding),
    Step("decrypting", _decrypting),
    Step("filtering", _filtering),
    Step("meter", _meter),
    Step("window", _window),
    Step("live capture", _capture),
    Step("key store", _key_store),
)
