"""Pasted messages as a capture: each framing on a connection of its own, so that everything reads them.

What is known of a conversation (titles, keys, requests, blocks, segments) then holds for pasted octets as for
captured ones, and they can be saved and opened like any capture. Times are those of the text's stamps; where
there are none, they are made up: a millisecond apart.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.pasted.messages import PacketLink, PastedMessage
from cosemscope.apdu.framed import Layer
from cosemscope.apdu.hdlc.hdlc_events import bare_size
from cosemscope.apdu.hdlc.hdlc_frames import FLAG
from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.packets.packet_row import TCP
from cosemscope.capture.spool.spool_writer import SpoolWriter
from cosemscope.capture.spool.synthetic_frames import SyntheticTcp
from cosemscope.streams.decode_as import DecodeAs
from cosemscope.streams.tables.framing import Framing
from cosemscope.transport.wports import DLMS_PORT

#: Addresses for documentation (RFC 5737), and the ports of the connections: one a framing.
_CLIENT, _SERVER = "192.0.2.1", "192.0.2.2"
_PORTS = {
    Framing.WRAPPER: DLMS_PORT,
    Framing.SWAPPED: DLMS_PORT,
    Framing.HDLC: DLMS_PORT + 1,
    Framing.IEC_61334_4_32: DLMS_PORT + 2,
    Framing.BARE: DLMS_PORT + 3,
    Framing.MBUS: DLMS_PORT + 4,
}
_CLIENT_PORT = 49_152
_MILLISECOND, _DAY = 1_000_000, 86_400 * 1_000_000_000
#: Octets of a segment: a message is cut only where IP could not carry it.
_SEGMENT = 65_000


def message_times(messages: Sequence[PastedMessage], start: int) -> tuple[list[int], str]:
    """The time of each message in ns since the epoch, and a sentence on where the times come from.

    A message without a stamp comes a millisecond after the one before it, the first one after `start`. Times
    of day are of the day of `start`, and of the next one where the clock goes back by half a day.
    """
    dated = any(message.stamp is not None and message.stamp.dated for message in messages)
    midnight = start - start % _DAY
    times: list[int] = []
    told, last = 0, start
    for message in messages:
        stamp = message.stamp
        if stamp is None or stamp.dated is not dated:
            last += _MILLISECOND
        else:
            told += 1
            time = stamp.time if dated else midnight + stamp.time
            while not dated and times and last - time > _DAY // 2:
                time += _DAY
            last = time
        times.append(last)
    return times, _on_times(told, len(messages), dated=dated)


def _on_times(told: int, count: int, *, dated: bool) -> str:
    """The sentence on where the times of messages come from."""
    if not told:
        return "The text tells no times: those in the capture are made up, a millisecond apart."
    words = "The times in the capture are those of the text"
    if told < count:
        words += f", for {told} of {count} messages; others come a millisecond after the one before"
    return f"{words}." if dated else f"{words}; the text tells no date: today's is taken."


def write_messages(path: Path, messages: Sequence[PastedMessage], start: int = 0) -> list[int]:
    """Write the messages as a pcapng file; the index of each packet's message. Raises SpoolError.

    Times are those of `message_times`; a handshake comes at the time of the first message behind it.
    """
    times, _ = message_times(messages, start)
    connections: dict[Framing, SyntheticTcp] = {}
    interfaces: dict[int, int] = {}
    places: list[int] = []
    with SpoolWriter(path, buffer=1 << 20) as spool:
        for index, message in enumerate(messages):
            link = message.framing if isinstance(message.framing, PacketLink) else PacketLink.ETHERNET
            if link.value not in interfaces:
                interfaces[link.value] = spool.add_interface("pasted octets", link.value)
            for frame in _frames(message, connections):
                places.append(index)
                spool.write(times[index], frame, interface=interfaces[link.value])
    return places


def _frames(message: PastedMessage, connections: dict[Framing, SyntheticTcp]) -> list[bytes]:
    """The packets of a message: itself where it is one, else segments, behind a handshake for the first.

    None for what no stream can hold.
    """
    if isinstance(message.framing, PacketLink):
        return [message.octets]
    if isinstance(message.framing, Layer):
        return []
    connection = connections.get(message.framing)
    opened = []
    if connection is None:
        port = _PORTS[message.framing]
        ends = (_CLIENT, _CLIENT_PORT + port - DLMS_PORT), (_SERVER, port)
        connection = SyntheticTcp(*ends, mss=_SEGMENT, initial_sequence=(0, 0))
        connections[message.framing] = connection
        opened = connection.handshake()
    return [*opened, *connection.data(message.from_client, _sent(message))]


def _sent(message: PastedMessage) -> bytes:
    """The octets of a message as a stream has them: HDLC frames between flags, though none were pasted."""
    octets, flag = message.octets, bytes((FLAG,))
    size = bare_size(octets) if message.framing is Framing.HDLC else 0
    if not size:
        return octets
    return flag + octets + (flag if size == len(octets) else b"")


def can_be_captured(messages: Sequence[PastedMessage]) -> bool:
    """Whether any of the messages is of a kind that a capture holds."""
    return not all(isinstance(message.framing, Layer) for message in messages)


@contextmanager
def pasted_analysis(messages: Sequence[PastedMessage]) -> Iterator[tuple[Analysis, list[int]]]:
    """The messages as a capture, analysed, and the index of each packet's message; the file is temporary."""
    rules = {(TCP, _PORTS[m.framing]): m.framing for m in messages if isinstance(m.framing, Framing)}
    with tempfile.TemporaryDirectory(prefix="cosemscope-") as folder:
        path = Path(folder) / "pasted.pcapng"
        places = write_messages(path, messages)
        with open_capture(path) as reader:
            yield Analysis(reader, DecodeAs(ports=rules)).run(), places
