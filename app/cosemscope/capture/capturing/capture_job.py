"""A capture from its beginning to its end: a source of packets, its spool or ring, the events it tells."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from cosemscope.capture.capturing import libpcap
from cosemscope.capture.capturing.capture_events import (
    CaptureBegun,
    CaptureCounts,
    CaptureKept,
    CaptureStopped,
    RingTurned,
)
from cosemscope.capture.capturing.capture_filters import DLMS_PORT, dlms_filter
from cosemscope.capture.capturing.dumpcap import DumpcapSource, find_dumpcap
from cosemscope.capture.capturing.libpcap import OpenOptions
from cosemscope.capture.capturing.libpcap_source import LibpcapSource
from cosemscope.capture.capturing.pipes import PipeSource
from cosemscope.capture.capturing.privileges import Rights
from cosemscope.capture.capturing.rights import no_library_advice
from cosemscope.capture.events import Event, Trouble
from cosemscope.capture.job_options import option
from cosemscope.capture.option_values import FILE, PORT, ValueKind
from cosemscope.capture.spool.chunks import ChunkSource, SourceError
from cosemscope.capture.spool.spool_file import SpoolError
from cosemscope.capture.spool.spool_folder import spool_path, spool_place
from cosemscope.capture.spool.spool_ring import Ring, RingOptions, StopOptions
from cosemscope.capture.spool.spool_writer import LINK_ETHERNET

Tell = Callable[[Event], None]

AUTOMATIC, LIBPCAP, DUMPCAP = "auto", "libpcap", "dumpcap"
_WAIT = 0.05
_COUNTS_EVERY = 0.5


@dataclass(frozen=True)
class CaptureJob:
    """A capture: its source, its filter, its files and its end.

    Either `interfaces` or a `pipe` ("-" for standard input). `capture_filter` None is the filter that fits
    DLMS, "" is everything. Without a `write` the spool is one of the folder's.
    """

    command: ClassVar = "capture"

    pipe: str | None = option(None, ValueKind("PIPE"), help="- for standard input, or a named pipe's path")
    interfaces: tuple[str, ...] = option((), ValueKind("IFACE"), "-i", "--interface", help="repeatable")
    capture_filter: str | None = option(
        None, ValueKind("FILTER"), "-f", "--filter", help='capture filter (BPF); "" takes everything'
    )
    further_ports: tuple[int, ...] = option((), PORT, "--port", help=f"a DLMS port besides {DLMS_PORT}")
    write: Path | None = option(None, FILE, "-w", "--write", help="keep the packets in this pcapng file")
    options: OpenOptions = field(default_factory=OpenOptions)
    way: str = option(
        AUTOMATIC,
        ValueKind(""),
        "--by",
        choices=(AUTOMATIC, LIBPCAP, DUMPCAP),
        help="the way to the interface ({})",
    )
    ring: RingOptions = field(default_factory=RingOptions)
    stop: StopOptions = field(default_factory=StopOptions)

    @property
    def trouble(self) -> str:
        """A phrase about a contradiction within the job; empty if there is none."""
        if bool(self.interfaces) == (self.pipe is not None):
            return "name an interface (-i, see: cosemscope interfaces), or a pipe (- is standard input)"
        if self.pipe is not None and (self.capture_filter is not None or self.further_ports):
            return "a pipe is filtered where its packets are captured, not here"
        if (self.ring.files or self.stop.files) and not self.ring.is_ring:
            return "more than one file needs --ring-size or --ring-seconds"
        return ""

    def filter_for(self, link_type: int) -> str:
        """The filter's text for an interface of that link type."""
        if self.capture_filter is None:
            return dlms_filter((DLMS_PORT, *self.further_ports), link_type)
        return self.capture_filter.strip()


