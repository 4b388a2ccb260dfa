"""The two ends of a stream, each with a core of the transport layer, and what the cores say.

`Ends` is what TCP connections and UDP flows share; `UdpEnds` takes datagrams. An end that
the capture shows to go on after a refusal goes on here too.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Final, NamedTuple

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.primitives.happenings import Doing, Happening
from cosemscope.transport.bindings import WpduDiscarded, WPortBindings
from cosemscope.transport.calls import UdpSend
from cosemscope.transport.errors import LocalProtocolError, RemoteProtocolError
from cosemscope.transport.parameters import Quadruple
from cosemscope.transport.primitives import Primitive, UdpDataIndication, UdpDataRequest
from cosemscope.transport.udp import UdpTransport
from cosemscope.transport.wpdu import HEADER_SIZE, BadVersion, Trailing, Truncated

#: The ends by the side of their stream: who opened the connection, or sent the flow's first datagram.
ENDS: Final = ("initiator", "responder")
# What stands for octets between WPDUs: the core looks no further than at the version of a header.
NO_WPDU: Final = b"\xff" * HEADER_SIZE

_CLAUSES: Final[dict[type, str]] = {
    BadVersion: "IEC 62056-4-7, 5.3.2 and 6.3.2",
    Truncated: "IEC 62056-4-7, 5.3.3 and 6.3.3",
    Trailing: "IEC 62056-4-7, 5.3.3",
    WpduDiscarded: "IEC 62056-4-7, 5.3.5",
    LocalProtocolError: "IEC 62056-4-7, 6.3.4 and 6.3.5",
    ValueError: "IEC 62056-4-7, 5.2.2",
}


class Occurred(NamedTuple):
    """A primitive at one end: `end` is a place in `ENDS`, `time` ns, `row` the WPDU row or -1."""

    end: int
    time: int
    primitive: Primitive
    row: int
    packet: int


class Refused(NamedTuple):
    """What the core at one end does not let pass, in a sentence; `problem` is the class of what it said."""

    end: int
    time: int
    sentence: str
    problem: type
    row: int
    packet: int

    @property
    def clause(self) -> str:
        """The clause that is broken."""
        return _CLAUSES[self.problem]


Told = Occurred | Refused


class Ends(ABC):
    """The two ends of one stream; `bindings` are the wPorts of the initiator and of the responder."""

    def __init__(
        self, analysis: Analysis, stream: int, bindings: tuple[WPortBindings, WPortBindings]
    ) -> None:
        self._analysis = analysis
        self._bindings = bindings
        near, far = analysis.endpoints(stream)
        self._quadruples = (Quadruple(*near, *far), Quadruple(*far, *near))

    @abstractmethod
    def take(self, happening: Happening, now: float) -> Iterator[Told]:
        """What the cores say about a happening at `now`, in seconds since the first one."""

    def _data(self, row: int) -> bytes:
        """The APDU of a WPDU row, zeros in the place of octets that were not captured."""
        length = int(self._analysis.wpdus["length"][row])
        return self._analysis.octets(row)[HEADER_SIZE:].ljust(length, b"\0")

    def _wports(self, row: int) -> tuple[int, int]:
        """The source and the destination of a WPDU row."""
        wpdus = self._analysis.wpdus
        return int(wpdus["source_wport"][row]), int(wpdus["destination_wport"][row])


def refused(happening: Happening, end: int, problem: object) -> Refused:
    """The refusal of a happening, without the core's own offsets."""
    kind = type(problem.problem if isinstance(problem, RemoteProtocolError) else problem)
    return Refused(end, happening.time, _sentence(problem), kind, happening.row, max(happening.packet, 0))


def _sentence(problem: object) -> str:
    match problem:
        case RemoteProtocolError(problem=BadVersion(octets=octets)) if octets[:HEADER_SIZE] != NO_WPDU:
            return f"a header of version 1 is due, but here stands {octets[:HEADER_SIZE].hex(' ')}"
        case RemoteProtocolError(problem=BadVersion()):
            return "a header is due, but here stand octets that are no WPDU"
        case RemoteProtocolError(problem=Truncated()):
            return "the octets end inside a WPDU"
        case RemoteProtocolError(problem=Trailing()):
            return "octets stand behind the one WPDU of a datagram"
        case WpduDiscarded(wpdu=wpdu):
            return f"the WPDU is discarded: nobody is bound to wPort {wpdu.destination_wport}"
        case _:
            return str(problem)


class UdpEnds(Ends):
    """The ends of a UDP flow."""

    def __init__(
        self, analysis: Analysis, stream: int, bindings: tuple[WPortBindings, WPortBindings]
    ) -> None:
        super().__init__(analysis, stream, bindings)
        self._cores = [UdpTransport(bound) for bound in bindings]

    def take(self, happening: Happening, now: float) -> Iterator[Told]:
        """What the cores say about a WPDU that is sent, or about a datagram that arrives."""
        return (self._send if happening.doing is Doing.REQUEST else self._receive)(happening)

    def _send(self, happening: Happening) -> Iterator[Told]:
        side, row = happening.side, happening.row
        core, (source, destination) = self._cores[side], self._wports(row)
        local, local_port, remote, remote_port = self._quadruples[side]
        try:
            request = UdpDataRequest(
                local_wport=source,
                remote_wport=destination,
                local_udp_port=local_port,
                remote_udp_port=remote_port,
                local_ip_address=local,
                remote_ip_address=remote,
                data=self._data(row),
            )
            core.submit(request)
        except (LocalProtocolError, ValueError) as problem:
            yield refused(happening, side, problem)
            return
        yield Occurred(side, happening.time, request, row, happening.packet)
        for event in core.events():
            if isinstance(event, UdpSend):
                core.datagram_sent(event)
            elif isinstance(event, Primitive):
                yield Occurred(side, happening.time, event, row, happening.packet)

    def _receive(self, happening: Happening) -> Iterator[Told]:
        """A datagram as it arrives; its rows are those from the happening's on, as many as it has."""
        side, packet = happening.side, happening.packet
        core, table = self._cores[side], self._analysis.packets
        captured, length = (int(table[name][packet]) for name in ("payload_captured", "payload_length"))
        octets = self._analysis.reader.octets(int(table["payload"][packet]), captured)
        local, local_port, remote, remote_port = self._quadruples[side]
        core.datagram_received(
            octets.ljust(length, b"\0"),
            local_ip_address=local,
            local_udp_port=local_port,
            remote_ip_address=remote,
            remote_udp_port=remote_port,
        )
        rows = self._indicated_rows(happening)
        for event in core.events():
            if isinstance(event, UdpDataIndication):
                yield Occurred(side, happening.time, event, next(rows, happening.row), packet)
            else:
                yield refused(happening, side, event)

    def _indicated_rows(self, happening: Happening) -> Iterator[int]:
        """The row of each indication that the datagram's WPDUs give: an entity each that is reached."""
        row, wpdus = happening.row, self._analysis.wpdus
        while row < len(wpdus) and wpdus["last_packet"][row] == happening.packet:
            for _ in self._bindings[happening.side].receivers(self._wports(row)[1]):
                yield row
            row += 1
