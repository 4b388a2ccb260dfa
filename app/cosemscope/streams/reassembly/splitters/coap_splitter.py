"""The splitter of DLMS over CoAP: an APDU a message, or joined from the blocks of several (RFC 7959).

Requests come in Block1, answers in Block2; the token says which transfer a block belongs to, where the sender
keeps it from block to block. A message that was sent again is told by its number and passed over.
"""

from collections import OrderedDict, deque

from cosemscope.streams.foreign.coap_messages import POST, CoapBlock, CoapMessage, read_coap, wrapper_around
from cosemscope.streams.reassembly.reassembler import Segment
from cosemscope.streams.reassembly.splitters.splitter import Unit, UnitListener
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.wpdu_table import Mark
from cosemscope.transport.wpdu import HEADER_SIZE, WpduHeader, decode_header

#: Transfers of one direction that wait for blocks, and blocks of one.
MAX_TRANSFERS = 16
MAX_BLOCKS = 4096
#: Messages back to which one that was sent again is known.
_REMEMBERED = 32


class CoapSplitter:
    """APDUs in the messages of one direction, each chunk a datagram."""

    clean = False

    def __init__(self, listener: UnitListener, start: int) -> None:
        self._listener = listener
        self._transfers: OrderedDict[bytes, list[Segment]] = OrderedDict()
        self._seen: deque[tuple[int, bytes, int]] = deque(maxlen=_REMEMBERED)

    def chunk(self, segment: Segment, trigger: int) -> None:
        """One datagram."""
        octets = self._listener.read(segment.address, segment.captured)
        message = read_coap(octets)
        if message is None or not message.payload or (message.code != POST and not message.is_answer):
            return
        block = message.block2 if message.is_answer else message.block1
        key = message.message_id, message.token, block.number if block else 0
        if key in self._seen:
            return
        self._seen.append(key)
        payload = segment.part(segment.start + message.payload, segment.stop)
        cut = Mark.TRUNCATED if segment.captured < segment.stop - segment.start else Mark(0)
        if block is None or (not block.number and not block.more):
            self._emit([payload], trigger, cut)
        else:
            self._block(message, block, payload, trigger)

    def gap(self, start: int, stop: int, packet: int, trigger: int) -> None:
        """Octets that the snap length cut off, which `chunk` has marked."""

    def end_datagram(self, packet: int) -> None:
        """A message ends with its datagram."""

    def close(self, packet: int) -> None:
        """Nothing more comes: transfers that lack blocks are cut."""
        while self._transfers:
            self._emit(self._transfers.popitem(last=False)[1], packet, Mark.TRUNCATED)

    def _block(self, message: CoapMessage, block: CoapBlock, payload: Segment, trigger: int) -> None:
        token = message.token
        if not block.number:
            self._give_up(token, trigger)
            self._transfers[token] = []
        elif (
            token not in self._transfers
        ):  # another token for each block: the transfer that waits for it goes on
            token = next((one for one, parts in self._transfers.items() if len(parts) == block.number), token)
        parts = self._transfers.get(token)
        if parts is None or len(parts) != block.number or len(parts) >= MAX_BLOCKS:
            self._give_up(token, trigger)
            return
        parts.append(payload)
        if not block.more:
            self._emit(self._transfers.pop(token), trigger, Mark(0))
        while len(self._transfers) > MAX_TRANSFERS:
            self._give_up(next(iter(self._transfers)), trigger)

    def _give_up(self, token: bytes, trigger: int) -> None:
        parts = self._transfers.pop(token, None)
        if parts:
            self._emit(parts, trigger, Mark.TRUNCATED)

    def _emit(self, parts: list[Segment], trigger: int, marks: Mark) -> None:
        """One APDU: the payload of one message, or of several, without the wrapper's header."""
        first = parts[0]
        head = self._listener.read(first.address, min(first.captured, HEADER_SIZE + 1))
        skip = wrapper_around(head)
        header = decode_header(head) if skip else None
        pieces = (first.part(first.start + skip, first.stop), *parts[1:])
        size = sum(piece.captured for piece in pieces)
        length = header.length if header else sum(piece.stop - piece.start for piece in pieces)
        if size < length:
            marks |= Mark.TRUNCATED
        header = header._replace(version=0) if header else WpduHeader(0, 0, 0, length)
        tag = head[skip] if len(head) > skip else -1
        self._listener.unit(Unit(header, tag, size, int(marks), pieces, Framing.COAP), trigger)