class CaptureControl:
    """Wishes of others to a running capture, from any thread or signal handler."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.counts = threading.Event()


def open_source(job: CaptureJob) -> ChunkSource:
    """The way in for a job: libpcap if it may, else dumpcap if that may. Raises SourceError.

    libpcap is first because it hands packets over in 50 ms; dumpcap's own 250 ms cannot be changed.
    """
    if job.pipe is not None:
        return PipeSource(job.pipe)
    names = [libpcap.device_name(name) for name in job.interfaces]
    program = find_dumpcap() if job.way != LIBPCAP else None
    if job.way == DUMPCAP:
        if program is None:
            raise SourceError("library", f"There is no dumpcap that you may run. {no_library_advice()}")
        return DumpcapSource(program, names, job.options, job.filter_for)
    try:
        return LibpcapSource(names, job.options, job.filter_for)
    except SourceError as fault:
        if program is None or fault.kind not in ("library", "rights"):
            raise
        try:
            return DumpcapSource(program, names, job.options, job.filter_for)
        except SourceError as other:
            raise (fault if other.kind == "rights" else other) from other


def run_capture(
    job: CaptureJob, tell: Tell, control: CaptureControl, *, on_open: Callable[[], None] | None = None
) -> bool:
    """Capture until it is asked to stop, a stop option is reached, or nothing more can come.

    Returns whether all went well; what did not is told. What was captured is kept in any case. Rights are
    given up as soon as the source is open, before a file is made (see `privileges`). `on_open` is called
    then: a thread that is started before would have rights of its own.
    """
    rights = Rights(os.environ, _folder_of(job))
    try:
        source = open_source(job)
    except SourceError as fault:
        tell(Trouble(fault=fault.kind, message=fault.message))
        return False
    rights.give_up(alone=not isinstance(source, DumpcapSource))
    if on_open is not None:
        on_open()
    try:
        return _Capture(job, source, tell, control, rights.told).run()
    except (SpoolError, OSError) as error:  # of a file, or of the folder for spools
        tell(Trouble(fault="file", message=f"{error} {rights.told}".rstrip()))
        return False
    finally:
        source.close()


def _folder_of(job: CaptureJob) -> Path:
    """The folder that the job's files go to; the current one where no home is known, and no file is made."""
    try:
        return job.write.parent if job.write is not None else spool_place()
    except RuntimeError:
        return Path()


class _Capture:
    """One run. Making it raises SpoolError or OSError when the spool cannot be made."""

    def __init__(
        self, job: CaptureJob, source: ChunkSource, tell: Tell, control: CaptureControl, rights: str
    ) -> None:
        self._job = job
        self._rights = rights
        self._source = source
        self._tell = tell
        self._control = control
        self._ring = Ring(
            job.write or spool_path("capture"),
            time.monotonic(),
            ring=job.ring,
            stop=job.stop,
            trailer=source.trailer,
            on_file=lambda path, removed: tell(RingTurned(file=path, removed=tuple(removed))),
        )
        self._first = self._ring.path
        self._told_faults = 0
        self._told_counts: tuple[int, int, int | None] | None = None
        self._counts_due = 0.0

    def run(self) -> bool:
        """Capture to the end."""
        self._tell_beginning()
        trouble = False
        try:
            reason = self._take_all()
            self._ring.close()
        except SpoolError as error:
            reason, trouble = "error", True
            self._tell(Trouble(fault="file", message=str(error)))
        finally:
            self._let_go()
        self._tell_faults()
        self._tell(CaptureStopped(reason=reason))
        self._tell_kept()
        return not trouble and not self._told_faults

    def _take_all(self) -> str:
        """Take until there is a reason to end, which is returned. Raises SpoolError."""
        source, ring, ending = self._source, self._ring, ""
        while True:
            chunks = source.take(_WAIT)
            now = time.monotonic()
            for chunk in chunks:
                ring.write(chunk, now)
            ring.tick(now)
            self._tell_faults()
            self._tell_counts(now)
            if ring.stopped:
                return ring.stopped
            if source.finished:
                return "error" if self._told_faults else ending or "ended"
            if not ending and (self._control.stop.is_set() or ring.is_over(now)):
                ending = "asked" if self._control.stop.is_set() else "seconds"
                source.end()

    def _let_go(self) -> None:
        """Close the spool, also after an error that has been told."""
        with suppress(SpoolError):
            self._ring.close()

    def _tell_beginning(self) -> None:
        job = self._job
        self._tell(
            CaptureBegun(
                file=self._first,
                by=self._source.name,
                interfaces=job.interfaces,
                filter="" if job.pipe is not None else job.filter_for(LINK_ETHERNET),
                mode=self._source.mode,
                hold=self._source.hold,
                rights=self._rights,
            )
        )

    def _tell_faults(self) -> None:
        for fault in self._source.faults[self._told_faults :]:
            self._told_faults += 1
            self._tell(Trouble(fault=fault.kind, message=fault.message))

    def _tell_counts(self, now: float) -> None:
        asked = self._control.counts.is_set()
        if now < self._counts_due and not asked:
            return
        self._control.counts.clear()
        self._counts_due = now + _COUNTS_EVERY
        counts = (self._ring.packets, self._ring.size, self._source.tally().dropped)
        if counts != self._told_counts or asked:
            self._told_counts = counts
            packets, octets, dropped = counts
            self._tell(CaptureCounts(packets=packets, octets=octets, dropped=dropped))

    def _tell_kept(self) -> None:
        """Tell which files are kept; a spool without packets that nobody named is removed."""
        ring = self._ring
        if not ring.packets and self._job.write is None:
            for path in ring.files:
                path.unlink(missing_ok=True)
            return
        kept = tuple(ring.files)
        dropped = self._source.tally().dropped
        self._tell(CaptureKept(file=kept[0], files=kept, packets=ring.packets, dropped=dropped))
