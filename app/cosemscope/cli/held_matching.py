"""Display filters of breakpoints: which WPDUs on their way through a relay one leaves, before they go on.

Those that wait are written as a small capture, each with the addresses of its ends, and analysed like any.
A breakpoint sees one WPDU: a filter that asks for what only others tell is refused.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.row_field import Cost
from cosemscope.analysis.filter.display_filter import DisplayFilter, FilterError, compile_filter
from cosemscope.capture.files.reader import open_source
from cosemscope.capture.octets import OctetFile
from cosemscope.capture.packets.packet_row import TCP, UDP
from cosemscope.capture.spool.spool_writer import SpoolInterface, interface_block, packet_block, section_block
from cosemscope.capture.spool.synthetic_frames import SyntheticTcp, SyntheticUdp
from cosemscope.live.relay.breakpoints import Matches, Passing
from cosemscope.streams.decode_as import DecodeAs
from cosemscope.streams.tables.framing import Framing

#: Octets of a segment: the longest WPDU is two of them.
_SEGMENT = 65_000
_WHOLE = {Cost.WHOLE, Cost.TREES}
#: Fields of columns that have no meaning before there is a capture: times, numbers, and what packets have.
_GROUPS_OF_A_CAPTURE = ("association.", "exchange.", "stream.", "frame.", "tcp.analysis.")
_OF_A_CAPTURE = {
    *("association", "exchange", "session", "stream", "tcp.stream", "udp.stream", "ip.id"),
    *("tcp.ack_raw", "tcp.flags", "tcp.len", "tcp.seq_raw", "tcp.window_size_value"),
    *("wpdu.number", "wpdu.packets", "wpdu.packet_count", "wpdu.segments", "wpdu.time", "wpdu.first_time"),
    *("wpdu.time_delta", "wpdu.time_relative", "wpdu.transfer_time", "wpdu.shared", "wpdu.out_of_order"),
}


def make_matches(text: str) -> Matches:
    """What asks the filter. Raises ValueError, in words, for one that is none or needs a whole capture."""
    try:
        wanted = compile_filter(text)
    except FilterError as error:
        raise ValueError(error.pointed(text)) from None
    if wanted.is_empty:
        raise ValueError("an empty filter would hold everything: write wpdu.length >= 0")
    for field in wanted.fields:
        of_a_group = field.name.startswith(_GROUPS_OF_A_CAPTURE)
        if field.cost in _WHOLE or of_a_group or field.name in _OF_A_CAPTURE:
            raise ValueError(f"{field.name} is told by a whole capture; a breakpoint sees one WPDU by itself")

    def matches(passing: Sequence[Passing]) -> list[bool]:
        found = [False] * len(passing)
        for places in _rounds(passing):
            hits = _matched(wanted, [passing[place] for place in places])
            for place, hit in zip(places, hits, strict=True):
                found[place] = hit
        return found

    return matches


def _rounds(passing: Sequence[Passing]) -> list[list[int]]:
    """Places of those that are looked at together: none with another one of its own connection.

    A request would else be known to the response that happens to wait with it.
    """
    rounds: list[list[int]] = []
    met: Counter[tuple[object, ...]] = Counter()
    for place, one in enumerate(passing):
        ends = (one.client, one.target, one.udp)
        if met[ends] == len(rounds):
            rounds.append([])
        rounds[met[ends]].append(place)
        met[ends] += 1
    return rounds


def _matched(wanted: DisplayFilter, passing: Sequence[Passing]) -> list[bool]:
    """Whether the filter leaves a WPDU of each. Raises OSError and CaptureError."""
    found = [False] * len(passing)
    ports = {(UDP if one.udp else TCP, one.target.port): Framing.WRAPPER for one in passing}
    octets, places = _captured(passing)
    file = OctetFile.temporary()
    file.append(octets)
    with open_source(Path("WPDUs at a breakpoint"), file) as reader:
        analysis = Analysis(reader, DecodeAs(ports=ports)).run()
        associations = Associations(analysis)
        wanted.prepare(associations)
        rows = wanted.rows(analysis, associations=associations)
        for packet in analysis.wpdus["first_packet"][rows].tolist():
            found[places[packet]] = True
    return found


def _captured(passing: Sequence[Passing]) -> tuple[bytes, list[int]]:
    """Each as packets of a connection of its own in a pcapng; the place in `passing` of each packet."""
    places: list[int] = []
    blocks = [section_block("", ""), interface_block(SpoolInterface("held"))]
    for place, one in enumerate(passing):
        for frame in _frames(one):
            blocks.append(packet_block(place, frame, original=len(frame)))
            places.append(place)
    return b"".join(blocks), places


def _frames(one: Passing) -> list[bytes]:
    ends = _of_one_version(one)
    if one.udp:
        return SyntheticUdp(*ends).data(one.to_target, one.octets)
    connection = SyntheticTcp(*ends, mss=_SEGMENT)
    return [*connection.handshake(), *connection.data(one.to_target, one.octets)]


def _of_one_version(one: Passing) -> tuple[tuple[str, int], tuple[str, int]]:
    """The ends; where one is of IPv4 and the other of IPv6, the client has the address of loopback."""
    client, target = one.client, one.target
    if (":" in client.host) is (":" in target.host):
        return client, target
    return ("::1" if ":" in target.host else "127.0.0.1", client.port), target
