"""One connection of a transport check: octets as they stand, right or wrong, and a diary of what happened.

Unlike a link it sends what no service primitive would let through (a torn
header, a wrong version), so it does without the transport layer's state
machine; what comes back is still split by the transport core's own decoder.
"""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.answers import AnswerBook
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_sockets import LinkOptions, SocketConnection, open_connection
from cosemscope.transport.wpdu import HEADER_SIZE, BadVersion, NeedData, Wpdu, WpduDecoder, WpduReceived
from cosemscope.wording import count


class StepKind(Enum):
    """Kind of a step of a check; the value is the word in reports."""

    CONNECTED = "connected"
    SENT = "sent"
    RECEIVED = "received"
    FINISHED = "half-closed"
    PEER_FINISHED = "peer closed"
    CLOSED = "closed"
    RESET = "reset"
    FAULT = "fault"
    WAITED = "waited"
    REMARK = "remark"


@dataclass(frozen=True)
class ProbeStep:
    """Something that happened: `time` in seconds since the check began, octets if any, words if any."""

    time: float
    kind: StepKind
    octets: bytes = b""
    text: str = ""


@dataclass
class Diary:
    """The steps of one check, in order."""

    begun: float = field(default_factory=time.monotonic)
    steps: list[ProbeStep] = field(default_factory=list)

    def note(self, kind: StepKind, octets: bytes = b"", text: str = "") -> None:
        """Add a step that happens now."""
        self.steps.append(ProbeStep(time.monotonic() - self.begun, kind, octets, text))


class Silence(Enum):
    """Nothing came in the time allowed."""

    SILENCE = "silence"


SILENCE = Silence.SILENCE


@dataclass(frozen=True)
class Unfinished:
    """A WPDU began and did not end in the time allowed: its octets so far, and how many are missing still."""

    octets: bytes
    missing: int

    @property
    def words(self) -> str:
        """What came, as part of a sentence."""
        came = count(len(self.octets), "octet")
        if len(self.octets) < HEADER_SIZE:
            return f"{came} came, which is less than a header"
        length = int.from_bytes(self.octets[6:8], "big")
        words = f"{came} came, of a WPDU whose length field promises {length} behind the header"
        if self.missing == HEADER_SIZE:
            return f"{words}: {self.missing} are missing, as if the length counted the header"
        return f"{words}: {self.missing} are missing"


@dataclass(frozen=True)
class Gone:
    """The peer ended the connection; `fault` says how."""

    fault: LinkError

    @property
    def words(self) -> str:
        """How, as part of a sentence."""
        return "closed the connection" if self.fault.fault is Fault.CLOSED else "reset the connection"


Outcome = Wpdu | BadVersion | Gone | Silence | Unfinished


class Probe(SocketConnection):
    """A TCP connection that keeps a diary. Make one with `Probe.connect`."""

    def __init__(self, options: LinkOptions, recorder: Recorder | None, diary: Diary, name: str) -> None:
        super().__init__(options, recorder, initiated=True)
        self.diary = diary
        self.name = name
        self.answers = AnswerBook()
        self.served = False
        """Whether the server has sent anything here: it had room for this connection."""
        self._decoder = WpduDecoder()
        self._outcomes: deque[Wpdu | BadVersion | Gone] = deque()
        self._arrived = asyncio.Event()

    @classmethod
    async def connect(
        cls,
        address: LinkAddress,
        options: LinkOptions,
        recorder: Recorder | None,
        diary: Diary,
        name: str = "",
    ) -> "Probe":
        """Open a connection to `address`, once; raises LinkError, which is also in the diary."""
        try:
            probe = await open_connection(lambda: cls(options, recorder, diary, name), address, options)
        except LinkError as error:
            diary.note(StepKind.FAULT, text=error.message)
            raise
        return probe

    def opened(self) -> None:
        """The connection is there."""
        self.diary.note(StepKind.CONNECTED, text=self._named(f"from {self.local} to {self.remote}"))

    def octets_received(self, octets: bytes) -> None:
        """The peer sent octets: those that end a WPDU make an outcome."""
        self.served = True
        self.diary.note(StepKind.RECEIVED, octets, self._named(""))
        self._decoder.feed(octets)
        while not isinstance(event := self._decoder.next_event(), NeedData):
            self._outcomes.append(event.wpdu if isinstance(event, WpduReceived) else event)
            if isinstance(event, BadVersion):
                self._decoder.resume_at(event.start + len(event.octets))
                break
        self._arrived.set()

    def end_received(self) -> None:
        """The peer sends no more."""
        self.diary.note(StepKind.PEER_FINISHED, text=self._named(""))
        self._end(LinkError(Fault.CLOSED, f"{self.remote} closed the connection"))

    def connection_ended(self, fault: LinkError | None) -> None:
        """The socket is gone."""
        if fault is not None:
            self.diary.note(StepKind.FAULT, text=self._named(fault.message))
            self._end(fault)

    async def send(self, *pieces: bytes, pause: float = 0.0) -> None:
        """Send pieces, each in a segment of its own, `pause` seconds apart. Raises LinkError."""
        for index, piece in enumerate(pieces):
            if index and pause:
                await asyncio.sleep(pause)
            self.write(piece)
            self.diary.note(StepKind.SENT, piece, self._named(""))
            await self.drain()

    async def outcome(self, seconds: float) -> Outcome:
        """Returns the first outcome within `seconds`: a WPDU, octets that are none, the end, or silence."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                while not self._outcomes:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            waited = time.monotonic() - begun
            partial = (
                f", {self._decoder.buffered} octets of a WPDU not ended" if self._decoder.buffered else ""
            )
            self.diary.note(StepKind.WAITED, text=self._named(f"{waited:.2f} s, nothing more came{partial}"))
            return self._unfinished() or SILENCE
        if isinstance(self._outcomes[0], Gone):
            return self._outcomes[0]  # stays: a connection is gone for good
        return self._outcomes.popleft()

    def _unfinished(self) -> Unfinished | None:
        decoder = self._decoder
        if not decoder.buffered:
            return None
        return Unfinished(bytes(decoder.peek(0, decoder.buffered)), decoder.missing)

    def half_close(self) -> None:
        """Send FIN and go on reading."""
        self.finish()
        self.diary.note(StepKind.FINISHED, text=self._named(""))

    async def close(self) -> None:
        """Close in order."""
        if self.is_open:
            self.diary.note(StepKind.CLOSED, text=self._named(""))
            self.shut()
        await self.wait_ended()

    def abort(self) -> None:
        """Break the connection with a RST."""
        self.reset()
        self.diary.note(StepKind.RESET, text=self._named(""))

    def _end(self, fault: LinkError) -> None:
        if not self._outcomes or not isinstance(self._outcomes[-1], Gone):
            self._outcomes.append(Gone(fault))
        self._arrived.set()

    def _named(self, text: str) -> str:
        return f"({self.name}) {text}".strip() if self.name else text
