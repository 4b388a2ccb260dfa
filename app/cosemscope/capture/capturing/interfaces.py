"""The network interfaces of this computer: names, addresses, state, who may capture, packets that pass.

They are listed by libpcap, or by dumpcap where there is no library. Whether we may capture is tried out: no
rule of one system holds on another.
"""

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cosemscope.capture.capturing import libpcap
from cosemscope.capture.capturing.dumpcap import dumpcap_interfaces, dumpcap_link_type, find_dumpcap
from cosemscope.capture.capturing.libpcap import Handle, LibpcapError, OpenOptions
from cosemscope.capture.capturing.libpcap_source import open_fault
from cosemscope.capture.capturing.rights import no_library_advice
from cosemscope.capture.spool.chunks import SourceError

_TRIAL = OpenOptions(snap_length=96, promiscuous=False, buffer=1 << 20)


@dataclass(frozen=True)
class CaptureInterface:
    """An interface as it is now.

    `way` is what may capture on it, "libpcap" or "dumpcap", "" if nothing may; `reason` then says why, as a
    sentence with what to do. `link_type` is a LINKTYPE number, -1 where it cannot be known without rights.
    `up`, `connected` are None where the system does not tell.
    """

    name: str
    description: str
    addresses: tuple[str, ...]
    up: bool | None
    connected: bool | None
    loopback: bool
    wireless: bool
    link_type: int
    way: str
    reason: str
    alias: str = ""

    @property
    def title(self) -> str:
        """Name of the interface for people."""
        return self.alias or self.name

    @property
    def may_capture(self) -> bool:
        """True when a capture on it can begin now."""
        return bool(self.way)

    @property
    def state(self) -> str:
        """A word for people: "up", "down", "not connected" or "unknown"."""
        if self.up is None:
            return "unknown"
        if not self.up:
            return "down"
        return "not connected" if self.connected is False else "up"


def interfaces() -> list[CaptureInterface]:
    """All interfaces of this computer. Raises SourceError when there is no way to list them."""
    program = find_dumpcap()
    try:
        devices = libpcap.devices()
    except LibpcapError as error:
        if program is None:
            raise SourceError(
                "library", f"Interfaces cannot be listed: {error}. {no_library_advice()}"
            ) from error
        devices = [
            libpcap.Device(name, description, addresses, True, True, "127.0.0.1" in addresses, False, None)
            for name, description, addresses in dumpcap_interfaces(program)
        ]
        return [_by_dumpcap(device, program, "", known=False) for device in devices]
    return [_tried(device, program) for device in devices]


def _tried(device: libpcap.Device, program: str | None) -> CaptureInterface:
    """The interface with the way that may capture on it: libpcap, else dumpcap, else none."""
    try:
        handle = libpcap.open_live(device.name, _TRIAL)
    except LibpcapError as error:
        fault = open_fault(device.name, error)
        if fault.kind == "rights" and program is not None:
            return _by_dumpcap(device, program, fault.message)
        return _interface(device, -1, "", fault.message)
    link_type = handle.link_type
    handle.close()
    return _interface(device, link_type, "libpcap", "")


def _by_dumpcap(device: libpcap.Device, program: str, reason: str, *, known: bool = True) -> CaptureInterface:
    try:
        link_type = dumpcap_link_type(program, device.name)
    except SourceError as fault:
        told = reason if reason and fault.kind == "rights" else fault.message
        return _interface(device, -1, "", told, known=known)
    return _interface(device, link_type, "dumpcap", "", known=known)


def _interface(
    device: libpcap.Device, link_type: int, way: str, reason: str, *, known: bool = True
) -> CaptureInterface:
    return CaptureInterface(
        name=device.name,
        description=device.description,
        addresses=device.addresses,
        up=device.up if known else None,
        connected=device.connected,
        loopback=device.loopback,
        wireless=device.wireless,
        link_type=link_type,
        way=way,
        reason=reason,
        alias=device.alias,
    )


class PacketCounts:
    """Counts of the packets that pass on interfaces, for a rate beside each in a list; `close` it when done.

    Linux counts for everybody. Elsewhere the library counts, on handles that nobody reads: interfaces that
    may not be opened have no count.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._counted_by_system = sys.platform.startswith("linux")
        self._handles: dict[str, Handle] = {}
        if not self._counted_by_system:
            for name in names:
                with suppress(LibpcapError):
                    self._handles[name] = libpcap.open_live(name, _TRIAL)

    def now(self) -> dict[str, int]:
        """Packets of each interface so far, from some starting point: only differences mean something."""
        if self._counted_by_system:
            counts = _counts_of_linux()
            return {name: counts[name] for name in self._names if name in counts}
        stats = ((name, handle.stats()) for name, handle in self._handles.items())
        return {name: each.received for name, each in stats if each is not None}

    def close(self) -> None:
        """Give the handles back."""
        for handle in self._handles.values():
            handle.close()
        self._handles.clear()


def _counts_of_linux() -> dict[str, int]:
    """Packets received and sent, by interface: the second column of each half of the kernel's table."""
    try:
        lines = Path("/proc/net/dev").read_text().splitlines()[2:]
        rows = (line.rpartition(":") for line in lines)
        columns = {name.strip(): figures.split() for name, _, figures in rows}
        return {name: int(figures[1]) + int(figures[9]) for name, figures in columns.items()}
    except (OSError, ValueError, IndexError):
        return {}
