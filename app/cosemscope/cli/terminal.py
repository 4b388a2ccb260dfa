"""What reaches the terminal: no control character of a capture, a file's name or an interface's does.

C0 and C1 controls, and the marks that turn the direction of writing, become `\\u009b`: in JSON the same.
"""

import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, TextIO

#: Controls but tab and newline, and the marks and embeddings of bidirectional text (UAX 9).
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
#: The same in UTF-8.
_CONTROL_OCTETS = re.compile(
    rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xaa-\xae]|\xe2\x81[\xa6-\xa9]"
)


def harmless(text: str) -> str:
    """A text without control characters: each is written as `\\u` and its number in four hex digits."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def harmless_octets(octets: bytes) -> bytes:
    """The same of text in UTF-8."""
    return _CONTROL_OCTETS.sub(lambda found: f"\\u{ord(found[0].decode()):04x}".encode(), octets)


class _Harmless(io.TextIOBase):
    """A text stream that writes to another one what is harmless."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text; the number of its characters."""
        self.stream.write(harmless(text))
        return len(text)

    def write_octets(self, octets: bytes) -> None:
        """Write text that is UTF-8 already, in UTF-8 where the stream takes octets.

        C0 controls are escaped in it already, as in all JSON: most of it has nothing else to look for.
        """
        if not octets.isascii() or b"\x7f" in octets:
            octets = harmless_octets(octets)
        if isinstance(self.stream, io.TextIOWrapper):
            self.stream.flush()
            self.stream.buffer.write(octets)
        else:
            self.stream.write(octets.decode())

    def flush(self) -> None:
        """Hand on what was written."""
        self.stream.flush()

    def fileno(self) -> int:
        """The descriptor of the stream behind."""
        return self.stream.fileno()

    def isatty(self) -> bool:
        """True when the stream behind is a terminal."""
        return self.stream.isatty()


@contextmanager
def harmless_output() -> Iterator[None]:
    """Meanwhile standard output and standard error take what is harmless, whatever is written to them."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_Harmless(stream) for stream in before)
    try:
        yield
        sys.stdout.flush()
    finally:
        sys.stdout, sys.stderr = before


def write_octets(octets: bytes) -> None:
    """Write UTF-8 to standard output."""
    if isinstance(sys.stdout, _Harmless):
        sys.stdout.write_octets(octets)
    else:
        sys.stdout.write(octets.decode())


class TextOutput(io.RawIOBase):
    """Standard output as a file that takes UTF-8, and writes what is harmless of it."""

    def writable(self) -> bool:
        """It is there to be written to."""
        return True

    def write(self, octets: Any) -> int:
        """Write whole characters in UTF-8; the number of octets."""
        write_octets(bytes(octets))
        return len(octets)


def octet_output() -> IO[bytes] | None:
    """Standard output as a file that takes any octets; None where it is a terminal, or takes none."""
    bare = sys.stdout.stream if isinstance(sys.stdout, _Harmless) else sys.stdout
    if not isinstance(bare, io.TextIOWrapper) or bare.isatty():
        return None
    bare.flush()
    output: IO[bytes] = bare.buffer
    return output


def show_progress(done: int, total: int) -> None:
    """A count of WPDUs on standard error that stands in its line until it is done."""
    show_in_place(f"{done:,} of {total:,} WPDUs" if done < total else "", sys.stderr)


def show_in_place(text: str, stream: TextIO) -> bool:
    """Show a text in the line of the one before, where somebody looks; whether somebody does."""
    bare = stream.stream if isinstance(stream, _Harmless) else stream
    looks = bare.isatty()
    if looks:
        print(f"\r{harmless(text)}\033[K", end="" if text else "\r", file=bare, flush=True)
    return looks
