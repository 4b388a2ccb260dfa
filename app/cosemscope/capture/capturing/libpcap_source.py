"""Packets from network cards through libpcap: one handle an interface, all into one section of a spool.

A handle that is waited for inside the library would hear neither a stop button nor Ctrl+C while no packet
comes; so where the system allows it, handles never block and `select` waits for them.
"""

import ctypes
import platform
import select
import struct
import time
from collections.abc import Callable, Sequence

from cosemscope import __version__
from cosemscope.capture.capturing import libpcap
from cosemscope.capture.capturing.libpcap import Handle, LibpcapError, OpenOptions
from cosemscope.capture.capturing.rights import no_library_advice, rights_advice
from cosemscope.capture.capturing.windows_only import title_of
from cosemscope.capture.spool.chunks import BUFFERED, IMMEDIATE, Chunk, SourceError, Tally
from cosemscope.capture.spool.spool_writer import (
    Counts,
    SpoolInterface,
    interface_block,
    packet_block,
    section_block,
    statistics_block,
)

#: Packets that are taken from the library in one go: bounds what is in memory.
_MOST = 4096
#: Half the milliseconds that the last packets are waited for at least.
_LEAST_LINGER = 50
_HEADER = struct.Struct(libpcap.HEADER_FORMAT)
_COUNTED_BITS = 32

FilterFor = Callable[[int], str]
"""The text of a capture filter for a link type."""


class _Inlet:
    """One interface: turns what the library calls back with into blocks."""

    def __init__(self, handle: Handle, number: int) -> None:
        self.handle = handle
        self.counts = Counts()
        self.descriptor = handle.selectable()
        self.number = number
        self._tick = 1 if handle.nanoseconds else 1000
        self._blocks: list[bytes] = []
        # Kept here: the library calls it for as long as the handle lives.
        self._handler = libpcap.PacketHandler(self._take)

    def take(self) -> Chunk | None:
        """The packets that are there now, at most `_MOST`; None if there are none. Raises LibpcapError."""
        try:
            self.handle.dispatch(_MOST, self._handler)
        finally:
            blocks, self._blocks = self._blocks, []
            if blocks:
                self._note(blocks)
        if not blocks:
            return None
        ends = []
        end = 0
        for block in blocks:
            end += len(block)
            ends.append(end)
        return Chunk(b"".join(blocks), ends)

    def _take(self, _user: int | None, header: int | None, octets: int | None) -> None:
        assert header is not None
        seconds, fraction, captured, original = _HEADER.unpack(ctypes.string_at(header, _HEADER.size))
        time_ns = seconds * 1_000_000_000 + fraction * self._tick
        packet = ctypes.string_at(octets or 0, captured) if captured else b""
        self._blocks.append(packet_block(time_ns, packet, original=original, interface=self.number))

    def _note(self, blocks: list[bytes]) -> None:
        counts = self.counts
        first, last = (_time_of(block) for block in (blocks[0], blocks[-1]))
        if not counts.written:
            counts.first = first
        counts.last = last
        counts.written += len(blocks)

    def count(self) -> None:
        """Take over the system's counts, which have 32 bits and begin again at 0."""
        stats = self.handle.stats()
        if stats is None:
            return
        counts = self.counts
        counts.received = _unwrapped(counts.received or 0, stats.received)
        # What the card dropped is told apart by some systems only, and is 0 on the others.
        counts.dropped = _unwrapped(counts.dropped or 0, stats.dropped + stats.dropped_by_interface)


def _time_of(block: bytes) -> int:
    high, low = struct.unpack_from("<II", block, 12)
    return int(high << 32 | low)


def _unwrapped(before: int, count: int) -> int:
    """`count`, of which only the lower 32 bits are right, as the least number not below `before`."""
    return before + ((count - before) & ((1 << _COUNTED_BITS) - 1))


