"""Live traffic into a spool: what sockets did, written as the packets of a capture.

A test link has octets and events, no packets. `Recorder` frames them
(Ethernet, IP, TCP or UDP) with the time at which each happened, and names its
interface as synthetic. A failing disk ends the recording, never the link.
"""

import time
from collections.abc import Callable
from pathlib import Path

from cosemscope.capture.spool.spool_file import SpoolError
from cosemscope.capture.spool.spool_writer import SpoolWriter
from cosemscope.capture.spool.synthetic_frames import SyntheticTcp, SyntheticUdp
from cosemscope.live.links.addresses import LinkAddress

#: Octets of a recording, at most, where nobody says how many.
MOST_OCTETS = 10**9
_MOST_REMARKS = 16
_DESCRIPTION = "Octets of a socket with synthetic Ethernet, IP and TCP or UDP headers; times are real"


class _Remarks:
    """Words that wait for the frame whose comment they become."""

    def __init__(self) -> None:
        self._words: list[str] = []

    def add(self, words: str) -> None:
        """These too; beyond so many the newest only."""
        self._words = [*self._words[1 - _MOST_REMARKS :], words]

    def take(self) -> str | None:
        """The comment, once."""
        words, self._words = self._words, []
        return "; ".join(words) or None


class TcpTrace:
    """One TCP connection in a recording. `initiated`: whether this side opened it.

    Made when the connection is begun; what happens to it is told by the methods. `outgoing` is true for
    what this side does.
    """

    def __init__(
        self, recorder: "Recorder", local: LinkAddress, remote: LinkAddress, initiated: bool
    ) -> None:
        ends = (local, remote) if initiated else (remote, local)
        self._recorder = recorder
        self._initiated = initiated
        self._frames = SyntheticTcp(*ends)
        self._finished: set[bool] = set()
        self._remarks = _Remarks()

    def remark(self, words: str) -> None:
        """The next frame gets a comment."""
        self._remarks.add(words)

    def opened(self, begun: int | None = None) -> None:
        """The connection is there; `begun` is the time (ns) at which the opening began."""
        syn, *rest = self._frames.handshake()
        self._recorder.write([syn], at=begun)
        self._recorder.write(rest)

    def refused(self, begun: int) -> None:
        """The connection was refused."""
        syn, *rest = self._frames.refusal()
        self._recorder.write([syn], at=begun)
        self._recorder.write(rest)

    def unanswered(self, begun: int) -> None:
        """Nobody answered the attempt to connect."""
        self._recorder.write(self._frames.handshake()[:1], at=begun)

    def data(self, outgoing: bool, octets: bytes) -> None:
        """Octets were handed to the socket, or came from it."""
        if not self._frames.closed and outgoing not in self._finished:
            self._write(self._frames.data(self._side(outgoing), octets))

    def finished(self, outgoing: bool) -> None:
        """That side sends no more (FIN)."""
        if outgoing not in self._finished:
            self._finished.add(outgoing)
            self._write(self._frames.finish(self._side(outgoing)))

    def reset(self, outgoing: bool) -> None:
        """That side reset the connection."""
        if not self._frames.closed:
            self._write(self._frames.reset(self._side(outgoing)))

    def _write(self, frames: list[bytes]) -> None:
        self._recorder.write(frames, comment=self._remarks.take() if frames else None)

    def _side(self, outgoing: bool) -> bool:
        return outgoing is self._initiated


class UdpTrace:
    """Datagrams between this side and one peer in a recording."""

    def __init__(self, recorder: "Recorder", local: LinkAddress, remote: LinkAddress) -> None:
        self._recorder = recorder
        self._frames = SyntheticUdp(local, remote)
        self._remarks = _Remarks()

    def remark(self, words: str) -> None:
        """The next datagram gets a comment."""
        self._remarks.add(words)

    def data(self, outgoing: bool, octets: bytes) -> None:
        """A datagram was sent, or came."""
        frames = self._frames.data(outgoing, octets)
        self._recorder.write(frames, comment=self._remarks.take())


class Recorder:
    """Writes a spool named `path` (SpoolError when it cannot be made) for any number of links.

    `trouble` is the error that ended the recording, if one did. `on_trouble` is called with it once. A file
    of `limit` octets is one: peers that send on and on shall not fill the disk.
    """

    def __init__(
        self,
        path: Path,
        *,
        limit: int = MOST_OCTETS,
        on_trouble: Callable[[SpoolError], None] | None = None,
    ) -> None:
        self.path = path
        self.trouble: SpoolError | None = None
        self._on_trouble = on_trouble
        self._limit = limit
        self._last = 0
        self._spool = SpoolWriter(path)
        self._spool.add_interface("synthetic: Cosemscope live link", description=_DESCRIPTION)

    @property
    def packets(self) -> int:
        """Packets written so far."""
        return self._spool.packets

    def tcp(self, local: LinkAddress, remote: LinkAddress, *, initiated: bool) -> TcpTrace:
        """A trace for one TCP connection."""
        return TcpTrace(self, local, remote, initiated)

    def udp(self, local: LinkAddress, remote: LinkAddress) -> UdpTrace:
        """A trace for datagrams between two addresses."""
        return UdpTrace(self, local, remote)

    def write(self, frames: list[bytes], *, at: int | None = None, comment: str | None = None) -> None:
        """Write `frames` with the time `at` (ns, default now); the times of a spool never run backwards.

        `comment` is the first one's.
        """
        if self.trouble is not None:
            return
        self._last = max(self._last, time.time_ns() if at is None else at)
        try:
            for frame in frames:
                if self._spool.size + len(frame) > self._limit:
                    raise SpoolError(
                        f"{self.path} has {self._spool.size:,} octets, and more are not allowed (--size): "
                        "what comes from now on is not recorded."
                    )
                self._spool.write(self._last, frame, comment=comment)
                comment = None
        except SpoolError as error:
            self.trouble = error
            if self._on_trouble is not None:
                self._on_trouble(error)

    def close(self) -> None:
        """Finish the file."""
        try:
            self._spool.close()
        except SpoolError as error:
            self.trouble = self.trouble or error
