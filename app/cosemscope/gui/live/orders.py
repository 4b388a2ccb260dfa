"""What a person asks of a live command: values with checks in words, and the command line that follows."""

import re
from typing import NamedTuple

from cosemscope.capture.capturing.libpcap import DEFAULT_BUFFER
from cosemscope.capture.capturing.windows_only import title_of
from cosemscope.live.links.addresses import parse_address
from cosemscope.live.links.faults import LinkError


class LinkOrder(NamedTuple):
    """A test link to `address` as typed, with wPorts and seconds to wait for a connection or an answer."""

    address: str
    udp: bool = False
    client: int = 16
    server: int = 1
    timeout: int = 10

    @property
    def title(self) -> str:
        """Whom it goes to, for headings."""
        return f"{parse_address(self.address)} over {'UDP' if self.udp else 'TCP'}"

    def words(self) -> list[str]:
        """The command line."""
        transport = ["--udp"] if self.udp else []
        wports = ["--client", str(self.client), "--server", str(self.server)]
        times = ["--connect-timeout", str(self.timeout), "--timeout", str(self.timeout)]
        return ["connect", *transport, *wports, *times, "--control", "--", str(parse_address(self.address))]


class ListenOrder(NamedTuple):
    """The other end: `address` as typed, TCP and UDP or one of them, the server's wPort."""

    address: str
    tcp: bool = True
    udp: bool = True
    wport: int = 1

    @property
    def title(self) -> str:
        """Where it listens, for headings."""
        transports = [name for name, there in (("TCP", self.tcp), ("UDP", self.udp)) if there]
        return f"{parse_address(self.address)}, {' and '.join(transports)}"

    def words(self) -> list[str]:
        """The command line."""
        only = [] if self.tcp and self.udp else ["--tcp-only" if self.tcp else "--udp-only"]
        address = str(parse_address(self.address))
        return ["listen", *only, "--wport", str(self.wport), "--control", "--", address]


class CaptureOrder(NamedTuple):
    """A capture: interfaces, what to take of them, how, where to (`ring_*`), and until when (`stop_*`).

    `ports` are those of DLMS besides 4059, as typed; `own_filter` says that `filter` counts instead. Sizes
    and the kernel's `buffer` are in MiB, `snap_length` in octets; 0 is no limit.
    """

    interfaces: tuple[str, ...] = ()
    ports: str = ""
    own_filter: bool = False
    filter: str = ""
    promiscuous: bool = True
    immediate: bool = False
    snap_length: int = 262_144
    buffer: int = DEFAULT_BUFFER
    ring_size: int = 0
    ring_seconds: int = 0
    ring_files: int = 0
    stop_packets: int = 0
    stop_size: int = 0
    stop_seconds: int = 0

    @property
    def title(self) -> str:
        """What is captured, for headings."""
        return f"Capture on {', '.join(map(title_of, self.interfaces))}"

    def words(self) -> list[str]:
        """The command line."""
        words = ["capture", *(f"--interface={name}" for name in self.interfaces)]
        if self.own_filter:
            words.append(f"--filter={self.filter}")
        else:
            words += [f"--port={port}" for port in ports_of(self.ports) or ()]
        words += [] if self.promiscuous else ["--no-promiscuous"]
        words += ["--immediate"] if self.immediate else []
        words += [f"--snap-length={self.snap_length}", f"--buffer={self.buffer}"]
        is_ring = self.ring_size or self.ring_seconds
        for option, value, there in (
            ("--ring-size", self.ring_size << 20, is_ring),
            ("--ring-seconds", self.ring_seconds, is_ring),
            ("--ring-files", self.ring_files, is_ring),
            ("--packets", self.stop_packets, True),
            ("--size", self.stop_size << 20, True),
            ("--seconds", self.stop_seconds, True),
        ):
            words += [f"{option}={value}"] if value and there else []
        return [*words, "--control"]


def ports_of(text: str) -> tuple[int, ...] | None:
    """The ports that `text` lists, separated by commas or spaces; None when something else stands in it."""
    numbers = [int(word) if word.isdecimal() else 0 for word in text.replace(",", " ").split()]
    return tuple(dict.fromkeys(numbers)) if all(1 <= number <= 0xFFFF for number in numbers) else None


def command_in(text: str) -> str:
    """The command that a message says to run; empty when it says none."""
    found = re.search(r"[Rr]un: (\S.*?)(?:\s{2,}|[.;]?$)", text)
    return found[1] if found else ""


def address_trouble(text: str, *, host_needed: bool) -> str:
    """What is wrong with an address as typed, as a sentence; empty when nothing is."""
    if host_needed and not text.strip():
        return "Type the address or the name of a meter or concentrator."
    try:
        address = parse_address(text)
    except LinkError as error:
        return error.message[:1].upper() + error.message[1:] + "."
    if host_needed and not address.port:
        return "Nobody listens on port 0."
    return ""
