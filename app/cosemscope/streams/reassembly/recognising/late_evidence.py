"""Evidence that a stream which was not recognised at first carries DLMS after all.

`Recogniser` looks at the first octets of a stream; here all its segments are looked at, for ever, in whole
batches. A segment is evidence when it is one believable WPDU or begins with a whole HDLC frame; when it has
the third header of a chain, wherever headers stand whose lengths lead from one to the next; or when it is the
twelfth in a row whose length is that of a header with the same wPorts, even if the tags are unknown. What
came before late evidence is read again (`reopening`), so nothing is lost by strictness.
"""

import re
from collections import OrderedDict
from typing import NamedTuple

import numpy as np

from cosemscope.apdu.names.tags import APDU_TAGS
from cosemscope.capture.columns import Array
from cosemscope.streams.foreign.foreign_table import FOREIGN
from cosemscope.streams.payload import PayloadSource
from cosemscope.streams.reassembly.packet_batch import PacketBatch
from cosemscope.streams.recognition import HEAD, apdu_is_sound, believable, frame_check, header_check
from cosemscope.streams.stream_table import StreamTable
from cosemscope.streams.tables.framing import Framing
from cosemscope.transport.wpdu import HEADER_SIZE, VERSION
from cosemscope.transport.wports import DLMS_PORT

#: Framings behind which DLMS may come: nothing that was known or named late, and preludes of a connection.
LOOKED_BEHIND = frozenset(
    (
        Framing.UNDECIDED,
        Framing.UNKNOWN,
        Framing.HTTP,
        Framing.IEC_62056_21,
        *(foreign.framing for foreign in FOREIGN if foreign.matches is not None),
    )
)
#: Headers in a chain, each at the end of what the one before it has, that are evidence wherever they stand.
CHAIN = 3
#: Segments in a row that have exactly the length of their headers, that are evidence whatever they carry.
EXACT = 12
#: Believable WPDUs that are evidence, where neither the port nor a sound APDU speaks for one.
BELIEVABLE = 2
#: Headers of a half that wait for the next of their chains, and halves of which anything is kept.
MAX_WAITING, MAX_HALVES = 64, 1 << 16

_OPEN = np.zeros(256, np.bool_)
_OPEN[list(LOOKED_BEHIND)] = True
_TAGS = re.escape(bytes(sorted(APDU_TAGS)))
_HEADER = re.compile(rb"(?=\x00\x01.{6}[" + _TAGS + rb"].)", re.DOTALL)
_FLAG, _TYPE_3 = 0x7E, 0xA


class Told(NamedTuple):
    """The framing that the packet at position `place` of a batch told."""

    place: int
    framing: Framing


class _Half:
    """What is kept of one direction: where chains go on, by sequence number, and the run of exact lengths."""

    __slots__ = ("believed", "chains", "exact", "wports")

    def __init__(self) -> None:
        self.chains: dict[int, int] = {}
        self.exact = 0
        self.wports = (0, 0)
        self.believed = 0

    def link(self, number: int, length: int) -> bool:
        """A header stands at this sequence number; True if it is one of a whole chain."""
        links = self.chains.pop(number, 0) + 1
        if links < CHAIN:
            follows = (number + HEADER_SIZE + length) & 0xFFFFFFFF
            self.chains[follows] = max(links, self.chains.pop(follows, 0))
            if len(self.chains) > MAX_WAITING:
                del self.chains[next(iter(self.chains))]
        return links >= CHAIN

    def run(self, wports: tuple[int, int]) -> bool:
        """A segment has exactly the length of its header with these wPorts; True if many did in a row."""
        self.exact = self.exact + 1 if wports == self.wports else 1
        self.wports = wports
        return self.exact >= EXACT


