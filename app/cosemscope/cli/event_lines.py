"""Lines of a live command: its events on standard output, and its commands from standard input.

For people an event is a line of words, errors on standard error; for scripts and the window it is a line of
JSON, as are commands (`capture_events` and `live_events` have them).
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

from cosemscope.capture.events import Command, Event, MessageError, Trouble, Vocabulary, line_of
from cosemscope.cli.terminal import show_in_place

#: Octets of a command, at most: an APDU of 65535 octets in hexadecimal, and room.
_LONGEST_COMMAND = 1 << 18


def _no_progress(_: Event) -> str:
    return ""


class Teller:
    """Prints events, from any thread. `line` words one for people, empty for one that they need not see.

    `progress` words those that replace each other in place, on a terminal. `on_reader_gone` is called when
    nobody reads the output any more; what comes after that is told to nobody.
    """

    def __init__(
        self,
        line: Callable[[Event], str],
        *,
        as_json: bool,
        on_reader_gone: Callable[[], None],
        progress: Callable[[Event], str] = _no_progress,
    ) -> None:
        self._line = line
        self._progress = progress
        self._as_json = as_json
        self._on_reader_gone = on_reader_gone
        self._lock = threading.Lock()
        self._in_place = False

    def __call__(self, event: Event) -> None:
        """Print one."""
        with self._lock:
            try:
                self._print(event)
            except BrokenPipeError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                self._on_reader_gone()

    def _print(self, event: Event) -> None:
        if self._as_json:
            print(line_of(event), flush=True)
            return
        progress = self._progress(event)
        if progress:
            self._in_place |= show_in_place(progress, sys.stdout)
            return
        line = self._line(event)
        if self._in_place and line:
            print()
            self._in_place = False
        if line:
            print(line, file=sys.stderr if isinstance(event, Trouble) else sys.stdout, flush=True)


def commands(vocabulary: Vocabulary[Command], wrong: Callable[[str], None]) -> Iterator[Command]:
    """Commands from standard input, until it ends; `wrong` is told, in words, of a line that is none."""
    for line in _lines(sys.stdin.fileno()):
        try:
            yield vocabulary.decode(line)
        except MessageError as error:
            wrong(str(error))


def _lines(descriptor: int) -> Iterator[bytes]:
    """Lines with something in them, read past Python's buffer, whose lock an ending process may not hold."""
    rest = b""
    with suppress(OSError):
        while octets := os.read(descriptor, 1 << 16):
            *whole, rest = (rest + octets).split(b"\n")
            yield from (line for line in whole if line.strip())
            if len(rest) > _LONGEST_COMMAND:
                yield rest
                rest = b""
    if rest.strip():
        yield rest