class LibpcapSource:
    """Captures from interfaces until `end`; see `chunks.Source`."""

    def __init__(self, names: Sequence[str], options: OpenOptions, filter_for: FilterFor) -> None:
        """Open all of `names`; raises SourceError, and has then opened none."""
        self.mode = IMMEDIATE if options.immediate else BUFFERED
        self.hold: int | None = libpcap.hold_of(options)
        self.finished = False
        self.faults: list[SourceError] = []
        self.interfaces: list[SpoolInterface] = []
        try:
            self.name = libpcap.library().version
        except LibpcapError as error:
            raise SourceError("library", f"{_sentence(str(error))} {no_library_advice()}") from error
        self._inlets: list[_Inlet] = []
        self._gone: list[_Inlet] = []
        try:
            for number, name in enumerate(names):
                self._inlets.append(self._open(number, name, options, filter_for))
        except SourceError:
            self.close()
            raise
        program = f"Cosemscope {__version__} with {self.name}"
        self._head: bytes | None = section_block(program, platform.platform()) + b"".join(
            interface_block(interface) for interface in self.interfaces
        )
        # What the system holds back comes within this time (s) of being asked to end.
        self._linger = 2 * max(self.hold or 0, _LEAST_LINGER) / 1000
        self._ends_at: float | None = None

    def take(self, wait: float) -> Sequence[Chunk]:
        """See `chunks.Source`. An interface that goes is left out; with the last one it is finished."""
        if self._head is not None:
            head, self._head = self._head, None
            return [Chunk(head, head=head)]
        chunks = self._dispatch()
        if self._ends_at is not None:
            wait = min(wait, max(self._ends_at - time.monotonic(), 0))
        descriptors = [inlet.descriptor for inlet in self._inlets if inlet.descriptor is not None]
        if not chunks and descriptors and wait:
            select.select(descriptors, (), (), wait)
            chunks = self._dispatch()
        over = self._ends_at is not None and time.monotonic() >= self._ends_at
        self.finished = over or not self._inlets
        return chunks

    def tally(self) -> Tally:
        """See `chunks.Source`."""
        dropped = None
        for inlet in (*self._inlets, *self._gone):
            if inlet in self._inlets:
                inlet.count()
            if inlet.counts.dropped is not None:
                dropped = (dropped or 0) + inlet.counts.dropped
        return Tally(dropped)

    def trailer(self) -> bytes:
        """See `chunks.Source`."""
        self.tally()
        order = sorted((*self._inlets, *self._gone), key=lambda inlet: inlet.number)
        return b"".join(statistics_block(inlet.number, inlet.counts) for inlet in order)

    def end(self) -> None:
        """See `chunks.Source`."""
        self._ends_at = time.monotonic() + self._linger

    def close(self) -> None:
        """See `chunks.Source`."""
        for inlet in (*self._inlets, *self._gone):
            inlet.handle.close()

    def _dispatch(self) -> list[Chunk]:
        chunks = []
        for inlet in list(self._inlets):
            try:
                chunk = inlet.take()
            except LibpcapError as error:
                inlet.count()
                self._inlets.remove(inlet)
                self._gone.append(inlet)
                name = title_of(inlet.handle.name)
                self.faults.append(
                    SourceError("gone", f"The capture on {name} ended: {_sentence(str(error))}")
                )
                continue
            if chunk is not None:
                chunks.append(chunk)
        return chunks

    def _open(self, number: int, name: str, options: OpenOptions, filter_for: FilterFor) -> _Inlet:
        try:
            handle = libpcap.open_live(name, options)
        except LibpcapError as error:
            raise open_fault(name, error) from error
        text = filter_for(handle.link_type)
        try:
            if text:
                handle.set_filter(text)
        except LibpcapError as error:
            handle.close()
            raise SourceError("filter", f"The capture filter is wrong: {error} (in: {text})") from error
        device = next((each for each in _devices() if each.name == name), None)
        if device is not None and device.loopback:
            handle.ignore_echo()
        description = device.description if device is not None else ""
        self.interfaces.append(SpoolInterface(name, handle.link_type, options.snap_length, description, text))
        return _Inlet(handle, number)


def open_fault(name: str, error: LibpcapError) -> SourceError:
    """Why an interface cannot be opened, in a sentence, with what to do."""
    known = [device.name for device in _devices()]
    name, is_known = title_of(name), name in known
    # Some systems refuse what is not there for want of rights, too.
    if error.code == libpcap.NO_SUCH_DEVICE or (error.code == libpcap.NO_RIGHTS and known and not is_known):
        there = f"There are: {', '.join(map(title_of, known))}." if known else "There is none at all."
        return SourceError("name", f"There is no interface {name}. {there}")
    if error.code == libpcap.NO_RIGHTS:
        return SourceError("rights", f"You may not capture on {name}. {rights_advice()}")
    if error.code == libpcap.NOT_UP:
        return SourceError(
            "down", f"The interface {name} is down: there is nothing to capture until it is up."
        )
    return SourceError("failed", f"{name} cannot be captured from: {_sentence(str(error))}")


def _devices() -> list[libpcap.Device]:
    try:
        return libpcap.devices()
    except LibpcapError:
        return []


def _sentence(words: str) -> str:
    words = words.strip() or "the system gives no reason"
    return words[0].upper() + words[1:] + ("" if words.endswith(".") else ".")