class LateEvidence:
    """Looks at the TCP segments of streams that are not recognised, batch by batch."""

    def __init__(self, streams: StreamTable, source: PayloadSource) -> None:
        self._streams = streams
        self._source = source
        self._halves: OrderedDict[int, _Half] = OrderedDict()

    def look(self, batch: PacketBatch, index: Array) -> dict[int, list[Told]]:
        """Evidence in the packets at positions `index`, int64[k], that carry octets: in order, by stream."""
        framings = self._streams["framing"]
        for half in [half for half in self._halves if not _OPEN[framings[half >> 1]]]:
            del self._halves[half]
        mine = _OPEN[framings[batch.stream[index]]]
        if not mine.any():
            return {}
        index = index[mine]
        index = index[self._source.at_hand(batch.payload[index])]
        found: dict[int, list[Told]] = {}
        for place, framing in self._search(batch, index):
            owner = int(batch.stream[place])
            if not self._streams.declared(owner):
                found.setdefault(owner, []).append(Told(place, framing))
        return found

    def _search(self, batch: PacketBatch, index: Array) -> list[tuple[int, Framing]]:
        """Positions of packets that are evidence, in order, and for which framing."""
        heads = self._source.gather(HEAD, batch.payload[index])
        length = batch.payload_length[index]
        half = 2 * batch.stream[index].astype(np.int64) + batch.direction[index]
        whole = batch.payload_captured[index] >= length
        exact = (
            whole & (heads["version"] == VERSION) & (heads["length"].astype(np.int64) + HEADER_SIZE == length)
        )
        strong = exact & believable(heads)
        frames = self._source.heads(batch.payload[index], 2)
        framed = whole & (length > HEADER_SIZE) & (frames[:, 0] == _FLAG) & (frames[:, 1] >> 4 == _TYPE_3)
        linked = self._linked(batch, index)
        # Only segments that can change something are looked at one by one: those above, and of halves with a
        # run of exact lengths every one, since each other segment ends it.
        running = np.zeros(2 * len(self._streams), np.bool_)
        running[half[exact]] = True
        running[[one for one, kept in self._halves.items() if kept.exact]] = True
        special = strong | framed | running[half]
        special[list(linked)] = True
        found = []
        for place in np.flatnonzero(special).tolist():
            packet, owner = int(index[place]), int(half[place])
            kept = self._keep(owner)
            chained = [kept.link(*link) for link in linked.get(place, ())]
            run = self._run(kept, heads, place, bool(exact[place]))
            if any(chained) or run or (strong[place] and self._believed(batch, packet, owner)):
                found.append((packet, Framing.WRAPPER))
            elif framed[place] and self._frame(batch, packet):
                found.append((packet, Framing.HDLC))
        return found

    def _keep(self, half: int) -> _Half:
        kept = self._halves.pop(half, None) or _Half()
        self._halves[half] = kept
        if len(self._halves) > MAX_HALVES:
            self._halves.popitem(last=False)
        return kept

    def _linked(self, batch: PacketBatch, index: Array) -> dict[int, list[tuple[int, int]]]:
        """By place in `index`: (sequence number, length) of each believable header within a segment."""
        addresses, captured = batch.payload[index], batch.payload_captured[index]
        place, offset = self._source.places(_HEADER, addresses, captured.astype(np.int64))
        if not len(place):
            return {}
        heads = self._source.gather(HEAD, addresses[place] + offset)
        good = np.flatnonzero(believable(heads))
        numbers = batch.first_octets(index[place]).astype(np.int64) + offset
        found: dict[int, list[tuple[int, int]]] = {}
        lengths = heads["length"]
        for one in good.tolist():
            link = int(numbers[one]) & 0xFFFFFFFF, int(lengths[one])
            found.setdefault(int(place[one]), []).append(link)
        return found

    def _run(self, kept: _Half, heads: Array, place: int, exact: bool) -> bool:
        """True if a segment is one of a long run of exact lengths."""
        head = heads[place]
        wports = int(head["source_wport"]), int(head["destination_wport"])
        if not exact or not all(wports):
            kept.exact = 0
            return False
        return kept.run(wports)

    def _believed(self, batch: PacketBatch, packet: int, half: int) -> bool:
        """True if a segment that is one believable WPDU is evidence."""
        kept = self._halves[half]
        kept.believed += 1
        if kept.believed >= BELIEVABLE or DLMS_PORT in self._streams.ports(half >> 1):
            return True
        octets = self._source.octets(int(batch.payload[packet]), int(batch.payload_length[packet]))
        return apdu_is_sound(octets[HEADER_SIZE:])

    def _frame(self, batch: PacketBatch, packet: int) -> bool:
        """True if a segment begins with a whole HDLC frame; its check sequence is right, or its header's."""
        octets = self._source.octets(int(batch.payload[packet]), int(batch.payload_length[packet]))
        end = 1 + ((octets[1] & 7) << 8 | octets[2])
        return (
            end < len(octets)
            and octets[end] == _FLAG
            and (frame_check(octets[1:end]) or header_check(octets[1:end]))
        )
