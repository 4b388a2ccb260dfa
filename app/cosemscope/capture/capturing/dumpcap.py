"""dumpcap, Wireshark's capture program, as the second way to network cards: a process, read through a pipe.

Where it is installed, it needs no root for the members of its group. It is asked for pcapng on its standard
output; how many packets it dropped it says when it ends.

It is second because it is late: it opens interfaces with a read time of 250 ms, which no option of its own,
no environment variable of libpcap and no signal changes, and it never asks for libpcap's immediate mode. On
Linux the kernel hands over a block of packets when it is full (256 KiB) or when that time is over, so that a
packet comes after 125 ms on average and 250 ms at most, whatever the snap length, the buffer, the format or
the number of threads. On a loopback interface it counts a packet that is dropped twice: outwards and inwards.
"""

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from cosemscope.capture.capturing import windows_only
from cosemscope.capture.capturing.libpcap import OpenOptions
from cosemscope.capture.capturing.libpcap_source import FilterFor
from cosemscope.capture.capturing.pipes import PipeSource
from cosemscope.capture.capturing.privileges import give_up_capabilities
from cosemscope.capture.capturing.rights import rights_advice
from cosemscope.capture.capturing.windows_only import title_of
from cosemscope.capture.spool.chunks import BUFFERED, SourceError

_START_WITHIN = 10.0
_END_WITHIN = 5.0
#: Milliseconds after which the system hands packets to dumpcap; a stop waits a little longer (s).
HOLD = 250
_HELD_BACK = 0.3
#: Octets that wait for our disk: a dumpcap that has to wait loses packets once the kernel's buffer is full.
_STORED = 64 << 20
_QUERY_WITHIN = 20.0
_LINES = 200
_FOLDERS = (r"C:\Program Files\Wireshark", "/Applications/Wireshark.app/Contents/MacOS", "/usr/sbin")
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)


def find_dumpcap() -> str | None:
    """The program's path; None where it is not installed, or may not be run by this user."""
    found = shutil.which("dumpcap")
    if found:
        return found
    for folder in _FOLDERS:
        path = Path(folder, "dumpcap.exe" if sys.platform == "win32" else "dumpcap")
        if os.access(path, os.X_OK):
            return str(path)
    return None


def dumpcap_version(program: str) -> str:
    """Name and version that dumpcap gives itself, such as "dumpcap 4.0.17"."""
    version = re.search(r"\d+\.\d+(\.\d+)?", _query([program, "--version"]).stdout)
    return f"dumpcap {version[0]}" if version else "dumpcap"


def dumpcap_link_type(program: str, name: str) -> int:
    """The LINKTYPE number of an interface; raises SourceError where dumpcap may not, or cannot, open it."""
    answer = _query([program, "-L", "-M", "-i", name])
    number = re.search(r"^(\d+)\t", answer.stdout, re.MULTILINE)
    if answer.returncode or number is None:
        raise _fault(name, answer.stderr)
    return int(number[1])


