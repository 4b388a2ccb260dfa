"""Other ends for the window's live side, each in a process of its own, and what tests wait for."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from cosemscope.live.apdus import public_aarq
from tests.helpers.meter import aare

APP = Path(__file__).resolve().parents[2] / "app"

#: A listener's answers by tag: association, release, and any GET.
ANSWERS = ("--answer", "60=" + aare(public_aarq()).hex(), "--answer", "62=6303800100")
GET_ANSWER = ("--answer", "c0=c401c100090c07ea0b17010a0f1eff800000")


def environment() -> dict[str, str]:
    """Where the package is, and pipes without delay."""
    return {**os.environ, "PYTHONPATH": str(APP), "PYTHONUNBUFFERED": "1"}


class Server(NamedTuple):
    """A listening process and its address."""

    process: "subprocess.Popen[str]"
    address: str


@contextmanager
def listener(*words: str, answers: Sequence[str] = (*ANSWERS, *GET_ANSWER)) -> Iterator[Server]:
    """A `cosemscope listen` on loopback that answers."""
    command = [sys.executable, "-m", "cosemscope", "listen", "127.0.0.1:0", "--json", *answers, *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
    try:
        assert process.stdout is not None
        yield Server(process, json.loads(process.stdout.readline())["address"])
    finally:
        process.kill()
        process.communicate()


def is_running(number: int) -> bool:
    """Whether there is a process with this number that has not ended."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True