def dumpcap_interfaces(program: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """Names, descriptions and addresses of the interfaces that it lists."""
    found = []
    for line in _query([program, "-D", "-M"]).stdout.splitlines():
        number, _, rest = line.partition(". ")
        fields = rest.split("\t")
        if number.isdecimal() and len(fields) >= 5:
            addresses = tuple(address for address in fields[4].split(",") if address)
            found.append((fields[0], fields[2] or fields[1], addresses))
    return found


def _query(command: list[str]) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_QUERY_WITHIN,
            creationflags=_NO_WINDOW,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError("library", f"{command[0]} cannot be run: {error}.") from error


def _fault(name: str, words: str) -> SourceError:
    """Sentence that says the meaning of dumpcap's error output."""
    lines = [line.removeprefix("dumpcap: ").strip() for line in words.splitlines()]
    # A dumpcap that lacks a capability says so before it goes on to what matters.
    lines = [
        line for line in lines if line and "cap_set_proc" not in line and not line.startswith("Capturing")
    ]
    first = lines[0] if lines else "dumpcap gives no reason."
    if "Invalid capture filter" in first:
        inner = re.search(r"isn't a valid capture filter \((.*)\)", words)
        return SourceError("filter", f"The capture filter is wrong: {inner[1] if inner else first}")
    if "No such device" in words:
        return SourceError("name", f"There is no interface {title_of(name)}.")
    if "permission" in words.lower():
        return SourceError("rights", f"You may not capture on {title_of(name)}. {rights_advice()}")
    if "is not up" in words:
        return SourceError(
            "down", f"The interface {title_of(name)} is down: there is nothing to capture until it is up."
        )
    return SourceError("gone", f"dumpcap ended: {first}")


class DumpcapSource(PipeSource):
    """Captures from interfaces through dumpcap until `end`; see `chunks.Source`."""

    def __init__(
        self, program: str, names: Sequence[str], options: OpenOptions, filter_for: FilterFor
    ) -> None:
        """Start dumpcap on `names`; raises SourceError when it does not begin to capture."""
        words = [program, "-q", "-w", "-", "-s", str(options.snap_length)]
        words += ["-B", str(max(options.buffer >> 20, 1))]
        words += [] if options.promiscuous else ["-p"]
        for name in names:
            text = filter_for(dumpcap_link_type(program, name))
            words += ["-i", name, *(["-f", text] if text else [])]
        self._names = ", ".join(map(title_of, names))
        self._words: list[str] = []
        self._asked = False
        self._started = threading.Event()
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                creationflags=windows_only.console_flags() if sys.platform == "win32" else 0,
                # Ctrl+C is for us: dumpcap is asked to end in turn, and what it still has is taken.
                start_new_session=True,
            )
        except OSError as error:
            raise SourceError("library", f"{program} cannot be run: {error.strerror}.") from error
        self._listener = threading.Thread(target=self._listen, name="dumpcap messages", daemon=True)
        self._listener.start()
        self._started.wait(_START_WITHIN)
        if self._process.poll() is not None:
            self._listener.join(1)
            raise _fault(self._names, "\n".join(self._words))
        super().__init__("-", _STORED)
        self.name = dumpcap_version(program)

    mode = BUFFERED
    hold: int | None = HOLD

    def _open(self) -> int:
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def _listen(self) -> None:
        """In a thread: what it says on standard error, up to some lines."""
        assert self._process.stderr is not None
        give_up_capabilities()
        for line in self._process.stderr:
            if len(self._words) < _LINES:
                self._words.append(line.decode("utf-8", "replace").rstrip())
            if line.startswith(b"File:"):
                self._started.set()
        self._process.wait()
        self._started.set()

    def end(self) -> None:
        """See `chunks.Source`: dumpcap is asked to end; what it still has comes before the pipe's end.

        It leaves what the system still holds back, so it is asked only when that has been handed over.
        """
        if not self._asked:
            self._asked = True
            for wait, act in ((_HELD_BACK, self._ask_to_end), (_END_WITHIN, self._process.kill)):
                timer = threading.Timer(wait, act)
                timer.daemon = True
                timer.start()

    def _ask_to_end(self) -> None:
        if sys.platform == "win32":
            windows_only.ask_to_end(self._process)
        else:
            self._process.terminate()

    def close(self) -> None:
        """See `chunks.Source`."""
        super().close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_END_WITHIN)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def _ended(self) -> None:
        self.finished = True
        self._listener.join(1)
        trouble = [line for line in self._words if line.startswith("dumpcap: ") and "cap_set" not in line]
        if not self._asked or self._process.returncode:
            if trouble:
                self._fail_with(_fault(self._names, "\n".join(trouble)))
            elif not self._asked:
                self._fail_with(SourceError("gone", "dumpcap ended without being asked to."))

    def _fail_with(self, fault: SourceError) -> None:
        self.faults.append(fault)
